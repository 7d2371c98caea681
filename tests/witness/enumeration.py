"""Every setting of a tiny random network, and its exact moments as rational numbers.

The unit-variance weights follow a symmetric law with a few atoms, so a network with few weights
has finitely many settings. All of them are visited, each with its probability, and every moment
comes out without sampling noise. Nothing here imports the package.

The network, as in the package's documentation: ``y^(j) = sqrt(c_j) W^(j) x^(j-1)``, zero biases,
``c_j = hidden_gain / n_{j-1}`` (``output_gain / n_{d-1}`` for the last layer), and an activation
of slope 1 above zero and slope ``a`` below. A pre-activation that is exactly zero takes either
slope with probability 1/2, each neuron by its own coin; for ReLU (``a = 0``) it is closed with
certainty when every neuron of the layer below is closed. Derivatives treat slopes as constants.

Rounding never decides a sign, because the arithmetic is in integers: the atoms are integers times
one irrational factor, the slope is ``p/q`` and stands as ``p`` or ``q``, and the input is scaled
to integers. The *squares* of the units left out are rational, and the moments wanted are even.

Units, with ``w_j^2 = c_j * (square of the atoms' factor)``: ``U_j`` is the squared unit of
``y^(j)``, so ``U_j / q^2`` is that of ``x^(j)`` and ``rho = U_d`` is that of the output N; the
squared unit of ``delta^(j) = dN/dy^(j)`` is ``rho / U_j``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, lcm

import numpy as np

BLOCK = 50_000  # rows evaluated at a time, to bound the memory


@dataclass(frozen=True)
class AtomLaw:
    """Atoms ``sqrt(square) * levels`` with probabilities ``counts / sum(counts)``, variance 1."""

    name: str
    levels: tuple[int, ...]
    counts: tuple[int, ...]
    square: Fraction

    def moment(self, order: int) -> Fraction:
        """E W^order for an even order."""
        total = sum(c * z**order for c, z in zip(self.counts, self.levels, strict=True))
        return self.square ** (order // 2) * Fraction(total, sum(self.counts))


SIGNS = AtomLaw("signs", (-1, 1), (1, 1), Fraction(1))
THREE_ATOMS = AtomLaw("three atoms", (-1, 0, 1), (1, 2, 1), Fraction(2))
# ±1/sqrt(3) with probability 3/8 each, ±sqrt(3) with probability 1/8 each.
FOUR_ATOMS = AtomLaw("four atoms", (-3, -1, 1, 3), (1, 3, 3, 1), Fraction(1, 3))


@dataclass(frozen=True)
class TinyNetwork:
    """A network small enough to enumerate; ``widths`` are the hidden ones."""

    x: tuple[Fraction, ...]
    widths: tuple[int, ...]
    law: AtomLaw
    slope: Fraction = Fraction(0)
    hidden_gain: Fraction = Fraction(2)
    output_gain: Fraction = Fraction(1)
    parametrization: str = "ntk"
    bias: bool = True
    bias_lr: Fraction = Fraction(1)

    @property
    def sizes(self) -> tuple[int, ...]:
        """n_0, …, n_d."""
        return (len(self.x), *self.widths, 1)

    @property
    def depth(self) -> int:
        """Number d of weight layers."""
        return len(self.widths) + 1

    @property
    def variances(self) -> list[Fraction]:
        """c_1, …, c_d."""
        gains = [self.hidden_gain] * len(self.widths) + [self.output_gain]
        return [gain / n for gain, n in zip(gains, self.sizes[:-1], strict=True)]

    @property
    def rates(self) -> list[Fraction]:
        """Learning-rate factors lambda_1, …, lambda_d of the scaled weights."""
        return self.variances if self.parametrization == "ntk" else [Fraction(1)] * self.depth

    @property
    def bias_rate(self) -> Fraction:
        """Learning-rate factor of the biases, 0 if there are none."""
        return self.bias_lr if self.bias else Fraction(0)


@dataclass(frozen=True)
class Settings:
    """All settings of weights and coins, one a row.

    ``weights[j]`` has shape [R, n_{j+1}, n_j] (levels), ``slopes[j]`` shape [R, n_{j+1}] (p or q)
    and ``counts`` shape [R]: a row has probability ``counts / total``.
    """

    weights: list[np.ndarray]
    slopes: list[np.ndarray]
    counts: np.ndarray
    total: int


def integer_input(net: TinyNetwork) -> tuple[np.ndarray, int]:
    """Return the input times the common denominator of its coordinates, and that denominator."""
    scale = lcm(*(value.denominator for value in net.x))
    return np.array([int(value * scale) for value in net.x], dtype=object), scale


def enumerate_settings(net: TinyNetwork) -> Settings:
    """Visit every setting of the weights, and both sides of every coin."""
    shapes = [(out, fan_in) for fan_in, out in zip(net.sizes, net.sizes[1:], strict=False)]
    number = sum(out * fan_in for out, fan_in in shapes)
    base = len(net.law.levels)
    # Row r spells its weights as the digits of r in base "number of atoms".
    digits = np.arange(base**number)[:, None] // base ** np.arange(number) % base
    counts = np.array(net.law.counts)[digits].prod(axis=1)
    levels = np.array(net.law.levels)[digits]
    ends = np.cumsum([out * fan_in for out, fan_in in shapes])[:-1]
    weights = [
        block.reshape(-1, *shape)
        for block, shape in zip(np.split(levels, ends, axis=1), shapes, strict=True)
    ]
    below, upper = net.slope.numerator, net.slope.denominator
    origin = np.arange(len(counts))  # the weight setting of each row
    slopes: list[np.ndarray] = []
    x = np.broadcast_to(integer_input(net)[0].astype(np.int64), (len(counts), net.sizes[0]))
    for weight in weights[:-1]:
        y = (weight[origin] * x[:, None, :]).sum(axis=-1)
        slope = np.where(y > 0, upper, below)
        if slopes and below == 0:
            alive = (slopes[-1] != 0).any(axis=1)
        else:
            alive = np.ones(len(origin), dtype=bool)
        slopes.append(slope)
        for i in range(y.shape[1]):
            coin = (y[:, i] == 0) & alive
            # Probabilities in units of 1/2 a neuron: a row without a coin counts twice; one with
            # a coin stays with the lower slope and gets a copy with the upper slope.
            counts = np.concatenate([counts * np.where(coin, 1, 2), counts[coin]])
            first_copy = len(origin)
            copies = np.concatenate([np.arange(first_copy), np.flatnonzero(coin)])
            origin, y, alive = origin[copies], y[copies], alive[copies]
            slopes = [s[copies] for s in slopes]
            slopes[-1][first_copy:, i] = upper
        x = slopes[-1] * y
    total = sum(net.law.counts) ** number * 2 ** sum(net.widths)
    assert int(counts.sum()) == total, "the probabilities of all settings must add up to 1"
    return Settings([weight[origin] for weight in weights], slopes, counts, total)


@dataclass(frozen=True)
class Units:
    """The rational factors that the integer arithmetic leaves out.

    Along ``theta + eps v`` with ``v = (learning-rate factor) * gradient``, and with
    ``eps' = eps sqrt(rho) / D``, the scaled weight of layer j moves by ``weight_steps[j] eps'
    delta x^T`` in units of ``w_j``, and the bias by ``bias_steps[j] eps' delta`` in units of
    ``y^(j)``: all of these are integers. So ``N(eps) = sqrt(rho) sum_k N_k eps'^k``.
    """

    rho: Fraction
    denominator: int
    weight_steps: list[int]
    bias_steps: list[int]


def units(net: TinyNetwork) -> Units:
    """Collect the factors of :class:`Units`."""
    q = net.slope.denominator
    w_squared = [c * net.law.square for c in net.variances]
    squares = [w_squared[0] / Fraction(integer_input(net)[1]) ** 2]  # U_1, …, U_d
    for w in w_squared[1:]:
        squares.append(squares[-1] * w / q**2)
    weight_steps = [rate / w for rate, w in zip(net.rates, w_squared, strict=True)]
    bias_steps = [net.bias_rate / square for square in squares]
    denominator = lcm(*(step.denominator for step in weight_steps + bias_steps))
    return Units(
        rho=squares[-1],
        denominator=denominator,
        weight_steps=[int(step * denominator) for step in weight_steps],
        bias_steps=[int(step * denominator) for step in bias_steps],
    )


def _times(weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Matrix times vector in every row, for integers of any size."""
    return (weight * x[:, None, :]).sum(axis=-1)


