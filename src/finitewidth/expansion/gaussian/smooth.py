"""Averages of a smooth activation by quadrature in as many coordinates as the rank."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.gaussian import rules
from finitewidth.expansion.gaussian.averages import INFINITE, Pairs, Quadruples
from finitewidth.expansion.gaussian.derivatives import Derivatives, Given
from finitewidth.expansion.gaussian.fill import assemble
from finitewidth.expansion.gaussian.series import by_series

BLOCK = 512  # nodes at a time, so that the arrays stay in the processor's cache

# Steps are shortened, and for functions that grow fast the range is widened, until averages over
# one input, by the rule of so many coordinates, agree with those at half the step. All four
# factors of one variable are the hardest case: factors of different variables share a coordinate
# in part, and their error is far smaller.
FITS = (
    *(rules.Fit(step) for step in (1.0, 0.8, 0.65, 0.5, 0.4, 0.3)),
    *(rules.Fit(step, 1.5) for step in (1.0, 0.65)),
)
TOLERANCES = {1: 1e-9, 2: 1e-9, 3: 1e-4, 4: 1e-2}
ROUNDING = 1.1

MANY = 12  # inputs from which one series for all pairs is faster than their quadratures


@dataclass(frozen=True)
class Smooth:
    """Averages of σ by the rules of `rules`.

    Attributes
    ----------
    derivatives : callable
        (z, order) -> [σ(z), … σ^(order)(z)].
    name : str
        For the error that says where σ is not finite.
    coarsening : float
        Factor on the steps: 1, or more for an error estimate.
    """

    derivatives: Derivatives
    name: str
    coarsening: float = 1.0

    def _at(self, z: np.ndarray, order: int) -> list[np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore"):
            found = self.derivatives(z, order)
        if not all(np.isfinite(one).all() for one in found):
            raise ValueError(
                f"activation {self.name!r} or a derivative of it is not finite at a pre-activation "
                f"up to {np.abs(z).max():.3g}, where its averages need it; scale the inputs or the "
                "gain down, or use an activation that grows more slowly."
            )
        return found

    def _step(self, coordinates: int, variance: float, order: int) -> rules.Fit:
        """The steps that resolve σ at the widest pre-activation.

        Raises
        ------
        RuntimeError
            If the finest rule does not.
        """
        if variance == 0:
            return rules.Fit(self.coarsening)
        # One check serves variances that differ little.
        rounded = ROUNDING ** np.ceil(np.log(variance) / np.log(ROUNDING))
        fit = _resolving(self, coordinates, float(rounded), order)
        if fit is not None:
            return fit.times(self.coarsening)
        more = "give more activation_derivatives, " if isinstance(self.derivatives, Given) else ""
        raise RuntimeError(
            f"activation {self.name!r} is too steep, or grows too fast, for pre-activations of "
            f"standard deviation {variance**0.5:.3g}: the quadrature does not resolve it; scale "
            f"the inputs or the gains down, {more}or use fw.simulate.ensemble, which needs no "
            "quadrature."
        )

    def _alone(
        self, rule: tuple[np.ndarray, np.ndarray], variance: float, order: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Averages of one input in the recursions, and of their absolute values, as a scale."""
        points, weights = rule
        s = self._at(np.sqrt(variance) * points, order)
        with np.errstate(over="ignore", invalid="ignore"):  # not resolved, then
            products = [s[0] ** 2, s[1] ** 2]
            if order >= 2:
                products += [s[0] ** 4, s[1] ** 4, s[2] * s[1] ** 2 * s[0]]
            if order >= 5:
                high = ((2, 2), (3, 1), (4, 0), (3, 3), (4, 2), (5, 1))
                products += [s[p] * s[q] for p, q in high]
            table = np.array(products)
            return table @ weights, np.maximum(abs(table) @ weights, 1e-300)

    def pairs(
        self, covariance: Float[np.ndarray, "B B"], orders: tuple[tuple[int, int], ...]
    ) -> Pairs:
        """One rule for every pair; σ(z_b) is averaged over its own coordinate first."""
        size = len(covariance)
        highest = max(max(order) for order in orders)
        table = {order: np.empty((size, size)) for order in orders}
        deviation = np.sqrt(np.diagonal(covariance))
        widest = float(deviation.max() ** 2)
        points, weights = rules.line(1, self._step(1, widest, highest))
        alone = [self._at(scale * points, highest) for scale in deviation]
        for (p, q), found in table.items():
            np.fill_diagonal(found, [(one[p] * one[q]) @ weights for one in alone])
        if size == 1:
            return Pairs(table, almost_sure=False)
        if orders == INFINITE and size >= MANY:
            at_once = {}
            for order in INFINITE:
                found = by_series(
                    covariance, np.array([one[order[0]] for one in alone]), points, weights
                )
                if found is not None:
                    at_once[order] = found
            if len(at_once) == len(INFINITE):
                return Pairs(at_once, almost_sure=False)
        points2, weights2 = rules.line(2, self._step(2, widest, highest))
        for a in range(size):
            first = self._at(deviation[a] * points2, highest)
            for b in range(a + 1, size):
                u, v, r = covariance[a, a], covariance[b, b], covariance[a, b]
                slope = r / np.sqrt(u) if u > 0 else 0.0
                left = v - slope**2
                if left > rules.RANGE * v:
                    z = slope * points2[:, None] + np.sqrt(left) * points2
                    second = [one @ weights2 for one in self._at(z, highest)]
                    values, mass = first, weights2
                else:
                    second = self._at(slope * points, highest)
                    values, mass = alone[a], weights
                for (p, q), found in table.items():
                    found[a, b] = (values[p] * second[q]) @ mass
                    found[b, a] = (values[q] * second[p]) @ mass
        return Pairs(table, almost_sure=False)

    def quadruples(self, covariance: Float[np.ndarray, "B B"]) -> Quadruples:
        """One grid for every set of different inputs among the four."""
        size = len(covariance)
        results: dict[tuple[tuple[int, int], ...], float] = {}
        widest = float(np.diagonal(covariance).max())
        steps = [self._step(rank, widest, 2) for rank in range(1, min(size, 4) + 1)]
        for count in range(1, min(size, 4) + 1):
            for chosen in combinations(range(size), count):
                self._set(np.array(chosen), covariance, steps, results)

        def product(index: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
            return np.array([results[_key(row, orders)] for row in index.tolist()], dtype=float)

        return assemble(size, product)

    def _set(
        self,
        chosen: np.ndarray,
        covariance: np.ndarray,
        steps: list[rules.Fit],
        results: dict[tuple, float],
    ) -> None:
        """All averages over exactly these inputs, each at least once."""
        order, factor = rules.pivoted(covariance[np.ix_(chosen, chosen)])
        names = chosen[order].tolist()
        rank = factor.shape[1]
        if rank == 4:
            self._four(names, factor, steps[3], results)
            return
        if rank:
            grid, weights = rules.ball(rank, rank, steps[rank - 1])
        else:
            grid, weights = np.zeros((1, 0)), np.ones(1)
        values = {name: self._at(grid @ row, 2) for name, row in zip(names, factor, strict=True)}
        powers: dict[tuple[tuple[int, int], ...], np.ndarray] = {}
        for key in _keys(sorted(names)):
            head, tail = key[:2], key[2:]
            for part in (head, tail):
                if part not in powers:
                    (a, p), (b, q) = part
                    powers[part] = values[a][p] * values[b][q]
            results[key] = float(np.dot(powers[head] * weights, powers[tail]))

    def _four(
        self, names: list[int], factor: np.ndarray, fit: rules.Fit, results: dict[tuple, float]
    ) -> None:
        """Four different inputs of full rank: the last is averaged over its own coordinate."""
        grid, weights = rules.ball(3, 4, fit)
        points, last = rules.line(4, fit)
        values = [self._at(grid @ row[:3], 2) for row in factor[:3]]
        centre = grid @ factor[3, :3]
        own = factor[3, 3] * points
        blocks = [
            [one @ last for one in self._at(centre[k : k + BLOCK, None] + own, 2)]
            for k in range(0, len(centre), BLOCK)
        ]
        fourth = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
        for key in _keys(sorted(names)):
            orders = dict(key)
            p, q, s, t = (orders[name] for name in names)
            results[key] = float(
                np.dot(values[0][p] * values[1][q] * weights, values[2][s] * fourth[t])
            )


@lru_cache(maxsize=256)
def _resolving(average: Smooth, coordinates: int, variance: float, order: int) -> rules.Fit | None:
    """The first of `FITS` that resolves σ at this variance, if one does."""
    for fit in FITS:
        (coarse, _), (fine, scale) = (
            average._alone(rules.line(coordinates, fit.times(c)), variance, order)
            for c in (1.0, 0.5)
        )
        if not np.isfinite(fine).all():
            return None
        if np.all(abs(coarse - fine) <= TOLERANCES[coordinates] * scale):
            return fit
    return None


def _key(row: list[int], orders: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(zip(row, orders, strict=True)))


def _keys(names: list[int]) -> set[tuple[tuple[int, int], ...]]:
    """The averages of S4, S22, T4, U in which every one of these inputs occurs."""
    from itertools import combinations_with_replacement, permutations

    found = set()
    for row in combinations_with_replacement(names, 4):
        if set(row) == set(names):
            for orders in ((0, 0, 0, 0), (0, 0, 1, 1), (1, 1, 1, 1), (2, 1, 1, 0)):
                for arranged in set(permutations(orders)):
                    found.add(_key(list(row), arranged))
    return found
