"""A line of networks shows at step 0 what another witness says of it, where that is asked."""

from collections.abc import Sequence

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.report import Points

X, Y = np.ones((1, 6)), np.ones(1)
NETS = fw.network.on_line(fw.MLP(6, []), (2, 3), beta=0.25)


def made_up(net: fw.MLP, x: np.ndarray, levels: Sequence[float]) -> fw.Estimate:
    assert x.shape == (6,)
    return fw.Estimate(np.array([1.0, 2.0, 2.0 * net.depth]), np.full(3, 0.1), 10, "made up")


def test_the_callable_is_drawn_at_step_0_over_its_median() -> None:
    line = fw.simulate.along_line(NETS, X, Y, 1, 10, learning_rate=0.1, start=made_up)
    first, *others = line.panels().plots
    (points,) = [one for one in first.series if isinstance(one, Points)]
    np.testing.assert_array_equal(points.y, [0.5, 1.0, 2.0, 0.5, 1.0, 3.0])
    np.testing.assert_array_equal(points.std_error, np.full(6, 0.05))
    assert all(len(plot.series) == 2 for plot in others)


def refused(*_: object) -> fw.Estimate:
    raise ValueError("no law")


@pytest.mark.parametrize(("start", "size"), [(None, 10), (refused, 10), (made_up, 9)])
def test_nothing_is_drawn_where_there_is_nothing_to_say(start, size) -> None:
    line = fw.simulate.along_line(NETS, X, Y, 1, size, learning_rate=0.1, start=start)
    assert not any(isinstance(one, Points) for one in line.panels().plots[0].series)
    assert ("say little about a law" in line.page().lead[0]) == (size < 10)
