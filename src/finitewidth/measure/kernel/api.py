"""`kernel`: the empirical neural tangent kernel of any module."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn

from finitewidth._memory import available, readable
from finitewidth.measure.kernel.contract import contract, size_in_bytes
from finitewidth.measure.kernel.features import Features, features
from finitewidth.measure.kernel.forward import (
    checked_input,
    refuse_coupling,
    refuse_modules,
    refuse_randomness,
    run,
    trained_parameters,
    untouched,
)
from finitewidth.measure.kernel.selection import Selection


def kernel(
    model: nn.Module,
    X: object,
    X2: object = None,
    outputs: str | int = "all",
    *,
    accumulate: torch.dtype | None = None,
    memory_budget: int | None = None,
) -> torch.Tensor:
    """K(x, x')_{op} = Σ_θ ∂N_o(x)/∂θ ∂N_p(x')/∂θ over the parameters that require gradients.

    Exact for any module whose output of one input does not depend on the others. The gradient of a
    matrix is never formed where its factors (activations and output gradients) are cheaper.

    Parameters
    ----------
    model : torch.nn.Module
        Returning one tensor [B, …]; trailing axes count as outputs O.
    X, X2 : tensor or array [B, …], [B2, …]
        Inputs; X2 = X if not given.
    outputs : "all", "trace", "sum" or int
        Both outputs kept, Σ_o K_oo, the kernel of the sum of the outputs, or of one output.
    accumulate : torch.dtype, optional
        Precision of the contractions, e.g. torch.float64; the model's own if not given.
    memory_budget : int, optional
        Bytes for intermediate results; half of the free memory if not given. Inputs are taken in
        blocks that keep within it.

    Returns
    -------
    tensor
        Detached: [B, B2, O, O] for "all", else [B, B2]. Symmetric if X2 is not given.

    Raises
    ------
    ValueError
        For a model without trained parameters, random or batch-coupled models, nan, inputs the
        model cannot take, or a budget too small for one input (the sentence says the least).
    TypeError
        For anything but a module that returns one tensor.

    Notes
    -----
    Method: docs, "Any PyTorch model".
    """
    selection = Selection.read(outputs)
    parameters = list(trained_parameters(model).values())
    refuse_modules(model)
    first = checked_input(model, X, "X")
    second = None if X2 is None else checked_input(model, X2, "X2")
    if second is not None and second.shape[1:] != first.shape[1:]:
        raise ValueError(
            f"X2 has shape {list(second.shape)} and X {list(first.shape)}; expected inputs of one "
            "shape."
        )
    with untouched(model), torch.enable_grad():
        refuse_randomness(model, first)
        refuse_coupling(model, first)
        total = _Blocks(model, parameters, selection, accumulate, memory_budget)
        return total.kernel(first, second).detach()


class _Blocks:
    """The kernel, block of inputs by block of inputs."""

    def __init__(
        self,
        model: nn.Module,
        parameters: list[nn.Parameter],
        selection: Selection,
        accumulate: torch.dtype | None,
        budget: int | None,
    ) -> None:
        self.model, self.parameters, self.selection = model, parameters, selection
        self.accumulate = accumulate
        self.budget = available() // 2 if budget is None else budget

    def kernel(self, first: torch.Tensor, second: torch.Tensor | None) -> torch.Tensor:
        """[B, B2, O, O] or [B, B2]."""
        size = self._block_size(first)
        rows = list(_slices(len(first), size))
        if second is None:
            return self._symmetric(first, rows)
        columns = list(_slices(len(second), size))
        kept = self._features(second[columns[0]]) if len(columns) == 1 else None
        found = []
        for row in rows:
            one = self._features(first[row])
            found.append(
                torch.cat(
                    [
                        self._between(one, kept or self._features(second[column]))
                        for column in columns
                    ],
                    dim=1,
                )
            )
        return torch.cat(found)

    def _symmetric(self, first: torch.Tensor, rows: list[slice]) -> torch.Tensor:
        """Blocks on and above the diagonal; the rest by symmetry."""
        blocks: dict[tuple[int, int], torch.Tensor] = {}
        for i, row in enumerate(rows):
            one = self._features(first[row])
            blocks[i, i] = _symmetrised(self._between(one, one))
            for j in range(i + 1, len(rows)):
                block = self._between(one, self._features(first[rows[j]]))
                blocks[i, j] = block
                blocks[j, i] = _mirrored(block)
        count = range(len(rows))
        return torch.cat([torch.cat([blocks[i, j] for j in count], dim=1) for i in count])

    def _features(self, x: torch.Tensor) -> Features:
        probe = torch.Generator(device=x.device).manual_seed(0)
        output = self.selection(run(self.model, x))
        found = features(output, list(self.parameters), probe)
        return found if self.accumulate is None else found.to(self.accumulate)

    def _between(self, one: Features, two: Features) -> torch.Tensor:
        trace = not self.selection.keeps_outputs
        total = None
        for parameter, factor in one.factors.items():
            other = two.factors.get(parameter)
            if other is not None:
                term = contract(factor, other, trace=trace)
                total = term if total is None else total.add_(term)
        if total is None:  # no parameter matters to both blocks
            shapes = [next(iter(f.factors.values())).full() for f in (one, two)]
            outputs = [shape.shape[1] for shape in shapes]
            total = shapes[0].new_zeros(len(shapes[0]), outputs[0], len(shapes[1]), outputs[1])
            total = total[:, 0, :, 0] if trace else total
        return total if trace else total.permute(0, 2, 1, 3)

    def _block_size(self, x: torch.Tensor) -> int:
        """Inputs in a block, from what the first two need.

        Raises
        ------
        ValueError
            If one input does not fit the budget.
        """
        few = self._features(x[:2])
        each = sum(size_in_bytes(factor) for factor in few.factors.values()) / len(x[:2])
        need = 4.0 * each  # two blocks' features, and as much again while they are formed
        if need > self.budget:
            raise ValueError(
                f"memory_budget is {readable(self.budget)}, but the gradients of one input take "
                f"{readable(need)}; give at least that."
            )
        return max(1, min(len(x), int(self.budget / need)))


def _slices(count: int, size: int) -> Iterator[slice]:
    bounds = [*range(0, count, size), count]
    for start, stop in pairwise(bounds):
        yield slice(start, stop)


def _mirrored(block: torch.Tensor) -> torch.Tensor:
    return block.transpose(0, 1) if block.dim() == 2 else block.permute(1, 0, 3, 2)


def _symmetrised(block: torch.Tensor) -> torch.Tensor:
    """Rounding removed from a block that is symmetric."""
    return (block + _mirrored(block)) / 2
