"""Real gradient steps of dense networks, beside the same steps with every slope kept.

Nothing here comes from `finitewidth.law`: plain float64 forward and backward passes with stored
matrices. `contest` draws networks, takes steps at several learning rates with the same networks
and accumulates means and covariances; `extrapolate` goes to learning rate 0 by generalised least
squares with a polynomial whose degree the caller fixes.
"""

from dataclasses import dataclass

import numpy as np

import finitewidth as fw


@dataclass(frozen=True)
class Contest:
    """Means over networks per unit of learning rate, and their covariance between rates.

    Attributes
    ----------
    crossing, total : array [R, E]
        (K real − K frozen)/λ and (K real − K)/λ for R rates and E kernel entries.
    crossing_error, total_error : array [E, R, R]
        Covariances of the means.
    crossed : array [R]
        Mean number of neurons whose sign changed at the first input.
    square : array [R, 2]
        Mean and standard error of ((K real − E K real) − (K − E K))²/λ² at entry 0.
    """

    crossing: np.ndarray
    crossing_error: np.ndarray
    total: np.ndarray
    total_error: np.ndarray
    crossed: np.ndarray
    square: np.ndarray


def slopes_of(z: np.ndarray, slope: float) -> np.ndarray:
    return np.where(z > 0, 1.0, slope)


def backward(weights, slopes):
    """∂N/∂y^(j) for every layer, [m, n_j, B]."""
    count, _, size = slopes[-1].shape
    found = [np.ones((count, 1, size))]
    for w, mask in zip(reversed(weights[1:]), reversed(slopes), strict=True):
        found.append((w.transpose(0, 2, 1) @ found[-1]) * mask)
    return found[::-1]


def kernel(rates, bias_rate, inputs, deltas):
    total = 0.0
    for rate, x, d in zip(rates, inputs, deltas, strict=True):
        total = total + (rate * x.transpose(0, 2, 1) @ x + bias_rate) * (d.transpose(0, 2, 1) @ d)
    return total


def forward(weights, biases, x, slope, slopes=None):
    """Inputs of every layer, slopes, outputs."""
    inputs, found = [x], []
    for j, w in enumerate(weights):
        y = w @ inputs[-1] + (biases[j] if biases is not None else 0.0)
        if j == len(weights) - 1:
            return inputs, found, y
        found.append(slopes_of(y, slope) if slopes is None else slopes[j])
        inputs.append(y * found[-1])
    raise AssertionError


def one_chunk(net, x, y, shares, rates, rng, count):
    layers = list(net.layers())
    slope = net.act.slope
    bias_rate = net.bias_lr if net.trains_biases else 0.0
    factors = [layer.weight_lr for layer in layers]
    weights = [
        np.sqrt(layer.weight_variance) * rng.standard_normal((count, layer.fan_out, layer.fan_in))
        for layer in layers
    ]
    points = np.broadcast_to(x.T, (count, x.shape[1], len(x)))
    inputs, slopes, out = forward(weights, None, points, slope)
    deltas = backward(weights, slopes)
    before = kernel(factors, bias_rate, inputs, deltas)
    pull = shares * (out[:, 0, :] - y)
    crossing, total, crossed = [], [], []
    for rate in rates:
        moved, biases = [], []
        for w, factor, below, d in zip(weights, factors, inputs, deltas, strict=True):
            step = d * pull[:, None, :]
            moved.append(w - rate * factor * (step @ below.transpose(0, 2, 1)))
            biases.append(-rate * bias_rate * step.sum(axis=2, keepdims=True))
        ins, now, _ = forward(moved, biases, points, slope)
        real = kernel(factors, bias_rate, ins, backward(moved, now))
        ins, _, _ = forward(moved, biases, points, slope, slopes)
        frozen = kernel(factors, bias_rate, ins, backward(moved, slopes))
        crossing.append((real - frozen) / rate)
        total.append((real - before) / rate)
        crossed.append(
            sum((a[:, :, 0] != b[:, :, 0]).sum(axis=1) for a, b in zip(now, slopes, strict=True))
        )
    upper = np.triu_indices(len(x))
    pick = lambda values: np.array(values)[:, :, upper[0], upper[1]]  # noqa: E731
    return pick(crossing), pick(total), np.array(crossed)


def contest(net: fw.MLP, x, y, shares, rates, size: int, seed: int, chunk: int = 0) -> Contest:
    """Take the steps of `size` networks. x [B, n_in], y and shares [B], rates [R]."""
    rng = np.random.default_rng(seed)
    parameters = sum(layer.fan_in * layer.fan_out for layer in net.layers())
    chunk = chunk or max(1, min(size, 400_000 // parameters))
    crossings, totals, counts = [], [], []
    for start in range(0, size, chunk):
        found = one_chunk(net, x, y, shares, rates, rng, min(chunk, size - start))
        crossings.append(found[0])
        totals.append(found[1])
        counts.append(found[2])
    crossing, total = np.concatenate(crossings, axis=1), np.concatenate(totals, axis=1)
    centred = (total[:, :, 0] - total[:, :, 0].mean(axis=1, keepdims=True)) ** 2
    return Contest(
        crossing.mean(axis=1),
        _covariance(crossing),
        total.mean(axis=1),
        _covariance(total),
        np.concatenate(counts, axis=1).mean(axis=1),
        np.stack([centred.mean(axis=1), centred.std(axis=1) / size**0.5], axis=1),
    )


def _covariance(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=1, keepdims=True)
    return np.einsum("rme,sme->ers", centred, centred) / values.shape[1] ** 2


def extrapolate(means: np.ndarray, covariance: np.ndarray, rates, degree: int):
    """Value at rate 0, its standard error, and χ² of the fit. means [R], covariance [R, R]."""
    design = np.vander(np.asarray(rates) / max(rates), degree + 1, increasing=True)
    inverse = np.linalg.inv(covariance)
    information = design.T @ inverse @ design
    fitted = np.linalg.solve(information, design.T @ inverse @ means)
    left = means - design @ fitted
    return fitted[0], np.linalg.inv(information)[0, 0] ** 0.5, float(left @ inverse @ left)
