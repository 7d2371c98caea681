"""What is told of a sequence of kernels: distances, velocity, spectrum, rank, alignment.

Formulas: docs, "The kernel during training". Everything in float64.
"""

import numpy as np

from finitewidth._shapes import Float, Int
from finitewidth.measure.spectrum import alignment


def distances(
    kernels: Float[np.ndarray, "T B B"], to: Float[np.ndarray, "T B B"]
) -> Float[np.ndarray, " T"]:
    """‖K_t − R_t‖/‖R_t‖ in the Frobenius norm."""
    return np.linalg.norm(kernels - to, axis=(1, 2)) / np.linalg.norm(to, axis=(1, 2))


def to_first(kernels: Float[np.ndarray, "T B B"]) -> Float[np.ndarray, " T"]:
    """Distance to the first kernel."""
    return distances(kernels, np.broadcast_to(kernels[:1], kernels.shape))


def to_last(kernels: Float[np.ndarray, "T B B"]) -> Float[np.ndarray, " T"]:
    """Distance to the kernel before; nan for the first, which has none."""
    return np.concatenate([[np.nan], distances(kernels[1:], kernels[:-1])])


def per(
    distance: Float[np.ndarray, " T"], axis: Float[np.ndarray, " T"] | Int[np.ndarray, " T"]
) -> Float[np.ndarray, " T"]:
    """Distance to the last record over what lies between (steps, or time)."""
    return distance / np.concatenate([[np.nan], np.diff(axis)])


def spectra(kernels: Float[np.ndarray, "T B B"]) -> Float[np.ndarray, "T B"]:
    """Eigenvalues, descending."""
    return np.linalg.eigvalsh(kernels)[:, ::-1]


def effective_ranks(eigenvalues: Float[np.ndarray, "T B"]) -> Float[np.ndarray, " T"]:
    """exp of the entropy of the eigenvalues over their sum (Roy & Vetterli 2007)."""
    positive = np.maximum(eigenvalues, 0.0)
    shares = positive / positive.sum(axis=1, keepdims=True)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return np.exp(-(shares * logs).sum(axis=1))


def alignments(
    kernels: Float[np.ndarray, "T B B"], targets: Float[np.ndarray, "B O"]
) -> Float[np.ndarray, " T"]:
    """⟨K, y yᵀ⟩/(‖K‖ ‖y yᵀ‖)."""
    return np.array([alignment(kernel, targets) for kernel in kernels])


def shares(parts: Float[np.ndarray, "T L"]) -> Float[np.ndarray, "T L"]:
    """Each layer's part of the trace; a row sums to 1."""
    return parts / parts.sum(axis=1, keepdims=True)


def checked_targets(y: object, inputs: int, outputs: int) -> Float[np.ndarray, "B O"]:
    """Targets as an array [B, …], whole numbers as classes where there are several outputs.

    Parameters
    ----------
    y : tensor or array [B] or [B, O]
    inputs, outputs : int
        B and O.

    Raises
    ------
    TypeError
        If they are no numbers.
    ValueError
        For another length, nan, classes that the outputs do not have, or targets all 0.
    """
    try:
        detach = getattr(y, "detach", None)
        found = np.asarray(y if detach is None else detach().cpu().numpy())
    except (TypeError, ValueError, RuntimeError):
        found = np.asarray(None)
    if found.dtype.kind not in "fiub":
        raise TypeError(f"y is {type(y).__name__}, expected a tensor or an array of real numbers.")
    if found.ndim == 0 or len(found) != inputs:
        raise ValueError(
            f"y has shape {list(found.shape)} for {inputs} probe inputs, expected [{inputs}] or "
            f"[{inputs}, outputs]."
        )
    if found.dtype.kind != "f" and found.ndim == 1 and outputs > 1:
        if found.min() < 0 or found.max() >= outputs:
            raise ValueError(
                f"y holds classes {found.min()} … {found.max()}, but the model has {outputs} "
                f"outputs (0 … {outputs - 1}); give targets [B, O] if they are no classes."
            )
        return np.eye(outputs)[found.astype(int)]
    targets = found.astype(np.float64).reshape(inputs, -1)
    if not np.isfinite(targets).all():
        raise ValueError("y holds nan or infinite numbers, expected finite ones.")
    if not targets.any():
        raise ValueError("y is all 0, so no kernel aligns with it; leave y out.")
    return targets
