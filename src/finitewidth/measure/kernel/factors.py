"""The gradient of one parameter, sample by sample: in full, or as a sum of outer products.

``Full`` stores ∂N_o(x_b)/∂θ. ``Outer`` stores ∂N_o(x_b)/∂θ = Σ_t left[b, o, t] ⊗ right[b, o, t],
the gradient of a matrix as its uses and positions t give it; the side that does not depend on o
(the activations) has 1 in place of O. ``Gated`` is an ``Outer`` whose output gradients are
weights[o] ⊙ gate[b, t].
"""

from dataclasses import dataclass
from math import prod

import torch


@dataclass(frozen=True)
class Full:
    """The gradient itself.

    Attributes
    ----------
    gradient : tensor [B, O, P]
    """

    gradient: torch.Tensor

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """What is stored, batch first."""
        return (self.gradient,)

    @property
    def outputs(self) -> int:
        """Outputs O."""
        return self.gradient.shape[1]

    @property
    def size(self) -> int:
        """Entries P of the parameter."""
        return self.gradient.shape[2]

    def full(self) -> torch.Tensor:
        """[B, O, P]."""
        return self.gradient

    def write(self, target: torch.Tensor) -> None:
        """Into [B, O, P]."""
        target.copy_(self.gradient)

    def to(self, dtype: torch.dtype) -> "Full":
        """In another precision."""
        return Full(self.gradient.to(dtype))

    def of_output(self, output: int) -> "Full":
        """Of one output alone."""
        return Full(self.gradient[:, output : output + 1])

    def __getitem__(self, inputs: slice) -> "Full":
        """Of some of the inputs."""
        return Full(self.gradient[inputs])


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
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """What is stored, batch first."""
        return self.left, self.right

    @property
    def outputs(self) -> int:
        """Outputs O."""
        return max(self.left.shape[1], self.right.shape[1])

    @property
    def size(self) -> int:
        """Entries I·J of the parameter."""
        return self.left.shape[3] * self.right.shape[3]

    def full(self) -> torch.Tensor:
        """[B, O, I·J]."""
        found = self.left.new_empty(len(self.left), self.outputs, self.size)
        self.write(found)
        return found

    def write(self, target: torch.Tensor) -> None:
        """Into [B, O, I·J]."""
        left, right = self.left, self.right
        batch, outputs, (i, j) = len(left), self.outputs, (left.shape[3], right.shape[3])
        split = target.view(batch, outputs, i, j)
        if outputs == 1:
            torch.bmm(left[:, 0].transpose(1, 2), right[:, 0], out=split[:, 0])
        elif right.shape[1] > 1:
            left, right = (side.expand(-1, outputs, -1, -1) for side in (left, right))
            torch.matmul(left.transpose(2, 3), right, out=split)
        elif outputs * self.size * left.shape[2] > _WORTH_ITS_CALL:
            for sample in range(batch):  # copies neither the activations nor the gradients
                rows = left[sample].transpose(1, 2)
                torch.matmul(rows, right[sample, 0], out=split[sample])
        else:  # the outputs side by side
            rows = left.permute(0, 1, 3, 2).reshape(batch, outputs * i, -1)
            torch.bmm(rows, right[:, 0], out=target.view(batch, outputs * i, j))

    def to(self, dtype: torch.dtype) -> "Outer":
        """In another precision."""
        return Outer(self.left.to(dtype), self.right.to(dtype))

    def of_output(self, output: int) -> "Outer":
        """Of one output alone."""
        chosen = slice(output, output + 1)
        left, right = (s[:, chosen] if s.shape[1] > 1 else s for s in (self.left, self.right))
        return Outer(left, right)

    def __getitem__(self, inputs: slice) -> "Outer":
        """Of some of the inputs."""
        return Outer(self.left[inputs], self.right[inputs])


@dataclass(frozen=True)
class Gated:
    """Σ_t left ⊗ right with the weights of the outputs on one side (see `gate`).

    Attributes
    ----------
    left : tensor [B, 1, T, I]
    right : tensor [B, 1, T, J]
    weights : tensor [O, I or J]
    on_left : bool
        Whether the left side is the gate.
    """

    left: torch.Tensor
    right: torch.Tensor
    weights: torch.Tensor
    on_left: bool

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """What is stored, batch first."""
        return self.left, self.right

    @property
    def outputs(self) -> int:
        """Outputs O."""
        return self.weights.shape[0]

    @property
    def size(self) -> int:
        """Entries I·J of the parameter."""
        return self.left.shape[3] * self.right.shape[3]

    @property
    def plain(self) -> Outer:
        """Without the weights, of one output."""
        return Outer(self.left, self.right)

    def outer(self) -> Outer:
        """The same gradients, every output's own."""
        return self._weighted(self.weights)

    def traced(self) -> Outer:
        """One output whose kernel is the trace: Σ_o u_oj² = (√Σ_o u_oj²)²."""
        norm = self.weights.double().square().sum(dim=0, keepdim=True).sqrt()
        return self._weighted(norm.to(self.weights.dtype))

    def _weighted(self, weights: torch.Tensor) -> Outer:
        if self.on_left:
            return Outer(self.left * weights[:, None], self.right)
        return Outer(self.left, self.right * weights[:, None])

    def write(self, target: torch.Tensor) -> None:
        """Into [B, O, I·J]."""
        self.outer().write(target)

    def full(self) -> torch.Tensor:
        """[B, O, I·J]."""
        return self.outer().full()

    def to(self, dtype: torch.dtype) -> "Gated":
        """In another precision."""
        left, right, weights = (t.to(dtype) for t in (self.left, self.right, self.weights))
        return Gated(left, right, weights, self.on_left)

    def __getitem__(self, inputs: slice) -> "Gated":
        """Of some of the inputs."""
        return Gated(self.left[inputs], self.right[inputs], self.weights, self.on_left)

    def common_weights(self, other: "Gated") -> torch.Tensor | None:
        """Those of both, where a weight of 0 is one not seen; None where they differ."""
        one, two = self.weights, other.weights
        if self.on_left != other.on_left or one.shape != two.shape:
            return None
        if bool(((one != two) & (one != 0) & (two != 0)).any()):
            return None
        return torch.where(one != 0, one, two)


Factor = Full | Outer | Gated

_WORTH_ITS_CALL = 2**18
"""Multiply-adds of one product, below which the call itself costs more."""


def size_in_bytes(factor: Factor) -> int:
    """Memory of a factor."""
    return sum(prod(tensor.shape) * tensor.element_size() for tensor in factor.tensors)


@torch.no_grad()
def merged(factors: list[Factor]) -> Factor:
    """The sum of the gradients of all uses of one parameter."""
    if len(factors) == 1:
        return factors[0]
    factors = [factor.outer() if isinstance(factor, Gated) else factor for factor in factors]
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
