"""Contractions with derivatives of an average of two factors.

∂_e f_a g_b is 0 unless e is the input of one of the factors, so a sum over inputs e, f of
⟨∂_e ∂_f f_a g_b⟩ T_ef has the four terms in which each derivative meets one of the two factors:
no contraction costs more than the size of its result.
"""

from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.gaussian import Pairs


@dataclass(frozen=True, eq=False)
class Second:
    """M_abef = ⟨∂_e ∂_f f_a g_b⟩, by the factors that the two derivatives meet.

    Attributes
    ----------
    both_first, one_each, both_second : array of shape [B, B]
        ⟨f''_a g_b⟩, ⟨f'_a g'_b⟩, ⟨f_a g''_b⟩.
    """

    both_first: Float[np.ndarray, "B B"]
    one_each: Float[np.ndarray, "B B"]
    both_second: Float[np.ndarray, "B B"]

    def half(self, T: Float[np.ndarray, "S B B *rest"]) -> Float[np.ndarray, "S B B *rest"]:
        """½ M_abef T_ef…, for T symmetric in its first two slots."""
        own = np.einsum("saa...->sa...", T)
        wide = (..., *(None,) * (T.ndim - 3))
        return (
            0.5 * self.both_first[wide] * own[:, :, None]
            + self.one_each[wide] * T
            + 0.5 * self.both_second[wide] * own[:, None]
        )

    def half_last(self, T: Float[np.ndarray, "S B B B B"]) -> Float[np.ndarray, "S B B B B"]:
        """½ T_abef M_cdef, for T symmetric in its last two slots."""
        return exchanged(self.half(exchanged(T)))

    def whole_inner(self, F: Float[np.ndarray, "S B B B B"]) -> Float[np.ndarray, "S B B"]:
        """M_abef F[e,a,f,b]."""
        aa = np.einsum("saaab->sab", F)
        mixed = np.einsum("saabb->sab", F) + np.einsum("sbaab->sab", F)
        bb = np.einsum("sbabb->sab", F)
        return self.both_first * aa + self.one_each * mixed + self.both_second * bb


def exchanged(T: Float[np.ndarray, "S B B B B"]) -> Float[np.ndarray, "S B B B B"]:
    """T_cdab: the two pairs change places."""
    return np.einsum("scdab->sabcd", T)


def second(pairs: Pairs, order: int) -> Second:
    """⟨∂_e ∂_f σ^(p)_a σ^(p)_b⟩ for p = `order`."""
    p = order
    return Second(pairs.order(p + 2, p), pairs.order(p + 1, p + 1), pairs.order(p, p + 2))


def fourth(
    pairs: Pairs, order: int, V: Float[np.ndarray, "S B B B B"]
) -> Float[np.ndarray, "S B B"]:
    """H[V]_ab = ⅛ V_(ef)(gh) ⟨∂_e ∂_f ∂_g ∂_h σ^(p)_a σ^(p)_b⟩ for p = `order`."""
    p = order
    own = np.einsum("saaaa->sa", V)
    pair = np.einsum("saabb->sab", V)
    crossed = np.einsum("sabab->sab", V)
    three = np.einsum("saaab->sab", V)
    four = pairs.order(p + 4, p) * own[:, :, None] + pairs.order(p, p + 4) * own[:, None]
    odd = pairs.order(p + 3, p + 1) * three
    odd = odd + pairs.order(p + 1, p + 3) * np.swapaxes(three, 1, 2)
    even = pairs.order(p + 2, p + 2) * (2 * pair + 4 * crossed)
    return (four + 4 * odd + even) / 8


@dataclass(frozen=True, eq=False)
class First:
    """N_abe = ⟨∂_e f_a g_b⟩, by the factor that the derivative meets.

    Attributes
    ----------
    first, second : array of shape [B, B]
        ⟨f'_a g_b⟩, ⟨f_a g'_b⟩.
    """

    first: Float[np.ndarray, "B B"]
    second: Float[np.ndarray, "B B"]


def slope_value(pairs: Pairs) -> First:
    """N_abe = ⟨∂_e σ'_a σ_b⟩."""
    return First(pairs.order(2, 0), pairs.order(1, 1))


def curvature_slope(pairs: Pairs) -> First:
    """N2_abe = ⟨∂_e σ''_a σ'_b⟩, whose σ'' is explicit."""
    return First(pairs.explicit(3, 1), pairs.explicit(2, 2))
