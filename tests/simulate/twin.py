"""The slow obvious twin of the dense simulation: one network, one input, one parameter at a time.

A network is a function of a flat vector of parameters. Its gradient comes from complex steps,
Im N(θ + ih e_p)/h with h = 1e-40, which is exact to rounding and knows nothing of backpropagation.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import erf

import finitewidth as fw

BLOCK = 64  # networks to a stream, as documented
STEP = 1e-40


def _kinked(slope: float) -> Callable[[complex], complex]:
    return lambda z: z if z.real > 0 else slope * z


def softplus(z: complex) -> complex:
    return np.log1p(np.exp(z))


VALUES: dict[str, Callable[[complex], complex]] = {
    "relu": _kinked(0.0),
    "leaky_relu": _kinked(0.1),  # every leaky network in these tests has this slope
    "abs": _kinked(-1.0),
    "identity": _kinked(1.0),
    "tanh": np.tanh,
    "erf": erf,
    "sin": np.sin,
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2.0))) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": softplus,
}


def value_of(net: fw.MLP) -> Callable[[complex], complex]:
    """The activation as written above, or the package's own if that takes complex numbers."""
    own = net.act.function
    return VALUES.get(net.act.name, lambda z: complex(own(np.array(z))))


def draw(net: fw.MLP, size: int, seed: int) -> list[np.ndarray]:
    """Every network's parameters as one flat vector: the weights from layer 1 on, then biases."""
    blocks = -(-size // BLOCK)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(blocks)]
    scales = np.concatenate(
        [np.full(la.fan_in * la.fan_out, np.sqrt(la.weight_variance)) for la in net.layers()]
    )
    neurons = sum(la.fan_out for la in net.layers())
    networks = []
    for k in range(size):
        rng = streams[k // BLOCK]
        weights = net.law.sample(rng, (len(scales),)) * scales
        biases = np.zeros(neurons)
        if net.bias_variance:
            biases = np.sqrt(net.bias_variance) * rng.standard_normal(neurons)
        networks.append(np.concatenate([weights, biases]))
    return networks


def rates(net: fw.MLP) -> np.ndarray:
    """The learning-rate factor of every parameter, in the order of `draw`."""
    weights = [np.full(la.fan_in * la.fan_out, la.weight_lr) for la in net.layers()]
    biases = np.full(sum(la.fan_out for la in net.layers()), net.bias_lr if net.bias else 0.0)
    return np.concatenate([*weights, biases])


def evaluate(
    net: fw.MLP, theta: np.ndarray, x: np.ndarray, slopes: list[float] | None = None
) -> tuple[complex, list[complex]]:
    """Output and hidden pre-activations; with `slopes`, a hidden neuron multiplies by its own."""
    layers = list(net.layers())
    weights, biases = [], []
    position = 0
    for la in layers:
        size = la.fan_in * la.fan_out
        weights.append(theta[position : position + size].reshape(la.fan_out, la.fan_in))
        position += size
    for la in layers:
        biases.append(theta[position : position + la.fan_out])
        position += la.fan_out
    value = value_of(net)
    incoming: list[complex] = list(x)
    below: list[complex] = []
    seen: list[complex] = []
    for la, weight, bias in zip(layers, weights, biases, strict=True):
        branch = bool(net.residual) and not la.is_output and la.index > 1
        alpha, gamma = net.residual if branch and net.residual else (1.0, 0.0)
        z: list[complex] = []
        for i in range(la.fan_out):
            total = bias[i] + sum(weight[i, j] * incoming[j] for j in range(la.fan_in))
            z.append(alpha * total + (gamma * below[i] if gamma else 0.0))
        if la.is_output:
            return z[0], seen
        incoming = [
            value(z[i]) if slopes is None else slopes[len(seen) + i] * z[i]
            for i in range(la.fan_out)
        ]
        seen += z
        below = z
    raise AssertionError("a network ends in an output layer")


def jacobian(
    net: fw.MLP, theta: np.ndarray, X: np.ndarray, slopes: list[list[float]] | None = None
) -> np.ndarray:
    """dN(x_a)/dθ_p, one complex step for each input and parameter."""
    J = np.empty((len(X), len(theta)))
    for p in range(len(theta)):
        moved = theta.astype(complex)
        moved[p] += 1j * STEP
        for a, x in enumerate(X):
            J[a, p] = evaluate(net, moved, x, slopes[a] if slopes else None)[0].imag / STEP
    return J


def kernel(
    net: fw.MLP, theta: np.ndarray, X: np.ndarray, slopes: list[list[float]] | None = None
) -> np.ndarray:
    J = jacobian(net, theta, X, slopes)
    return (J * rates(net)) @ J.T


def outputs(net: fw.MLP, theta: np.ndarray, X: np.ndarray) -> np.ndarray:
    return np.array([evaluate(net, theta, x)[0].real for x in X])


def pattern(net: fw.MLP, theta: np.ndarray, X: np.ndarray) -> list[list[float]]:
    """The slope of every hidden neuron at every input; 0 counts as the closed side."""
    a = net.act.slope
    assert a is not None
    return [[1.0 if z.real > 0 else a for z in evaluate(net, theta, x)[1]] for x in X]


def stepped(
    net: fw.MLP, theta: np.ndarray, X: np.ndarray, y: np.ndarray, learning_rate: float
) -> np.ndarray:
    """Parameters after θ_p − η · factor_p · Σ_k e_k dN(x_k)/dθ_p."""
    errors = outputs(net, theta, X) - y
    return theta - learning_rate * rates(net) * (errors @ jacobian(net, theta, X))
