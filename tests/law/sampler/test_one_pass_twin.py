"""One pass against a twin: the recursions of r_j and s_j, network by network, in plain scalars.

The twin consumes the same draws in the same order, so the two agree in every network up to
rounding. It keeps whole arrays of layers: r_j from the input up, s_j from the output down.

    r_j = c_j r_{j−1} (χ²_m + a² χ²_{n−m}),   N² = c_d r_{d−1} g²,
    p² = c_j r_{j−1} χ²_m,   q² = a² c_j r_{j−1} χ²_{n−m},   σ² = c_{j+1} s_{j+1},
    u_1 = N p/r_j − σ g q/√r_j,   u_2 = N q/r_j + σ g p/√r_j,
    s_j = u_1² + σ² χ²_{m−1} + a² (u_2² + σ² χ²_{n−m−1}),   s_d = 1,
    K_w = Σ_j λ_j r_{j−1} s_j,   K_b = Σ_j s_j,

with g = 0 and χ²_{−1} = 0 where m is 0 or n.

Tolerance: 10⁻¹² of each value. A layer costs each side some twenty roundings of 1.1·10⁻¹⁶; u_1² is
a difference, but s_j ≥ a² (u_1² + u_2²) keeps the relative error it causes below 1/a² of them,
which is 11 for the smallest slope here. At 20 layers that is 5·10⁻¹³.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, exp, log, sqrt

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.sampler.neurons import active_neurons
from finitewidth.law.sampler.one_pass import draw_block
from finitewidth.law.sampler.sample import parts
from tests.law.sampler.sabotage import Layer

SQUARED_NORM = 1.7
COUNT = 60
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Draws:
    """What is drawn for a hidden layer: numbers for each network."""

    active: np.ndarray
    on: np.ndarray  # χ²_m
    off: np.ndarray  # χ²_{n−m}
    free_on: np.ndarray  # χ²_{m−1}
    free_off: np.ndarray  # χ²_{n−m−1}
    normal: np.ndarray


def draw(net: fw.MLP, seed: int) -> tuple[np.ndarray, list[Draws]]:
    """g of the output, and the draws of the layers 1, …, d−1, taken from the output down."""
    rng, nothing = np.random.default_rng(seed), np.zeros(COUNT)
    output, found = rng.standard_normal(COUNT), []
    for width in reversed(list(net.widths)):
        active = active_neurons(rng, width, COUNT)
        if net.act.slope == 0:
            on = 2 * rng.standard_gamma(np.maximum(active, 1) / 2)
            free = 2 * rng.standard_gamma((np.maximum(active, 1) - 1) / 2)
            found.append(Draws(active, on, nothing, free, nothing, nothing))
        else:
            on = 2 * rng.standard_gamma(active / 2)
            off = 2 * rng.standard_gamma((width - active) / 2)
            free_on = 2 * rng.standard_gamma(np.maximum(active - 1, 0) / 2)
            free_off = 2 * rng.standard_gamma(np.maximum(width - active - 1, 0) / 2)
            normal = rng.standard_normal(COUNT)
            found.append(Draws(active, on, off, free_on, free_off, normal))
    return output, found[::-1]


def one_network(
    net: fw.MLP, output: float, hidden: Sequence[tuple[float, ...]]
) -> tuple[float, float, float, bool]:
    """N, K_w, K_b of one network and whether it is alive."""
    a = net.act.slope
    assert a is not None
    layers = list(net.layers())
    bias_rate = net.bias_lr if net.bias else 0.0
    if a == 0 and any(m == 0 for m, *_ in hidden):
        return 0.0, 0.0, bias_rate, False
    r, active_part, inactive_part = [SQUARED_NORM], [0.0], [0.0]
    for layer, (_, on, off, *_) in zip(layers, hidden, strict=False):
        p_squared = layer.weight_variance * r[-1] * on
        q_squared = a * a * layer.weight_variance * r[-1] * off
        active_part.append(sqrt(p_squared))
        inactive_part.append(sqrt(q_squared))
        r.append(p_squared + q_squared)
    c = [0.0, *(layer.weight_variance for layer in layers)]  # c[j] of layer j
    d = len(layers)
    N = output * sqrt(c[d] * r[d - 1])
    s = {d: 1.0}
    for j in range(d - 1, 0, -1):
        m, _, _, free_on, free_off, g = hidden[j - 1]
        p, q = active_part[j], inactive_part[j]
        sigma = sqrt(c[j + 1] * s[j + 1])
        if m in (0, layers[j - 1].fan_out):
            g = 0.0
        u_1 = N * p / r[j] - sigma * g * q / sqrt(r[j])
        u_2 = N * q / r[j] + sigma * g * p / sqrt(r[j])
        s[j] = u_1**2 + sigma**2 * free_on + a * a * (u_2**2 + sigma**2 * free_off)
    weights = sum(layer.weight_lr * r[j - 1] * s[j] for j, layer in enumerate(layers, start=1))
    return N, weights, bias_rate * sum(s.values()), True


def twin(net: fw.MLP, seed: int) -> np.ndarray:
    """N, K_w, K_b, alive: an array [4, COUNT]."""
    output, layers = draw(net, seed)
    rows = []
    for i in range(COUNT):
        hidden = [
            tuple(float(y[i]) for y in (x.active, x.on, x.off, x.free_on, x.free_off, x.normal))
            for x in layers
        ]
        # The sampler's g multiplies √q, and √q has no sign: N = |N| there.
        flipped = [(*h[:-1], copysign(1.0, float(output[i])) * h[-1]) for h in hidden]
        rows.append(one_network(net, float(output[i]), flipped))
    return np.array(rows).T


def fast(net: fw.MLP, seed: int) -> np.ndarray:
    block = draw_block(net, SQUARED_NORM, np.random.default_rng(seed), COUNT)
    squared, weights, biases, _ = parts(net, block)
    output = np.sign(block.output) * np.sqrt(squared.plain("N²"))
    return np.array([output, weights.plain("K_w"), biases.plain("K_b"), block.alive])


WIDTHS = ([], [1], [2], [1, 1, 1], [3, 2, 4], [1, 5, 2, 7], [40, 3, 25], [4] * 19)
SLOPES = (0.0, 0.3, -0.5, 1.0, -1.0)
FIELDS = {
    "ntk": {},
    "standard, slow biases, gains": {
        "parametrization": "standard", "bias_lr": 0.3, "hidden_gain": 1.4, "output_gain": 2.5,
    },
    "no biases": {"bias": False},
}  # fmt: skip


def _net(widths: list[int], slope: float, **fields: object) -> fw.MLP:
    if slope == 0:
        return fw.MLP(3, widths, **fields)  # type: ignore[arg-type]
    return fw.MLP(3, widths, "leaky_relu", slope, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_the_sweep_agrees_with_its_twin(widths: list[int], slope: float, fields: str) -> None:
    net = _net(widths, slope, **FIELDS[fields])
    for seed in (0, 1):
        ours, theirs = fast(net, seed), twin(net, seed)
        assert np.array_equal(ours[3], theirs[3])
        np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=0)


def test_the_cases_reach_every_branch() -> None:
    """m = 0 and m = n, among living networks too, and dead ones beside living ones."""
    for slope in SLOPES:
        _, layers = draw(_net([3, 2, 4], slope), 0)
        active = np.array([layer.active for layer in layers])
        assert (active == 0).any()
        assert (active == np.array([[3], [2], [4]])).any()
    alive = twin(_net([3, 2, 4], 0.0), 0)[3]
    assert 0 < alive.sum() < COUNT


@pytest.mark.parametrize(
    ("broken", "slope"), [(Layer(pinned=0), 0.0), (Layer(pinned=0), 0.3), (Layer(cross=0.0), 0.3)]
)
def test_a_broken_layer_disagrees(
    broken: Layer, slope: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain layer takes the same draws: whole, it agrees with the twin; broken, it does not."""
    net = _net([3, 2, 4], slope)
    expected = twin(net, 0)
    Layer().install(monkeypatch)
    np.testing.assert_allclose(fast(net, 0), expected, rtol=TOLERANCE, atol=0)
    broken.install(monkeypatch)
    assert np.abs(fast(net, 0)[2] - expected[2]).max() > 0.01


