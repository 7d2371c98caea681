"""The crossing term exactly at finite width, by conditional Monte Carlo.

    E ΔK|_crossings = −λ Σ_j n_j E[ |N−t| (2π c_j r_{j−1})^(−1/2) E_a(…)/(2q) ]    (`one_neuron`)

over networks in which one neuron of layer j sits at zero (`at_zero`); its outgoing weights are
integrated out. Every network draws its layer j with probabilities proportional, up to a tenth, to
the leading contributions, and is weighted by their inverse: the draws are independent and of one
law, so the standard error is that of a plain mean. Two control variates with known means take
part of the noise: |σg − t| with the standard normal readout g of the same network and σ² = E N²
at large width, and the same times r_{d−1}/E r_{d−1} − 1, which is independent of g.
"""

from dataclasses import dataclass
from math import exp

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.crossing.at_zero import draw_at_zero
from finitewidth.law.crossing.leading import Leading, leading
from finitewidth.law.crossing.one_neuron import one_crossing
from finitewidth.law.crossing.output_error import log_mean_error
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress, in_blocks

BLOCK = 4096
"""Networks in a block. Part of the definition of a sample: another value gives other numbers."""

KEY = 2
"""What the keys of the blocks begin with, apart from those of the kernel's sampler."""

_EVEN = 0.1
"""The share of networks that is spread evenly over the layers."""

HEAVY = 0.02
"""The largest share of a mean that one network may hold."""

_LARGEST = 300.0
"""Largest |ln| of the leading quantities, with room for the spread of single networks."""

_OUTSIDE = (
    "the crossing term of single networks leaves the range of a double; use "
    "method='leading', a gain nearer to the critical one, or fewer layers."
)


@dataclass(frozen=True)
class Sampled:
    """Means per unit of learning rate, each [3]: mean change, crossings, squared jumps.

    Attributes
    ----------
    value, std_error : array [3]
        The means and their standard errors.
    layers : array [L]
        The hidden layers' shares of the mean change, without control variates.
    heaviest : float
        The largest part of the mean change that one network holds.
    size : int
        Networks drawn.
    """

    value: Float[np.ndarray, " 3"]
    std_error: Float[np.ndarray, " 3"]
    layers: Float[np.ndarray, " L"]
    heaviest: float
    size: int


def conditional(
    net: MLP,
    squared_norm: float,
    target: float,
    size: int,
    seed: int,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Sampled:
    """Sample the crossing term, the number of crossings and the squared jumps.

    Parameters
    ----------
    net : MLP
        A network that `known.check_sampled` lets pass.
    squared_norm, target : float
        |x|² and t.
    size, seed : int
        Networks in all, and the seed that alone decides their numbers.
    workers, progress
        Threads, and a callable given (networks done, networks in all).

    Raises
    ------
    ValueError
        If a network's numbers leave the range of a double.
    """
    guide = leading(net, squared_norm, target)
    logs = np.concatenate([guide.terms[guide.terms > -np.inf], [2.0 * guide.deviation]])
    if np.abs(logs).max() > _LARGEST:
        raise ValueError(_OUTSIDE)
    chances = _chances(guide)
    means = np.array([1.0, _control_mean(guide, target), 0.0])

    def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, float]:
        return _block(net, squared_norm, target, guide, chances, rng, count)

    products, layers, heaviest = np.zeros((6, 6)), np.zeros(len(chances)), 0.0
    for square, parts, top in in_blocks(draw, size, seed, BLOCK, workers, progress, (KEY, 0)):
        products += square
        layers += parts
        heaviest = max(heaviest, top)
    if not np.isfinite(products).all():
        raise ValueError(_OUTSIDE)
    total = abs(products[0, 3])
    share = heaviest / total if total else 0.0
    # a regression on controls goes astray where single networks decide it
    value, error = _controlled(products, means if share <= HEAVY else None)
    return Sampled(value, error, layers / size, share, size)


def _chances(guide: Leading) -> Float[np.ndarray, " L"]:
    """How often each layer is drawn."""
    even = np.full(len(guide.terms), 1.0 / len(guide.terms))
    if guide.total == -np.inf:
        return even
    return (1.0 - _EVEN) * np.exp(guide.terms - guide.total) + _EVEN * even


def _control_mean(guide: Leading, target: float) -> float:
    """E|σg − t| in units of σ, or of t where that is larger."""
    return exp(log_mean_error(guide.deviation, target) - _unit(guide, target))


def _unit(guide: Leading, target: float) -> float:
    return max(guide.deviation, float(np.log(abs(target))) if target else -np.inf)


def _block(
    net: MLP,
    squared_norm: float,
    target: float,
    guide: Leading,
    chances: Float[np.ndarray, " L"],
    rng: np.random.Generator,
    count: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sums of products of (1, two controls, three quantities), of the layers, and the largest."""
    drawn = rng.multinomial(count, chances)
    places = np.repeat(np.arange(len(drawn), 0, -1), drawn[::-1])
    weight = np.repeat((np.exp(_log_widths(net)) / chances)[::-1], drawn[::-1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        event = draw_at_zero(net, squared_norm, places, rng)
        spread = np.where(event.alive, event.velocity * np.sqrt(event.outgoing), 1.0)
        mean = one_crossing(
            np.where(event.alive, event.overlap, 0.0), spread, float(net.act.slope or 0)
        )
        rate = weight * event.density * np.abs(event.output - target)
        velocity = np.where(event.alive, event.velocity, 1.0)
        change = -rate * mean.change / (2.0 * velocity)
        crossings = 0.5 * rate * mean.speed
        jumps = 0.5 * rate * mean.square / velocity**2
        unit = _unit(guide, target)
        control = np.abs(exp(guide.deviation - unit) * event.normal - target * exp(-unit))
        length = event.power / _mean_powers(net, guide, places) - 1.0
        rows = np.stack([np.ones(count), control, control * length, change, crossings, jumps])
        products = rows @ rows.T
    parts = np.bincount(places - 1, change, minlength=len(chances))
    return products, parts, float(np.abs(change).max())


def _log_widths(net: MLP) -> np.ndarray:
    return np.log(np.array(list(net.widths), dtype=float))


def _mean_powers(net: MLP, guide: Leading, places: np.ndarray) -> np.ndarray:
    """E c_d r_{d−1} with one neuron of the layer left out."""
    missing = -np.expm1(-_log_widths(net))  # 1 − 1/n
    return exp(2.0 * guide.deviation) * np.maximum(missing, 1e-300)[places - 1]


def _controlled(
    products: Float[np.ndarray, "6 6"], means: Float[np.ndarray, " 3"] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Regression on the controls: the means at the controls' own means, and their errors.

    Without `means` of the controls, plain means.
    """
    size = products[0, 0]
    average = products[0] / size
    spread = products / size - np.outer(average, average)
    if means is None:
        return average[3:], np.sqrt(np.maximum(np.diag(spread)[3:], 0.0) / max(size - 1.0, 1.0))
    use = [k for k in (1, 2) if spread[k, k] > 1e-12 * products[k, k] / size]
    between = spread[np.ix_(use, use)]
    slopes = np.linalg.lstsq(between, spread[np.ix_(use, [3, 4, 5])], rcond=1e-10)[0]
    value = average[3:] - (average[use] - means[use]) @ slopes
    left = np.diag(spread)[3:] - np.einsum("ij,ij->j", slopes, spread[np.ix_(use, [3, 4, 5])])
    free = max(size - 1.0 - len(use), 1.0)
    return value, np.sqrt(np.maximum(left, 0.0) / free)
