"""What a simulation returns: arrays with one entry per network, and averages with their errors."""

from dataclasses import dataclass, field

import numpy as np

from finitewidth._shapes import Float, Int
from finitewidth._whole_number import whole_number
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.report import Page, Shown
from finitewidth.simulate import averages, entries

PARTS = ("kernel", "weights", "biases")

EXACT_ORDERS = 4  # moments of one input's kernel that fw.KernelLaw has


def _way_out(net: MLP, exact: str) -> str:
    """What to do about an average that is not trusted; `exact` is empty where nothing is known."""
    lawful = net.act.slope is not None and net.bias_variance == 0 and net.residual is None
    if lawful and exact:
        return f"raise size, or use {exact}, which is exact at one input"
    return "raise size"


@dataclass(frozen=True, eq=False)
class Ensemble(Shown):
    """Networks at initialisation.

    Attributes
    ----------
    net : MLP
        The network.
    outputs : array of shape [size, B]
        N(x_a).
    weights, biases : array of shape [size, B, B]
        The parts of the kernel: Σ over weights and over biases of factor · ∂N_a/∂θ · ∂N_b/∂θ.
    kernels : array of shape [size, B, B]
        Their sum K_ab.
    method : str
        ``"dense"`` or ``"deferred"``.
    seed : int or None
        As given.
    """

    net: MLP
    outputs: Float[np.ndarray, "size B"] = field(repr=False)
    weights: Float[np.ndarray, "size B B"] = field(repr=False)
    biases: Float[np.ndarray, "size B B"] = field(repr=False)
    kernels: Float[np.ndarray, "size B B"] = field(repr=False)
    method: str = "dense"
    seed: int | None = None

    @property
    def size(self) -> int:
        """Number of networks."""
        return len(self.outputs)

    def part(self, part: str = "kernel") -> Float[np.ndarray, "size B B"]:
        """The kernels, or one of their parts: ``"kernel"``, ``"weights"`` or ``"biases"``.

        Raises
        ------
        ValueError
            For another name.
        """
        if part not in PARTS:
            raise ValueError(f"part is {part!r}, expected one of {', '.join(PARTS)}.")
        return {"kernel": self.kernels, "weights": self.weights, "biases": self.biases}[part]

    def _diagonal(self, part: str) -> Float[np.ndarray, "size B"]:
        return np.diagonal(self.part(part), axis1=1, axis2=2)

    def _way_out(self, exact: str) -> str:
        return _way_out(self.net, exact)

    def mean(self, part: str = "kernel") -> Estimate:
        """E K_ab, an `Estimate` of shape [B, B]."""
        way_out = self._way_out(f'fw.KernelLaw(net, x).mean("{part}")')
        return averages.mean(self.part(part), averages.FOR_MEANS, way_out, self.method)

    def variance(self, part: str = "kernel") -> Estimate:
        """Var K_ab over networks, an `Estimate` of shape [B, B]."""
        way_out = self._way_out(f'fw.KernelLaw(net, x).variance("{part}")')
        return averages.variance(self.part(part), way_out, self.method)

    def dispersion(self, part: str = "kernel") -> Estimate:
        """E K²/(E K)² of the diagonal entries K(x_a, x_a), an `Estimate` of shape [B].

        1 for a kernel that is the same in all networks. Corrected for its bias of order 1/size;
        jackknife error. Not trusted where a few networks carry E K².

        Raises
        ------
        ValueError
            If the mean of this part is 0.
        """
        way_out = self._way_out(f'fw.KernelLaw(net, x).dispersion("{part}")')
        return averages.dispersion(self._diagonal(part), way_out, self.method)

    def moment(self, order: int, part: str = "kernel") -> Estimate:
        """E K^order of the diagonal entries K(x_a, x_a), an `Estimate` of shape [B].

        Raises
        ------
        ValueError
            For an order below 1, or a moment beyond the range of float64.
        """
        order = whole_number(order, "order", 1)
        known = order <= EXACT_ORDERS
        exact = f'fw.KernelLaw(net, x).moment({order}, part="{part}")' if known else ""
        way_out = self._way_out(exact)
        needed = averages.FOR_MEANS if order == 1 else averages.FOR_MOMENTS
        with np.errstate(over="ignore"):
            powers = self._diagonal(part) ** order
        if not np.isfinite(powers).all():
            raise ValueError(
                f"K^{order} is beyond the range of float64 in some network; {way_out}."
            )
        return averages.mean(powers, needed, way_out, self.method)

    def page(self) -> Page:
        """Mean kernel and its spread at every input, with errors and trust; in detail its parts."""
        return entries.page(
            self.net,
            "The kernel K(x, x) at initialisation",
            f"{self.method}.",
            {"inputs": self.outputs.shape[1], "seed": self.seed, "size": self.size},
            {
                "mean_kernel": self.mean,
                "mean_weights": lambda: self.mean("weights"),
                "mean_biases": lambda: self.mean("biases"),
                "dispersion": self.dispersion,
                "variance": self.variance,
            },
            {"E K": "mean_kernel", "E K²/(E K)²": "dispersion"},
            {"E K_w": "mean_weights", "E K_b": "mean_biases", "Var K": "variance"},
        )