def test_deep_networks_agree_in_logs() -> None:
    """800 ReLU layers of width 30 at gain 0.4: r_j leaves the range of a double on the way.

    The twin in logs of t_j = s_j r_j/N²: ln r_j is added up, and a network's K_w and K_b are sums
    of exponentials over their largest term. Tolerance of a log: some 10 roundings a layer of
    numbers up to 1500, 800·10·1500·1.1·10⁻¹⁶ = 1.3·10⁻⁹.
    """
    net = fw.MLP.equal_width(3, 30, 800, hidden_gain=0.4)
    output, layers = draw(net, 5)
    block = draw_block(net, SQUARED_NORM, np.random.default_rng(5), COUNT)
    squared, weights, biases, _ = parts(net, block)
    assert block.alive.all()
    c = [0.0, *(layer.weight_variance for layer in net.layers())]
    d = net.depth
    for i in range(COUNT):
        log_r = [log(SQUARED_NORM)]
        for j, layer in enumerate(layers, start=1):
            log_r.append(log_r[-1] + log(c[j] * layer.on[i]))
        log_squared = log(c[d] * output[i] ** 2) + log_r[d - 1]
        log_s = {d: 0.0}
        for j in range(d - 1, 0, -1):
            pinned = log_squared - log_r[j]
            free = log(c[j + 1] * layers[j - 1].free_on[i]) + log_s[j + 1]
            log_s[j] = np.logaddexp(pinned, free)
        log_weights = np.logaddexp.reduce([log(c[j]) + log_r[j - 1] + log_s[j] for j in log_s])
        log_biases = np.logaddexp.reduce(list(log_s.values()))
        assert squared.log()[i] == pytest.approx(log_squared, abs=1.3e-9)
        assert weights.log()[i] == pytest.approx(log_weights, abs=1.3e-9)
        assert biases.log()[i] == pytest.approx(log_biases, abs=1.3e-9)
    assert max(squared.log()) < log(5e-324)
    assert exp(float(min(squared.log()))) == 0.0
