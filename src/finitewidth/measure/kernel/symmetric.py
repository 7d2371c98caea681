"""The kernel of a batch with itself: strips on and above the diagonal, the rest by symmetry."""

from itertools import pairwise

import torch
from torch.nn import functional

from finitewidth.measure.kernel.buffers import uninitialised
from finitewidth.measure.kernel.contract import costs, gram_order, prefers_full
from finitewidth.measure.kernel.factors import Factor, Full, Gated, Outer


class Symmetric:
    """Σ_θ ∂N_o(x_b) ∂N_p(x_c), parameter by parameter.

    Parameters
    ----------
    inputs, outputs : int
        B and O.
    trace : bool
        Sum over o = p.
    like : tensor
        For the dtype and the device.
    """

    def __init__(self, inputs: int, outputs: int, *, trace: bool, like: torch.Tensor) -> None:
        self.trace, self.outputs = trace, 1 if trace else outputs
        size = inputs * self.outputs
        self.total = torch.zeros(size, size, dtype=like.dtype, device=like.device)
        parts = max(1, min(_PARTS, size // _STRIP, inputs))
        bounds = [inputs * part // parts for part in range(parts + 1)]
        self.strips = list(pairwise(bounds))
        self._formed = torch.empty(0, dtype=like.dtype, device=like.device)

    def add(self, factor: Factor, *, bias: str | None = None) -> None:
        """Add one parameter's part, and that of its operation's bias.

        Parameters
        ----------
        factor : Factor
        bias : str, optional
            The side of the activations, ``"left"`` or ``"right"``, to which a column of ones is
            added for the bias (see `Features`).
        """
        if bias is not None:
            assert isinstance(factor, Outer)
            sides = {"left": factor.left, "right": factor.right}
            sides[bias] = functional.pad(sides[bias], (0, 1), value=1.0)
            factor = Outer(**sides)
        inputs = len(factor.tensors[0])
        if isinstance(factor, Gated):
            if not self.trace and prefers_full(factor, inputs, trace=False):
                self._add_gated(factor)
                return
            factor = factor.traced() if self.trace else factor.outer()
        if isinstance(factor, Outer) and not prefers_full(factor, inputs, trace=self.trace):
            self._add_outer(factor)
        else:
            self._add_full(self._full(factor))

    def kernel(self) -> torch.Tensor:
        """[B, B] if traced, else [B, B, O, O]; exactly symmetric."""
        for start, stop in self.strips:
            rows = slice(start * self.outputs, stop * self.outputs)
            rest = slice(stop * self.outputs, None)
            self.total[rest, rows] = self.total[rows, rest].T
            block = self.total[rows, rows]
            block.copy_((block + block.T) / 2)
        if self.trace:
            return self.total
        inputs = len(self.total) // self.outputs
        split = self.total.view(inputs, self.outputs, inputs, self.outputs)
        return split.permute(0, 2, 1, 3)

    def _full(self, factor: Factor) -> torch.Tensor:
        """[B, O, P], in memory that is used again by the next parameter."""
        if isinstance(factor, Full):
            return factor.gradient
        shape = len(factor.left), factor.outputs, factor.size
        wanted = shape[0] * shape[1] * shape[2]
        if self._formed.numel() < wanted:
            self._formed = uninitialised((wanted,), factor.left)
        target = self._formed[:wanted].view(shape)
        factor.write(target)
        return target

    def _add_full(self, gradient: torch.Tensor) -> None:
        rows = gradient.flatten(1) if self.trace else gradient.flatten(0, 1)
        work = float(len(rows)) ** 2 * rows.shape[1]
        for start, stop in self._strips(work):
            above = slice(start * self.outputs, None)
            strip = self.total[start * self.outputs : stop * self.outputs, above]
            strip.addmm_(rows[start * self.outputs : stop * self.outputs], rows[above].T)

    def _add_outer(self, factor: Outer) -> None:
        factor = Outer(factor.left.contiguous(), factor.right.contiguous())
        inputs = len(factor.left)
        work = costs(factor, factor, trace=self.trace)[0]
        for start, stop in self._strips(work):
            term = gram_order(factor[start:stop], factor[start:], trace=self.trace)
            if self.trace:
                self.total[start:stop, start:] += term
            else:
                split = self.total.view(inputs, self.outputs, inputs, self.outputs)
                split[start:stop, :, start:] += term

    def _add_gated(self, factor: Gated) -> None:
        """Σ_j u_oj u_pj ⟨M_j(x_b), M_j(x_c)⟩ with the rows M_j of the gradients without weights."""
        one = factor.plain
        inputs, j = len(one.left), factor.weights.shape[1]
        rows = self._full(one).view(inputs, one.left.shape[3], one.right.shape[3])
        if not factor.on_left:
            rows = rows.transpose(1, 2)
        rows = rows.transpose(0, 1)  # [J, B, I]
        pairs = (factor.weights[:, None] * factor.weights).view(-1, j)  # [O·O, J]
        split = self.total.view(inputs, self.outputs, inputs, self.outputs)
        for start, stop in self._strips(float(inputs) ** 2 * one.size):
            inner = rows[:, start:stop] @ rows[:, start:].transpose(1, 2)
            term = pairs @ inner.flatten(1)
            shape = self.outputs, self.outputs, stop - start, inputs - start
            split[start:stop, :, start:] += term.view(shape).permute(2, 0, 3, 1)

    def _strips(self, work: float) -> list[tuple[int, int]]:
        """One strip where the whole is not worth cutting; below the diagonal nothing is read."""
        return self.strips if work > _WORTH_CUTTING else [(0, self.strips[-1][1])]


_STRIP = 64
"""Rows of a strip at least: thinner products run below a processor's peak."""

_PARTS = 8
"""Strips at most: 9/16 of all pairs are then formed, and more strips hardly save more."""

_WORTH_CUTTING = 2**25
"""Multiply-adds."""