@dataclass(frozen=True, eq=False)
class FirstStep(Shown):
    """Networks before and after one gradient step.

    Attributes
    ----------
    net : MLP
        The network.
    learning_rate : float
        η.
    pattern : str
        ``"real"``: `after` is the kernel of the network after the step. ``"frozen"``: every
        neuron keeps its slope. For kinked activations the means of the two differ by a term of
        order width^(−1/2).
    before, after : array of shape [size, B, B]
        The kernels.
    first_order : array of shape [size, B, B]
        η dK/dη at η = 0, with the pattern frozen; whatever `pattern` is.
    outputs, outputs_after : array of shape [size, B]
        N(x_a) before and after; `outputs_after` follows `pattern`.
    crossed : array of int of shape [size]
        How many (hidden neuron, input) pre-activations opened or closed; 0 counts as closed. 0
        for activations without a kink. With ``"frozen"``, counted in the frozen network.
    method : str
        ``"dense"``.
    seed : int or None
        As given.
    """

    net: MLP
    learning_rate: float
    pattern: str
    before: Float[np.ndarray, "size B B"] = field(repr=False)
    after: Float[np.ndarray, "size B B"] = field(repr=False)
    first_order: Float[np.ndarray, "size B B"] = field(repr=False)
    outputs: Float[np.ndarray, "size B"] = field(repr=False)
    outputs_after: Float[np.ndarray, "size B"] = field(repr=False)
    crossed: Int[np.ndarray, " size"] = field(repr=False)
    method: str = "dense"
    seed: int | None = None

    @property
    def size(self) -> int:
        """Number of networks."""
        return len(self.outputs)

    def mean_change(self) -> Estimate:
        """E [after − before], an `Estimate` of shape [B, B]; its method names the pattern."""
        what = "pattern frozen" if self.pattern == "frozen" else "real step"
        return averages.mean(
            self.after - self.before,
            averages.FOR_MOMENTS,
            _way_out(self.net, ""),  # of a finite step no exact mean is known
            f"{self.method}, {what}",
        )

    def mean_first_order(self) -> Estimate:
        """E `first_order`, an `Estimate` of shape [B, B]: pattern frozen, linear in η."""
        return averages.mean(
            self.first_order,
            averages.FOR_MOMENTS,
            _way_out(self.net, f"fw.KernelLaw(net, x).update_mean({self.learning_rate:g})"),
            f"{self.method}, pattern frozen, first order",
        )

    def mean_before(self) -> Estimate:
        """E `before`, an `Estimate` of shape [B, B]."""
        way_out = _way_out(self.net, "fw.KernelLaw(net, x).mean()")
        return averages.mean(self.before, averages.FOR_MEANS, way_out, self.method)

    def page(self) -> Page:
        """Mean change of the kernel at every input, real or frozen, beside its first order."""
        pattern = "pattern frozen" if self.pattern == "frozen" else "a real step"
        asked = {"inputs": self.outputs.shape[1], "seed": self.seed, "size": self.size}
        return entries.page(
            self.net,
            f"The kernel K(x, x) in one step, {pattern}, η = {self.learning_rate:g}",
            f"{self.method}; first order is with the pattern frozen. On average "
            f"{self.crossed.mean():.4g} pre-activations opened or closed.",
            asked | {"learning_rate": self.learning_rate, "pattern": self.pattern},
            {
                "mean_change": self.mean_change,
                "mean_first_order": self.mean_first_order,
                "mean_before": self.mean_before,
            },
            {"E ΔK": "mean_change", "E ΔK, first order": "mean_first_order"},
            {"E K before": "mean_before"},
        )
