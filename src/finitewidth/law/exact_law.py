"""`ExactLaw`: the numbers of `KernelLaw`, as a thin facade."""

from fractions import Fraction
from math import isfinite
from numbers import Real

from finitewidth._large import allowing, check_cost
from finitewidth.law import arithmetic, breakdown, limit, moments, paper, update
from finitewidth.law.crossing_law import CrossingLaw
from finitewidth.law.inputs import PowerSums, from_sums, from_vector
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.sampled_law import SampledLaw
from finitewidth.law.schemes import cross, hessian, output_kernel, update_part
from finitewidth.network import MLP
from finitewidth.network.exact import double


class ExactLaw(SampledLaw, CrossingLaw):
    """The numbers of `KernelLaw`, which has the parameters."""

    def __init__(
        self,
        net: MLP,
        x: object = None,
        *,
        power_sums: tuple[float, ...] | None = None,
        input_name: str | None = None,
    ) -> None:
        if not isinstance(net, MLP):
            raise TypeError(f"net is {type(net).__name__}, expected an MLP.")
        _check_covered(net)
        if x is not None and power_sums is not None:
            raise ValueError("x and power_sums were both given; give one of them.")
        self.net = net
        self._sums: PowerSums = (
            from_vector(net, x)
            if x is not None
            else from_sums(power_sums if power_sums is not None else (net.n_in,) * 4)
        )
        self.input_name = input_name or f"|x|^2 = {self.squared_norm:.10g}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.net!r}, |x|²={self.squared_norm:g})"

    @property
    def squared_norm(self) -> float:
        """|x|² of the input."""
        return float(self._sums(2))

    # -- moments ------------------------------------------------------------------------------

    def mean(self, part: str = "kernel") -> float:
        """E K, E K_w or E K_b (part "kernel", "weights", "biases").

        Hanin & Nica 2020, Theorem 1, with E K_b corrected for dead layers.

        Raises
        ------
        ValueError
            For an unknown part, or a value outside the range of a double.
        """
        return self.moment(1, part)

    def moment(self, order: int, part: str = "kernel") -> float:
        """E K^order of a part, order 1 to 4.

        Raises
        ------
        ValueError
            For an order or part out of range, a weight moment that does not exist, or a value
            outside the range of a double (then use `log_moment`).
        """
        value = moments.moment(self.net, self._sums, order, part)
        return value.to_float(f"E K^{order}", "use log_moment")

    def log_moment(self, order: int, part: str = "kernel") -> float:
        """Natural log of `moment`; −inf is never returned: a part that is 0 raises ValueError."""
        return _log(moments.moment(self.net, self._sums, order, part), f"E K^{order} of {part}")

    def cross_moment(self) -> float:
        """E K_w K_b (Hanin & Nica 2020, Proposition 5)."""
        return moments.cross_moment(self.net, self._sums).to_float(
            "E K_w K_b", "use log_cross_moment"
        )

    def log_cross_moment(self) -> float:
        """Natural log of E K_w K_b."""
        return _log(moments.cross_moment(self.net, self._sums), "E K_w K_b")

    def dispersion(self, part: str = "kernel") -> float:
        """E K²/(E K)², 1 for a kernel that is the same for every seed.

        Raises
        ------
        ValueError
            If it does not fit a double (then use `log_dispersion`), or the part is 0.
        """
        return self._dispersion(part).to_float("the dispersion", "use log_dispersion")

    def log_dispersion(self, part: str = "kernel") -> float:
        """Natural log of `dispersion`."""
        return self._dispersion(part).log

    def _dispersion(self, part: str) -> Magnitude:
        if moments.scheme_of(self.net, 1, part) is None:
            raise ValueError("K_b is 0 in this network, so its dispersion is not defined.")
        return moments.dispersion(self.net, self._sums, part)

    def relative_variance(self, part: str = "kernel") -> float:
        """Var K/(E K)² = dispersion − 1, without the loss of digits when it is small."""
        return moments.standardised(self.net, self._sums, part, 2)

    def variance(self, part: str = "kernel") -> float:
        """Var K over random initialisations."""
        return self.relative_variance(part) * self.mean(part) ** 2

    def skewness(self, part: str = "kernel") -> float:
        """E (K − E K)³/Var^(3/2).

        Raises
        ------
        ValueError
            If K does not vary (no hidden layer).
        RuntimeError
            If the digits would be lost to rounding (see `moments.standardised`).
        """
        variance = self._varying(part)
        return moments.standardised(self.net, self._sums, part, 3) / variance**1.5

    def kurtosis(self, part: str = "kernel") -> float:
        """E (K − E K)⁴/Var², 3 for a normal law. Raises as `skewness`."""
        variance = self._varying(part)
        return moments.standardised(self.net, self._sums, part, 4) / variance**2

    def _varying(self, part: str) -> float:
        variance = self.relative_variance(part)
        if variance == 0.0:
            raise ValueError("this kernel does not vary between seeds, so it has no shape.")
        return variance

    def output_moment(self, order: int) -> float:
        """E N^order, order 2 or 4 (odd orders are 0)."""
        _checked_output_order(order)
        value = moments.output_moment(self.net, self._sums, order, 0)
        return value.to_float(f"E N^{order}", "reduce the gain or the depth")

    def output_kernel_moment(self) -> float:
        """E N²K, how the output's size and the kernel go together."""
        value = moments.output_moment(self.net, self._sums, 2, 1)
        return value.to_float("E N²K", "reduce the gain or the depth")

    # -- the first step, pattern frozen -----------------------------------------------------------

    def update_parts(self) -> dict[str, float]:
        """{"ww": E Δ_ww, "wb": E Δ_wb} (Hanin & Nica 2020, Propositions 3 and 5)."""
        return {
            name: update.part(self.net, self._sums, (name[0], name[1])).to_float(
                f"E Δ_{name}", "use log_update_mean"
            )
            for name in ("ww", "wb")
        }

    def update_mean(self, learning_rate: float = 1.0) -> float:
        """E ΔK of one SGD step on ½(N − t)², activation pattern frozen; ≤ 0 for any target t.

        The paper's quantity (Theorem 2), exact: −2λ(E Δ_ww + 2 E Δ_wb). Not the mean change of a
        real step, which also moves neurons across zero.
        """
        rate = _rate(learning_rate)
        value = Magnitude(2.0) * Magnitude(rate) * update.mean(self.net, self._sums)
        return 0.0 - value.to_float("|E ΔK|", "use log_update_mean")

    def log_update_mean(self, learning_rate: float = 1.0) -> float:
        """Natural log of |E ΔK| (pattern frozen); raises ValueError where it is 0 (d = 1)."""
        rate = _rate(learning_rate)
        return _log(Magnitude(2.0) * Magnitude(rate) * update.mean(self.net, self._sums), "E ΔK")

    def relative_update(self, learning_rate: float = 1.0) -> float:
        """E ΔK/E K of one SGD step, activation pattern frozen (Theorem 2, with its sign)."""
        rate = _rate(learning_rate)
        value = update.mean(self.net, self._sums) / moments.moment(
            self.net, self._sums, 1, "kernel"
        )
        return 0.0 - (Magnitude(2.0) * Magnitude(rate) * value).to_float(
            "|E ΔK/E K|", "use log_update_mean and log_moment"
        )

    def update_variance(self, learning_rate: float = 1.0, target: float = 0.0) -> float:
        """Var ΔK over seeds of one SGD step towards `target`, activation pattern frozen.

        E (ΔK/λ)² − (E ΔK/λ)², times λ²: eight paths and four derivatives.
        """
        return self._update_variance(learning_rate, target).to_float(
            "Var ΔK", "use log_update_variance"
        )

    def log_update_variance(self, learning_rate: float = 1.0, target: float = 0.0) -> float:
        """Natural log of `update_variance`; raises ValueError where it is 0 (d = 1)."""
        return _log(self._update_variance(learning_rate, target), "Var ΔK")

    def _update_variance(self, learning_rate: float, target: float) -> Magnitude:
        rate = _rate(learning_rate)
        if not isinstance(target, int | float) or not isfinite(double(target, "target")):
            raise ValueError(f"target is {target!r:.50}, expected a finite number.")
        square = Magnitude(rate) ** 2 * update.second_moment(self.net, self._sums, float(target))
        return square - (Magnitude(2.0) * Magnitude(rate) * update.mean(self.net, self._sums)) ** 2

    # -- beside the exact values --------------------------------------------------------------

    def layer_shares(self, quantity: str = "kernel") -> breakdown.LayerShares:
        """How much each layer contributes to E K ("kernel"), E K² ("kernel_squared") or E ΔK
        ("update").
        """  # noqa: D205
        return breakdown.layer_shares(self.net, self._sums, quantity)

    def paper(self) -> dict[str, paper.PaperForm]:
        """The closed forms of Hanin & Nica 2020, corrected (see `finitewidth.law.paper`)."""
        return paper.forms(self.net, self._sums)

    def joint_limit(self) -> limit.JointLimit:
        """The limit d/n → Λ that this network approaches (see `finitewidth.law.limit`)."""
        return limit.joint_limit(self.net)

    def fraction(self, quantity: str, order: int = 1, *, allow_large: bool = False) -> Fraction:
        """A moment as an exact Fraction, for small networks (cost and digits grow with depth).

        Parameters
        ----------
        quantity : str
            "kernel", "weights", "biases" (then `order` 1 to 4), "cross", "update_ww", "update_wb",
            "output" (order 2 or 4), "output_kernel" (E N²K), "update_squared" (E N²(gᵀHg)²),
            "hessian_squared" (E (gᵀHg)²).
        order : int
            Power of the kernel or of the output.
        allow_large : bool
            Whether it may take longer than ten minutes.

        Raises
        ------
        ValueError
            For an unknown quantity, or a network that takes longer.
        """
        trains = self.net.trains_biases
        others = {
            "cross": cross,
            "update_ww": lambda: update_part(("w", "w")),
            "update_wb": lambda: update_part(("w", "b")),
            "output": lambda: output_kernel(order, 0, trains),
            "output_kernel": lambda: output_kernel(2, 1, trains),
            "update_squared": lambda: hessian(2, 2, trains),
            "hessian_squared": lambda: hessian(0, 2, trains),
        }
        if quantity == "output":
            _checked_output_order(order)
        if quantity in others:
            if quantity in ("cross", "update_wb") and not trains:
                return Fraction(0)
            scheme = others[quantity]()
        elif quantity in ("kernel", "weights", "biases"):
            scheme = moments.scheme_of(self.net, order, quantity)
        else:
            raise ValueError(
                f"quantity is {quantity!r}, expected kernel, weights, biases, {', '.join(others)}."
            )
        if not scheme:
            return Fraction(0)
        # Fractions grow with the depth: the cost of decimals, times that of their digits.
        seconds = arithmetic.cost(self.net, scheme) / 2e6 * (1 + self.net.depth / 100)
        with allowing(allow_large):
            check_cost(
                f"a Fraction of {self.net.depth} layers",
                seconds,
                0.0,
                "ask for the float, or for fewer layers",
            )
        return arithmetic.exactly(self.net, self._sums, scheme)


