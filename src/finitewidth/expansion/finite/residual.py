"""A residual layer with the identity as activation: z' = γ z + α (b + Ŵ z).

A tensor of four slots is γ⁴ (all carried through) + γ²α² (two slots carried, two through the
branch) + α⁴ (plain), a mean γ² + α² (docs, guide "The 1/n expansion", "Residual networks"). With
another activation a neuron's value before and after the layer are correlated, and averages over
both layers appear: these formulas would be wrong.
"""

import numpy as np

from finitewidth.expansion.finite.contract import exchanged
from finitewidth.expansion.finite.plain import Around
from finitewidth.expansion.finite.tensors import Tensors


def crossed(T: Tensors, around: Around) -> Tensors:
    """The parts with two slots carried through and two through the branch; means have none."""
    scale = around.scale
    K, theta = around.below.kernel, around.below.tangent
    C, rate = scale.gain, scale.rate
    source = around.source[:, None, None, None, None]

    # A carried neuron is one of those that the branch sums over: ⟨z z z z⟩ − ⟨z z⟩⟨z z⟩.
    own = np.einsum("ac,bd->abcd", K, K) + np.einsum("ad,bc->abcd", K, K)
    shared = T.V + source * own
    zero = np.zeros_like(T.K1)
    return Tensors(
        K1=zero,
        T1=zero,
        V=2 * C * shared,
        D=rate * shared + 2 * C * T.D,
        F=2 * C * (T.F + source * np.einsum("ab,cd->acbd", K, theta)),
        A=2 * C * T.A + rate * (T.D + exchanged(T.D)),
        B=2 * C * (T.B + source * np.einsum("ab,cd->acbd", theta, theta)),
        P=2 * C * T.P,
        Q=2 * C * T.Q
        + rate * (source * np.einsum("bd,ac->abcd", K, theta) + np.einsum("sbadc->sabcd", T.F)),
    )


def mixed(T: Tensors, crossed: Tensors, plain: Tensors, alpha: float, gamma: float) -> Tensors:
    """γ⁴ T + γ²α² crossed + α⁴ plain; for the means γ² and α²."""
    four = {
        name: gamma**4 * getattr(T, name)
        + (gamma * alpha) ** 2 * getattr(crossed, name)
        + alpha**4 * getattr(plain, name)
        for name in "VDFABPQ"
    }
    two = {
        name: gamma**2 * getattr(T, name) + alpha**2 * getattr(plain, name) for name in ("K1", "T1")
    }
    return Tensors(**two, **four)