def _taylor(
    weights: list[np.ndarray],
    slopes: list[np.ndarray],
    x: np.ndarray,
    weight_moves: list[np.ndarray],
    bias_moves: list[np.ndarray],
) -> list[np.ndarray]:
    """N_0, N_1, N_2 of the output along a straight line in the parameters, slopes frozen."""
    zero = np.zeros_like(x)
    series = [x, zero, zero]
    for j, weight in enumerate(weights):
        order_0, order_1, order_2 = (_times(weight, term) for term in series)
        order_1 = order_1 + _times(weight_moves[j], series[0]) + bias_moves[j]
        order_2 = order_2 + _times(weight_moves[j], series[1])
        series = [order_0, order_1, order_2]
        if j < len(slopes):
            series = [slopes[j] * term for term in series]
    return [term[:, 0] for term in series]


def evaluate(net: TinyNetwork, settings: Settings) -> np.ndarray:
    """Integers N, K_w, K_b, g_w H g_w, g_w H g_b of every row, shape [R, 5].

    In units sqrt(rho), rho/D, rho/D, rho^1.5/D^2, rho^1.5/D^2. A second derivative is twice the
    second Taylor coefficient along the line, which is exact because N is a polynomial there.
    """
    factor = units(net)
    dtype = np.int64 if _largest(net, factor) < 2**62 else object
    x = integer_input(net)[0].astype(dtype)
    parts = []
    for start in range(0, len(settings.counts), BLOCK):
        rows = slice(start, start + BLOCK)
        weights = [weight[rows].astype(dtype) for weight in settings.weights]
        slopes = [slope[rows].astype(dtype) for slope in settings.slopes]
        inputs = np.broadcast_to(x, (len(weights[0]), len(x)))
        parts.append(_evaluate(weights, slopes, inputs, factor))
    return np.concatenate(parts)


