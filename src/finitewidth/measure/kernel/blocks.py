"""The kernel of many inputs, in blocks that fit the memory, with gradients of a few at a time."""

from collections.abc import Iterator
from itertools import pairwise

import torch

from finitewidth._memory import available, readable
from finitewidth.measure.kernel.contract import contract, output_by_output, prefers_full
from finitewidth.measure.kernel.factors import Factor, size_in_bytes
from finitewidth.measure.kernel.features import Features, Layouts, features
from finitewidth.measure.kernel.gathered import Gathered, keeps_full
from finitewidth.measure.kernel.samples import BASE
from finitewidth.measure.kernel.selection import Selection
from finitewidth.measure.kernel.symmetric import Symmetric
from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Model

CHUNK = 2**24
"""Bytes of gradients that are formed at once: about what caches hold."""


class Blocks:
    """The kernel, block of inputs by block of inputs.

    Parameters
    ----------
    model : Model
    selection : Selection
    accumulate : torch.dtype or None
        Of the contractions, if not the model's own.
    budget : int or None
        Bytes for intermediate results; half of the free memory if not given.
    check : bool
        Whether to look for inputs that influence each other, as the outputs come.
    """

    def __init__(
        self,
        model: Model,
        selection: Selection,
        accumulate: torch.dtype | None,
        budget: int | None,
        *,
        check: bool = False,
    ) -> None:
        self.model, self.selection, self.check = model, selection, check
        self.parameters: list[torch.Tensor] = [*model.parameters.values()]
        self.accumulate = accumulate
        self.budget = available() // 2 if budget is None else budget
        self.trace = not selection.keeps_outputs
        self.at_once = 2
        self.layouts: Layouts = {}

    @torch.no_grad()
    def kernel(self, first: Batch, second: Batch | None) -> torch.Tensor:
        """[B, B2, O, O], [B, B2, O] or [B, B2]."""
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

    def _symmetric(self, first: Batch, rows: list[slice]) -> torch.Tensor:
        """Blocks on and above the diagonal; the rest by symmetry."""
        blocks: dict[tuple[int, int], torch.Tensor] = {}
        for i, row in enumerate(rows):
            one = self._features(first[row])
            blocks[i, i] = self._with_itself(one)
            for j in range(i + 1, len(rows)):
                block = self._between(one, self._features(first[rows[j]]))
                blocks[i, j] = block
                blocks[j, i] = _mirrored(block)
        if len(rows) == 1:
            return blocks[0, 0]
        count = range(len(rows))
        return torch.cat([torch.cat([blocks[i, j] for j in count], dim=1) for i in count])

    def _features(self, x: Batch) -> Gathered:
        """Of a block, formed a few inputs at a time."""
        gathered = Gathered(len(x), trace=self.trace)
        for chunk in _chunks(len(x), self.at_once):
            few = x[chunk]
            gathered.put(chunk.start, len(few), self._few(few, pairs=chunk.start == 0))
        return gathered

    def _few(self, x: Batch, pairs: bool | None = None) -> Features:
        probe = torch.Generator(device=x.device).manual_seed(0)
        with torch.enable_grad():
            outputs = self.model.outputs(x)
            if self.check and pairs is not None:
                refuse_coupling(self.model, x, outputs.detach(), pairs=pairs)
            output = self.selection(outputs)
        found = features(output, self.parameters, probe, self.layouts)
        return found if self.accumulate is None else found.to(self.accumulate)

    def _with_itself(self, one: Gathered) -> torch.Tensor:
        if self.selection.kind == "diagonal":
            return self._between(one, one)
        factors, biases = list(one.factors.values()), one.biases
        total = Symmetric(
            len(factors[0].tensors[0]),
            max(factor.outputs for factor in factors),
            trace=self.trace,
            like=factors[0].tensors[0],
        )
        sides = dict(biases.values())
        for parameter, factor in one.factors.items():
            if parameter not in biases:
                total.add(factor, bias=sides.get(parameter))
        return total.kernel()

    def _between(self, one: Gathered, two: Gathered) -> torch.Tensor:
        total = None
        for parameter, factor in one.factors.items():
            other = two.factors.get(parameter)
            if other is not None:
                term = self._contracted(factor, other)
                total = term if total is None else total.add_(term)
        if total is None:  # no parameter matters to both blocks
            sides = [next(iter(block.factors.values())) for block in (one, two)]
            total = torch.zeros_like(self._contracted(*sides))
        return total if self.trace else total.permute(0, 2, 1, 3)

    def _contracted(self, one: Factor, two: Factor) -> torch.Tensor:
        if self.selection.kind == "diagonal":
            return output_by_output(one, two)
        return contract(one, two, trace=self.trace)

    def _block_size(self, x: Batch) -> int:
        """Inputs in a block, from what the first two need.

        Raises
        ------
        ValueError
            If one input does not fit the budget, or no trained parameter matters to the first two.
        """
        few = self._few(x[:2]).factors
        if not few:
            raise ValueError("the model's output does not depend on any of its trained parameters.")
        count = len(x[:2])
        formed = sum(size_in_bytes(factor) for factor in few.values()) / count
        kept = [_kept(factor, len(x), trace=self.trace) / count for factor in few.values()]
        formed_whole = (
            _in_full(f) for f in few.values() if prefers_full(f, len(x), trace=self.trace)
        )
        largest = max(formed_whole, default=0) / count
        # two blocks' features, one parameter of each in full, and what one input needs at once
        need = 2.0 * (sum(kept) + largest) + formed
        if need > self.budget:
            raise ValueError(
                f"memory_budget is {readable(self.budget)}, but the gradients of one input take "
                f"{readable(need)}; give at least that."
            )
        self.at_once = max(2, min(BASE, int(min(CHUNK, self.budget / 4) / formed)))
        return max(1, min(len(x), int((self.budget - formed) / (need - formed))))


def _in_full(factor: Factor) -> int:
    return len(factor.tensors[0]) * factor.outputs * factor.size * factor.tensors[0].element_size()


def _kept(factor: Factor, inputs: int, *, trace: bool) -> int:
    """Bytes of a factor as it is kept."""
    full = keeps_full(factor, inputs, trace=trace)
    return _in_full(factor) if full else size_in_bytes(factor)


def _chunks(count: int, size: int) -> list[slice]:
    """Slices of equal length, at most `size`, that cover all; the last may overlap the one before.

    Equal, so that what is found out about the first holds for all.
    """
    parts = -(-count // size)
    length = -(-count // parts)
    return [slice(start, start + length) for start in _starts(count, length, parts)]


def _starts(count: int, length: int, parts: int) -> list[int]:
    return [min(part * length, count - length) for part in range(parts)]


def _slices(count: int, size: int) -> Iterator[slice]:
    for start, stop in pairwise([*range(0, count, size), count]):
        yield slice(start, stop)


def _mirrored(block: torch.Tensor) -> torch.Tensor:
    return block.permute(1, 0, 3, 2) if block.dim() == 4 else block.transpose(0, 1)
