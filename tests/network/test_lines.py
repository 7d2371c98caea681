"""Networks along lines of constant β and of constant depth/width."""

from itertools import pairwise

import pytest

import finitewidth as fw
from finitewidth.network import on_line

NET = fw.MLP(8, [3], activation="tanh", n_out=2)


def test_beta_and_ratio_stay_what_they_are() -> None:
    for net, depth in zip(on_line(NET, [2, 5, 9, 101], beta=0.05), [2, 5, 9, 101], strict=True):
        assert net.depth == depth
        assert net.beta == pytest.approx(0.05, rel=1e-12)
        assert (net.n_in, net.n_out, net.activation) == (8, 2, "tanh")
    for net in on_line(NET, [2, 5, 9, 101], ratio=0.25):
        assert net.depth / net.widths[0] == pytest.approx(0.25)
    betas = [net.beta for net in on_line(NET, [2, 5, 9, 101], ratio=0.25)]
    assert all(one < other for one, other in pairwise(betas))  # (d − 1)/d of the ratio


def test_widths_are_the_nearest_whole_numbers() -> None:
    (net,) = on_line(NET, [4], beta=0.4)
    assert net.runs == ((8, 3),)  # 7.5, to even
    (net,) = on_line(NET, [4], beta=0.41)
    assert net.runs == ((7, 3),)
    assert net.beta == pytest.approx(3 / 7)


def test_bad_lines(unchecked) -> None:
    for options, words in (
        ({}, "give one of them"),
        ({"beta": 1.0, "ratio": 1.0}, "give one of them"),
        ({"beta": 0.0}, "expected a finite number above 0"),
        ({"beta": float("inf")}, "expected a finite number above 0"),
        ({"beta": 2.0}, "asks for a width of 0.5"),
    ):
        with pytest.raises(ValueError, match=words):
            on_line(NET, [2], **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a number"):
        on_line(NET, [2], beta="1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="depth is 1, expected 2 or more"):
        on_line(NET, [1], beta=0.5)
