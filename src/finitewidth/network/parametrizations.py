"""How the weights are scaled, and which learning-rate factor each layer's weights have.

Every parametrization is a table of exponents (a, b, c) of the width, one row a kind of layer; law,
simulation and measurement read only `Layer`.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar


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
        c_j, the variance of a scaled weight Ŵ = √c_j W; C/n_{j−1} with the layer's gain C, but
        C/n_{d−1}² at the output of "mup" and "mean_field".
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

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class ABC:
    """Exponents of the width n: Ŵ = n^(−a) w, Var w ∝ n^(−2b), learning rate of w ∝ n^(−c).

    A step on w by n^(−c) times its gradient moves Ŵ by n^(−2a−c) times its own, so what the
    network does depends on a + b and 2a + c alone (Yang & Hu 2021, abc-parametrizations and their
    symmetry).

    Attributes
    ----------
    a, b, c : Fraction or int
        Such that `variance` and `rate` are whole numbers.
    """

    a: Fraction | int
    b: Fraction | int
    c: Fraction | int

    @property
    def variance(self) -> int:
        """Exponent of n in Var Ŵ: −2(a + b)."""
        return _whole(-2 * (self.a + self.b))

    @property
    def rate(self) -> int:
        """Exponent of n in the factor of a step on Ŵ: −(2a + c)."""
        return _whole(-(2 * self.a + self.c))


def _whole(exponent: Fraction | int) -> int:
    """The exponent as an int: exact theory counts in Fractions and knows no roots of a width."""
    number = Fraction(exponent)
    if number.denominator != 1:
        raise ValueError(
            f"the exponents give the width to the power {number}, expected a whole power of it in "
            "the variance of a weight and in its learning rate; choose a, b, c accordingly."
        )
    return number.numerator


@dataclass(frozen=True)
class Parametrization:
    """The exponents of every kind of layer.

    Widths that differ: n is the fan-in n_{j−1} of a hidden or output layer and the fan-out n_1 of
    the first, whose fan-in is the input's dimension and no width. Without hidden layer there is
    no width, and n is 1.

    Attributes
    ----------
    first, hidden, output : ABC
        Of layer 1, of 2 … d−1, of d.
    unit_variance : bool
        What does not depend on the width, the gain C and 1/n_0 of the first layer, is a factor of
        the multiplier (True: w has variance 1 and λ contains them) or of Var w (False: it does
        not).
    source : str
        Where the table stands.
    """

    first: ABC
    hidden: ABC
    output: ABC
    unit_variance: bool
    source: str

    def scale(
        self, fan_in: int, fan_out: int, gain: Number, *, is_first: bool, is_output: bool
    ) -> tuple[Number, Number]:
        """(c_j, λ_j) of a layer, in floats or in Fractions as its gain C is.

        Parameters
        ----------
        fan_in, fan_out : int
            n_{j−1} and n_j.
        gain : float or Fraction
            C.
        is_first, is_output : bool
            Whether j = 1, and whether j = d; both in a network without hidden layer.
        """
        exponents = self.first if is_first else self.output if is_output else self.hidden
        width = fan_out if is_first else fan_in
        if is_first and is_output:
            width = 1
        fixed = gain / fan_in if is_first else gain
        started = fixed if self.unit_variance else type(gain)(1)
        return (
            _times_power(fixed, width, exponents.variance),
            _times_power(started, width, exponents.rate),
        )


def _times_power(value: Number, width: int, exponent: int) -> Number:
    """value · width^exponent, dividing once where the exponent is negative."""
    if exponent == 0:
        return value
    return value * width**exponent if exponent > 0 else value / width**-exponent


PARAMETRIZATIONS: dict[str, Parametrization] = {
    "ntk": Parametrization(
        first=ABC(0, 0, 0),
        hidden=ABC(HALF, 0, 0),
        output=ABC(HALF, 0, 0),
        unit_variance=True,
        source="NTP of Yang & Hu 2021, Table 1; Jacot et al. 2018",
    ),
    "standard": Parametrization(
        first=ABC(0, 0, 0),
        hidden=ABC(0, HALF, 0),
        output=ABC(0, HALF, 0),
        unit_variance=False,
        source="SP of Yang & Hu 2021, Table 1; what PyTorch's layers and optimisers do",
    ),
    "mup": Parametrization(
        first=ABC(-HALF, HALF, 0),
        hidden=ABC(0, HALF, 0),
        output=ABC(HALF, HALF, 0),
        unit_variance=False,
        source="MUP of Yang & Hu 2021, Table 1",
    ),
    # Yang & Hu have MFP for one hidden layer. Further ones are as in "ntk", times the common
    # learning rate n: dynamical mean-field theory's network, whose kernel at the start is that of
    # "ntk" while its output is smaller by √n.
    "mean_field": Parametrization(
        first=ABC(0, 0, -1),
        hidden=ABC(HALF, 0, -1),
        output=ABC(1, 0, -1),
        unit_variance=True,
        source="MFP of Yang & Hu 2021, Table 1; several hidden layers: Bordelon & Pehlevan 2022",
    ),
}


def scaling(parametrization: str) -> Parametrization:
    """The parametrization of a name.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    known = PARAMETRIZATIONS
    found = known.get(parametrization) if isinstance(parametrization, str) else None
    if found is None:
        raise ValueError(
            f"parametrization is {parametrization!r}, expected one of {', '.join(known)}."
        )
    return found
