"""The gradient of one parameter, sample by sample: in full, or as a sum of outer products.

``Full`` stores ∂N_o(x_b)/∂θ. ``Outer`` stores ∂N_o(x_b)/∂θ = Σ_t left[b, o, t] ⊗ right[b, o, t],
the gradient of a matrix as its uses and positions t give it; the side that does not depend on o
(the activations) has 1 in place of O.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Full:
    """The gradient itself.

    Attributes
    ----------
    gradient : tensor [B, O, P]
    """

    gradient: torch.Tensor

    def full(self) -> torch.Tensor:
        """[B, O, P]."""
        return self.gradient

    def to(self, dtype: torch.dtype) -> "Full":
        """In another precision."""
        return Full(self.gradient.to(dtype))


@dataclass(frozen=True)
class Outer:
    """Σ_t left ⊗ right.

    Attributes
    ----------
    left : tensor [B, O or 1, T, I]
    right : tensor [B, O or 1, T, J]
    """

    left: torch.Tensor
    right: torch.Tensor

    @property
    def outputs(self) -> int:
        """O."""
        return max(self.left.shape[1], self.right.shape[1])

    def full(self) -> torch.Tensor:
        """[B, O, I·J]."""
        left, right = self.left, self.right
        if left.shape[1] == right.shape[1]:
            return torch.einsum("boti,botj->boij", left, right).flatten(2)
        # one product a sample, with the outputs side by side and the activations read once
        if right.shape[1] == 1:
            rows = left.permute(0, 1, 3, 2).flatten(1, 2)  # [B, O·I, T]
            return (rows @ right[:, 0]).view(len(left), self.outputs, -1)
        columns = right.permute(0, 2, 1, 3).flatten(2)  # [B, T, O·J]
        product = left[:, 0].transpose(1, 2) @ columns
        split = product.view(len(left), left.shape[3], self.outputs, right.shape[3])
        return split.transpose(1, 2).flatten(2)

    def to(self, dtype: torch.dtype) -> "Outer":
        """In another precision."""
        return Outer(self.left.to(dtype), self.right.to(dtype))


Factor = Full | Outer


def merged(factors: list[Factor]) -> Factor:
    """The sum of the gradients of all uses of one parameter."""
    if len(factors) == 1:
        return factors[0]
    outers = [factor for factor in factors if isinstance(factor, Outer)]
    if len(outers) == len(factors):
        left_depends = {factor.left.shape[1] > 1 for factor in outers}
        right_depends = {factor.right.shape[1] > 1 for factor in outers}
        count = max(factor.outputs for factor in outers)

        def joined(sides: list[torch.Tensor], depends: set[bool]) -> torch.Tensor:
            if True in depends and count > 1:
                sides = [side.expand(-1, count, -1, -1) for side in sides]
            return torch.cat(sides, dim=2)

        return Outer(
            joined([factor.left for factor in outers], left_depends),
            joined([factor.right for factor in outers], right_depends),
        )
    return Full(torch.stack([factor.full() for factor in factors]).sum(dim=0))
