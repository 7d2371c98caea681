"""One hidden layer of the pass: which neurons are active, and two gradients taken through it."""

from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float, Int


def _chi_square(
    rng: np.random.Generator, degrees: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """χ² of whole degrees; 0 for none, and for the −1 that is left where nothing is."""
    return 2.0 * rng.standard_gamma(0.5 * np.maximum(degrees, 0))


@dataclass(frozen=True)
class Neurons:
    """The neurons of one layer of n networks, scale-free.

    Attributes
    ----------
    slope : float
        α of the inactive ones.
    active, inactive : array of int [n]
        Their numbers.
    norm : array [n]
        r_l/(c_l r_{l−1}), the squared length of the layer's output; 0 if dead.
    share : array [n]
        The active neurons' part of the squared length.
    """

    slope: float
    active: Int[np.ndarray, " n"]
    inactive: Int[np.ndarray, " n"]
    norm: Float[np.ndarray, " n"]
    share: Float[np.ndarray, " n"]

    def through(
        self,
        rng: np.random.Generator,
        variance: float,
        ratio: Float[np.ndarray, " n"],
        sensitivity: Float[np.ndarray, " n"],
        length: Float[np.ndarray, " m"],
        product: Float[np.ndarray, " m"],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|δ|², |v|² and v·δ in this layer from those above, v only for the first m networks.

        Parameters
        ----------
        rng : numpy.random.Generator
            The block's stream.
        variance : float
            c_{l+1}.
        ratio : array [n]
            N²/r_l.
        sensitivity, length, product : array [n], [m], [m]
            |δ|², |v|² and v·δ in layer l+1.
        """
        scale = np.sqrt(variance * sensitivity)
        first = slice(0, len(length))
        slant = product / sensitivity[first]
        rest = np.maximum(length - slant * product, 0.0)
        stray = np.sqrt(variance * rest)
        found = self._block(rng, self.active, scale, slant, stray)
        if self.slope == 0.0:
            return ratio + found[0], found[1], found[2]
        square = self.slope * self.slope
        other = self._block(rng, self.inactive, scale, slant, stray)
        mixed = (self.active > 0) & (self.inactive > 0)
        cosine, sine = np.sqrt(self.share), np.sqrt(1.0 - self.share)
        across = np.where(mixed, scale * rng.standard_normal(len(scale)), 0.0)
        pinned = np.sqrt(ratio)
        on, off = pinned * cosine - across * sine, pinned * sine + across * cosine
        turned = slant * across[first] + stray * rng.standard_normal(len(length)) * mixed[first]
        down = -sine[first] * turned, cosine[first] * turned
        return (
            on * on + found[0] + square * (off * off + other[0]),
            down[0] ** 2 + found[1] + square * (down[1] ** 2 + other[1]),
            down[0] * on[first] + found[2] + square * (down[1] * off[first] + other[2]),
        )

    @staticmethod
    def _block(
        rng: np.random.Generator,
        neurons: Int[np.ndarray, " n"],
        scale: Float[np.ndarray, " n"],
        slant: Float[np.ndarray, " m"],
        stray: Float[np.ndarray, " m"],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The part of neurons of one slope that is orthogonal to their share of x.

        Squared length of h, of v', and their product.
        """
        count = len(slant)
        reach = scale * np.sqrt(_chi_square(rng, neurons - 1))
        along = slant * reach[:count]
        along += stray * rng.standard_normal(count) * (neurons[:count] > 1)
        beside = stray * stray * _chi_square(rng, neurons[:count] - 2)
        return reach * reach, along * along + beside, along * reach[:count]


def draw(rng: np.random.Generator, neurons: Int[np.ndarray, " n"], slope: float) -> Neurons:
    """How many of `neurons` are active, and how long the layer's output is."""
    active = rng.binomial(neurons, 0.5)
    inactive = neurons - active
    norm = _chi_square(rng, active)
    if slope == 0.0:
        return Neurons(slope, active, inactive, norm, np.ones(len(norm)))
    total = norm + slope * slope * _chi_square(rng, inactive)
    share = np.divide(norm, total, out=np.zeros(len(norm)), where=total > 0)
    return Neurons(slope, active, inactive, total, share)
