"""What infinitely wide networks predict after training: mean and spread over seeds.

Gradient flow on ½ Σ (N − y)² moves an infinitely wide network linearly, with its kernel Θ at
rest: N_t(x) = N_0(x) + Θ(x, X) Θ⁻¹ (1 − e^{−Θt}) (y − N_0(X)), where N_0 is Gaussian with
covariance K (Lee et al. 2019, eqs. 14 and 15).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float
from finitewidth.expansion import infinite
from finitewidth.expansion.gaussian import averages_of
from finitewidth.expansion.scales import expandable, input_rows, numbers
from finitewidth.network import MLP

KINDS = ("ntk", "nngp")
RANGE = 1e-13  # eigenvalues of a kernel below this share of the largest are rounding


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions of infinitely wide networks at test inputs.

    Attributes
    ----------
    mean : array of shape [T] or [T, n_out]
        The mean over seeds, in the shape of the targets.
    covariance : array of shape [T, T]
        The covariance over seeds between test inputs, for each output.
    kind : str
        ``"ntk"`` or ``"nngp"``.
    time : float or None
        Training time; None at its end.
    """

    mean: Float[np.ndarray, "T *n_out"]
    covariance: Float[np.ndarray, "T T"] = field(repr=False)
    kind: str
    time: float | None

    @property
    def variance(self) -> Float[np.ndarray, "T"]:
        """The variance over seeds at every test input, 0 or more."""
        return np.maximum(np.diagonal(self.covariance), 0.0)


def predict(
    net: MLP,
    X: ArrayLike,
    y: ArrayLike,
    X_test: ArrayLike,
    *,
    kind: str = "ntk",
    time: float | None = None,
    noise: float = 0.0,
) -> Prediction:
    """Predictions of the network at infinite width, trained on (X, y).

    Parameters
    ----------
    net : MLP
        The network; its widths do not matter where its parametrization is ``"ntk"``.
    X : array of shape [B, n_in]
        The training inputs.
    y : array of shape [B] or [B, n_out]
        The targets.
    X_test : array of shape [T, n_in]
        Where to predict.
    kind : str
        ``"ntk"``: gradient flow of all parameters. ``"nngp"``: the Bayesian posterior, which is
        what training the readout alone tends to.
    time : float, optional
        Learning rate times number of small steps; the end of training if None. Only ``"ntk"``.
    noise : float
        Variance of the targets' noise; only ``"nngp"``.

    Returns
    -------
    Prediction
        ``.mean``, ``.variance`` and ``.covariance`` over seeds.

    Raises
    ------
    ValueError, TypeError
        One sentence for each argument that cannot be used.

    Notes
    -----
    Directions in which the kernel is 0, as between equal training inputs, do not move, and the
    targets' part in them is ignored.
    """
    net = expandable(net)
    rows, tests = input_rows(net, X), input_rows(net, X_test, "X_test")
    size = len(rows)
    targets = numbers(y, "y", ((size,), (size, net.n_out)))
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}.")
    if not isinstance(noise, int | float) or not 0 <= noise < float("inf"):
        raise ValueError(f"noise is {noise!r}, expected a finite number of at least 0.")
    if time is not None and (not isinstance(time, int | float) or not 0 <= time < float("inf")):
        raise ValueError(f"time is {time!r}, expected a finite number of at least 0, or None.")
    if kind == "nngp" and time is not None:
        raise ValueError(
            'time was given with kind="nngp", which has no training time; leave it out, or use '
            'kind="ntk".'
        )
    if kind == "ntk" and noise:
        raise ValueError(
            'noise was given with kind="ntk", where it has no meaning; leave it out, or use '
            'kind="nngp".'
        )
    limit = infinite.last(net, np.concatenate([rows, tests]), averages_of(net.act))
    kernel, moving = limit.kernel, limit.tangent if kind == "ntk" else limit.kernel
    # A maps targets to predictions.
    A = moving[size:, :size] @ _response(moving[:size, :size], time, float(noise))
    cross = A @ kernel[:size, size:]
    if kind == "nngp":
        covariance = kernel[size:, size:] - cross
    else:
        covariance = kernel[size:, size:] - cross - cross.T + A @ kernel[:size, :size] @ A.T
    return Prediction(A @ targets, (covariance + covariance.T) / 2, kind, time)


def _response(
    matrix: Float[np.ndarray, "B B"], time: float | None, noise: float
) -> Float[np.ndarray, "B B"]:
    """Θ⁻¹ (1 − e^{−Θt}), or (Θ + noise)⁻¹ at the end, in the range of Θ."""
    values, basis = np.linalg.eigh(matrix)
    kept = values > RANGE * max(float(values[-1]), 0.0)
    safe = np.where(kept, values, 1.0)
    if time is None:
        factor = np.where(kept, 1 / (safe + noise), 0.0)
    else:
        factor = np.where(kept, -np.expm1(-safe * time) / safe, 0.0)
    return (basis * factor) @ basis.T
