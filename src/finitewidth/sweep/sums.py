"""`Sums`: power sums of a quantity about a shift, which add up over chunks to every moment."""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np

from finitewidth._shapes import Float, Int

GROUPS = 32
"""Networks are summed in groups, i in group i mod 32; leaving one out gives standard errors."""

ORDER = 4


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of (value − shift)^p, p = 0 … 4, by group of networks.

    Every chunk takes its own mean as shift, so that moments about the mean keep their digits; the
    sum of two is taken about the shift of the first. Added in the order of the chunks, the result
    does not depend on who computed them or when.

    Attributes
    ----------
    shift : float
    sums : array [groups, powers]
    """

    shift: float
    sums: Float[np.ndarray, "groups powers"]

    @classmethod
    def of(cls, values: Float[np.ndarray, " n"], index: Int[np.ndarray, " n"]) -> "Sums":
        """The sums of the networks with these numbers.

        Raises
        ------
        ValueError
            If a sum leaves the range of a double.
        """
        shift = float(values.mean()) if len(values) else 0.0
        group, power = index % GROUPS, np.ones(len(values))
        sums = np.empty((GROUPS, ORDER + 1))
        with np.errstate(over="ignore", invalid="ignore"):
            for order in range(ORDER + 1):
                sums[:, order] = np.bincount(group, power, minlength=GROUPS)
                power = power * (values - shift)
        if not np.isfinite(sums).all():
            raise ValueError(
                f"values around {shift:.3g} have fourth powers beyond the range of a double; use "
                "fewer layers or smaller gains."
            )
        return cls(shift, sums)

    def about(self, shift: float) -> Float[np.ndarray, "groups powers"]:
        """The sums about another shift: (v − b)^p = Σ_j C(p, j) (v − a)^j (a − b)^(p−j)."""
        step = self.shift - shift
        if step == 0.0:
            return self.sums
        moved = np.zeros_like(self.sums)
        for order in range(ORDER + 1):
            for j in range(order + 1):
                moved[:, order] += comb(order, j) * step ** (order - j) * self.sums[:, j]
        return moved

    def __add__(self, later: "Sums") -> "Sums":
        if not self.sums[:, 0].any():
            return later
        return Sums(self.shift, self.sums + later.about(self.shift))

    @property
    def size(self) -> int:
        """Networks that were added up."""
        return int(self.sums[:, 0].sum())

    def central(self) -> list[float]:
        """Mean and central moments 2, 3, 4."""
        return _central(self.shift, self.sums.sum(axis=0))

    def raw(self) -> list[float]:
        """Sums of value^p, p = 0 … 4."""
        return self.about(0.0).sum(axis=0).tolist()

    def estimate(self, statistic: Callable[[list[float]], float]) -> tuple[float, float]:
        """A function of (mean, central moments) and its standard error.

        Notes
        -----
        Jackknife over the groups that hold networks; at least 2 do, or the error is unknown and
        a ValueError is raised.
        """
        total = self.sums.sum(axis=0)
        held = self.sums[self.sums[:, 0] > 0]
        if len(held) < 2:
            raise ValueError("a single network has no standard error; ask for 2 or more.")
        value = statistic(_central(self.shift, total))
        without = [statistic(_central(self.shift, total - group)) for group in held]
        return value, sqrt((len(held) - 1) * float(np.var(without)))


def _central(shift: float, sums: Float[np.ndarray, " powers"]) -> list[float]:
    _, m, second, third, fourth = (sums / sums[0]).tolist()
    return [
        shift + m,
        max(second - m**2, 0.0),
        third - 3 * m * second + 2 * m**3,
        fourth - 4 * m * third + 6 * m * m * second - 3 * m**4,
    ]
