"""Who may import whom, and what `import finitewidth` may load.

    { estimate, statistics, network, data, store } ← report
        ← { law, paths, expansion, simulate, measure } ← design ← { verdict, sweep }
        ← reproduce ← app ← cli

A module imports from its own part and from parts to the left of it. Parts of one layer never
import each other: theory, enumeration, expansion, simulation and measurement are independent
witnesses. The files are read, not run, so imports inside functions and under TYPE_CHECKING count.
"""

import ast
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "finitewidth"

# Left to right. A part is a module or a folder directly under the package.
LAYERS = (
    {"estimate", "statistics", "network", "data", "store"},
    {"report"},
    {"law", "paths", "expansion", "simulate", "measure"},
    {"design"},
    {"verdict", "sweep"},
    {"reproduce"},
    {"app"},
    {"cli"},
)
LAYER_OF = {part: number for number, layer in enumerate(LAYERS) for part in layer}
LAST = len(LAYERS) - 1

# `finitewidth/__init__.py` collects the public names of all layers and `__main__.py` starts the
# command line: both stand above the picture.
FACADE = {"__init__", "__main__"}

# Importing the package must not load these: it stays as fast as numpy and scipy, and works
# without the extras.
HEAVY = (
    "torch",
    "matplotlib",
    "dask",
    "xarray",
    "pandas",
    "scipy.stats",
    "scipy.sparse",
    "scipy.special",
)


def is_private(part: str) -> bool:
    """Whether a top-level module is shared ground (`_shapes`, `_errors`), left of every layer."""
    return part.startswith("_") and part not in FACADE


