"""`crossing_matrix`: what a step on a batch adds to every kernel entry by crossings."""

import numpy as np

from finitewidth._memory import available, readable
from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.law.crossing import known
from finitewidth.law.crossing.conditional import KEY
from finitewidth.law.crossing.pair import leading_pair
from finitewidth.law.crossing.several import changes
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress, checked_seed, checked_size, in_blocks

BLOCK = 256
"""Networks in a block. Part of the definition of a sample: another value gives other numbers."""

NARROWEST = 20
"""Below this width dead layers at single inputs are frequent enough to be seen."""


def crossing_matrix(
    net: MLP,
    X: object,
    y: object,
    weights: object = None,
    *,
    learning_rate: float = 1.0,
    method: str = "conditional",
    size: int = 2000,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Mean change of K(x_a, x_b) by crossings in one step on ½ Σ_k w_k (N(x_k) − y_k)².

    Linear in the learning rate. Entries of inputs in the batch change by order n^(−1/2) in the
    width n, entries between held-out inputs (weight 0) by order 1/n.

    Parameters
    ----------
    net : MLP
        Gaussian weights, 1-homogeneous activation, zero biases, one output.
    X : array-like [B, n_in]
        The inputs, no two of them parallel.
    y : array-like [B]
        Targets.
    weights : array-like [B], optional
        w_k: 1 if not given; 1/B for a mean loss; 0 for inputs that are not trained on.
    learning_rate : float
        λ.
    method : str
        "conditional": conditional Monte Carlo, exact at finite width. "leading": closed form at
        large width, for one hidden layer and at most two inputs.
    size : int
        Networks for every pair of an input and a hidden layer.
    seed : int
        Decides the networks.
    workers : int, optional
        Threads; the numbers do not depend on it.
    progress : callable, optional
        Called with (networks done, networks in all).

    Returns
    -------
    Estimate
        `value` and `std_error` of shape [B, B].

    Raises
    ------
    ValueError, TypeError
        One sentence for an input out of range, a network that is not covered, parallel inputs,
        narrow layers of which one may be dead at a single input, or too little memory.

    Notes
    -----
    Derivation: see `finitewidth.law.crossing.several`.
    """
    known.check_network(net)
    inputs = known.matrix(X, net.n_in)
    count = len(inputs)
    targets = known.vector("y", y, count)
    shares = known.vector("weights", np.ones(count) if weights is None else weights, count)
    if (shares < 0).any():
        raise ValueError(f"weights holds {shares.min():g}, expected numbers of at least 0.")
    rate = known.rate(learning_rate)
    if method not in ("conditional", "leading"):
        raise ValueError(f"method is {method!r}, expected 'conditional' or 'leading'.")
    hidden = len(net.widths)
    if not known.has_crossings(net):
        nothing = np.zeros((count, count))
        return Estimate(nothing, nothing, 0, "closed", exact=True, note=known.NOTHING)
    known.check_sampled(net)
    gram = inputs @ inputs.T
    _check_parallel(gram)
    if method == "leading":
        if hidden != 1 or count > 2:
            raise ValueError(
                f"method='leading' is for one hidden layer and at most two inputs, got {hidden} "
                f"hidden layers and {count} inputs; use method='conditional'."
            )
        found = rate * leading_pair(net, gram, targets, shares)
        note = "leading order in the width; the relative error is of order 1/√n off the diagonal"
        return Estimate(found, np.zeros_like(found), 0, "leading", note=note)
    if count == 1:
        known.check_target(net, float(targets[0]))
    elif hidden > 1:
        _check_wide(net)
    number = checked_size(size)
    if number < 2:
        raise ValueError(f"size is {number}, expected at least 2 networks for a standard error.")
    _check_memory(net, count)
    mean, error = _sampled(
        net, gram, targets, shares, number, checked_seed(seed), workers, progress
    )
    return Estimate(rate * mean, rate * error, number * hidden * count, "conditional", exact=True)


kink_matrix = crossing_matrix


def _sampled(
    net: MLP,
    gram: Float[np.ndarray, "B B"],
    targets: Float[np.ndarray, " B"],
    weights: Float[np.ndarray, " B"],
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error; every (layer, input) has its own networks."""
    hidden, count = len(net.widths), len(gram)
    mean, square, done = np.zeros((count, count)), np.zeros((count, count)), 0
    total = size * hidden * count
    for stream, (layer, at) in enumerate(np.ndindex(hidden, count)):

        def draw(
            rng: np.random.Generator, number: int, layer: int = layer + 1, at: int = at
        ) -> tuple[np.ndarray, np.ndarray]:
            found = changes(net, gram, targets, weights, layer, at, number, rng)
            return found.sum(axis=0), (found * found).sum(axis=0)

        def report(now: int, _: int, before: int = done) -> None:
            if progress is not None:
                progress(before + now, total)

        first, second = np.zeros(count), np.zeros(count)
        for part in in_blocks(draw, size, seed, BLOCK, workers, report, (KEY, stream + 1)):
            first += part[0]
            second += part[1]
        average = first / size
        variance = np.maximum(second / size - average**2, 0.0) / (size - 1)
        mean[at] += average
        square[at] += variance
        others = np.arange(count) != at
        mean[others, at] += average[others]
        square[others, at] += variance[others]
        done += size
    return mean, np.sqrt(square)


def _check_parallel(gram: Float[np.ndarray, "B B"]) -> None:
    length = np.sqrt(np.diag(gram))
    if (length == 0).any():
        raise ValueError(
            f"X[{int(np.argmin(length))}] is zero, expected inputs that are not: all its "
            "pre-activations are 0."
        )
    cosine = np.abs(gram / np.outer(length, length)) - 2.0 * np.eye(len(gram))
    a, b = np.unravel_index(int(np.argmax(cosine)), cosine.shape)
    if cosine[a, b] > 1.0 - 1e-9:
        raise ValueError(
            f"X[{min(a, b)}] and X[{max(a, b)}] are parallel, so their neurons cross zero "
            "together; give one of them, with the weights added if they are equal."
        )


def _check_wide(net: MLP) -> None:
    narrowest = min(list(net.widths)[:-1])
    if net.act.slope == 0.0 and narrowest < NARROWEST:
        raise ValueError(
            f"a hidden layer has {narrowest} neurons and may be dead at one input of the batch, "
            "and then the kernel jumps at any learning rate and the limit does not exist; use at "
            f"least {NARROWEST} neurons, or fw.simulate.first_step."
        )


def _check_memory(net: MLP, count: int) -> None:
    widest = max(net.widths)
    needed = 8 * BLOCK * (count + 1) * (3 * sum(net.widths) + 5 * widest)
    free = available()
    if needed > 0.8 * free:
        raise ValueError(
            f"a block of {BLOCK} networks needs {readable(needed)}, and {readable(free)} are "
            "free; use fewer inputs or narrower layers."
        )
