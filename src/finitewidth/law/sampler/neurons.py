"""One layer's neurons: what is drawn, and how the squared gradient passes through them.

Of n neurons m ~ Binomial(n, ½) are active. For slope a below 0, with independent χ²,

    Y = χ²_m + a² χ²_{n−m}                                 (|x^(j)|² over its variance),
    t = (α − √q g β)² + q χ²_{m−1} + a² [ (β + √q g α)² + q χ²_{n−m−1} ],
    α² = χ²_m/Y,  β² = a² χ²_{n−m}/Y,

g standard normal; g = 0 and χ²_{−1} = 0 where m is 0 or n. For ReLU (a = 0) this is
t = 1 + q χ²_{m−1}, Y = χ²_m, and a layer with m = 0 is dead.
"""

import numpy as np

from finitewidth._shapes import Bool, Float, Int

_BITS_UP_TO = 1024
"""Up to this width counting random bits is faster than NumPy's binomial."""


def active_neurons(rng: np.random.Generator, width: int, count: int) -> Int[np.ndarray, " n"]:
    """Draws of m ~ Binomial(n, ½): the number of ones among n random bits."""
    if width > _BITS_UP_TO:
        return rng.binomial(width, 0.5, count)
    words = -(-width // 64)
    bits = rng.integers(0, 2**64, size=(words, count), dtype=np.uint64, endpoint=False)
    if width % 64:
        bits[-1] >>= np.uint64(64 - width % 64)
    return np.bitwise_count(bits).sum(axis=0, dtype=np.int64)


class Neurons:
    """The draws of one layer for a block of networks, in buffers that are used again.

    Parameters
    ----------
    slope : float
        a, the slope below 0.
    count : int
        Networks in the block.
    """

    def __init__(self, slope: float, count: int) -> None:
        self.slope, self.count = slope, count
        self._buffers = [np.empty(count) for _ in range(6)]

    def draw(
        self,
        rng: np.random.Generator,
        width: int,
        q: Float[np.ndarray, " n"],
        alive: Bool[np.ndarray, " n"],
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """t and Y of a layer, in buffers that the next call overwrites; marks the dead.

        Parameters
        ----------
        width : int
            n.
        q : array [n]
            q_{j+1} of the layer above.
        alive : array [n]
            Set to False where this layer is dead.
        """
        active = active_neurons(rng, width, self.count)
        if self.slope == 0.0:
            return self._relu(rng, active, q, alive)
        return self._leaky(rng, width, active, q)

    def _relu(
        self,
        rng: np.random.Generator,
        active: np.ndarray,
        q: Float[np.ndarray, " n"],
        alive: Bool[np.ndarray, " n"],
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        half, t, y = self._buffers[:3]
        np.multiply(active, 0.5, out=half)
        smallest = half.min()
        if smallest == 0.0:
            dead = half == 0.0
            alive[dead] = False
            half[dead] = 0.5  # any value: a dead network's draws are not used
        rng.standard_gamma(half, out=y)
        y *= 2.0
        half -= 0.5
        rng.standard_gamma(half, out=t)
        t *= q
        t *= 2.0
        t += 1.0
        return t, y

    def _leaky(
        self, rng: np.random.Generator, width: int, active: np.ndarray, q: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        first, y, part, t, rest, cross = self._buffers
        square = self.slope * self.slope
        np.multiply(active, 0.5, out=first)
        rng.standard_gamma(first, out=part)
        np.subtract(0.5 * width, first, out=rest)
        rng.standard_gamma(rest, out=y)
        y *= square
        y += part  # half of Y
        part /= y  # α²
        # half-χ² of m−1 and n−m−1 degrees of freedom, none where m is 0 or n
        edge = (active == 0) | (active == width)
        first -= 0.5
        rest -= 0.5
        np.maximum(first, 0.0, out=first)
        np.maximum(rest, 0.0, out=rest)
        rng.standard_gamma(first, out=t)
        rng.standard_gamma(rest, out=first)
        first *= square
        t += first
        t *= 2.0
        normal = rng.standard_normal(self.count)
        normal[edge] = 0.0
        # (α − √q g β)² + a² (β + √q g α)²
        #   = α² + a²β² + q g² (β² + a²α²) − 2 (1 − a²) √q g αβ
        np.subtract(1.0, part, out=rest)  # β²
        np.multiply(part, rest, out=cross)
        np.multiply(cross, q, out=cross)
        np.maximum(cross, 0.0, out=cross)
        np.sqrt(cross, out=cross)
        cross *= normal
        cross *= 2.0 * (1.0 - square)
        normal *= normal
        np.multiply(part, square - 1.0, out=first)
        first += 1.0  # β² + a²α²
        first *= normal
        t += first
        t *= q
        np.multiply(rest, square - 1.0, out=rest)
        rest += 1.0  # α² + a²β²
        t += rest
        t -= cross
        y *= 2.0
        return t, y
