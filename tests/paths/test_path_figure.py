"""Figures of paths: what is drawn where, read back from the SVG."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from finitewidth.paths.figure import PathFigure, figure_one, figure_two

FOUR = np.array([[0, 1, 2, 0], [0, 1, 2, 0], [1, 1, 2, 0], [1, 1, 2, 0]])
SIZES = (2, 3, 4, 1)


def drawn(figure: PathFigure) -> dict[str, list[np.ndarray]]:
    """{id: points of each path element in it}, in the coordinates of the drawing."""
    root = ElementTree.fromstring(figure.svg("a-"))
    found: dict[str, list[np.ndarray]] = {}
    for group in root.iter("g"):
        name = group.get("id", "").removeprefix("a-")
        if re.match(r"path-\d$|mark-|loop-|collision-", name):
            found[name] = [
                np.array(re.findall(r"-?\d+\.?\d*", one.get("d", "")), dtype=float).reshape(-1, 2)
                for one in group.iter("path")
            ]
    return found


@pytest.mark.parametrize("make", [figure_one, figure_two], ids=["one", "two"])
@pytest.mark.parametrize(
    "sizes",
    [(2, 3, 4, 3, 1), (3, 4, 5, 4, 3, 1), (2, 100, 100, 100, 100, 1), (9, *[7] * 8, 1)],
    ids=str,
)
def test_strands_never_lie_on_each_other(make, sizes) -> None:
    """Between layers, strands that share an edge run side by side, the same distance apart."""
    figure = make(sizes)
    lines = drawn(figure)
    strands = [lines[f"path-{path}"][0] for path in (1, 2, 3, 4)]
    for layer in range(1, len(sizes)):
        ends = [strand[2 * layer - 2 : 2 * layer] for strand in strands]
        for a in range(4):
            for b in range(a):
                same = (
                    figure.neurons[a, layer - 1 : layer + 1]
                    == figure.neurons[b, layer - 1 : layer + 1]
                ).all()
                gap = np.linalg.norm(ends[a] - ends[b], axis=1)
                assert gap.min() > 0.5  # points
                if same:  # a strand is 2 wide
                    assert gap[0] == pytest.approx(gap[1], abs=0.01)
                    assert gap[0] == pytest.approx((a - b) * 0.095 * 0.62 * 72, abs=0.01)


def test_figure_one_has_no_loop_and_figure_two_one() -> None:
    for sizes in ((2, 3, 4, 3, 1), (2, 5, 5, 5, 5, 5, 5, 1)):
        one, two = figure_one(sizes), figure_two(sizes)
        assert one.loops == []
        assert one.collisions == [len(sizes) - 1]
        assert len(two.loops) == 1
        a, b = two.loops[0]
        inside = two.neurons[:, (a + b) // 2]
        assert inside[0] == inside[2] != inside[1] == inside[3]  # other partners
        assert {name for name in drawn(two) if name.startswith("loop")} == {f"loop-{a}-{b}"}
        for figure in (one, two):
            (low, first), (high, second) = figure.marks
            assert low <= high
            assert (first, second) == ((0, 1), (2, 3))
            assert {name for name in drawn(figure) if name.startswith("mark")} == {
                "mark-1",
                "mark-2",
            }


def test_collisions_are_ringed_and_a_late_start_is_drawn_late() -> None:
    late = FOUR.copy()
    late[2:, 0] = -1
    lines = drawn(PathFigure(late, SIZES))
    assert {name for name in lines if name.startswith("collision")} == {
        "collision-1", "collision-2", "collision-3",
    }  # fmt: skip
    assert len(lines["path-1"][0]) == 6
    assert len(lines["path-3"][0]) == 4
    late[:, 0] = -1  # nobody is there: no meeting
    assert PathFigure(late, SIZES).collisions == [1, 2, 3]
    window = PathFigure(FOUR, SIZES, layers=(1, 3))
    assert len(drawn(window)["path-1"][0]) == 4


def test_files(tmp_path) -> None:
    figure = figure_two((2, 3, 4, 3, 1))
    assert figure.svg() == figure.svg()
    assert figure.save(tmp_path / "a.png").stat().st_size > 5000
    assert "<svg" in figure.save(tmp_path / "a.svg").read_text()
    with pytest.raises(ValueError, match=r"ending in \.png or \.svg"):
        figure.save(tmp_path / "a.pdf")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"neurons": FOUR.astype(float)}, "expected whole numbers"),
        ({"sizes": (2, 3, 1)}, "4 layers but sizes lists 3"),
        ({"sizes": (2, 3, 2, 1)}, "neuron 2 of layer 2, which has 2"),
        ({"neurons": np.where(FOUR == 2, -1, FOUR)}, "may only stand below its start"),
        ({"marks": [(1, (0, 2))]}, r"paths \[1, 3\] share no edge in layer 1"),
        ({"marks": [(4, (0, 1))]}, r"weight layers 1 … 3"),
        ({"layers": (2, 2)}, "expected a first and a later last layer"),
    ],
    ids=str,
)
def test_bad_input(arguments, words) -> None:
    with pytest.raises(ValueError, match=words):
        PathFigure(**({"neurons": FOUR, "sizes": SIZES} | arguments))


def test_too_deep_or_too_narrow() -> None:
    with pytest.raises(ValueError, match=r"51 layers are too many .* layers=\(first, last\)"):
        PathFigure(np.zeros((4, 51), dtype=int), (1,) * 51)
    with pytest.raises(ValueError, match="layer 1 has one neuron"):
        figure_one((2, 1, 3, 1))
    with pytest.raises(ValueError, match="layer 2 has one neuron"):
        figure_two((2, 3, 1, 3, 1))
    with pytest.raises(ValueError, match="at least 3 hidden layers"):
        figure_two((2, 3, 1))
