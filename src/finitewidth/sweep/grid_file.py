"""Grids in files: TOML or YAML, read as plain data, so that a file can run no code."""

import re
import tomllib
from pathlib import Path
from typing import Any

from finitewidth._files import to_read, to_write, writing

MOST_BYTES = 2**20
"""Of a grid file; the example has a thousand."""

DEEPEST = 16
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{DEEPEST - 1}}}")
"""So many parts with dots between them."""

EXAMPLE = """\
# A grid for `finitewidth sweep run`: every list under [axes] is an axis, and the cells are the
# product of all axes. Methods: law (exact moments), sampler (exact samples), dense and deferred
# (networks drawn one by one), expansion (first order in 1/n), factory (your own PyTorch model).

seed = 0

[axes]
method = ["law", "sampler", "dense", "expansion"]
n_in = 64
width = [16, 32, 64]
depth = [3, 6, 11]              # weight layers: hidden layers + 1
activation = ["relu"]
parametrization = ["ntk", "standard"]
learning_rate = 0.001           # of one step; leave it out for the kernel alone

[precision]
relative_error = 0.01           # of the quantities below; a sampled cell stops there
of = ["kernel_mean"]
max_networks = 4000             # or when this budget is spent
"""


def write_example(path: str | Path) -> None:
    """Write a grid to begin with, FILE.toml; it takes less than a minute.

    Raises
    ------
    ValueError
        For another ending, a file that exists, or a folder that does not.
    """
    target = to_write(path, ".toml", name="the example")
    if target.exists():
        raise ValueError(f"{path} exists already; give another name.")
    with writing(target):
        target.write_text(EXAMPLE, encoding="utf-8")


def load(path: str | Path) -> dict[str, Any]:
    """The contents of a grid file.

    Parameters
    ----------
    path : str or path
        Ending in ``.toml``, ``.yaml`` or ``.yml``.

    Raises
    ------
    ValueError
        If there is no such file, it has another ending, or it is no TOML or YAML.
    """
    path = Path(path)
    if path.suffix not in (".toml", ".yaml", ".yml"):
        raise ValueError(f"the grid file is {path}, expected a name ending in .toml or .yaml.")
    absent = f"there is no grid file {path}; write one with finitewidth sweep example {path}."
    to_read(path, absent, MOST_BYTES, "the grid file")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text file in UTF-8; give a TOML or YAML file.") from None
    return _toml(text, path) if path.suffix == ".toml" else _yaml(text, path)


def _toml(text: str, path: Path) -> dict[str, Any]:
    if _DOTTED.search(text):  # the parser's memory is quadratic in the parts of a key
        raise ValueError(f"{path} has a name of {DEEPEST} dotted parts or more; no field is.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no valid TOML: {error}.") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply; a grid has lists in tables.") from None


def _yaml(text: str, path: Path) -> dict[str, Any]:
    from finitewidth._extras import needed_for

    with needed_for("YAML grids", "sweep"):
        import yaml

    class Plain(yaml.SafeLoader):  # plain data only: a tag that would build an object is refused
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):  # few of them stand for more than any memory
                raise yaml.YAMLError("an alias (*name) is not allowed; write the values out")
            return super().compose_node(parent, index)

    try:
        found = yaml.load(text, Plain)
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise ValueError(f"{path} is no valid YAML of plain data: {told}.") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply; a grid has lists in tables.") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no table; expected the fields axes, precision, seed.")
    return found
