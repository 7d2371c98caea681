"""One plain layer: z' = b + Ŵ σ(z).

The right sides are tensors of the layer below (docs, guide "The 1/n expansion", "The recursion").
"""

from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.finite import contract
from finitewidth.expansion.finite.tensors import Tensors
from finitewidth.expansion.gaussian import Pairs, Quadruples
from finitewidth.expansion.infinite import Limit
from finitewidth.expansion.scales import Scale

sum_of = np.einsum


@dataclass(frozen=True, eq=False)
class Around:
    """What a layer's recursion needs to know of the layer below at infinite width.

    Attributes
    ----------
    below : Limit
        K and Θ of the layer below.
    scale : Scale
        The numbers of this layer.
    pairs : Pairs
        Averages at the layer below.
    source : array of shape [S]
        1/n of the layer below in its own source, 0 in the others; their sum if S = 1.
    """

    below: Limit
    scale: Scale
    pairs: Pairs
    source: Float[np.ndarray, "S"]

    def values(self) -> contract.Second:
        """M0_abef = ⟨∂_e ∂_f σ_a σ_b⟩."""
        return contract.second(self.pairs, 0)

    def slopes(self) -> contract.Second:
        """M1_abef = ⟨∂_e ∂_f σ'_a σ'_b⟩."""
        return contract.second(self.pairs, 1)

    def tangents(self) -> contract.Second:
        """MΩ_abef = λ M0_abef + C Θ_ab M1_abef."""
        zero, one = self.values(), self.slopes()
        rate, weight = self.scale.rate, self.scale.gain * self.below.tangent
        return contract.Second(
            rate * zero.both_first + weight * one.both_first,
            rate * zero.one_each + weight * one.one_each,
            rate * zero.both_second + weight * one.both_second,
        )

    def transfer(self) -> Float[np.ndarray, "B B"]:
        """w_ab = C ⟨σ'_a σ'_b⟩."""
        return self.scale.gain * self.pairs.order(1, 1)


def step(T: Tensors, around: Around, quadruples: Quadruples) -> Tensors:
    """The tensors of the next layer.

    Parameters
    ----------
    T : Tensors
        Those of the layer below.
    around : Around
        The layer and the one below at infinite width.
    quadruples : Quadruples
        Averages over four inputs at the layer below.
    """
    scale, pairs, theta = around.scale, around.pairs, around.below.tangent
    C, rate = scale.gain, scale.rate
    source = around.source[:, None, None, None, None]
    S4, S22, T4, U = quadruples.values, quadruples.mixed, quadruples.slopes, quadruples.curved
    G0, G1, w = pairs.order(0, 0), pairs.order(1, 1), around.transfer()
    omega = rate * G0 + C * theta * G1
    M0, M1, MO = around.values(), around.slopes(), around.tangents()
    N, N2 = contract.slope_value(pairs), contract.curvature_slope(pairs)

    # Fluctuations: a source of the neurons' own spread, and what comes from below.
    V_first, D_first = M0.half(T.V), MO.half(T.D)
    V = C**2 * (source * (S4 - sum_of("ab,cd->abcd", G0, G0)) + M0.half_last(V_first))
    own = rate * S4 + C * theta * S22 - sum_of("ab,cd->abcd", G0, omega)
    D = C * (source * own + MO.half_last(V_first) + M0.half(T.D) * w)
    crossed = C * theta * S22
    own = rate**2 * S4 + rate * (crossed + sum_of("cdab->abcd", crossed))
    own = own + C**2 * sum_of("ab,cd,abcd->abcd", theta, theta, T4)
    A = (
        source * (own - sum_of("ab,cd->abcd", omega, omega))
        + MO.half_last(MO.half(T.V))
        + D_first * w
        + contract.exchanged(D_first * w)
        + sum_of("ab,cd,sabcd->sabcd", w, w, T.A)
    )
    B = source * C**2 * sum_of("ab,cd,acbd->acbd", theta, theta, T4)
    B = B + sum_of("ac,bd,sacbd->sacbd", w, w, T.B)
    # N_cdf F[e,a,f,c] with its derivative on c or on d: [e,a,d,c].
    F_one = sum_of("cd,seacc->seadc", N.first, T.F) + sum_of("cd,seadc->seadc", N.second, T.F)
    # The same on the first two slots completes N_cae N_dbf F[e,c,f,d], [a,c,b,d].
    F = sum_of("ca,sccbd->sacbd", N.first, F_one) + sum_of("ca,sacbd->sacbd", N.second, F_one)
    F = C**2 * (source * sum_of("abcd,cd->acbd", S22, theta) + F)

    # Means.
    K1 = C * (M0.half(T.K1) + contract.fourth(pairs, 0, T.V))
    inner = 0.5 * (
        M1.both_first * sum_of("saaab->sab", T.D)
        + 2 * M1.one_each * sum_of("sabab->sab", T.D)
        + M1.both_second * sum_of("sbbab->sab", T.D)
    )
    T1 = (
        MO.half(T.K1)
        + rate * contract.fourth(pairs, 0, T.V)
        + C * theta * contract.fourth(pairs, 1, T.V)
        + w * T.T1
        + C * (inner + M1.whole_inner(T.F))
    )

    # The first step.
    curved = source * sum_of("abcd,ab,ac->abcd", U, theta, theta)
    P = sum_of("ad,bc,saabc->sabcd", pairs.explicit(2, 0), G1, T.B)
    P = P + sum_of("bc,ad,sabca->sabcd", G1, N.first, T.P)
    P = P + sum_of("bc,ad,sabcd->sabcd", G1, N.second, T.P)
    bent = sum_of("ab,saadc->sabcd", N2.first, F_one) + sum_of("ab,sbadc->sabcd", N2.second, F_one)
    Q = sum_of("ab,sabcd->sabcd", theta, bent)
    Q = Q + sum_of("ab,cd,sabcc->sabcd", G1, N.first, T.Q)
    Q = Q + sum_of("ab,cd,sabcd->sabcd", G1, N.second, T.Q)
    Q = rate / C * sum_of("sbadc->sabcd", F) + C**2 * (curved + Q)
    return Tensors(K1, T1, V, D, F, A, B, C**2 * (curved + P), Q)
