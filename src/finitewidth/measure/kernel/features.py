"""One forward pass and a few backward ones: every parameter's gradient, sample by sample."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.autograd.graph import GradientEdge

from finitewidth.measure.kernel.factors import Factor, Full, Outer, merged
from finitewidth.measure.kernel.graph import Node, Use, uses
from finitewidth.measure.kernel.jacobian import jacobian
from finitewidth.measure.kernel.samples import rows_to_samples, scales
from finitewidth.measure.kernel.uses import OPERATIONS
from finitewidth.measure.kernel.uses.rows import FullRows, Rows

Selection = Callable[[torch.Tensor], torch.Tensor]
"""Outputs [B, O'] to those whose gradients are wanted, [B, O]."""


@dataclass(frozen=True)
class Features:
    """The gradients of a batch.

    Attributes
    ----------
    factors : dict
        Parameter to the factored gradient of all its uses.
    contracted : set
        Parameters whose gradient was never formed as a Jacobian.
    """

    factors: dict[torch.Tensor, Factor]
    contracted: set[torch.Tensor]

    def to(self, dtype: torch.dtype) -> "Features":
        """In another precision."""
        return Features({p: f.to(dtype) for p, f in self.factors.items()}, self.contracted)


def features(
    output: torch.Tensor, parameters: list[torch.Tensor], probe: torch.Generator
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
    """
    found = uses(output)
    wanted = [parameter for parameter in parameters if parameter in found]
    plans = {parameter: found[parameter] for parameter in wanted if _known(found[parameter])}
    edges = list(dict.fromkeys(use.node for here in plans.values() for use in here))
    gradients = _gradients(output, edges)
    owners = _Owners(output, edges, probe)
    factors: dict[torch.Tensor, Factor] = {}
    for parameter, here in plans.items():
        parts = [_factor(use, parameter, gradients[use.node], owners) for use in here]
        if all(part is not None for part in parts):
            factors[parameter] = merged([part for part in parts if part is not None])
    contracted = set(factors)
    rest = [parameter for parameter in wanted if parameter not in factors]
    factors |= {p: Full(j) for p, j in zip(rest, jacobian(output, rest), strict=True)}
    return Features(factors, contracted)


def _known(here: list[Use]) -> bool:
    return bool(here) and all(use.node.name() in OPERATIONS for use in here)


def _gradients(output: torch.Tensor, edges: list[Node]) -> dict[Node, torch.Tensor]:
    """∂N_o/∂(result of each operation), summed over inputs, [O, *shape]."""
    if not edges:
        return {}
    rows = []
    for index in range(output.shape[1]):
        with torch.enable_grad():
            total = output[:, index].sum()
        rows.append(_backward(total, edges))
    return {edge: torch.stack([row[i] for row in rows]) for i, edge in enumerate(edges)}


def _backward(scalar: torch.Tensor, edges: list[Node]) -> list[torch.Tensor]:
    """Gradients with respect to the results of operations, zeros where there is none."""
    found = torch.autograd.grad(
        scalar, [GradientEdge(edge, 0) for edge in edges], retain_graph=True, allow_unused=True
    )
    return [
        _zeros(edge) if gradient is None else gradient
        for edge, gradient in zip(edges, found, strict=True)
    ]


def _zeros(node: Node) -> torch.Tensor:
    meta = node._input_metadata[0]
    return torch.zeros(tuple(meta.shape), dtype=meta.dtype, device=meta.device)


class _Owners:
    """The input that each row of an operation belongs to, found once for every operation."""

    def __init__(self, output: torch.Tensor, edges: list[Node], probe: torch.Generator) -> None:
        self.batch = output.shape[0]
        self._passes: list[dict[Node, torch.Tensor]] = []
        self._known: dict[tuple[Node, int], torch.Tensor | None] = {}
        if self.batch > 1 and edges:
            weights = torch.randn(
                output.shape, generator=probe, dtype=output.dtype, device=output.device
            )
            for scale in scales(self.batch, output.device):
                value = weights * scale.to(weights.dtype)[:, None]
                with torch.enable_grad():
                    total = (output * value).sum()
                self._passes.append(dict(zip(edges, _backward(total, edges), strict=True)))

    def __call__(self, node: Node, leading: int) -> torch.Tensor | None:
        """[R], or None where inputs share a row; a weight and its bias ask the same."""
        if (node, leading) not in self._known:
            self._known[node, leading] = self._found(node, leading)
        return self._known[node, leading]

    def _found(self, node: Node, leading: int) -> torch.Tensor | None:
        parts = [found[node] for found in self._passes]
        if leading > 1:
            parts = [part.flatten(0, leading - 1) for part in parts]
        return rows_to_samples(parts, self.batch)


@torch.no_grad()
def _factor(
    use: Use, parameter: torch.Tensor, gradients: torch.Tensor, owners: _Owners
) -> Factor | None:
    """The part of a parameter's gradient that one use makes, None where it is not known how."""
    entry = OPERATIONS[use.node.name()]
    rows = entry.rows(use, parameter, gradients)
    if rows is None:
        return None
    if use.factor != 1.0:
        rows = rows.scaled(use.factor)
    if owners.batch == 1:
        return _by_sample(rows, None, 1)
    owner = owners(use.node, entry.leading(use, parameter, gradients.dim() - 1))
    return None if owner is None else _by_sample(rows, owner, owners.batch)


def _by_sample(rows: Rows, owner: torch.Tensor | None, batch: int) -> Factor:
    if isinstance(rows, FullRows):
        outputs, _, size = rows.gradient.shape
        if owner is None:
            return Full(rows.gradient.sum(dim=1, keepdim=True).transpose(0, 1))
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
            split = side.view(outputs, batch, each * positions, size)
            return split.transpose(0, 1)
        if bool((owner[known] == (rows % batch)[known]).all()):
            split = side.view(outputs, each, batch, positions, size)
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