def imported_modules(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports.

    `package` is the dotted package the file lies in. ``from a import b`` gives ``a.b``, since b
    may be a module; ``import_module("a")`` and ``__import__("a")`` count where a is written out.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = resolve(node.module or "", node.level, package)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            called = called.id if isinstance(called, ast.Name) else called
            name = node.args[0]
            if (
                called in ("import_module", "__import__")
                and isinstance(name, ast.Constant)
                and isinstance(name.value, str)
            ):
                level = len(name.value) - len(name.value.lstrip("."))
                yield node.lineno, resolve(name.value.lstrip("."), level, package)


def resolve(module: str, level: int, package: str) -> str:
    """Absolute name of an import with `level` leading dots in a file of `package`."""
    if level == 0:
        return module
    parents = package.split(".")
    base = ".".join(parents[: len(parents) - level + 1])
    return f"{base}.{module}" if module else base


def objection(part: str, target: str) -> str | None:
    """Why a module of `part` may not import `target`; None where it may."""
    names = target.split(".")
    if names[0] != PACKAGE:
        return None
    imported = names[1] if len(names) > 1 else ""
    if imported == part or is_private(imported):
        return None
    if is_private(part):
        return f"{part} is shared by all layers and may import only modules like itself"
    if imported not in LAYER_OF:
        if LAYER_OF[part] == LAST:  # everything in the package is to the left
            return None
        return "the package itself holds all layers: import from the module that defines the name"
    if LAYER_OF[imported] == LAYER_OF[part]:
        return f"{part} and {imported} are of one layer and stay independent"
    if LAYER_OF[imported] > LAYER_OF[part]:
        return f"{imported} is to the right of {part}"
    return None


def violations(source: Path) -> list[str]:
    """One line, ``file:line: import: reason``, for every import against the picture.

    `source` is the folder that holds the package.
    """
    found = []
    for path in sorted((source / PACKAGE).rglob("*.py")):
        relative = path.relative_to(source)
        part = relative.with_suffix("").parts[1]
        if part in FACADE:
            continue
        if part not in LAYER_OF and not is_private(part):
            found.append(f"{relative}:1: {part} is in no layer of tests/test_layers.py")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for line, target in imported_modules(tree, ".".join(relative.parts[:-1])):
            reason = objection(part, target)
            if reason:
                found.append(f"{relative}:{line}: imports {target}: {reason}")
    return found


def loaded_by(statement: str) -> list[str]:
    """Which of `HEAVY` a fresh interpreter has loaded after running `statement`."""
    program = f"import sys; {statement}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.split()


def test_modules_import_only_from_their_left():
    source = ROOT / "src"
    assert len(list((source / PACKAGE).rglob("*.py"))) > 5, "the package was not found"
    found = violations(source)
    assert not found, "\n" + "\n".join(found)


# Removed when cli is rewritten and report has moved.
KNOWN_CIRCLES: tuple[set[str], ...] = ()


def import_graph(source: Path) -> tuple[dict[str, set[str]], set[str]]:
    """Every module with the modules it imports, and which of them are folders."""
    trees, folders = {}, set()
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        folder = ".".join(parts[:-1])
        module = folder if parts[-1] == "__init__" else ".".join(parts)
        folders.add(folder)
        trees[module] = folder, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    graph: dict[str, set[str]] = {module: set() for module in trees}
    for module, (folder, tree) in trees.items():
        for _, target in imported_modules(tree, folder):
            while target and target not in trees:  # a name in a module
                target = target.rpartition(".")[0]
            graph[module] |= {target} - {"", module}
            # the __init__ of a folder runs before what lies in it
            while target := target.rpartition(".")[0]:
                if not f"{module}.".startswith(f"{target}.") and target in trees:
                    graph[module].add(target)
    return graph, folders


def of_folders(graph: dict[str, set[str]], folders: set[str]) -> dict[str, set[str]]:
    """Which folders import their siblings: the folders of an import that lie side by side."""
    siblings: dict[str, set[str]] = {}
    for module, imported in graph.items():
        for target in imported:
            one, other = module.split("."), target.split(".")
            same = next(n for n in count() if one[n : n + 1] != other[n : n + 1])
            pair = [".".join(names[: same + 1]) for names in (one, other)]
            if pair[0] != pair[1] and folders.issuperset(pair):
                siblings.setdefault(pair[0], set()).add(pair[1])
    return siblings


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """For every module on a circle the shortest one through it, each circle once."""
    shortest: dict[frozenset[str], list[str]] = {}
    for start in sorted(graph):
        waiting, before = deque([start]), {}
        while waiting and start not in before:
            module = waiting.popleft()
            for target in sorted(graph.get(module, ())):
                if target not in before:
                    before[target] = module
                    waiting.append(target)
        if start in before:
            way = [start, before[start]]
            while way[-1] != start:
                way.append(before[way[-1]])
            shortest.setdefault(frozenset(way), way[::-1])
    return list(shortest.values())


def test_no_modules_import_each_other_in_a_circle():
    graph, _ = import_graph(ROOT / "src")
    ways = [" → ".join(way) for way in circles(graph) if set(way) not in KNOWN_CIRCLES]
    assert not ways, "\n" + "\n".join(ways)


def test_no_folders_side_by_side_import_each_other_in_a_circle():
    ways = [" → ".join(way) for way in circles(of_folders(*import_graph(ROOT / "src")))]
    assert not ways, "\n" + "\n".join(ways)


def test_contributing_draws_the_layers_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    picture = " ".join(
        line for line in text.splitlines() if line.startswith("    ") and "←" in line
    )
    drawn = [set(re.findall(r"\w+", layer)) for layer in picture.split("←")]
    package = ROOT / "src" / PACKAGE
    exists = {path.stem for path in package.iterdir()}
    assert [layer for layer in drawn if layer] == [kept for la in LAYERS if (kept := la & exists)]


def numerical(source: Path) -> list[str]:
    """``file:line: import`` of everything in the command line that could compute a number."""
    return [
        f"{path.name}:{line}: {target}"
        for path in sorted((source / PACKAGE / "cli").rglob("*.py"))
        for line, target in imported_modules(
            ast.parse(path.read_text(encoding="utf-8")), f"{PACKAGE}.cli"
        )
        if target.split(".")[0] in ("numpy", "scipy", "torch", "math", "statistics")
    ]


def test_commands_compute_nothing(tmp_path):
    assert numerical(ROOT / "src") == []
    write_tree(tmp_path, {"cli/law.py": "from os import path\nfrom numpy.linalg import norm"})
    assert numerical(tmp_path) == ["law.py:2: numpy.linalg.norm"]


def test_import_loads_nothing_heavy():
    assert loaded_by(f"import {PACKAGE}") == []


def test_the_core_names_load_nothing_heavy_either():
    """They are loaded when first used; using them must not bring an extra along."""
    statement = (
        f"import {PACKAGE} as fw; [getattr(fw, name) for name in dir(fw) if name != 'measure']; "
        "fw.KernelLaw(fw.MLP.equal_width(3, 4, 2)).dispersion(); fw.design.width_for(2, 1.5, 3)"
    )
    assert loaded_by(statement) == []


# From here on: the checks themselves can fail.


def write_tree(source: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = source / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


BAD = {
    "sibling": ("law/a.py", "from finitewidth.simulate import ensemble", 1),
    "sibling package": ("law/a.py", "from finitewidth import paths", 1),
    "first layer": ("network/a.py", "\nimport finitewidth.estimate", 2),
    "right": ("report/a.py", "import numpy\nimport finitewidth.law.moments", 2),
    "report from cli": ("report/a.py", "from finitewidth.cli.law import command", 1),
    "last": ("app/a.py", "import finitewidth.cli", 1),
    "in a function": ("paths/a.py", "def f():\n    from finitewidth.law import moments", 2),
    "type checking": ("law/a.py", "if TYPE_CHECKING:\n    import finitewidth.measure", 2),
    "relative": ("law/crossing/a.py", "\n\nfrom ...measure import kernel", 3),
    "relative module": ("law/__init__.py", "from .. import expansion", 1),
    "relative file": ("estimate.py", "from .network import MLP", 1),
    "by string": ("sweep/a.py", 'import_module("finitewidth.verdict")', 1),
    "by relative string": ("sweep/a.py", 'importlib.import_module("..verdict", __package__)', 1),
    "by dunder": ("sweep/a.py", '__import__("finitewidth.verdict")', 1),
    "facade": ("law/a.py", "import finitewidth as fw", 1),
    "facade name": ("verdict/a.py", "from finitewidth import MLP", 1),
    "shared ground": ("_shapes.py", "from finitewidth.network import MLP", 1),
    "no layer": ("utils.py", "", 1),
}


@pytest.mark.parametrize(("name", "text", "line"), BAD.values(), ids=BAD.keys())
def test_a_bad_import_is_found_and_located(tmp_path, name, text, line):
    write_tree(tmp_path, {"__init__.py": "import finitewidth.law", name: text})
    (found,) = violations(tmp_path)
    assert found.startswith(f"{PACKAGE}/{name}:{line}: ")


def test_good_imports_pass(tmp_path):
    write_tree(
        tmp_path,
        {
            "__init__.py": "from finitewidth.cli import main\nfrom finitewidth.law import mean",
            "__main__.py": "from finitewidth.cli import main",
            "_errors.py": "from finitewidth._shapes import Float",
            "network/mlp.py": "from finitewidth.network.widths import Widths\nimport numpy",
            "law/__init__.py": "from . import moments\nfrom .moments import mean",
            "law/crossing/a.py": "from .. import moments\nfrom ...network import MLP",
            "law/moments.py": "from finitewidth import _errors, network\nfrom .crossing import a",
            "design/a.py": "from finitewidth.law import KernelLaw\nfrom .. import simulate",
            "verdict/a.py": "from finitewidth.report import Shown",
            "reproduce/a.py": "from finitewidth import report, law, sweep",
            "cli/law.py": "import finitewidth as fw\nfrom finitewidth import MLP, reproduce",
            "sweep/a.py": 'import_module("dask")\nfinitewidthy = __import__("finitewidthy.law")',
        },
    )
    assert violations(tmp_path) == []


@pytest.mark.parametrize("module", ["scipy.special", "scipy.stats"])
def test_a_heavy_import_is_noticed(module):
    assert module in loaded_by(f"import {PACKAGE}, {module}")


CIRCLES = {
    "two": {"law/a.py": "from finitewidth.law import b", "law/b.py": "from .a import c"},
    "three, one in a function": {
        "law/a.py": "from finitewidth.law.b import f",
        "law/b.py": "def f():\n    import finitewidth.law.c.d",
        "law/c/d.py": "from .. import a",
    },
    "for types": {
        "law/a.py": "if TYPE_CHECKING:\n    from finitewidth.law.b import B",
        "law/b.py": "from finitewidth.law.a import A",
    },
    "by its own folder": {"law/__init__.py": "from .a import f", "law/a.py": "from . import f"},
}


@pytest.mark.parametrize("files", CIRCLES.values(), ids=CIRCLES.keys())
def test_a_circle_of_modules_is_found(tmp_path, files):
    write_tree(tmp_path, {"__init__.py": "import finitewidth.law", "law/e.py": "from . import a"})
    write_tree(tmp_path, files)
    (way,) = circles(import_graph(tmp_path)[0])
    assert way[0] == way[-1]
    assert len(set(way)) == len(files)


def test_a_circle_of_folders_is_found(tmp_path):
    files = {f"simulate{folder}/__init__.py": "" for folder in ("", "/a", "/b")}
    there = {"simulate/a/x.py": "from ..b import y", "simulate/run.py": "from .a import x"}
    write_tree(tmp_path, files | there | {"simulate/b/y.py": "", "simulate/b/z.py": ""})
    assert circles(of_folders(*import_graph(tmp_path))) == []
    write_tree(tmp_path, {"simulate/b/z.py": "def f():\n    from finitewidth.simulate.a import w"})
    graph, folders = import_graph(tmp_path)
    assert circles(graph) == []
    (way,) = circles(of_folders(graph, folders))
    assert set(way) == {"finitewidth.simulate.a", "finitewidth.simulate.b"}
