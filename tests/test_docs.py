"""The examples of README.md and docs/guide/*.md are run, and print what the pages say.

How a page writes its examples:

- a fence ``python`` is run. The blocks of one page share a namespace and run in order; pages know
  nothing of each other. If a block prints, the next block of the page is a fence ``text`` with
  exactly what it printed (trailing blanks aside).
- a fence ``py`` is shown and not run. The line above it says why: ``<!-- not run: reason -->``.
- a fence ``console`` holds commands. Lines that begin with ``$ finitewidth`` are run, in an empty
  folder, a terminal 80 columns wide and without colours; the lines up to the next ``$`` are
  exactly what the command printed. Any other ``$`` line is shown and not run.
- ``<!-- needs: torch -->`` above a fence: it is run where that module is installed.
- an admonition with an example in it is written with colons (``:::{note}``).
- an example draws its random numbers from a seed, prints no more digits than every machine agrees
  on, and every page has one; it should run in less than 20 seconds.
"""

import difflib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from fractions import Fraction as F
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law import transitions
from finitewidth.law.schemes import hessian, kernel_power

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
NEED_TORCH = frozenset(
    ("check.md", "expansion.md", "measure.md", "recorder.md", "step-measured.md", "trajectory.md")
)
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
REASON = re.compile(r"^<!-- not run: .*\S.* -->$")
NEEDS = re.compile(r"^<!-- needs: (?P<modules>\w+(, \w+)*) -->$")
TERMINAL = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}


@dataclass(frozen=True)
class Block:
    """One fenced block: info string, text, its first line on the page, the line above the fence."""

    info: str
    text: str
    start: int
    before: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, outermost ones."""
    found, lines, number = [], page.splitlines(), 0
    while number < len(lines):
        fence = FENCE.match(lines[number])
        number += 1
        if fence is None:
            continue
        start, indent, ticks = number, len(fence["indent"]), fence["ticks"]
        closing = re.compile(rf"^ *{re.escape(ticks[0])}{{{len(ticks)},}} *$")
        while number < len(lines) and not closing.match(lines[number]):
            number += 1
        if number == len(lines):
            raise AssertionError(f"line {start}: this block is never closed")
        content = "\n".join(line[indent:] for line in lines[start:number])
        before = lines[start - 2].strip() if start > 1 else ""
        found.append(Block(fence["info"].strip(), content, start + 1, before))
        number += 1
    return found


def problems_of_form(page: str) -> Iterator[str]:
    """What the page's fences get wrong."""
    for block in blocks(page):
        if block.info == "py" and not REASON.match(block.before):
            yield f"line {block.start}: a py block needs <!-- not run: reason --> above it"
        elif "python" in block.info and block.info != "python":
            yield f"line {block.start}: {block.info!r} is not run; write python, or py and a reason"
        elif block.info.startswith("{") and any(
            inner.info in ("python", "console") for inner in blocks(block.text)
        ):
            yield f"line {block.start}: write this directive with ::: so that its example is run"
        elif block.info in ("pycon", "bash", "sh", "shell") and "finitewidth " in block.text:
            yield f"line {block.start}: write console, so that the command is run"


def can_run(block: Block) -> bool:
    """Whether the modules that the block says it needs are installed."""
    needs = NEEDS.match(block.before)
    return needs is None or all(map(find_spec, needs["modules"].split(", ")))


def same(shown: str, printed: str, where: str) -> list[str]:
    """A problem if the page shows something else than was printed."""
    expected, got = ([line.rstrip() for line in text.splitlines()] for text in (shown, printed))
    while got and not got[-1]:
        got.pop()
    if expected == got:
        return []
    diff = "\n".join(difflib.unified_diff(expected, got, "the page", "printed", lineterm=""))
    return [f"{where}: the output differs from the page\n{diff}"]


def run_python(page: str, name: str) -> list[str]:
    """Run the python blocks of a page; what was found wrong."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    found, listed = [], blocks(page)
    for block, following in zip(listed, [*listed[1:], None], strict=True):
        if block.info != "python" or not can_run(block):
            continue
        # Blank lines in front, so that a traceback names the line of the page.
        code = compile("\n" * (block.start - 1) + block.text, name, "exec")
        printed = StringIO()
        with redirect_stdout(printed):
            exec(code, namespace)
        where = f"{name}:{block.start}"
        shown = following if following is not None and following.info == "text" else None
        if shown is not None:
            found += same(shown.text, printed.getvalue(), where)
        elif printed.getvalue():
            found.append(f"{where}: prints, but no text block follows:\n{printed.getvalue()}")
    return found


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    command, output = None, []
    for line in (*block.text.splitlines(), "$ "):
        if line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(output)
            command, output = line[2:].strip(), []
        elif command is None:
            raise AssertionError(f"line {block.start}: a console block begins with '$ '")
        elif command.endswith("\\"):
            command = command[:-1] + line.removeprefix(">").strip()
        else:
            output.append(line)


def run_console(page: str, name: str, folder: Path) -> list[str]:
    """Run the finitewidth commands of a page; what was found wrong."""
    found = []
    for block in blocks(page):
        if block.info != "console" or not can_run(block):
            continue
        for command, shown in commands(block):
            words = shlex.split(command)
            if words[:1] != ["finitewidth"]:
                continue
            program = [sys.executable, "-m", "finitewidth", *words[1:]]
            env = {**os.environ, **TERMINAL}
            done = subprocess.run(
                program,
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            found += same(
                shown.rstrip("\n"), done.stdout + done.stderr, f"{name}:{block.start}: {command}"
            )
    return found


def check(page: str, name: str, folder: Path) -> list[str]:
    """Everything that is wrong with a page's examples."""
    return [*problems_of_form(page), *run_python(page, name), *run_console(page, name, folder)]


