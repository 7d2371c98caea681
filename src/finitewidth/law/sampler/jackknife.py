"""Standard errors of any function of power sums, by leaving out one of 32 groups of networks."""

from collections.abc import Callable
from math import sqrt

import numpy as np

from finitewidth._shapes import Float, Int

GROUPS = 32


class GroupedSums:
    """Sums of powers 0 … `order` of a quantity, network i in group i mod 32.

    Powers are of (value − shift), with a shift near the mean so that central moments keep their
    digits. Blocks are added in order, so the sums do not depend on the number of threads.
    """

    def __init__(self, order: int, shift: float) -> None:
        self.shift = shift
        self.sums: Float[np.ndarray, "groups powers"] = np.zeros((GROUPS, order + 1))

    def add(self, values: Float[np.ndarray, " n"], index: Int[np.ndarray, " n"]) -> None:
        """Add the values of the networks with these numbers."""
        group = index % GROUPS
        power = np.ones_like(values)
        for order in range(self.sums.shape[1]):
            self.sums[:, order] += np.bincount(group, power, minlength=GROUPS)
            power = power * (values - self.shift)

    def central(self, sums: Float[np.ndarray, " powers"]) -> list[float]:
        """Mean and central moments 2, 3, … of a row of sums."""
        raw = (sums / sums[0]).tolist()
        m = raw[1]
        found = [self.shift + m]
        if len(raw) > 2:
            found.append(raw[2] - m**2)
        if len(raw) > 3:
            found.append(raw[3] - 3 * m * raw[2] + 2 * m**3)
        if len(raw) > 4:
            found.append(raw[4] - 4 * m * raw[3] + 6 * m * m * raw[2] - 3 * m**4)
        return found

    def estimate(self, statistic: Callable[[list[float]], float]) -> tuple[float, float, int]:
        """A function of (mean, central moments), its jackknife standard error, and the size."""
        total = self.sums.sum(axis=0)
        value = statistic(self.central(total))
        without = [statistic(self.central(total - group)) for group in self.sums]
        error = sqrt((GROUPS - 1) * float(np.var(without)))
        return value, error, int(total[0])
