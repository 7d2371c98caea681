"""The half of `KernelLaw` that takes a real step: frozen change and crossings together."""

from finitewidth.estimate import Estimate
from finitewidth.law import update
from finitewidth.law.crossing import known
from finitewidth.law.crossing.estimates import CrossingTerm, StepVariance
from finitewidth.law.crossing.method import crossing_term, mean_number
from finitewidth.law.crossing.step_variance import Frozen, step_variance
from finitewidth.law.inputs import PowerSums
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.moments import output_moment
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress

SIZE = 16_384
"""Networks of a sample unless another number is asked for: half a per cent at ordinary widths."""


class CrossingLaw:
    """One real SGD step on ½(N − t)²: what the paper's frozen pattern leaves out."""

    net: MLP
    _sums: PowerSums

    def crossing_mean(
        self,
        learning_rate: float = 1.0,
        target: float = 0.0,
        *,
        method: str = "auto",
        size: int = SIZE,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> CrossingTerm:
        """Mean change of K by the neurons that one step carries across zero; ≤ 0.

        Of order n^(−1/2) in the width n, where the frozen change is of order 1/n; linear in the
        learning rate up to `.largest_rate`.

        Parameters
        ----------
        learning_rate, target : float
            λ and t of a step on ½(N − t)².
        method : str
            "closed": one hidden layer, exact. "leading": large width, closed form, any depth.
            "conditional": conditional Monte Carlo, exact at finite width, at a cost of O(depth) a
            network. "auto": closed for one hidden layer, leading where Σ 1/n ≤ 0.001 or beyond
            1000 hidden layers, else conditional; `.method` and `.note` say which.
        size, seed : int
            Networks in all and the seed that alone decides them; for "conditional".
        workers : int, optional
            Threads; all cores if not given. The numbers do not depend on it.
        progress : callable, optional
            Called with (networks done, networks in all).

        Returns
        -------
        CrossingTerm
            An `Estimate` with the contribution of every hidden layer. `.trusted` is False, and
            `.note` has the reason, for a learning rate outside the linear range, a mean that
            single networks carry, or a leading term far from its range.

        Raises
        ------
        ValueError, TypeError
            For weights that are not Gaussian, narrow layers with a target other than 0, where the
            term does not exist, an argument out of range, or values outside a double.

        Notes
        -----
        Derivation: see `finitewidth.law.crossing.one_neuron`, `.leading`, `.at_zero`.
        """
        return crossing_term(
            self.net,
            float(self._sums(2)),
            known.rate(learning_rate),
            known.target(target),
            method,
            size,
            seed,
            workers,
            progress,
        )

    kink_mean = crossing_mean

    def step_mean(
        self,
        learning_rate: float = 1.0,
        target: float = 0.0,
        *,
        method: str = "auto",
        size: int = SIZE,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> Estimate:
        """E ΔK of one real SGD step: the frozen mean plus the crossing term.

        The frozen mean (`update_mean`) is exact and does not depend on the target; the crossing
        term does. Arguments and errors as for `crossing_mean`.
        """
        term = self.crossing_mean(
            learning_rate, target, method=method, size=size, seed=seed,
            workers=workers, progress=progress,
        )  # fmt: skip
        return term.with_frozen(self._frozen_mean(known.rate(learning_rate)))

    def step_variance(
        self,
        learning_rate: float = 1.0,
        target: float = 0.0,
        *,
        size: int = SIZE,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> StepVariance:
        """Var ΔK over seeds of one real SGD step, at leading order in the width.

        The sum of `.jumps` (noise of single crossings, linear in the learning rate), `.drift`,
        `.shared` and `.frozen` (`update_variance`, exact); closed for one hidden layer,
        conditional Monte Carlo for more. Arguments and errors as for `crossing_mean`.
        """
        rate, goal = known.rate(learning_rate), known.target(target)
        output = output_moment(self.net, self._sums, 2, 0)
        frozen = Frozen(
            self._frozen_mean(rate),
            self._frozen_variance(rate, goal),
            output.to_float("E N²", "reduce the gain or the depth"),
        )
        return step_variance(
            self.net, float(self._sums(2)), frozen, rate, goal, size, seed, workers, progress
        )

    def crossings(
        self,
        learning_rate: float = 1.0,
        target: float = 0.0,
        *,
        size: int = SIZE,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> Estimate:
        """Mean number of neurons that one step carries across zero, to first order in the rate.

        Arguments and errors as for `crossing_mean`.
        """
        return mean_number(
            self.net,
            float(self._sums(2)),
            known.rate(learning_rate),
            known.target(target),
            size,
            seed,
            workers,
            progress,
        )

    def _frozen_mean(self, rate: float) -> float:
        value = Magnitude(2.0) * Magnitude(rate) * update.mean(self.net, self._sums)
        return 0.0 - value.to_float("|E ΔK|", "use log_update_mean")

    def _frozen_variance(self, rate: float, target: float) -> float:
        square = Magnitude(rate) ** 2 * update.second_moment(self.net, self._sums, target)
        mean = Magnitude(2.0) * Magnitude(rate) * update.mean(self.net, self._sums)
        return (square - mean**2).to_float("Var ΔK", "use log_update_variance")
