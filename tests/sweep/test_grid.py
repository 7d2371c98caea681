"""Grids: what is accepted, what each refusal says, and that a file runs no code."""

from pathlib import Path

import numpy as np
import pytest

from finitewidth.sweep import grid_file
from finitewidth.sweep.cells import Cell, expand
from finitewidth.sweep.grid import read


def cells(**axes) -> list[Cell]:
    return expand(read({"axes": {"n_in": 5, "width": 4, "depth": 3} | axes}))


def test_the_product_is_in_the_order_of_the_fields() -> None:
    found = [(c.inputs["width"], c.inputs["depth"]) for c in cells(depth=[2, 3], width=[4, 8])]
    assert found == [(4, 2), (4, 3), (8, 2), (8, 3)]


def test_a_value_a_range_and_an_array_are_axes() -> None:
    assert len(cells(depth=range(2, 6))) == 4
    assert len(cells(width=np.array([2, 3]))) == 2
    assert cells(width=1e6)[0].inputs["width"] == 10**6
    assert cells(hidden_gain=2)[0] == cells(hidden_gain=2.0)[0]


def test_explicit_cells_override_the_axes_and_come_once() -> None:
    grid = read({"axes": {"n_in": 5, "depth": 3, "width": [4, 8]}, "cells": [{}, {"width": 8}]})
    assert [cell.inputs["width"] for cell in expand(grid)] == [4, 8]


def test_the_key_is_of_the_inputs_and_not_of_the_precision() -> None:
    axes = {"n_in": 5, "width": 4, "depth": 3, "method": "sampler"}
    (one,) = expand(read({"axes": axes}))
    (same,) = expand(read({"axes": axes, "precision": {"max_networks": 7}}))
    (other,) = expand(read({"axes": axes, "seed": 1}))
    assert one.key == same.key
    assert len({one.key, other.key, cells(width=5)[0].key}) == 3
    assert one.entropy != other.entropy


BAD = {
    "unknown field": ({"axes": {"widht": 3}}, "there is no field axes.widht; did you mean width"),
    "unknown table": ({"axis": {}}, "there is no field axis; did you mean axes"),
    "unknown precision": ({"precision": {"error": 1}}, "no field precision.error; expected one of"),
    "half a neuron": (
        {"axes": {"width": [4, 2.5]}}, r"axes.width\[1\] is 2.5, expected a whole number",
    ),
    "no neuron": ({"axes": {"width": 0}}, r"axes.width\[0\] is 0, expected a number of at least 1"),
    "text for a number": ({"axes": {"hidden_gain": "2"}}, r"hidden_gain\[0\] is '2', expected"),
    "infinite": (
        {"axes": {"hidden_gain": float("inf")}}, r"hidden_gain\[0\] is inf, expected a finite",
    ),
    "empty axis": ({"axes": {"width": []}}, "axes.width is \\[\\], expected at least one value"),
    "no bool": ({"axes": {"bias": "yes"}}, r"axes.bias\[0\] is 'yes', expected true or false"),
    "two problems": ({"axes": {"width": 0, "depth": 0}}, r"\(1 more like this\)"),
    "error of 2": (
        {"precision": {"relative_error": 2.0}}, "relative_error is 2.0, expected a number below 1",
    ),
    "method": ({"axes": {"method": "magic"}}, "axes.method has 'magic', expected one of law"),
    "activation": ({"axes": {"activation": "rely"}}, "axes.activation has 'rely', expected one of"),
    "weight law": ({"axes": {"weight_law": "cauchy"}}, "cauchy"),
    "input": ({"axes": {"input": "zeros"}}, "axes.input has 'zeros', expected ones, digits:I"),
    "no n_in": ({"axes": {"width": 3, "depth": 3}}, "axes.n_in, the input dimension, is missing"),
    "no depth": ({"axes": {"n_in": 3, "width": 3}}, "axes.depth is missing"),
    "no width": ({"axes": {"n_in": 3, "depth": 3}}, "axes.width is missing"),
    "both": ({"axes": {"n_in": 3, "widths": [3], "depth": 3}}, "has widths beside width or depth"),
    "cell": (
        {"axes": {"n_in": 3, "depth": 3}, "cells": [{"width": 3}, {"wdith": 3}]},
        r"there is no field cells\[1\].wdith; did you mean width",
    ),
    "seed": ({"seed": -1}, "seed is -1, expected a number of at least 0"),
}  # fmt: skip


