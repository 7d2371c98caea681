"""Running an ensemble batch by batch within a memory budget."""

from typing import SupportsIndex

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP
from finitewidth.simulate.dense import step
from finitewidth.simulate.dense.architecture import connections
from finitewidth.simulate.dense.draw import BLOCK, batches, draw
from finitewidth.simulate.dense.forward import forward
from finitewidth.simulate.dense.kernel import backward, kernel
from finitewidth.simulate.memory import networks_at_once
from finitewidth.simulate.progress import reporting
from finitewidth.simulate.results import Ensemble, FirstStep


def _check_finite(first: int, advice: str, *arrays: np.ndarray) -> None:
    for array in arrays:
        good = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        if not good.all():
            raise RuntimeError(
                f"network {first + int(np.argmin(good))} has outputs or kernels beyond the range "
                f"of float64; {advice}."
            )


def ensemble(
    net: MLP,
    X: Float[np.ndarray, "B n_in"],
    size: int,
    seed: int,
    budget: SupportsIndex | None,
    progress: object,
) -> Ensemble:
    """The dense method of `finitewidth.simulate.ensemble`, arguments checked by it."""
    count = len(X)
    most = networks_at_once(net, count, size, 3 * count**2 + count, budget, step=False)
    layers = connections(net)
    bias_rate = net.bias_lr if net.bias else 0.0
    outputs = np.empty((size, count))
    weights, biases = np.empty((size, count, count)), np.empty((size, count, count))

    def one_batch(first: int, last: int, rng: np.random.Generator) -> None:
        parameters = draw(net, layers, rng, last - first)
        seen = forward(layers, net.act, parameters, X)
        parts = kernel(layers, bias_rate, seen, backward(layers, parameters, seen))
        _check_finite(first, "use fewer layers or smaller gains", seen.outputs, *parts)
        outputs[first:last] = seen.outputs
        weights[first:last], biases[first:last] = parts

    with reporting(progress, "networks") as report, np.errstate(over="ignore", invalid="ignore"):
        for first, last, rng in batches(size, seed, min(most, BLOCK)):
            one_batch(first, last, rng)
            report(last, size)
    return Ensemble(
        net=net,
        outputs=outputs,
        weights=weights,
        biases=biases,
        kernels=weights + biases,
        seed=seed,
    )


def first_step(
    net: MLP,
    X: Float[np.ndarray, "B n_in"],
    y: Float[np.ndarray, " B"],
    learning_rate: float,
    size: int,
    seed: int,
    pattern: str,
    budget: SupportsIndex | None,
    progress: object,
) -> FirstStep:
    """The dense method of `finitewidth.simulate.first_step`, arguments checked by it."""
    count = len(X)
    most = networks_at_once(net, count, size, 3 * count**2 + 2 * count + 1, budget, step=True)
    layers = connections(net)
    bias_rate = net.bias_lr if net.bias else 0.0
    outputs, outputs_after = np.empty((size, count)), np.empty((size, count))
    before, after, first_order = (np.empty((size, count, count)) for _ in range(3))
    crossed = np.empty(size, dtype=np.int64)

    def one_batch(first: int, last: int, rng: np.random.Generator) -> None:
        where = slice(first, last)
        parameters = draw(net, layers, rng, last - first)
        seen = forward(layers, net.act, parameters, X)
        deltas = backward(layers, parameters, seen)
        outputs[where] = seen.outputs
        before[where] = sum(kernel(layers, bias_rate, seen, deltas))
        change = step.move(layers, bias_rate, learning_rate, seen.outputs - y, seen, deltas)
        first_order[where] = step.directional_derivative(
            layers, net.act, bias_rate, parameters, change, seen, deltas
        )
        del deltas
        _check_finite(first, "use fewer layers or smaller gains", outputs[where], before[where])

        step.add(parameters, change)
        del change
        slopes = seen.slopes if pattern == "frozen" else None
        moved = forward(layers, net.act, parameters, X, slopes)
        outputs_after[where] = moved.outputs
        parts = kernel(layers, bias_rate, moved, backward(layers, parameters, moved))
        after[where] = sum(parts)
        crossed[where] = step.crossings(net.act, seen, moved)
        _check_finite(
            first,
            "this happens after the step: lower learning_rate",
            first_order[where],
            outputs_after[where],
            after[where],
        )

    with reporting(progress, "networks") as report, np.errstate(over="ignore", invalid="ignore"):
        for first, last, rng in batches(size, seed, min(most, BLOCK)):
            one_batch(first, last, rng)
            report(last, size)
    return FirstStep(
        net=net,
        learning_rate=learning_rate,
        pattern=pattern,
        before=before,
        after=after,
        first_order=first_order,
        outputs=outputs,
        outputs_after=outputs_after,
        crossed=crossed,
        seed=seed,
    )
