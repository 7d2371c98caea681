"""`train`: check what was asked, choose the method, run it."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike

from finitewidth._large import allowing
from finitewidth._whole_number import whole_number
from finitewidth.network import MLP
from finitewidth.simulate.memory import check_layers
from finitewidth.simulate.training import plan
from finitewidth.simulate.training.problem import Problem, stated
from finitewidth.simulate.training.trajectory import Trajectory

METHODS = ("auto", "dense", "deferred")


def load_of(problem: Problem) -> plan.Load:
    """What a step of the problem asks of every matrix."""
    trained, outputs = problem.y.shape
    probes = problem.probes
    kernels = "kernels" in problem.record
    batch = min(problem.batch_size or trained, trained)
    left = probes * outputs if kernels else 0
    if not (kernels and problem.probe is None):
        left += batch
    hidden = problem.net.depth - 1
    kept = trained * outputs + 1 + (probes**2 if kernels else 0)
    kept += hidden * probes**2 if "features" in problem.record else 0
    return plan.Load(
        right=len(problem.rows),
        left=left,
        gradient=batch,
        steps=problem.steps,
        momentum=problem.momentum > 0,
        itemsize=4 if problem.precision == "float32" else 8,
        results=8 * (problem.steps + 1) * kept,
    )


def train(
    net: MLP,
    X: ArrayLike | Any,
    y: ArrayLike | Any,
    learning_rate: float,
    steps: SupportsIndex,
    size: SupportsIndex = 1,
    seed: SupportsIndex = 0,
    method: str = "auto",
    parametrization: str | None = None,
    *,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: SupportsIndex | None = None,
    probe: ArrayLike | Any | None = None,
    record: tuple[str, ...] = ("kernels", "features"),
    store: str | os.PathLike[str] | None = None,
    memory_budget: SupportsIndex | None = None,
    device: str = "cpu",
    progress: Callable[[int, int], object] | bool = False,
    allow_large: bool = False,
) -> Trajectory:
    """Train random networks by SGD on ½ Σ (N − y)² and record every step.

    Parameters
    ----------
    net : MLP
        The network: any activation, elementwise functions of NumPy arrays with their derivative
        included, biases, residual branches, outputs and parametrization.
    X : array or tensor of shape [B, n_in]
        The training inputs. Its precision is that of the run: float32 if X is, else float64.
    y : array or tensor of shape [B], or [B, n_out]
        The targets.
    learning_rate : float
        η > 0. With neither momentum nor weight decay every parameter θ moves by −η · (its factor)
        times the gradient of the loss; the factors are those of the kernel.
    steps : int
        0 or more.
    size : int
        Number of independent networks; they share the data and the minibatches.
    seed : int
        0 or more. The stored networks at the start are those of `ensemble` with this seed.
    method : str
        ``"dense"`` stores every matrix. ``"deferred"`` answers products with Gaussian matrices
        that are never drawn in full: the same law at a cost linear in the width. ``"auto"`` takes
        the cheaper one; the result's ``method`` says which.
    parametrization : str, optional
        In place of the network's own.
    momentum, weight_decay : float
        As in ``torch.optim.SGD`` on `finitewidth.measure.module`, where a parameter with
        learning-rate factor λ is stored divided by √λ.
    batch_size : int, optional
        Inputs in a step; all of them if None. Every epoch shuffles them anew; its last minibatch
        may be smaller.
    probe : array or tensor of shape [P, n_in], optional
        Where kernels and features are recorded; X if None.
    record : tuple of str
        ``"kernels"`` and ``"features"``; outputs and loss are always recorded.
    store : str or path, optional
        A file that keeps the record as it comes. A run that was cut off goes on from it, to the
        same numbers; a finished one is read.
    memory_budget : int, optional
        Bytes this call may use; half of the memory that is free now if None.
    device : str
        Of PyTorch.
    progress : bool or callable
        True draws a progress bar; a callable receives (network steps done, in all).
    allow_large : bool
        Whether a run that takes longer than five minutes, by a rough count of its layers, is
        begun.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError, TypeError
        One sentence for each argument that cannot be used, for a store of another run, and where
        the memory budget is too small.
    RuntimeError
        If numbers leave the range of the precision before the first step, if PyTorch is not
        installed or does not know the device.

    Warns
    -----
    RuntimeWarning
        If a network diverges: the record of all networks ends before that step.

    Notes
    -----
    The step is that of `first_step` with ``pattern="real"``. The kernel is that of `ensemble`,
    summed over the outputs, from forward and backward products alone; no gradient of a weight is
    written down.

    Examples
    --------
    >>> import finitewidth as fw
    >>> net = fw.MLP(n_in=2, widths=[64])
    >>> run = fw.simulate.train(net, [[1, 0], [0, 1]], [1, -1], learning_rate=0.5, steps=10, size=4)
    >>> run.loss.shape, run.kernels.shape  # networks, steps and the start, inputs twice
    ((4, 11), (4, 11, 2, 2))
    >>> bool((run.loss[:, -1] < 0.01 * run.loss[:, 0]).all())
    True
    """
    if parametrization is not None and isinstance(net, MLP):
        net = replace(net, parametrization=parametrization)
    problem = stated(
        net, X, y, learning_rate, steps, size, seed, momentum, weight_decay, batch_size, probe,
        record,
    )  # fmt: skip
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, expected one of {', '.join(METHODS)}.")
    with allowing(allow_large):
        check_layers(problem.net, problem.size, problem.steps + 1, len(problem.rows))
    plan.needs_torch(device)
    load, most = load_of(problem), plan.allowed(memory_budget)
    chosen = plan.choose(problem.net, load, method, most)
    at_once = plan.at_once(problem.net, load, chosen, problem.size, most)

    from finitewidth.simulate.training import loop
    from finitewidth.simulate.training.store import FileStore, Store

    kept = Store()
    if store is not None:
        kept = FileStore(os.fspath(store), problem, chosen, at_once)
        at_once = kept.at_once
    try:
        how = loop.How(chosen, whole_number(at_once, "at_once", 1), device)
        return loop.run(problem, how, kept, progress)
    finally:
        kept.close()
