"""What depth does to a network: variance by depth, susceptibilities, the trusted depth."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.expansion import depth


def test_the_variance_by_depth() -> None:
    net = fw.MLP.equal_width(2, 50, 3, activation="silu", hidden_gain=1.7, bias_variance=0.2)
    by_depth = list(depth.variance_by_depth(net, [0.3, 1.0], 4))
    for layers, value in enumerate(by_depth, start=1):
        one = fw.MLP.equal_width(
            2, 50, layers, activation="silu", hidden_gain=1.7, bias_variance=0.2
        )
        expansion = fw.expansion.kernel(one, [0.3, 1.0])
        expected = (expansion.variance / expansion.infinite**2).item()
        assert value == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="hidden widths are"):
        next(depth.variance_by_depth(fw.MLP(2, [3, 4]), [1.0, 1.0], 3))


def test_susceptibilities() -> None:
    """χ_∥ is ∂K'/∂K; χ_⊥ is what a layer does to Θ's part from below."""
    net = fw.MLP(1, [5, 5], activation="tanh", hidden_gain=1.3, bias_variance=0.4)

    def second(first: float) -> float:
        """K of the second layer from that of the first."""
        x = np.sqrt((first - 0.4) / 1.3)
        return fw.expansion.kernel(net, [x]).limits[1].kernel.item()

    along, across = depth.susceptibilities(net, 1.1)
    assert along == pytest.approx((second(1.1001) - second(1.0999)) / 2e-4, rel=1e-6)
    z, weights = np.polynomial.hermite_e.hermegauss(200)
    slopes = (1 - np.tanh(z * np.sqrt(1.1)) ** 2) ** 2
    assert across == pytest.approx(1.3 * weights @ slopes / weights.sum(), rel=1e-9)


def test_the_trusted_depth_is_the_last_one_below_the_limit() -> None:
    net = fw.MLP.equal_width(2, 50, 3, activation="silu", hidden_gain=1.7, bias_variance=0.2)
    by_depth = list(depth.variance_by_depth(net, [0.3, 1.0], 6))
    for most in (0.03, 0.05):
        trust = fw.expansion.trusted_depth(net, [0.3, 1.0], most, 6)
        below = [value <= most for value in by_depth]
        assert (trust.layers, trust.end) == (below.index(False), "variance")
    assert fw.expansion.trusted_depth(net, [0.3, 1.0], 0.1, 1) == fw.expansion.Trust(1, "searched")
    with pytest.raises(ValueError, match="relative_variance is -1, expected a positive"):
        fw.expansion.trusted_depth(net, [0.3, 1.0], -1)
    with pytest.raises(ValueError, match="hidden widths are"):
        fw.expansion.trusted_depth(fw.MLP(2, [3, 4]), [1.0, 1.0])
