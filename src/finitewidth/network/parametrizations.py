"""How the weights are scaled, and which learning-rate factor each layer's weights have.

One entry a parametrization; law, simulation and measurement read only `Layer`.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeVar, runtime_checkable


@dataclass(frozen=True)
class Layer:
    """One weight layer j = 1 … d of a network.

    Attributes
    ----------
    index : int
        j, counted from the input.
    fan_in, fan_out : int
        n_{j−1} and n_j.
    weight_variance : float
        c_j, the variance of a scaled weight Ŵ = √c_j W; C/n_{j−1} with the layer's gain C.
    weight_lr : float
        λ_j, the factor of the layer's part of the kernel, λ_j |x^(j−1)|² |∂N/∂y^(j)|², and of
        its SGD step on Ŵ.
    is_output : bool
        Whether this is layer d.
    """

    index: int
    fan_in: int
    fan_out: int
    weight_variance: float
    weight_lr: float
    is_output: bool


Number = TypeVar("Number", float, Fraction)


def _ntk(fan_in: int, gain: Number) -> tuple[Number, Number]:
    """Derivatives with respect to the unit-variance W: λ = c (Jacot et al. 2018)."""
    return gain / fan_in, gain / fan_in


def _standard(fan_in: int, gain: Number) -> tuple[Number, Number]:
    """Derivatives with respect to Ŵ itself, PyTorch's own way: λ = 1."""
    return gain / fan_in, type(gain)(1)


@runtime_checkable
class Rule(Protocol):
    """(fan-in n_{j−1}, gain C) to (c_j, λ_j), in floats or in Fractions."""

    def __call__(self, fan_in: int, gain: Number) -> tuple[Number, Number]:
        """The layer's scale and rate."""
        ...


RULES: dict[str, Rule] = {"ntk": _ntk, "standard": _standard}


def scaling(parametrization: str) -> Rule:
    """The rule of a name.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    rule = RULES.get(parametrization) if isinstance(parametrization, str) else None
    if rule is None:
        raise ValueError(
            f"parametrization is {parametrization!r}, expected one of {', '.join(RULES)}."
        )
    return rule
