"""The width at which the frozen mean of a step and its crossing term are equal."""

import finitewidth as fw
from finitewidth.law.step.equal_width import equal_width


def test_equal_width_with_a_target() -> None:
    """A target makes the crossing term larger and leaves the frozen mean: equal at less width."""
    net = fw.MLP(10, [100])
    plain, moved = equal_width(net, 10.0), equal_width(net, 10.0, target=1.0)
    assert moved.width < plain.width
    for n, larger in ((moved.width, True), (moved.width - 1, False)):
        law = fw.KernelLaw(fw.MLP(10, [int(n)]))
        assert (law.crossing_mean(1.0, 1.0).value <= law.update_mean(1.0)) is larger