def test_commands_of_the_readme_fit_one_screen():
    """At most 40 lines at 80 columns each, without trailing blanks."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [
        (command, output.rstrip("\n").split("\n"))
        for block in blocks(page)
        if block.info == "console"
        for command, output in commands(block)
        if command.startswith("finitewidth")
    ]
    assert len(shown) >= 8
    for command, lines in shown:
        assert len(lines) <= 40, command
        assert max(map(len, lines)) <= 80, command
        assert not any(line != line.rstrip() for line in lines), command


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_print_what_the_page_says(path, tmp_path, monkeypatch):
    if path.name in NEED_TORCH:
        pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    if path.name == "sweep.md":
        for module in ("distributed", "pydantic", "xarray"):
            pytest.importorskip(module, reason="the sweep extra is not installed")
    monkeypatch.chdir(tmp_path)
    name = str(path.relative_to(ROOT))
    found = check(path.read_text(encoding="utf-8"), name, tmp_path)
    assert not found, "\n" + "\n".join(found)
    infos = {block.info for block in blocks(path.read_text(encoding="utf-8"))}
    assert infos & {"python", "console"}, "every page has an example"


# From here on: the checks themselves can fail.

GOOD = """
```python
a = 2
print(a + 0.5)
print("x ")
```

```text
2.5
x
```

```python
b = 2 * a
```

Text between the blocks.

- In a list:

  ```python
  print(b)
  ```

  ```text
  4
  ```

<!-- not run: takes an hour -->
```py
raise SystemExit
```

````md
```python
raise SystemExit
```
````

:::{note}
```python
print(b - a)
```

```text
2
```
:::

