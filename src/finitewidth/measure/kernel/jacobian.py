"""Per-sample Jacobians, for what no faster way is known."""

import warnings

import torch

_AT_ONCE = 64
"""Backward passes that are batched."""


def jacobian(output: torch.Tensor, parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    """∂N_o(x_b)/∂θ of each parameter, [B, O, P].

    Parameters
    ----------
    output : tensor [B, O]
        With its graph, which is kept.
    parameters : list of tensor
    """
    if not parameters:
        return []
    batch, outputs = output.shape
    with torch.enable_grad():
        flat = output.reshape(-1)
    pieces: list[tuple[torch.Tensor, ...]] = []
    for start in range(0, flat.numel(), _AT_ONCE):
        stop = min(start + _AT_ONCE, flat.numel())
        pieces.append(_rows(flat, parameters, range(start, stop)))
    return [
        torch.cat([piece[i] for piece in pieces]).view(batch, outputs, -1)
        for i in range(len(parameters))
    ]


def _rows(
    flat: torch.Tensor, parameters: list[torch.Tensor], chosen: range
) -> tuple[torch.Tensor, ...]:
    directions = torch.zeros(len(chosen), flat.numel(), dtype=flat.dtype, device=flat.device)
    directions[range(len(chosen)), list(chosen)] = 1.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # operations without a batching rule are looped over
            rows = torch.autograd.grad(
                flat, parameters, directions, retain_graph=True, is_grads_batched=True,
                allow_unused=True,
            )  # fmt: skip
        if any(row is not None and row.is_sparse for row in rows):
            raise RuntimeError  # which are not batched as they should be
    except Exception:  # noqa: BLE001 - a backward pass may be anybody's code
        each = [
            torch.autograd.grad(flat, parameters, row, retain_graph=True, materialize_grads=True)
            for row in directions
        ]
        rows = tuple(
            torch.stack([row.to_dense() if row.is_sparse else row for row in column])
            for column in zip(*each, strict=True)
        )
    # materialize_grads would leave out the axis of the directions
    return tuple(
        flat.new_zeros(len(chosen), parameter.numel())
        if row is None
        else row.reshape(len(chosen), -1)
        for row, parameter in zip(rows, parameters, strict=True)
    )