@pytest.mark.parametrize(("grid", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_grid_gets_one_sentence(grid: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        expand(read(grid, "g.toml"), "g.toml")
    assert "\n" not in str(error.value)


def test_a_grid_that_is_no_mapping() -> None:
    with pytest.raises(TypeError, match="the grid is a list, expected a dict such as"):
        read([1])


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    toml, yaml = tmp_path / "g.toml", tmp_path / "g.yaml"
    toml.write_text('seed = 3\n[axes]\nn_in = 5\nwidths = [[3, 4], [5]]\nactivation = "abs"\n')
    yaml.write_text("seed: 3\naxes:\n  n_in: 5\n  widths: [[3, 4], [5]]\n  activation: abs\n")
    assert read(grid_file.load(toml)) == read(grid_file.load(yaml))
    assert len(expand(read(grid_file.load(toml)))) == 2


def test_the_example_is_a_grid() -> None:
    import tomllib

    assert len(expand(read(tomllib.loads(grid_file.EXAMPLE)))) > 10


def test_a_yaml_file_cannot_run_code(tmp_path: Path) -> None:
    made = tmp_path / "made"
    bad = tmp_path / "g.yaml"
    bad.write_text(f"axes: !!python/object/apply:os.mkdir [{made}]\n")
    with pytest.raises(ValueError, match="no valid YAML of plain data"):
        grid_file.load(bad)
    assert not made.exists()


FILES = {
    "ending": ("g.json", b"{}", "expected a name ending in .toml or .yaml"),
    "toml": ("g.toml", b"axes = [", "no valid TOML"),
    "yaml": ("g.yaml", b"axes: [", "no valid YAML"),
    "no table": ("g.yaml", b"- 1", "holds no table"),
    "no text": ("g.toml", b"\xff\xfe", "no text file in UTF-8"),
}


@pytest.mark.parametrize(("name", "content", "sentence"), FILES.values(), ids=FILES.keys())
def test_a_bad_file_gets_one_sentence(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        grid_file.load(path)
    with pytest.raises(ValueError, match="there is no grid file"):
        grid_file.load(tmp_path / "none.toml")


MANY = {
    "a long axis": ({"axes": {"width": range(10**9)}}, "1,000,000,000"),
    "an array": ({"axes": {"width": np.arange(10**6)}}, "1,000,000"),
    "a product": (
        {"axes": {"width": list(range(1, 1001)), "depth": list(range(1, 1001)), "seed": [0] * 9}},
        "9,000,000",
    ),
    "lists": ({"axes": {"widths": [[4, 5]] * 10**5, "depth": [2, 3]}}, "200,000"),
    "products": ({"axes": {"width": [4, 5]}, "cells": [{"depth": [1] * 50_001}]}, "100,002"),
}


@pytest.mark.parametrize(("grid", "count"), MANY.values(), ids=MANY.keys())
def test_very_many_cells_are_refused_by_their_number(grid: dict, count: str) -> None:
    with pytest.raises(ValueError, match=f"the grid has {count} cells, expected at most 100,000"):
        read(grid)


def test_one_list_of_widths_is_one_cell_and_a_large_grid_can_be_allowed() -> None:
    assert len(read({"axes": {"widths": [4] * 100_001}}).axes.widths or []) == 1
    grid = {"axes": {"width": [4] * 100_001}}
    assert len(read(grid, allow_large=True).axes.width or []) == 100_001


HOSTILE = {
    "dots.toml": ("a." * 5000 + "b = 1", "has a name of 16 dotted parts or more"),
    "header.toml": ("[" + "'a' . " * 5000 + "b]", "has a name of 16 dotted parts or more"),
    "lists.toml": ("a = " + "[" * 5000, "is nested too deeply"),
    "tables.toml": ("a = " + "{a = " * 5000, "is nested too deeply"),
    "lists.yaml": ("[" * 5000, "is nested too deeply"),
    "alias.yaml": ("a: &a [1, 1]\nb: [*a, *a]", "an alias .* is not allowed"),
    "large.toml": ("#" * (2**20 + 1), "of 1 MiB; expected 1 MiB or less"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_unfolds_is_refused(tmp_path: Path, name: str) -> None:
    text, sentence = HOSTILE[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=sentence):
        grid_file.load(tmp_path / name)


def test_a_long_value_is_not_repeated_whole() -> None:
    with pytest.raises(ValueError, match="expected a whole number") as told:
        read({"axes": {"width": [[1] * 10**5]}})
    assert len(str(told.value)) < 300