```console
$ make something
```
"""


def test_a_good_page_passes(tmp_path):
    assert check(GOOD, "page", tmp_path) == []


BAD = {
    "other number": (("2.5\n", "2.6\n"), "page:3: the output differs"),
    "line missing": (("2.5\nx\n", "2.5\n"), "+x"),
    "line too many": (("x\n```", "x\ny\n```"), "-y"),
    "nothing shown": (("```text\n2.5\nx\n```", ""), "prints, but no text block follows"),
    "shown elsewhere": (("b = 2 * a", "print(b := 4)"), "prints, but no text block follows"),
    "prints nothing": (("print(b)", "pass"), "-4"),
    "no reason": (("<!-- not run: takes an hour -->", ""), "needs <!-- not run"),
    "empty reason": (("takes an hour", ""), "needs <!-- not run"),
    "directive": (("```py\n", "```{code-block} python\n"), "is not run"),
    "marked python": (("```py\n", "```python-norun\n"), "is not run"),
    "wrong in a note": (("\n2\n", "\n3\n"), "-3"),
    "hidden in a directive": (("````md", "````{note}"), "write this directive with :::"),
    "command in bash": (("```console\n$ make", "```bash\nfinitewidth law"), "write console"),
}


@pytest.mark.parametrize(("change", "complaint"), BAD.values(), ids=BAD.keys())
def test_a_bad_page_is_rejected(tmp_path, change, complaint):
    assert GOOD.count(change[0]) == 1, "the change must hit one place"
    found = check(GOOD.replace(*change), "page", tmp_path)
    assert len(found) == 1
    assert complaint in found[0]


def test_an_error_is_not_hidden_and_names_its_line(tmp_path):
    with pytest.raises(NameError) as caught:
        check(GOOD.replace("2 * a", "2 * c"), "page", tmp_path)
    assert caught.traceback[-1].lineno + 1 == GOOD.splitlines().index("b = 2 * a") + 1


def test_pages_share_nothing(tmp_path):
    check(GOOD, "page", tmp_path)
    with pytest.raises(NameError):
        check("```python\na\n```", "other", tmp_path)


def test_an_open_block_is_rejected():
    with pytest.raises(AssertionError, match="never closed"):
        blocks("```python\nprint(1)\n")


CONSOLE = """
```console
$ finitewidth --version
finitewidth {version}
$ ls nowhere
never looked at
$ finitewidth \\
>   --version
finitewidth {version}
```
"""


def test_console_blocks_are_run(tmp_path):
    assert check(CONSOLE.format(version=fw.__version__), "page", tmp_path) == []
    found = check(CONSOLE.format(version="none"), "page", tmp_path)
    assert len(found) == 2
    assert all(f"+finitewidth {fw.__version__}" in problem for problem in found)


def test_errors_of_commands_are_shown_too(tmp_path):
    page = "```console\n$ finitewidth no-such-command\nfine\n```"
    (found,) = check(page, "page", tmp_path)
    assert "Unknown command" in found


# What CONTRIBUTING.md says of the tree.


def missing_paths(page: str) -> list[str]:
    """Paths between backquotes, from the root or from the package, that lead nowhere."""
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", page)
    homes = (ROOT, ROOT / "src" / "finitewidth")
    return [path for path in paths if not any((home / path).exists() for home in homes)]


def test_every_path_of_contributing_exists():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert page.count("`law/moments.py`") == 1
    page = page.replace("`docs/_build/html`", "")  # made by `make docs`
    assert missing_paths(page) == []
    assert missing_paths(page.replace("law/moments.py", "law/moment.py")) == ["law/moment.py"]


# And the tables of the pages, where no example computes them.

STATES = {
    "K": kernel_power(1, "kernel", True),
    "K^2": kernel_power(2, "kernel", True),
    "K^3": kernel_power(3, "kernel", True),
    "K^4": kernel_power(4, "kernel", True),
    "N g^\\top H g": hessian(1, 1, True),
    "(g^\\top H g)^2": hessian(0, 2, True),
    "N^2 (g^\\top H g)^2": hessian(2, 2, True),
}


def numbered_blocks(state):
    """A state with its blocks in order of appearance: paths told apart, nothing exchanged."""
    number = {-1: -1}
    return tuple(
        (shape, statuses, tuple(number.setdefault(b, len(number) - 1) for b in blocks))
        for shape, statuses, blocks in state
    )


@pytest.mark.parametrize("quantity", STATES)
def test_the_table_of_states(quantity, monkeypatch):
    scheme, page = STATES[quantity], (ROOT / "docs/guide/law.md").read_text(encoding="utf-8")
    counts = transitions.table(scheme, True)
    monkeypatch.setattr(transitions, "canonical", numbered_blocks)
    told_apart = transitions.table.__wrapped__(scheme, True)  # past the cache
    steps = len(counts.to_edges) + len(counts.to_neurons)
    states = len(told_apart.neurons), len(counts.neurons), len(counts.edges)
    cells = " | ".join(map(str, (scheme.paths, *states, steps)))
    assert f"| $\\mathbb E\\, {quantity}$ | {cells} |\n" in page


def test_the_table_of_constants():
    """Exact over printed at d/n = 1/2, the terms in 1/n, 1/n² and 1/n³ removed.

    The next term is of order 10⁻⁹ at these widths (each removed one is 100 times the next).
    """
    names = ("weights_squared", "biases_squared", "cross", "update_ww", "update_wb")
    table = []
    for n in (500, 1000, 2000, 4000):
        law = fw.KernelLaw(fw.MLP.equal_width(10, n, n // 2 - 1))
        forms, parts = law.paper(), law.update_parts().values()
        exact = [law.moment(2, "weights"), law.moment(2, "biases"), law.cross_moment(), *parts]
        table.append(
            [e / forms[f].value.to_float(f, "") for e, f in zip(exact, names, strict=True)]
        )
    ratios = np.array(table)
    for power in (1, 2, 3):
        ratios = (2**power * ratios[1:] - ratios[:-1]) / (2**power - 1)
    weights, cross = ratios[0, 0], ratios[0, 2]
    assert ratios[0, [1, 3, 4]] == pytest.approx([0.5, 4.0, 1.0], rel=1e-7)
    row = f"| $\\Lambda = \\tfrac12$ | {weights:.4f} | ½ | {cross:.4f} | 4 | 1 |\n"
    assert row in (ROOT / "docs/guide/paper.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("weight_law", ["gaussian", "uniform", "laplace", "student_t:9"])
def test_one_hidden_layer_by_hand(weight_law):
    """The closed forms of docs/guide/law.md for any μ_4: equality of fractions."""
    x, n = [F(1), F(2), F(-1, 3)], 7
    net = fw.MLP(n_in=3, widths=[n], weight_law=weight_law)
    law, mu4 = fw.KernelLaw(net, x), net.law.moment(4)
    u, f = sum(v**2 for v in x) / F(3), sum(v**4 for v in x) / F(9)
    fourth = 3 * u**2 + (2 * mu4 * (3 * u**2 + (mu4 - 3) * f) - 3 * u**2) / n
    forms = {
        ("weights", 2): 4 * u**2 + ((6 + 2 * mu4) * u**2 + 2 * (mu4 - 3) * f) / n,
        ("biases", 2): F(9, 4) + (2 * mu4 - 1) / (4 * n),
        ("cross", 1): 3 * u + mu4 * u / n,
        ("output", 4): fourth,
        ("update_ww", 1): 4 * u**2 / n,
        ("update_wb", 1): u / n,
        ("update_squared", 1): (4 * u + 2) ** 2 / n**2 * fourth,
        ("hessian_squared", 1): (4 * u + 2) ** 2 / n**2 * u,
    }
    assert {key: law.fraction(*key) for key in forms} == forms
