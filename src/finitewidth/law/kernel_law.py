"""`KernelLaw`: the exact law of K(x, x) of one network at one input, which shows itself."""

from finitewidth.law.crossing_law import SIZE
from finitewidth.law.exact_law import ExactLaw
from finitewidth.law.overview import Overview
from finitewidth.law.step import Step
from finitewidth.law.step.against_width import Simulated
from finitewidth.law.step.split import Split
from finitewidth.report import Page, Shown
from finitewidth.statistics.blocks import Progress


class KernelLaw(ExactLaw, Shown):
    """Moments of the neural tangent kernel K = K_w + K_b at initialisation, exact at finite width.

    K is the diagonal entry K(x, x) = Σ_θ λ_θ (∂N/∂θ)² of a scalar output at one input, for any
    hidden widths, symmetric weight law, 1-homogeneous activation (ReLU, LeakyReLU, identity, |t|)
    and gain, in the network's own parametrization. Cost O(depth); logarithmic in runs of equal
    widths.

    Parameters
    ----------
    net : MLP
        The network; biases zero at initialisation, no residual, one output.
    x : array-like [n_in], optional
        The input.
    power_sums : tuple of float, optional
        Instead of `x`: (|x|_2^2[, |x|_4^4[, |x|_6^6[, |x|_8^8]]]). The first is enough for
        Gaussian weights. Without either, |x|² = n_in with every coordinate ±1.
    input_name : str, optional
        What the input is called where the law is shown; |x|² if not given.

    Raises
    ------
    ValueError
        If the network is outside the law's range (the sentence names the page that covers it), or
        the input is not one of its inputs.
    TypeError
        If `net` is not an `MLP` or the input holds no numbers.

    Notes
    -----
    Derivation: docs, "The exact law". Loss convention for updates: ½(N(x) − t)². The class itself
    is what `fw.expansion.Overview` takes as `exact`.

    Examples
    --------
    >>> import finitewidth as fw
    >>> law = fw.KernelLaw(fw.MLP(n_in=10, widths=[20] * 5))
    >>> round(law.mean(), 4), round(law.dispersion(), 4)
    (9.5, 1.7951)
    >>> fw.KernelLaw(fw.MLP(n_in=2, widths=[3]), x=[1, 2]).fraction("kernel", 2)
    Fraction(218, 3)
    """

    def overview(self, learning_rate: float = 1.0) -> Overview:
        """Moments beside the paper's forms and the joint limit, and the first step.

        Parameters
        ----------
        learning_rate : float
            λ of the step on ½(N(x) − t)².
        """
        return Overview(self, learning_rate)

    def step(
        self,
        learning_rate: float | None = None,
        target: float = 0.0,
        *,
        size: int = SIZE,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress | None = None,
        simulated: Simulated | None = None,
    ) -> Step:
        """One real step of SGD: both parts of its mean, its variance, a figure.

        Parameters
        ----------
        learning_rate, target, size, seed, workers, progress
            As of `crossing_mean`.
        simulated : callable, optional
            `fw.simulate.step_means`, which draws the figure's points; none without it.

        Raises
        ------
        ValueError, TypeError
            As `crossing_mean`; for a network without a hidden layer, and no learning rate.
        """
        if self.net.depth == 1:
            raise ValueError(
                "without a hidden layer no step changes K, so there is nothing to split; give "
                "depth 2 or more."
            )
        if learning_rate is None:
            raise ValueError(
                f"the learning rate is missing; give one, e.g. {0.1 / self.mean():.1g} (0.1/E K)."
            )
        asked, how = (learning_rate, target), {"size": size, "seed": seed, "workers": workers}
        term = self.crossing_mean(*asked, **how, progress=progress)
        return Step(
            self,
            *asked,
            size,
            seed,
            Split(self, self.update_mean(learning_rate), term),
            self.step_variance(*asked, **how),
            self.crossings(*asked, **how),
            simulated,
        )

    def page(self) -> Page:
        """That of `overview` at rate 1."""
        return self.overview().page()
