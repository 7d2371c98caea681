"""How much of E K² and of E ΔK comes from 0, 1, 2, … loops, and where the loops sit.

A loop is a stretch of layers in which the four paths are at two neurons, between two collisions,
layers in which they are all at one. The output is always a collision. A stretch that starts at the
input or at a bias is no loop. In wide networks the four paths stay in two pairs from the input to
the output and there is no loop; each meeting in a hidden layer makes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float
from finitewidth._whole_number import whole_number
from finitewidth.network import MLP
from finitewidth.paths.chain import Chain, chain, log_sum
from finitewidth.paths.field import checked_network, power_sums_of
from finitewidth.paths.moves import TWO
from finitewidth.paths.scheme import scheme

SUMS: dict[str, dict[str, float]] = {
    "kernel_squared": {"weights_squared": 1.0, "cross": 2.0, "biases_squared": 1.0},
    "update": {"update_ww": 1.0, "update_wb": 2.0},
}
"""E K² = E K_w² + 2 E K_b K_w + E K_b², and −E ΔK/(2λ) = E Δ_ww + 2 E Δ_wb."""

REST = 1e-12


@dataclass(frozen=True)
class Loops:
    """A quantity by number of loops and by layer.

    Attributes
    ----------
    quantity : str
        What was decomposed.
    log_total : float
        The log of the whole quantity, with the sign of `loops`' table; −∞ for 0.
    share : array [L + 1]
        The share of the quantity that 0, 1, …, L loops carry.
    beyond : float
        The share of more than L loops.
    mean_loops : float
        The number of loops, averaged with the contributions as weights.
    collided : array [d + 1]
        The share in which the four paths are at one neuron in layer 0 (the input) … d.
    inside : array [d + 1]
        The share in which the layer lies strictly inside a loop.
    opening : array [d + 1]
        The share in which the four paths are at two neurons, in a stretch that started at the
        input or at a bias. What is missing to 1 has fewer than four paths in that layer.
    """

    quantity: str
    log_total: float
    share: Float[np.ndarray, " loops"]
    beyond: float
    mean_loops: float
    collided: Float[np.ndarray, " layers"]
    inside: Float[np.ndarray, " layers"]
    opening: Float[np.ndarray, " layers"]

    @property
    def total(self) -> float:
        """The whole quantity.

        Raises
        ------
        RuntimeError
            If it is beyond the doubles; `log_total` is not.
        """
        if self.log_total > log(np.finfo(float).max):
            raise RuntimeError(
                f"the {self.quantity} is e^{self.log_total:.6g}, beyond the range of a double; "
                "use .log_total."
            )
        return exp(self.log_total)

    def interval(self, mass: float = 0.9) -> tuple[int, int]:
        """The shortest run of loop counts that carries at least `mass` of the quantity.

        Raises
        ------
        ValueError
            If the counts that were computed carry less.
        """
        if not 0.0 < mass <= 1.0 - self.beyond + 1e-9:
            raise ValueError(
                f"mass is {mass:g}, expected a share above 0 and at most {1.0 - self.beyond:g}, "
                "what the computed numbers of loops carry; raise loops."
            )
        sums = np.concatenate([[0.0], np.cumsum(self.share)])
        for length in range(1, len(self.share) + 1):
            runs = sums[length:] - sums[:-length]
            if runs.max() >= mass - 1e-12:
                low = int(runs.argmax())
                return low, low + length - 1
        return 0, len(self.share) - 1


def loops(
    net: MLP,
    x: ArrayLike | None = None,
    quantity: str = "kernel_squared",
    *,
    power_sums: Sequence[float] | None = None,
    loops: SupportsIndex | None = None,
) -> Loops:
    """Decompose E K², E ΔK or one of their parts by the number of loops.

    Parameters
    ----------
    net : MLP
        One output, biases zero at initialisation, an activation linear on either side of 0, no
        residual connections; any widths, any depth.
    x : array of shape [n_in], optional
        The input; without it, and without `power_sums`, all ones (|x|² = n_in).
    quantity : str
        ``"kernel_squared"``: E K². ``"update"``: E Δ_ww + 2 E Δ_wb = −E ΔK/(2λ), activation
        pattern frozen. Or one of the parts that `finitewidth.paths.expectation` takes, except
        the means, which have no loops.
    power_sums : (float, float), optional
        (|x|_2², |x|_4⁴) instead of `x`.
    loops : int, optional
        The largest number of loops that is told apart; as many as leave less than 10⁻¹² if None.

    Returns
    -------
    Loops
        Closed sums, exact up to rounding, at a cost of depth × loops.

    Raises
    ------
    ValueError
        For a network outside this field, a wrong input, a name that is not there, a number of
        loops below 0, and where the quantity is 0.
    """
    net = checked_network(net)
    square, fourth = power_sums_of(net, x, power_sums)
    most = None if loops is None else whole_number(loops, "loops", 0)
    parts = SUMS.get(quantity, {quantity: 1.0})
    if any(scheme(part).paths == 2 for part in parts):
        raise ValueError(
            f"quantity is {quantity!r}, the mean of a sum over two paths, which has no loops; ask "
            "for kernel_squared or update."
        )
    chains = [chain(net, scheme(part), square, fourth) for part in parts]
    kept = [
        (one, log(factor) + one.log_total)
        for one, factor in zip(chains, parts.values(), strict=True)
        if one.log_total > -np.inf
    ]
    if not kept:
        raise ValueError(
            f"the {quantity} of this network is 0, so that no loops carry it: an update takes a "
            "hidden layer, and the parts with biases take biases that are trained."
        )
    return _assembled(quantity, kept, most)


def _assembled(quantity: str, kept: list[tuple[Chain, float]], most: int | None) -> Loops:
    total = log_sum([size for _, size in kept])
    parts = [(one, exp(size - total)) for one, size in kept]
    mean = sum(weight * one.mean_loops for one, weight in parts)
    largest = max(one.depth for one, _ in parts) // 2
    count = most if most is not None else min(largest, int(mean + 8 * sqrt(mean)) + 16)
    while True:
        share = sum(weight * one.shares(count) for one, weight in parts)
        assert isinstance(share, np.ndarray)
        beyond = 0.0 if count >= largest else max(1.0 - float(share.sum()), 0.0)
        if most is not None or beyond <= REST:
            break
        count = min(largest, 2 * count)
    if most is None:  # nothing to be seen at the end
        count = int(np.flatnonzero(share > 0.1 * REST).max(initial=0))
        beyond += float(share[count + 1 :].sum())
        share = share[: count + 1]
    return Loops(
        quantity,
        total,
        share,
        beyond,
        mean,
        _layers(parts, "one"),
        _layers(parts, "loop"),
        _layers(parts, *(kind for kind in TWO if kind != "loop")),
    )


def _layers(parts: list[tuple[Chain, float]], *kinds: str) -> Float[np.ndarray, " layers"]:
    found = sum(weight * one.marginals[:, one.of_kind(*kinds)].sum(axis=1) for one, weight in parts)
    assert isinstance(found, np.ndarray)
    return found
