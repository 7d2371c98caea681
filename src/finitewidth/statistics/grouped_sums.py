"""`GroupedSums`: power sums of a quantity, which add up over the parts of a sample."""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np

from finitewidth._shapes import Float, Int
from finitewidth.statistics.jackknife import error_of_left_out

GROUPS = 32
"""Networks are summed in groups, i in group i mod 32; leaving one out gives standard errors."""


@dataclass(frozen=True, eq=False)
class GroupedSums:
    """Sums of (value − shift)^p, p = 0 … `order` at most 4, by group of networks.

    With a shift near the mean, central moments keep their digits; the sum of two is taken about
    the shift of the first. Added in the order of the parts, the result does not depend on who
    computed them or when.

    Attributes
    ----------
    shift : float
    sums : array [groups, powers]
    """

    shift: float
    sums: Float[np.ndarray, "groups powers"]

    @classmethod
    def of(
        cls,
        values: Float[np.ndarray, " n"],
        index: Int[np.ndarray, " n"],
        order: int = 4,
        shift: float | None = None,
    ) -> "GroupedSums":
        """The sums of the networks with these numbers, about their own mean if not another.

        Raises
        ------
        ValueError
            If a sum leaves the range of a double.
        """
        if shift is None:
            shift = float(values.mean()) if len(values) else 0.0
        group, power = index % GROUPS, np.ones(len(values))
        sums = np.empty((GROUPS, order + 1))
        with np.errstate(over="ignore", invalid="ignore"):
            for p in range(order + 1):
                sums[:, p] = np.bincount(group, power, minlength=GROUPS)
                power = power * (values - shift)
        if not np.isfinite(sums).all():
            raise ValueError(
                f"values around {shift:.3g} have powers of order {order} beyond the range of a "
                "double; use fewer layers or smaller gains."
            )
        return cls(shift, sums)

    def about(self, shift: float) -> Float[np.ndarray, "groups powers"]:
        """The sums about another shift: (v − b)^p = Σ_j C(p, j) (v − a)^j (a − b)^(p−j)."""
        step = self.shift - shift
        if step == 0.0:
            return self.sums
        moved = np.zeros_like(self.sums)
        for order in range(self.sums.shape[1]):
            for j in range(order + 1):
                moved[:, order] += comb(order, j) * step ** (order - j) * self.sums[:, j]
        return moved

    def __add__(self, later: "GroupedSums") -> "GroupedSums":
        if not self.sums[:, 0].any():
            return later
        return GroupedSums(self.shift, self.sums + later.about(self.shift))

    @property
    def size(self) -> int:
        """Networks."""
        return int(self.sums[:, 0].sum())

    @property
    def groups_held(self) -> int:
        """Groups with networks in them; an error takes 2."""
        return int((self.sums[:, 0] > 0).sum())

    def central(self) -> list[float]:
        """Mean and central moments 2, 3, … up to the order."""
        return self._central(self.sums.sum(axis=0))

    def _central(self, sums: Float[np.ndarray, " powers"]) -> list[float]:
        raw = (sums / sums[0]).tolist()
        m, second, third, fourth = (*raw[1:], 0.0, 0.0, 0.0)[:4]
        return [
            self.shift + m,
            second - m**2,
            third - 3 * m * second + 2 * m**3,
            fourth - 4 * m * third + 6 * m * m * second - 3 * m**4,
        ][: len(raw) - 1]

    def raw(self) -> list[float]:
        """Sums of value^p, p = 0 … order."""
        return self.about(0.0).sum(axis=0).tolist()

    def estimate(
        self, statistic: Callable[[list[float]], float], *, empty_groups: bool = False
    ) -> tuple[float, float]:
        """A function of (mean, central moments) and its standard error.

        Parameters
        ----------
        statistic : callable
        empty_groups : bool
            Whether groups without networks count among those left out, which widens the error of
            a few networks a little.

        Notes
        -----
        Jackknife over the groups; at least 2 hold networks, or the error is unknown and a
        ValueError is raised.
        """
        total = self.sums.sum(axis=0)
        groups = self.sums if empty_groups else self.sums[self.sums[:, 0] > 0]
        if self.groups_held < 2:
            raise ValueError("a single network has no standard error; ask for 2 or more.")
        without = [statistic(self._central(total - group)) for group in groups]
        return statistic(self._central(total)), error_of_left_out(np.array(without))