def _evaluate(
    weights: list[np.ndarray], slopes: list[np.ndarray], x: np.ndarray, factor: Units
) -> np.ndarray:
    activities = [x]  # x^(0), …, x^(d-1)
    for weight, slope in zip(weights, slopes, strict=False):
        activities.append(slope * _times(weight, activities[-1]))
    deltas = [np.ones_like(x[:, :1])]  # delta^(d), then downwards
    for weight, slope in zip(weights[:0:-1], slopes[::-1], strict=True):
        deltas.insert(0, slope * (weight * deltas[0][:, :, None]).sum(axis=1))

    weight_moves = [
        step * delta[:, :, None] * activity[:, None, :]
        for step, delta, activity in zip(factor.weight_steps, deltas, activities, strict=True)
    ]
    bias_moves = [step * delta for step, delta in zip(factor.bias_steps, deltas, strict=True)]
    no_weights = [0 * move for move in weight_moves]
    no_biases = [0 * move for move in bias_moves]
    output, kernel_w, half_ww = _taylor(weights, slopes, x, weight_moves, no_biases)
    _, kernel_b, half_bb = _taylor(weights, slopes, x, no_weights, bias_moves)
    _, kernel, half_all = _taylor(weights, slopes, x, weight_moves, bias_moves)

    # K once more, as its definition says: sum_j lambda_j |x^(j-1)|^2 |delta^(j)|^2 and
    # sum_j |delta^(j)|^2. And no second derivative with respect to two biases.
    squares = [(delta * delta).sum(axis=1) for delta in deltas]
    lengths = [(activity * activity).sum(axis=1) for activity in activities]
    by_layers = zip(factor.weight_steps, lengths, squares, strict=True)
    assert (kernel_w == sum(step * r * s for step, r, s in by_layers)).all()
    by_layers = zip(factor.bias_steps, squares, strict=True)
    assert (kernel_b == sum(step * s for step, s in by_layers)).all()
    assert (kernel == kernel_w + kernel_b).all()
    assert (half_bb == 0).all()
    # Second derivative along w + b: ww + 2 wb + bb, so wb is the difference of the halves.
    return np.stack([output, kernel_w, kernel_b, 2 * half_ww, half_all - half_ww], axis=1)


def _largest(net: TinyNetwork, factor: Units) -> int:
    """Return a bound on every integer of :func:`evaluate`: the row in which nothing cancels.

    All weights and slopes at their largest absolute value (1 or more), all inputs positive: sums
    then only grow from layer to layer, so the last ones are the largest.
    """
    top = max(abs(level) for level in net.law.levels)
    steep = max(abs(net.slope.numerator), net.slope.denominator)
    weights = [
        np.full((1, out, fan_in), top, dtype=object)
        for fan_in, out in zip(net.sizes, net.sizes[1:], strict=False)
    ]
    slopes = [np.full((1, n), steep, dtype=object) for n in net.widths]
    x = np.maximum(abs(integer_input(net)[0]), 1)[None, :]
    return 4 * int(_evaluate(weights, slopes, x, factor).max())


