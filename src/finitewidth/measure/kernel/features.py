"""One forward pass and a few backward ones: every parameter's gradient, sample by sample."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch.autograd.graph import GradientEdge

from finitewidth.measure.kernel.factors import Factor, Full, Gated, Outer, merged
from finitewidth.measure.kernel.gate import gated
from finitewidth.measure.kernel.jacobian import jacobian
from finitewidth.measure.kernel.layout import signature
from finitewidth.measure.kernel.operations import OPERATIONS
from finitewidth.measure.kernel.operations.rows import FullRows, OuterRows, Rows
from finitewidth.measure.kernel.samples import rows_to_samples, scales
from finitewidth.measure.model.graph import Node, Use, uses

Selection = Callable[[torch.Tensor], torch.Tensor]
"""Outputs [B, O'] to those whose gradients are wanted, [B, O]."""


Layouts = dict[Hashable, dict[tuple[int, int], torch.Tensor]]
"""Owners of the rows of the n-th operation with so many leading axes, by a graph's signature."""


Biases = dict[torch.Tensor, tuple[torch.Tensor, str]]
"""Bias to weight and ``"left"`` or ``"right"``."""


@dataclass(frozen=True)
class Features:
    """The gradients of a batch.

    Attributes
    ----------
    factors : dict
        Parameter to the factored gradient of all its uses.
    contracted : set
        Parameters whose gradient was never formed as a Jacobian.
    biases : dict
        Bias to the weight of the same operation and the side of its activations, where the bias's
        gradient is the other side: both kernels are (1 + activations) (output gradients).
    """

    factors: dict[torch.Tensor, Factor]
    contracted: set[torch.Tensor]
    biases: Biases

    def to(self, dtype: torch.dtype) -> "Features":
        """In another precision."""
        factors = {p: f.to(dtype) for p, f in self.factors.items()}
        return Features(factors, self.contracted, self.biases)


def features(
    output: torch.Tensor,
    parameters: list[torch.Tensor],
    probe: torch.Generator,
    layouts: Layouts | None = None,
) -> Features:
    """Factored gradients of the outputs with respect to the parameters.

    Parameters
    ----------
    output : tensor [B, O]
        Of a forward pass with gradients enabled.
    parameters : list of tensor
        Those that require gradients; the ones the output does not depend on are left out.
    probe : torch.Generator
        For the weights of the experiment in `samples`.
    layouts : dict, optional
        What the experiment told of earlier inputs of the same model; added to.
    """
    found = uses(output)
    wanted = [parameter for parameter in parameters if parameter in found]
    plans = {parameter: found[parameter] for parameter in wanted if _known(found[parameter])}
    edges = list(dict.fromkeys(use.node for here in plans.values() for use in here))
    gradients = _gradients(output, edges)
    owners = _Owners(output, edges, probe, layouts)
    factors: dict[torch.Tensor, Factor] = {}
    for parameter, here in plans.items():
        parts = [
            _factor(use, parameter, gradients[use.node], owners, alone=len(here) == 1)
            for use in here
        ]
        if all(part is not None for part in parts):
            factors[parameter] = merged([part for part in parts if part is not None])
    contracted = set(factors)
    rest = [parameter for parameter in wanted if parameter not in factors]
    factors |= {p: Full(j) for p, j in zip(rest, jacobian(output, rest), strict=True)}
    return Features(factors, contracted, _biases(plans, factors))


def _biases(plans: dict[torch.Tensor, list[Use]], factors: dict[torch.Tensor, Factor]) -> Biases:
    weights: dict[Node, tuple[torch.Tensor, str]] = {}
    biases: dict[Node, torch.Tensor] = {}
    for parameter, here in plans.items():
        use = here[0]
        if len(here) > 1 or use.factor != 1.0 or use.node.name() != "AddmmBackward0":
            continue
        factor = factors.get(parameter)
        if use.place == 0 and use.node._saved_beta == 1 and isinstance(factor, Full):
            biases[use.node] = parameter
        if use.place == 2 and isinstance(factor, Outer) and factor.left.shape[2] == 1:
            weights[use.node] = parameter, "right" if use.transposed else "left"
    return {bias: weights[node] for node, bias in biases.items() if node in weights}


def _known(here: list[Use]) -> bool:
    return bool(here) and all(use.node.name() in OPERATIONS for use in here)


def _gradients(output: torch.Tensor, edges: list[Node]) -> dict[Node, torch.Tensor]:
    """∂N_o/∂(result of each operation), summed over inputs, [O, *shape]."""
    if not edges:
        return {}
    found: dict[Node, torch.Tensor] = {}
    for index in range(output.shape[1]):
        direction = torch.zeros_like(output)
        direction[:, index] = 1.0
        row = _backward(output, direction, edges)
        if output.shape[1] == 1:
            return {edge: gradient[None] for edge, gradient in zip(edges, row, strict=True)}
        if not found:
            found = {
                e: g.new_empty(output.shape[1], *g.shape) for e, g in zip(edges, row, strict=True)
            }
        for edge, gradient in zip(edges, row, strict=True):
            found[edge][index] = gradient
    return found


def _backward(
    output: torch.Tensor, direction: torch.Tensor, edges: list[Node]
) -> list[torch.Tensor]:
    """Gradients with respect to the results of operations, zeros where there is none."""
    found = torch.autograd.grad(
        output, [GradientEdge(edge, 0) for edge in edges], direction, retain_graph=True,
        allow_unused=True,
    )  # fmt: skip
    return [
        _zeros(edge) if gradient is None else gradient
        for edge, gradient in zip(edges, found, strict=True)
    ]


def _zeros(node: Node) -> torch.Tensor:
    meta = node._input_metadata[0]
    return torch.zeros(tuple(meta.shape), dtype=meta.dtype, device=meta.device)


class _Owners:
    """The input that each row of an operation belongs to, found once for every operation."""

    def __init__(
        self,
        output: torch.Tensor,
        edges: list[Node],
        probe: torch.Generator,
        layouts: Layouts | None,
    ) -> None:
        self.output, self.probe, self.batch = output, probe, output.shape[0]
        self.places = {edge: place for place, edge in enumerate(edges)}
        self._passes: list[list[torch.Tensor]] = []
        self._known: dict[tuple[int, int], torch.Tensor | None] = {}
        self._earlier: dict[tuple[int, int], torch.Tensor] = {}
        if layouts is not None and self.batch > 1:
            mark = signature(output)
            if mark is not None:
                self._earlier = layouts.setdefault(mark, {})

    def __call__(self, node: Node, leading: int) -> torch.Tensor | None:
        """[R], or None where inputs share a row; a weight and its bias ask the same."""
        key = self.places[node], leading
        if key not in self._known:
            self._known[key] = self._earlier.get(key)
            if self._known[key] is None:
                self._known[key] = found = self._found(*key)
                if found is not None and bool((found >= 0).all()):
                    self._earlier[key] = found  # a row that is 0 now may not be 0 later
        return self._known[key]

    def _found(self, place: int, leading: int) -> torch.Tensor | None:
        if not self._passes:
            self._passes = self._experiment()
        parts = [found[place] for found in self._passes]
        if leading > 1:
            parts = [part.flatten(0, leading - 1) for part in parts]
        return rows_to_samples(parts, self.batch)

    def _experiment(self) -> list[list[torch.Tensor]]:
        weights = torch.randn(
            self.output.shape,
            generator=self.probe,
            dtype=self.output.dtype,
            device=self.output.device,
        )
        return [
            _backward(self.output, weights * scale[:, None], list(self.places))
            for scale in scales(self.batch, self.output)
        ]


@torch.no_grad()
def _factor(
    use: Use,
    parameter: torch.Tensor,
    gradients: torch.Tensor,
    owners: _Owners,
    *,
    alone: bool,
) -> Factor | None:
    """The part of a parameter's gradient that one use makes, None where it is not known how."""
    entry = OPERATIONS[use.node.name()]
    rows = entry.rows(use, parameter, gradients)
    if rows is None:
        return None
    if use.factor != 1.0:
        rows = rows.scaled(use.factor)
    owner = None
    if owners.batch > 1:
        owner = owners(use.node, entry.leading(use, parameter, gradients.dim() - 1))
        if owner is None:
            return None
    many = isinstance(rows, OuterRows) and rows.left.shape[2] > 1  # else there is little to gain
    gate = gated(rows) if alone and many else None
    if gate is None:
        return _by_sample(rows, owner, owners.batch)
    left, right = (
        _grouped(side, owner, owners.batch) for side in (gate.rows.left, gate.rows.right)
    )
    return Gated(left, right, gate.weights, gate.on_left)


def _by_sample(rows: Rows, owner: torch.Tensor | None, batch: int) -> Factor:
    if isinstance(rows, FullRows):
        outputs, _, size = rows.gradient.shape
        if owner is None:
            return Full(rows.gradient.sum(dim=1, keepdim=True).transpose(0, 1))
        count = len(owner)
        if count % batch == 0:  # batch first or sequence first: a sum over a view
            each, row = count // batch, torch.arange(count, device=owner.device)
            if bool(((owner == row // each) | (owner < 0)).all()):
                split = rows.gradient.reshape(outputs, batch, each, size)
                return Full((split[:, :, 0] if each == 1 else split.sum(dim=2)).transpose(0, 1))
            if bool(((owner == row % batch) | (owner < 0)).all()):
                return Full(
                    rows.gradient.reshape(outputs, each, batch, size).sum(dim=1).transpose(0, 1)
                )
        known = owner >= 0
        total = rows.gradient.new_zeros(batch, outputs, size)
        total.index_add_(0, owner[known], rows.gradient.transpose(0, 1)[known])
        return Full(total)
    return Outer(*(_grouped(side, owner, batch) for side in (rows.left, rows.right)))


def _grouped(side: torch.Tensor, owner: torch.Tensor | None, batch: int) -> torch.Tensor:
    """[O, R, T, I] to [B, O, T', I]: the rows of one input side by side."""
    outputs, count, positions, size = side.shape
    if owner is None:
        return side.reshape(1, outputs, count * positions, size)
    rows = torch.arange(count, device=side.device)
    if count % batch == 0:
        each = count // batch
        known = owner >= 0
        if bool((owner[known] == (rows // each)[known]).all()):
            split = side.reshape(outputs, batch, each * positions, size)
            return split.transpose(0, 1)
        if bool((owner[known] == (rows % batch)[known]).all()):
            split = side.reshape(outputs, each, batch, positions, size)
            return split.permute(2, 0, 1, 3, 4).reshape(batch, outputs, each * positions, size)
    counts = torch.bincount(owner[owner >= 0], minlength=batch)
    most = int(counts.max())
    table = torch.full((batch, most), count, device=side.device)
    for sample in range(batch):
        mine = rows[owner == sample]
        table[sample, : len(mine)] = mine
    padded = torch.cat([side, side.new_zeros(outputs, 1, positions, size)], dim=1)
    chosen = padded[:, table.flatten()].view(outputs, batch, most * positions, size)
    return chosen.transpose(0, 1)
