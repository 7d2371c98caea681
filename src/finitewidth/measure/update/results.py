"""`KernelUpdate`: what one step changed."""

from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float
from finitewidth.measure import pages
from finitewidth.report import Page, Plot, Points, Shown
from finitewidth.report.axes import whole_ticks


@dataclass(frozen=True)
class KernelUpdate(Shown):
    """The change of a kernel in one SGD step θ → θ − λ∇L, traced over outputs.

    Attributes
    ----------
    learning_rate : float
        λ.
    before : array [B, B]
        K(θ).
    first_order : array [B, B]
        λ dK/dλ at λ = 0 by automatic differentiation, or see `first_order_note`: the pattern of the
        activations is frozen.
    actual : array [B, B] or None
        K(θ − λ∇L) − K(θ); None if that is not finite, or beyond 1e150.
    actual_at_half : array [B, B] or None
        The actual change at half the rate, which tells how far the change is from proportional.
    loss_before, loss_after : float
        Over the batch of the step; the second None if it is not finite.
    diverged : bool
        Whether a number after the step is not finite, or the loss rose by more than λ|∇L|², the
        fall that the first order promised. On a parabola that is a curvature beyond 4/λ along the
        gradient: beyond that wide two-layer linear networks diverge, while ReLU networks recover
        up to about 12/λ in the experiments of Lewkowycz et al. 2020, arXiv:2003.02218.
    crossed, pairs : int or None
        (Neuron, input) pairs whose pre-activation the step carried across a kink of a ReLU-like
        activation, and all pairs there are, over the inputs of the kernel; a neuron counts once at
        each position or token. None if there is no such activation.
    crossed_note : str
        Why they are None, or empty.
    first_order_range : float or None
        The largest of the rates λ 2^k tried at which ‖actual − first_order‖ ≤ tolerance times
        ‖first_order‖ (Frobenius), reached by halving λ until it holds or doubling it until it does
        not. For smooth activations that is where the second order reaches the tolerance. With
        ReLU-like ones it is where crossings begin to matter in this one network; over seeds, see
        `UpdateEnsemble.nonlinearity`.
    range_note : str
        What to know about it, or empty.
    precision : str
        In which the step was taken, ``"float64"`` unless it could not be.
    notes : tuple of str
        Why not.
    first_order_note : str
        Why the first order was taken from differences of gradients along the step (the model
        cannot be differentiated twice, or that gives another derivative), or empty.
    first_order_trusted : bool
        False where these differences do not settle.

    Notes
    -----
    With ReLU-like activations `actual` and `first_order` differ even as λ → 0 on average over
    networks: a step that carries a neuron across 0 at a training input changes its own velocity.
    See the guide, "The first step of your model".
    """

    learning_rate: float
    before: Float[np.ndarray, "B B"]
    first_order: Float[np.ndarray, "B B"]
    actual: Float[np.ndarray, "B B"] | None
    actual_at_half: Float[np.ndarray, "B B"] | None
    loss_before: float
    loss_after: float | None
    diverged: bool
    crossed: int | None
    pairs: int | None
    crossed_note: str
    first_order_range: float | None
    range_note: str
    precision: str
    notes: tuple[str, ...] = ()
    first_order_note: str = ""
    first_order_trusted: bool = True

    @property
    def crossing(self) -> Float[np.ndarray, "B B"] | None:
        """actual − first_order: jumps of neurons that crossed a kink, and the curvature in λ."""
        return None if self.actual is None else self.actual - self.first_order

    @property
    def crossed_fraction(self) -> float | None:
        """Of all pairs."""
        if self.crossed is None or not self.pairs:
            return None
        return self.crossed / self.pairs

    @property
    def relative_first_order(self) -> float:
        """Mean diagonal of first_order over that of the kernel before."""
        return _over(mean_diagonal(self.first_order), mean_diagonal(self.before))

    @property
    def relative_actual(self) -> float | None:
        """Mean diagonal of actual over that of the kernel before."""
        if self.actual is None:
            return None
        return _over(mean_diagonal(self.actual), mean_diagonal(self.before))

    @property
    def distance_first_order(self) -> float:
        """‖first_order‖/‖before‖, Frobenius."""
        return _over(float(np.linalg.norm(self.first_order)), float(np.linalg.norm(self.before)))

    @property
    def distance_actual(self) -> float | None:
        """‖actual‖/‖before‖, Frobenius."""
        if self.actual is None:
            return None
        return _over(float(np.linalg.norm(self.actual)), float(np.linalg.norm(self.before)))

    def page(self) -> Page:
        """The change to first order and the actual one; the diagonal, input by input."""
        place, zero = np.arange(1, len(self.before) + 1), np.zeros(len(self.before))
        series, trusted = [], self.first_order_trusted
        if trusted:
            series.append(Points("pattern frozen", place, self.first_order.diagonal(), zero))
        if self.actual is not None:
            series.append(Points("real step", place, self.actual.diagonal(), zero))
        about_range = "" if self.first_order_range is None else self.range_note
        notes = filter(None, (*self.notes, self.first_order_note, self.crossed_note, about_range))
        relative = self.relative_first_order if trusted else None
        distance = self.distance_first_order if trusted else None
        return pages.page(
            f"One SGD step of rate {self.learning_rate:g}",
            [f"The step {'diverges' if self.diverged else 'does not diverge'}.", *notes],
            [
                ("loss_before", "loss before", self.loss_before),
                ("loss_after", "loss after", self.loss_after),
                ("kernel", "K before, mean diagonal", mean_diagonal(self.before)),
                ("relative_first_order", "ΔK/K, pattern frozen", relative),
                ("relative_actual", "ΔK/K, real step", self.relative_actual),
                ("distance_first_order", "‖ΔK‖/‖K‖, pattern frozen", distance),
                ("distance_actual", "‖ΔK‖/‖K‖, real step", self.distance_actual),
                ("crossed", "(neuron, input) pairs that cross 0", self.crossed),
                ("crossed_fraction", "of all pairs", self.crossed_fraction),
                ("first_order_range", "rate up to which first order holds", self.first_order_range),
            ],
            Plot(
                "What the step does to the kernel, input by input",
                "The diagonal of ΔK; a real step also carries neurons across 0.",
                "input, counted",
                "ΔK(x, x)",
                series,
                x_ticks=whole_ticks(1, len(place)),
            ),
            inputs={"learning_rate": self.learning_rate},
        )


def mean_diagonal(kernel: Float[np.ndarray, "B B"]) -> float:
    """(1/B) Σ_b K(x_b, x_b)."""
    return float(np.trace(kernel)) / len(kernel)


def _over(change: float, before: float) -> float:
    """A ratio; a kernel that is 0 and stays so has changed by 0."""
    if before == 0:
        if change == 0:
            return 0.0
        raise ValueError(
            f"the kernel before the step is 0 and changes by {change:.3g}, so its relative change "
            "does not exist; use the change itself."
        )
    return change / before
