"""`MLP`: the description of a fully connected network, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

from finitewidth._whole_number import whole_number
from finitewidth.network.activations import Activation, Function, activation
from finitewidth.network.exact import double
from finitewidth.network.parametrizations import Layer, scaling
from finitewidth.network.weights import WeightLaw, weight_law
from finitewidth.network.widths import DEEPEST, WIDEST, Widths


def _number(value: object, name: str, minimum: float, *, strict: bool) -> float:
    number = double(value, name)
    if not isfinite(number) or number < minimum or (strict and number == minimum):
        relation = "above" if strict else "of at least"
        shown = value if isfinite(number) else number
        raise ValueError(f"{name} is {shown!r}, expected a finite number {relation} {minimum:g}.")
    return number


@dataclass(frozen=True)
class MLP:
    """A fully connected network at random initialisation.

    y^(1) = b + Ŵ x, x^(j) = σ(y^(j)), y^(j+1) = b + Ŵ x^(j), N = y^(d), with Ŵ = √c_j W, W
    independent of variance 1, c_j = C_W/n_{j−1} (with another power of the width where the
    parametrization says so), b ~ Normal(0, bias_variance).

    Parameters
    ----------
    n_in : int
        Input dimension n_0.
    widths : sequence of int
        Hidden widths n_1 … n_{d−1}; ``[]`` is a network without hidden layer (d = 1).
    activation : str or callable
        ``relu``, ``leaky_relu``, ``identity``, ``abs``, ``tanh``, ``erf``, ``sin``, ``gelu``,
        ``silu``, or an elementwise function.
    negative_slope : float
        a of ``leaky_relu``; ignored by the others.
    weight_law : str or WeightLaw
        ``gaussian``, ``uniform``, ``laplace``, ``student_t:DF``, or a `WeightLaw`.
    hidden_gain, output_gain : float
        C_W of every layer but the last, and of the last; 2 and 1 are Hanin & Nica's.
    n_out : int
        Number of outputs.
    bias : bool
        Whether the network has biases.
    bias_variance : float
        C_b; 0 means zero at initialisation.
    bias_lr : float
        Learning-rate factor of the biases itself, in every parametrization; 0 freezes them.
    residual : None or (float, float)
        (alpha, gamma) of z' = gamma z + alpha (b + Ŵ σ(z)) between hidden layers.
    parametrization : str
        ``ntk``, ``standard``, ``mup`` or ``mean_field``: see
        `finitewidth.network.parametrizations`.
    activation_derivatives : tuple of callable
        (f', f'', …) of an activation given as a function.

    Raises
    ------
    ValueError, TypeError
        One sentence for each field that is out of range, naming it.
    """

    n_in: int
    widths: Sequence[int] = field(default_factory=lambda: Widths(()))
    activation: str | Function = "relu"
    negative_slope: float = 0.01
    weight_law: str | WeightLaw = "gaussian"
    hidden_gain: float = 2.0
    output_gain: float = 1.0
    n_out: int = 1
    bias: bool = True
    bias_variance: float = 0.0
    bias_lr: float = 1.0
    residual: tuple[float, float] | None = None
    parametrization: str = "ntk"
    activation_derivatives: tuple[Function, ...] = ()
    act: Activation = field(init=False, repr=False, compare=False)
    law: WeightLaw = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731  (frozen)
        put("n_in", whole_number(self.n_in, "n_in", 1, WIDEST))
        put("n_out", whole_number(self.n_out, "n_out", 1, WIDEST))
        put("widths", Widths.from_list(self.widths))
        put("hidden_gain", _number(self.hidden_gain, "hidden_gain", 0.0, strict=True))
        put("output_gain", _number(self.output_gain, "output_gain", 0.0, strict=True))
        put("bias_variance", _number(self.bias_variance, "bias_variance", 0.0, strict=False))
        put("bias_lr", _number(self.bias_lr, "bias_lr", 0.0, strict=False))
        if not isinstance(self.bias, bool):
            raise TypeError(f"bias is {self.bias!r}, expected True or False.")
        if not self.bias and self.bias_variance > 0:
            raise ValueError(
                f"bias_variance is {self.bias_variance:g} in a network with bias=False; "
                "set bias=True, or leave bias_variance at 0."
            )
        if self.residual is not None:
            put("residual", self._checked_residual(self.residual))
        put("act", activation(self.activation, self.negative_slope, self.activation_derivatives))
        put("law", weight_law(self.weight_law))
        scaling(self.parametrization)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the given fields; what is derived from them holds functions and is made anew."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return _from_fields, (given,)

    @staticmethod
    def _checked_residual(residual: object) -> tuple[float, float]:
        if not isinstance(residual, tuple | list) or len(residual) != 2:
            raise TypeError(f"residual is {residual!r}, expected None or a pair (alpha, gamma).")
        low = -float("inf")
        alpha = _number(residual[0], "residual alpha", low, strict=True)
        gamma = _number(residual[1], "residual gamma", low, strict=True)
        return alpha, gamma

    @classmethod
    def equal_width(cls, n_in: int, width: int, hidden_layers: int, **others: Any) -> "MLP":
        """A network of `hidden_layers` hidden layers of one width; `others` as in `MLP`.

        Stored as one run, so that a million layers cost nothing.
        """
        each = whole_number(width, "width", 1, WIDEST)
        if type(hidden_layers) is int and hidden_layers == 0:
            return cls(n_in=n_in, widths=[], **others)
        count = whole_number(hidden_layers, "hidden_layers", 1, DEEPEST)
        return cls(n_in=n_in, widths=Widths([(each, count)]), **others)

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """The hidden widths as runs ((width, number of layers), …)."""
        return Widths.from_list(self.widths).runs

    @property
    def depth(self) -> int:
        """d, the number of weight layers: hidden layers + 1."""
        return len(self.widths) + 1

    @property
    def beta(self) -> float:
        """β = Σ 1/n over the hidden layers (Hanin & Nica 2020, §1; without the output layer)."""
        return Widths.from_list(self.widths).inverse_sum

    @property
    def trains_biases(self) -> bool:
        """Whether the biases are part of the kernel."""
        return self.bias and self.bias_lr > 0

    def layer(self, index: int, fan_in: int, fan_out: int) -> Layer:
        """Weight layer `index` between the given widths."""
        is_output = index == self.depth
        gain = self.output_gain if is_output else self.hidden_gain
        variance, rate = scaling(self.parametrization).scale(
            fan_in, fan_out, gain, is_first=index == 1, is_output=is_output
        )
        return Layer(index, fan_in, fan_out, variance, rate, is_output)

    def layers(self) -> Iterator[Layer]:
        """The weight layers j = 1 … d, from the input."""
        fan_in = self.n_in
        for index, fan_out in enumerate(self.widths, start=1):
            yield self.layer(index, fan_in, fan_out)
            fan_in = fan_out
        yield self.layer(self.depth, fan_in, self.n_out)


def _from_fields(given: dict[str, Any]) -> MLP:
    return MLP(**given)