def _log(value: Magnitude, name: str) -> float:
    if not value.mantissa:
        raise ValueError(f"{name} is 0 in this network, so it has no logarithm.")
    return value.log


def _checked_output_order(order: int) -> None:
    if not isinstance(order, int) or order not in (2, 4):
        raise ValueError(f"order is {order!r}, expected 2 or 4.")


def _rate(learning_rate: float) -> float:
    number = isinstance(learning_rate, Real) and not isinstance(learning_rate, bool)
    rate = float(double(learning_rate, "learning_rate")) if number else 0.0
    if not 0 < rate < float("inf"):
        raise ValueError(
            f"learning_rate is {learning_rate!r}, expected a finite number above 0 "
            "(a step of size λ on the loss ½(N − t)²)."
        )
    return rate


def _check_covered(net: MLP) -> None:
    """Refuse, in one sentence each, what the exact law does not cover."""
    if net.act.slope is None:
        raise ValueError(
            f"the exact law needs an activation with σ(t) = t for t > 0 and a·t for t < 0, got "
            f"{net.act.name!r}; use fw.expansion.kernel (first order in 1/n), or "
            "fw.simulate.ensemble (docs: Simulating random networks)."
        )
    if net.bias_variance > 0:
        raise ValueError(
            f"the exact law needs biases that are zero at initialisation, got bias_variance="
            f"{net.bias_variance:g}; use fw.simulate.ensemble (docs: Simulating random networks)."
        )
    if net.residual is not None:
        raise ValueError(
            f"the exact law covers plain networks, got residual={net.residual}; "
            "use fw.simulate.ensemble (docs: Simulating random networks)."
        )
    if net.n_out != 1:
        raise ValueError(
            f"the exact law is for a scalar output, got n_out={net.n_out}; at initialisation the "
            "kernel of one of several outputs has the law of n_out=1."
        )
