"""The examples of README.md and docs/guide/*.md are run, and print what the pages say.

How a page writes its examples:

- a fence ``python`` is run. The blocks of one page share a namespace and run in order; pages know
  nothing of each other. If a block prints, the next block of the page is a fence ``text`` with
  exactly what it printed (trailing blanks aside).
- a fence ``py`` is shown and not run. The line above it says why: ``<!-- not run: reason -->``.
- a fence ``console`` holds commands. Lines that begin with ``$ finitewidth`` are run, in an empty
  folder, a terminal 100 columns wide and without colours; the lines up to the next ``$`` are
  exactly what the command printed. Any other ``$`` line is shown and not run.
- an admonition with an example in it is written with colons (``:::{note}``).
- an example draws its random numbers from a seed, and prints no more digits than every machine
  agrees on.

Every page of the guide has an example, and runs in less than 20 seconds.
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
from io import StringIO
from pathlib import Path
from time import thread_time

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
PAGES = [ROOT / "README.md", *GUIDE]
SECONDS = 20.0
"""For one page: of the processor, so that a busy machine does not fail the test."""

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
REASON = re.compile(r"^<!-- not run: .*\S.* -->$")
TERMINAL = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


@dataclass(frozen=True)
class Block:
    """One fenced block: its info string, its lines, the page's line where they begin."""

    info: str
    lines: tuple[str, ...]
    start: int
    before: str
    """The line above the fence."""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


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
        content = tuple(line[indent:] for line in lines[start:number])
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
    found, listed, began = [], blocks(page), thread_time()
    for block, following in zip(listed, [*listed[1:], None], strict=True):
        if block.info != "python":
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
    seconds = thread_time() - began
    if seconds > SECONDS:
        found.append(f"{name}: takes {seconds:.0f} s, more than {SECONDS:.0f} s")
    return found


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    command, output = None, []
    for line in (*block.lines, "$ "):
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
        if block.info != "console":
            continue
        for command, shown in commands(block):
            words = shlex.split(command)
            if words[:1] != ["finitewidth"]:
                continue
            done = subprocess.run(
                [sys.executable, "-m", "finitewidth", *words[1:]],
                cwd=folder,
                env={**os.environ, **TERMINAL},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
                check=False,
            )
            found += same(shown.rstrip("\n"), done.stdout, f"{name}:{block.start}: {command}")
    return found


def check(page: str, name: str, folder: Path) -> list[str]:
    """Everything that is wrong with a page's examples."""
    return [*problems_of_form(page), *run_python(page, name), *run_console(page, name, folder)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_print_what_the_page_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = str(path.relative_to(ROOT))
    found = check(path.read_text(encoding="utf-8"), name, tmp_path)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("path", GUIDE, ids=lambda path: path.name)
def test_every_page_has_an_example(path):
    infos = [block.info for block in blocks(path.read_text(encoding="utf-8"))]
    assert "python" in infos or "console" in infos


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
    "digit missing": (("2.5\n", "2.50\n"), "-2.50"),
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


def test_a_slow_page_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SECONDS", 0.01)
    slow = "```python\nx = sum(range(3_000_000))\n```"
    (found,) = check(slow, "page", tmp_path)
    assert "more than" in found


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
    from finitewidth import __version__

    assert check(CONSOLE.format(version=__version__), "page", tmp_path) == []
    found = check(CONSOLE.format(version=__version__ + "1"), "page", tmp_path)
    assert len(found) == 2
    assert all(f"+finitewidth {__version__}" in problem for problem in found)


def test_errors_of_commands_are_shown_too(tmp_path):
    page = "```console\n$ finitewidth no-such-command\nfine\n```"
    (found,) = check(page, "page", tmp_path)
    assert "No such command" in found