@dataclass(frozen=True)
class ExactLaw:
    """The joint law of N, K_w, K_b, gHg (weights twice) and gHg (weight and bias) of a network."""

    net: TinyNetwork
    rows: dict[tuple[int, ...], int]
    total: int

    @classmethod
    def of(cls, net: TinyNetwork) -> ExactLaw:
        """Enumerate a network and gather equal rows."""
        settings = enumerate_settings(net)
        rows: dict[tuple[int, ...], int] = {}
        values = map(tuple, evaluate(net, settings).tolist())
        for row, count in zip(values, settings.counts.tolist(), strict=True):
            rows[row] = rows.get(row, 0) + count
        return cls(net, rows, settings.total)

    @cached_property
    def _units(self) -> Units:
        return units(self.net)

    def expect(self, n: int = 0, kw: int = 0, kb: int = 0, ww: int = 0, wb: int = 0) -> Fraction:
        """E N^n K_w^kw K_b^kb (g_w H g_w)^ww (g_w H g_b)^wb, exactly."""
        powers = (n, kw, kb, ww, wb)
        result = 0
        for row, count in self.rows.items():
            for value, power in zip(row, powers, strict=True):
                if power:
                    count *= value**power
            result += count
        halves = n + 2 * (kw + kb) + 3 * (ww + wb)  # power of sqrt(rho)
        if halves % 2:
            assert result == 0, "odd in the output weights, so it must vanish exactly"
            return Fraction(0)
        scale = self._units.rho ** (halves // 2)
        return scale * Fraction(
            result, self.total * self._units.denominator ** (kw + kb + 2 * (ww + wb))
        )

    def kernel_moment(self, order: int, part: str = "kernel") -> Fraction:
        """E K^order of K_w ("weights"), of K_b ("biases") or of their sum ("kernel")."""
        if part == "weights":
            return self.expect(kw=order)
        if part == "biases":
            return self.expect(kb=order)
        return sum(
            (comb(order, m) * self.expect(kw=m, kb=order - m) for m in range(order + 1)),
            Fraction(0),
        )

    def update_squared(self, target: Fraction = Fraction(0)) -> Fraction:
        """E (dK)^2 at learning rate 1, dK = -2 (N - t) gHg with gHg = ww + 2 wb."""
        mean = Fraction(0)
        for power, weight in ((2, Fraction(1)), (1, -2 * target), (0, target**2)):
            # (N - t)^2 = N^2 - 2 t N + t^2, and (ww + 2 wb)^2 likewise.
            mean += weight * (
                self.expect(n=power, ww=2)
                + 4 * self.expect(n=power, ww=1, wb=1)
                + 4 * self.expect(n=power, wb=2)
            )
        return 4 * mean

    def update_mean(self, target: Fraction = Fraction(0)) -> Fraction:
        """E dK at learning rate 1; the target drops out."""
        with_output = self.expect(n=1, ww=1) + 2 * self.expect(n=1, wb=1)
        without = self.expect(ww=1) + 2 * self.expect(wb=1)
        return -2 * (with_output - target * without)

    def update_variance(self, target: Fraction = Fraction(0)) -> Fraction:
        """Var dK at learning rate 1."""
        return self.update_squared(target) - self.update_mean(target) ** 2


Quantity = Callable[[ExactLaw], Fraction]

# Every exact quantity by name.
QUANTITIES: dict[str, Quantity] = {
    "E K_w K_b": lambda law: law.expect(kw=1, kb=1),
    "E N^2": lambda law: law.expect(n=2),
    "E N^4": lambda law: law.expect(n=4),
    "E N^2 K": lambda law: law.expect(n=2, kw=1) + law.expect(n=2, kb=1),
    "E Delta_ww": lambda law: law.expect(n=1, ww=1),
    "E Delta_wb": lambda law: law.expect(n=1, wb=1),
    "E dK": lambda law: law.update_mean(),
    "Var dK, t = 0": lambda law: law.update_variance(),
    "Var dK, t = 0.7": lambda law: law.update_variance(Fraction(7, 10)),
}
for _part in ("kernel", "weights", "biases"):
    for _order in (1, 2, 3, 4):
        QUANTITIES[f"E K^{_order}, {_part}"] = lambda law, part=_part, order=_order: (
            law.kernel_moment(order, part)
        )
