"""`ensemble` and `first_step`: check what was asked, choose the method, run it."""

from collections.abc import Callable
from typing import SupportsIndex

from numpy.typing import ArrayLike

from finitewidth._whole_number import whole_number
from finitewidth.network import MLP
from finitewidth.simulate import inputs
from finitewidth.simulate.dense import run
from finitewidth.simulate.memory import parameter_counts
from finitewidth.simulate.results import Ensemble, FirstStep
from finitewidth.simulate.training import plan

METHODS = ("auto", "dense", "deferred")
PATTERNS = ("real", "frozen")


def ensemble(
    net: MLP,
    X: ArrayLike,
    size: SupportsIndex,
    seed: SupportsIndex = 0,
    method: str = "auto",
    *,
    memory_budget: SupportsIndex | None = None,
    progress: Callable[[int, int], object] | bool = False,
) -> Ensemble:
    """Draw networks at initialisation and evaluate their outputs and tangent kernels.

    Parameters
    ----------
    net : MLP
        The network, with one output; any activation and any weight law that can be drawn from.
    X : array of shape [B, n_in] or [n_in]
        The inputs; one vector means B = 1.
    size : int
        Number of independent networks.
    seed : int
        0 or more. The first networks of a larger ensemble are those of a smaller one with the
        same seed, whatever the memory budget.
    method : str
        ``"dense"`` stores every matrix. ``"deferred"`` answers products with Gaussian matrices
        that are never drawn in full: the same law, with other networks for a seed, at a cost
        linear in the width; it needs PyTorch. ``"auto"`` is dense up to 2²² weights a network,
        and beyond takes the cheaper one; the result's ``method`` says which.
    memory_budget : int, optional
        Bytes this call may use; half of the memory that is free now if None. It decides how many
        networks are held at once, never the result.
    progress : bool or callable
        True draws a progress bar; a callable receives (networks done, `size`).

    Returns
    -------
    Ensemble
        ``.kernels`` of shape [size, B, B], ``.outputs`` of shape [size, B], and averages with
        standard errors.

    Raises
    ------
    ValueError, TypeError
        One sentence for each argument that cannot be used, and for a network that would not fit
        into the memory budget.
    RuntimeError
        If a kernel leaves the range of float64.

    Notes
    -----
    K_ab = Σ_j α_j² (λ_j x_a^(j−1)·x_b^(j−1) + bias_lr) δ_a^(j)·δ_b^(j), by backpropagation in
    NumPy (Hanin & Nica 2020, eq. 2; see the guide, "Simulating random networks"). An all-zero
    input is allowed: without biases its pre-activations are all 0 and take the activation's slope
    at 0.
    """
    net = inputs.simulable(net)
    rows = inputs.input_rows(net, X)
    count = whole_number(size, "size", 1)
    start = whole_number(seed, "seed", 0)
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, expected one of {', '.join(METHODS)}.")
    load = plan.Load(
        right=len(rows), left=len(rows), gradient=0, steps=0, momentum=False, itemsize=8,
        results=8 * (3 * len(rows) ** 2 + len(rows)),
    )  # fmt: skip
    most = plan.allowed(memory_budget)
    if method == "auto" and parameter_counts(net)[0] <= plan.STORED:
        method = "dense"
    if plan.choose(net, load, method, most) == "deferred":
        plan.needs_torch("cpu")
        from finitewidth.simulate.training import initial

        at_once = plan.at_once(net, load, "deferred", count, most)
        return initial.ensemble(net, rows, count, start, at_once, progress)
    return run.ensemble(net, rows, count, start, memory_budget, progress)


def first_step(
    net: MLP,
    X: ArrayLike,
    y: ArrayLike,
    learning_rate: float,
    size: SupportsIndex,
    seed: SupportsIndex = 0,
    pattern: str = "real",
    *,
    memory_budget: SupportsIndex | None = None,
    progress: Callable[[int, int], object] | bool = False,
) -> FirstStep:
    """Draw networks and take one full-batch gradient step on ½ Σ_k (N(x_k) − y_k)².

    .. warning::
       For activations with a kink (ReLU, leaky ReLU, the absolute value) the means of
       ``pattern="real"`` and ``pattern="frozen"`` differ by a term of order width^(−1/2) that
       does not vanish as the learning rate goes to 0, and that is larger than the frozen change
       itself, of order 1/width, in wide networks. Theorem 2 of Hanin & Nica (2020) is about the
       frozen one; a network that is trained makes the real one.

    Parameters
    ----------
    net, X, size, seed, memory_budget, progress
        As in `ensemble`; the same seed draws the same networks.
    y : array of shape [B]
        The targets.
    learning_rate : float
        Above 0. Every parameter θ moves by −learning_rate · (its factor) · Σ_k e_k ∂N(x_k)/∂θ
        with e_k = N(x_k) − y_k; the factors are those of the kernel (λ_j of the layer for a
        scaled weight, ``bias_lr`` for a bias).
    pattern : str
        ``"real"``: the kernel after the step is that of the network as it then is.
        ``"frozen"``: it is evaluated with every neuron keeping the slope it had before the step,
        at every input. Only for piecewise-linear activations.

    Returns
    -------
    FirstStep
        ``.before``, ``.after`` and ``.first_order`` of shape [size, B, B], ``.outputs`` of shape
        [size, B], ``.crossed`` of shape [size].

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As `ensemble`, and for targets, learning rates or patterns that cannot be used.
    """
    net = inputs.simulable(net)
    rows = inputs.input_rows(net, X)
    wanted = inputs.targets(y, len(rows))
    rate = inputs.positive(learning_rate, "learning_rate")
    count = whole_number(size, "size", 1)
    start = whole_number(seed, "seed", 0)
    if pattern not in PATTERNS:
        raise ValueError(f"pattern is {pattern!r}, expected 'real' or 'frozen'.")
    if pattern == "frozen" and net.act.slope is None:
        raise ValueError(
            f"pattern='frozen' was asked for with activation {net.act.name!r}, but only "
            "piecewise-linear activations have a pattern to freeze; use pattern='real', or read "
            ".first_order for the derivative alone."
        )
    inputs.needs_second_derivative(net)
    return run.first_step(net, rows, wanted, rate, count, start, pattern, memory_budget, progress)
