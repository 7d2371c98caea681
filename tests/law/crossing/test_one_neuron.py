"""Closed means over the outgoing weights against adaptive quadrature."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from finitewidth.law.crossing.one_neuron import one_crossing

SLOPES = (0.0, 0.3, 0.99, -0.5, -1.0, 2.0, -3.0)
PLACES = (0.0, 0.2, -1.1, 2.5, 7.0)


def by_quadrature(m: float, s: float, slope: float) -> tuple[float, float, float]:
    def mean(function):
        total = 0.0
        roots = sorted({-40.0, 40.0, *(z for z in (-m / s, -m / (slope * s) if slope else 40.0)
                                       if abs(z) < 40.0)})  # fmt: skip
        for low, high in pairwise(roots):
            total += quad(
                lambda x: function(m + s * x, m + slope * s * x) * np.exp(-x * x / 2),
                low, high, epsabs=1e-15, epsrel=1e-13, limit=200,
            )[0]  # fmt: skip
        return total / np.sqrt(2 * np.pi)

    return (
        mean(lambda on, off: (on**2 - off**2) * (abs(on) - abs(off))),
        mean(lambda on, off: abs(on) + abs(off)),
        mean(lambda on, off: (on**2 - off**2) ** 2 * (abs(on) + abs(off))),
    )


@pytest.mark.parametrize("slope", SLOPES)
def test_against_quadrature(slope):
    for m in PLACES:
        for s in (1.0, 0.4):
            found = one_crossing(np.array([m]), np.array([s]), slope)
            want = by_quadrature(m, s, slope)
            # relative to the terms, which cancel by a factor 1 − α near slope 1
            np.testing.assert_allclose(
                [found.change[0], found.speed[0], found.square[0]],
                want, rtol=1e-11, atol=1e-13 * (abs(m) + s) ** 3,
            )  # fmt: skip


def test_far_from_the_corner_both_slopes_move_alike():
    """For |m| ≫ s no sign changes, and E (p_on² − p_off²)(|p_on| − |p_off|) = 2|m| s² (1−α)²."""
    found = one_crossing(np.array([1e30, -1e30]), np.array([1.0, 1.0]), 0.25)
    np.testing.assert_allclose(found.change, 2e30 * 0.75**2, rtol=1e-13)


def test_no_corner_no_change():
    found = one_crossing(np.array([0.3, -2.0]), np.array([1.0, 0.5]), 1.0)
    assert not found.change.any()
    assert not found.square.any()
