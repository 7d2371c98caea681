"""The tensors of order 1/n at one layer.

i ≠ j are different neurons of the layer, a, b, c, d inputs. Every array has a first axis over
*sources*: the tensors are linear in the inverse widths, so that the contribution of each hidden
layer is carried separately, or only their sum.
"""

from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float


@dataclass(frozen=True, eq=False)
class Tensors:
    """Order 1/n at one layer, divided by the widths (guide, "The 1/n expansion").

    Attributes
    ----------
    K1, T1 : array of shape [S, B, B]
        E z_ia z_ib − K_ab and E Θ_ii,ab − Θ_ab.
    V : array of shape [S, B, B, B, B]
        V[a,b,c,d] = Cov(z_ia z_ib, z_jc z_jd).
    D : array of shape [S, B, B, B, B]
        D[a,b,c,d] = Cov(z_ia z_ib, Θ_jj,cd).
    F : array of shape [S, B, B, B, B]
        F[a,c,b,d] = E z_ia z_jb Θ_ij,cd.
    A : array of shape [S, B, B, B, B]
        A[a,b,c,d] = Cov(Θ_ii,ab, Θ_jj,cd).
    B : array of shape [S, B, B, B, B]
        B[a,c,b,d] = E Θ_ij,ab Θ_ij,cd.
    P, Q : array of shape [S, B, B, B, B]
        Change of the kernel along the gradient: where the moving output pairs with the kernel's
        own output (P), and with itself (Q).
    """

    K1: Float[np.ndarray, "S B B"]
    T1: Float[np.ndarray, "S B B"]
    V: Float[np.ndarray, "S B B B B"]
    D: Float[np.ndarray, "S B B B B"]
    F: Float[np.ndarray, "S B B B B"]
    A: Float[np.ndarray, "S B B B B"]
    B: Float[np.ndarray, "S B B B B"]
    P: Float[np.ndarray, "S B B B B"]
    Q: Float[np.ndarray, "S B B B B"]

    @classmethod
    def zero(cls, sources: int, inputs: int) -> "Tensors":
        """Layer 1, which is Gaussian and whose kernel does not depend on the weights."""
        two, four = (sources, inputs, inputs), (sources, *(inputs,) * 4)
        return cls(np.zeros(two), np.zeros(two), *(np.zeros(four) for _ in range(7)))

    def covariance(self) -> Float[np.ndarray, "S B B B B"]:
        """Cov(Θ_ab, Θ_cd) of one output: A_abcd + B_acbd + B_adbc.

        Given the layers below, one output is a Gaussian combination of neurons: Isserlis'
        theorem gives the covariance of different outputs and the two exchanges.
        """
        return self.A + np.einsum("sacbd->sabcd", self.B) + np.einsum("sadbc->sabcd", self.B)

    def change(self, outputs: int) -> Float[np.ndarray, "S B B B"]:
        """Mean change of Θ_ab per learning rate through batch member k, [S, a, b, k].

        −(d_ab + d_ba), d_ab = P_abkk + n_out Q_abkk + Q_akbk, for the loss ½ Σ (N − y)² over all
        outputs; y drops out because it is odd in the readout.
        """
        one = np.einsum("sabkk->sabk", self.P + outputs * self.Q)
        one = one + np.einsum("sakbk->sabk", self.Q)
        return -(one + np.swapaxes(one, 1, 2))
