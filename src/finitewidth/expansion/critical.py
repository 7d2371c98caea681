"""Critical initialisation: gains at which a signal's size survives depth, and what depth costs.

At one input K' = C_b + C_W ⟨σ²⟩ =: f(K). A perturbation of K along the input grows by
χ_∥ = f'(K) = C_W ⟨σσ'' + σ'²⟩ a layer, one across it by χ_⊥ = C_W ⟨σ'²⟩; critical means that
both are 1 at a fixed point K* (Roberts, Yaida & Hanin 2022, chapter 5).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from finitewidth._whole_number import whole_number
from finitewidth.expansion.gaussian import Averages, averages_of
from finitewidth.network import MLP
from finitewidth.network.activations import Activation, Function

Kind = Literal["scale_invariant", "zero", "half_stable", "none"]

SEARCHED = np.geomspace(1e-2, 1e2, 81)  # where half-stable fixed points are looked for
ORDERS = ((0, 0), (1, 1), (2, 0), (2, 2), (3, 1), (4, 0))


@dataclass(frozen=True)
class Criticality:
    """The critical point of an activation.

    Attributes
    ----------
    activation : str
        Its name.
    kind : str
        ``"scale_invariant"``: every K is fixed (ReLU and its family). ``"zero"``: K* = 0,
        approached like 1/depth (tanh, sin, erf). ``"half_stable"``: K* > 0, stable from one side
        (GELU, SiLU). ``"none"``: no point at which a signal's size and shape both survive.
    hidden_gain, bias_variance : float or None
        C_W and C_b; None for ``"none"``.
    fixed_point : float or None
        K*; None for ``"none"``, and for ``"scale_invariant"``, where every K is.
    kernel_growth : float or None
        ν: the relative variance of a network's own K grows by ν/n a hidden layer,
        Var K/K² → ν L/n at large L.
    depth_coefficient : float or None
        The coefficient of L/n in Var Θ/Θ² at large L with frozen biases; None where the
        variance grows faster than that (``"half_stable"``) or there is no critical point.
    """

    activation: str
    kind: Kind
    hidden_gain: float | None
    bias_variance: float | None
    fixed_point: float | None
    kernel_growth: float | None
    depth_coefficient: float | None

    def best_ratio(self, n_out: int = 2) -> float:
        """Depth over width at which two halves of the outputs know most about each other.

        ν L/n = 4/(20 + 3 n_out), where the mutual information of two sets of n_out/2 outputs at
        initialisation has its maximum, at the first two orders in L/n (Roberts, Yaida & Hanin
        2022, appendix A; derived in the guide, "The 1/n expansion").

        Raises
        ------
        ValueError
            Without a critical point, or for less than two outputs.
        """
        if type(n_out) is not int or n_out < 2:
            raise ValueError(
                f"n_out is {n_out!r}, expected a whole number from 2: the ratio compares two "
                "halves of the outputs."
            )
        if self.kernel_growth is None:
            raise ValueError(
                f"activation {self.activation!r} (kind {self.kind!r}) has no growth of the "
                "variance in proportion to depth over width; use fw.expansion.relative_variance "
                "for the numbers at each depth."
            )
        return 4 / ((20 + 3 * n_out) * self.kernel_growth)

    def gains(
        self,
        hidden_gain: float | None = None,
        bias_variance: float | None = None,
        *,
        bias: bool = True,
    ) -> dict[str, float]:
        """C_W and C_b as fields of an `MLP`: those that are given, else the critical ones.

        Parameters
        ----------
        hidden_gain, bias_variance : float, optional
        bias : bool
            Whether the network has biases.

        Raises
        ------
        ValueError
            Without a critical point, or where it needs biases and there are none.
        """
        if bias_variance is None and self.bias_variance and not bias:
            raise ValueError(
                f"{self.activation} is critical with biases of variance {self.bias_variance:.6g}, "
                "and the network has none; give it biases, or bias_variance 0 as well."
            )
        gain = self.hidden_gain if hidden_gain is None else hidden_gain
        biases = self.bias_variance if bias_variance is None else bias_variance
        if gain is None or biases is None:
            raise ValueError(
                f"activation {self.activation!r} has no critical point; give hidden_gain and "
                "bias_variance."
            )
        return {"hidden_gain": gain, "bias_variance": biases}


def criticality(
    activation: str | Function,
    *,
    negative_slope: float = 0.01,
    activation_derivatives: tuple[Function, ...] = (),
) -> Criticality:
    """The critical gains of an activation, its class, and the cost of depth there.

    Parameters
    ----------
    activation, negative_slope, activation_derivatives
        As in `MLP`.

    Returns
    -------
    Criticality
        ``.hidden_gain``, ``.bias_variance``, ``.fixed_point``, ``.kind`` and what follows.

    Raises
    ------
    ValueError, TypeError
        For an activation that `MLP` or the averages refuse.
    """
    act = MLP(
        1, activation=activation, negative_slope=negative_slope,
        activation_derivatives=activation_derivatives,
    ).act  # fmt: skip
    averages = averages_of(act)
    if act.slope is not None:
        second, fourth = (1 + act.slope**2) / 2, (1 + act.slope**4) / 2
        growth = 3 * fourth / second**2 - 1
        return Criticality(
            act.name, "scale_invariant", 1 / second, 0.0, None, growth, (7 * growth - 2) / 9
        )
    return (
        _at_zero(act, averages)
        or _half_stable(act, averages)
        or Criticality(act.name, "none", None, None, None, None, None)
    )


def _at_zero(act: Activation, averages: Averages) -> Criticality | None:
    """K* = 0, where it is stable.

    With σ = s₁z + s₂z²/2 + s₃z³/6, C_W = 1/s₁² and C_b = 0: f(K) = K + a K², χ_⊥ = 1 + b K,
    a = ¾(s₂/s₁)² + s₃/s₁, b = (s₂/s₁)² + s₃/s₁. For a < 0 the signal falls like K = 1/(|a| l),
    and Var Θ/Θ² → 2/(1 + 2b/a) L/n: 2/3 for odd σ.
    """
    # At K = 0 the averages are the Taylor coefficients: ⟨σσ⟩ = σ(0)², ⟨σ'σ'⟩ = s₁² and so on.
    pairs = averages.pairs(np.zeros((1, 1)), ORDERS)
    at = {order: float(pairs.order(*order)[0, 0]) for order in ORDERS}
    # σ(0) is one ulp of 0 for functions such as σ(z) − σ(0).
    if at[0, 0] > 1e-24 or at[1, 1] <= 1e-12:
        return None
    gain = 1 / at[1, 1]
    curvature, third = gain * at[2, 2], gain * at[3, 1]
    along, across = 0.75 * curvature + third, curvature + third
    if along >= -1e-9 or across >= 0:
        return None
    return Criticality(act.name, "zero", gain, 0.0, 0.0, 2 / 3, 2 / (1 + 2 * across / along))


def _half_stable(act: Activation, averages: Averages) -> Criticality | None:
    """K* > 0 with ⟨σσ''⟩ = 0, so that χ_∥ = χ_⊥, and a variance of the biases left over for it."""
    from scipy.optimize import brentq

    def excess(k: float) -> float:
        return float(averages.pairs(np.array([[k]]), ORDERS).order(2, 0)[0, 0])

    try:
        values = [excess(k) for k in SEARCHED]
    except (RuntimeError, ValueError):
        return None
    for low, high, first, second in zip(SEARCHED, SEARCHED[1:], values, values[1:], strict=False):
        if first * second >= 0:
            continue
        point = float(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))  # type: ignore[arg-type]
        kernel = np.array([[point]])
        pairs = averages.pairs(kernel, ORDERS)
        gain = 1 / float(pairs.order(1, 1)[0, 0])
        value = float(pairs.order(0, 0)[0, 0])
        if point - gain * value >= 0:
            spread = float(averages.quadruples(kernel).values.item()) - value**2
            growth = gain**2 * spread / point**2
            return Criticality(
                act.name, "half_stable", gain, point - gain * value, point, growth, None
            )
    return None


def relative_variance(
    activation: str | Function, hidden_layers: int, *, squared_norm: float = 1.0,
    negative_slope: float = 0.01, activation_derivatives: tuple[Function, ...] = (),
) -> np.ndarray:  # fmt: skip
    """n Var Θ/Θ² at first order for 1, 2, … hidden layers at the critical point, biases frozen.

    Parameters
    ----------
    activation, negative_slope, activation_derivatives
        As in `MLP`.
    hidden_layers : int
        The largest number of hidden layers.
    squared_norm : float
        |x|²/n_0 of the input; at a half-stable point the input is scaled to K* instead.

    Returns
    -------
    array of shape [hidden_layers]
        Divide by the width; it grows like ``depth_coefficient`` times the depth.

    Raises
    ------
    ValueError
        Without a critical point, or for numbers that are not positive.
    """
    from finitewidth.expansion.finite.recursion import layer_tensors

    whole_number(hidden_layers, "hidden_layers", 1)
    if not 0 < squared_norm < float("inf"):
        raise ValueError(f"squared_norm is {squared_norm!r}, expected a positive number.")
    found = criticality(
        activation, negative_slope=negative_slope, activation_derivatives=activation_derivatives
    )
    if found.hidden_gain is None or found.bias_variance is None:
        raise ValueError(
            f"activation {found.activation!r} has no critical point; give the gains to an MLP "
            "and use fw.expansion.kernel."
        )
    if found.kind == "half_stable" and found.fixed_point is not None:
        squared_norm = (found.fixed_point - found.bias_variance) / found.hidden_gain
    net = MLP.equal_width(
        1, 1, hidden_layers, activation=activation, negative_slope=negative_slope,
        activation_derivatives=activation_derivatives, hidden_gain=found.hidden_gain,
        output_gain=found.hidden_gain, bias_variance=found.bias_variance, bias_lr=0.0,
    )  # fmt: skip
    X = np.array([[squared_norm**0.5]])
    return np.array([
        tensors.covariance().item() / limit.tangent.item() ** 2
        for limit, tensors in layer_tensors(net, X, averages_of(net.act))
        if limit.scale.index > 1
    ])  # fmt: skip
