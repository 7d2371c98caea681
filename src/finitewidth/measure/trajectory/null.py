"""`null_band`: how far apart two seeds are at initialisation, in the quantities of a trajectory.

Two networks that differ by their seed alone differ in every quantity of the record. A change in
training that is smaller than that cannot be told from having drawn another seed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch

from finitewidth._shapes import Float
from finitewidth.measure.factory import Factory, build, built_twice, fingerprint, refuse_identical
from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.model import Forward
from finitewidth.measure.model.random_state import kept_random_state
from finitewidth.measure.seeds import checked_seeds
from finitewidth.measure.trajectory.measuring import Measured, Probe
from finitewidth.measure.trajectory.quantities import (
    alignments,
    checked_targets,
    effective_ranks,
    shares,
    spectra,
)
from finitewidth.store.records import Record, digest

SERIES = "null"
"""Of the band in a file of records."""

BEYOND = 3
"""Seeds, by S·min(q, 1−q), that lie beyond a quantile q for it to be told from the extreme."""

RESAMPLES = 400


@dataclass(frozen=True)
class NullBand:
    """Quantiles of |Q(s) − Q(s')| over pairs of seeds s ≠ s' at initialisation.

    Attributes
    ----------
    quantiles : array [Q]
        Which.
    values, errors : dict of str to array [Q]
        Of ``distance`` (‖K_s − K_s'‖/‖K_s'‖), ``trace``, ``effective_rank``, ``alignment`` (where
        targets are given), and [Q, L] of ``layer_share``; standard errors by the bootstrap over
        seeds.
    layers : list of str
        L names.
    seeds : int
        How many networks.
    identity : dict
        Of the trained parameters, the probe set and the targets, compared with a record's.
    """

    quantiles: Float[np.ndarray, " Q"]
    values: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    layers: list[str]
    seeds: int
    identity: dict[str, Any]

    def as_record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and note of a record."""
        arrays = {"quantiles": self.quantiles}
        for name in self.values:
            arrays[f"{name}/value"] = self.values[name]
            arrays[f"{name}/error"] = self.errors[name]
        return arrays, {"layers": self.layers, "seeds": self.seeds, "identity": self.identity}

    @classmethod
    def from_record(cls, record: Record) -> "NullBand":
        """The band that a record holds."""
        ends = {
            end: {
                name.removesuffix(end): array
                for name, array in record.arrays.items()
                if name.endswith(end)
            }
            for end in ("/value", "/error")
        }
        note = record.note
        return cls(
            record.arrays["quantiles"],
            ends["/value"],
            ends["/error"],
            note["layers"],
            note["seeds"],
            note["identity"],
        )


def null_band(
    make_model: Factory,
    X_probe: object,
    seeds: int | Sequence[int] = 32,
    y: object = None,
    *,
    quantiles: Sequence[float] = (0.1, 0.5, 0.9),
    forward: Forward | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullBand:
    """How much the quantities of a record differ between seeds at initialisation.

    Parameters
    ----------
    make_model : callable
        As in `ensemble`; a
        BatchNorm must come calibrated.
    X_probe : tensor or array [B, …]
    seeds : int or sequence of int
        How many (0, 1, …), or which.
    y : tensor or array [B] or [B, O], optional
        Targets, as for `Recorder`.
    quantiles : sequence of float
        Between 0 and 1; each needs at least three seeds beyond it.
    forward : callable, optional
        As in `kernel`.
    progress : callable, optional
        Called with (seeds done, seeds in all).

    Returns
    -------
    NullBand

    Raises
    ------
    ValueError
        As `Recorder`; for too few or repeated seeds, or a factory that ignores its seed.
    TypeError
        As `Recorder`, and for a factory that is none.

    Notes
    -----
    Of every quantity the difference between two seeds is taken, so that the band can be compared
    with a change in training: both compare two networks. Torch's random numbers are put back.
    """
    chosen = checked_seeds(seeds, least=0)
    wanted = _checked_quantiles(quantiles, len(chosen))
    probe, kernels, found, prints = None, [], [], []
    targets = None
    with kept_random_state():
        built_twice(make_model, chosen)
    for count, seed in enumerate(chosen):
        with kept_random_state():
            model = build(make_model, seed)
            if probe is None:
                probe = Probe(model, X_probe, forward)
            one = probe.measure(model)
        prints.append(fingerprint(model))
        if count == 0 and y is not None:
            targets = checked_targets(y, len(one.kernel), one.outputs.shape[1])
        if count == 1:
            refuse_identical(prints[0], prints[1], chosen)
        kernels.append(one.kernel)
        found.append(one)
        if progress is not None:
            progress(count + 1, len(chosen))
    assert probe is not None
    pairs = differences(found, targets)
    values, errors = {}, {}
    for name, pair in pairs.items():
        values[name], errors[name] = with_errors(pair, wanted)
    return NullBand(wanted, values, errors, probe.layers, len(chosen), identity(probe, targets))


def identity(probe: Probe, targets: Float[np.ndarray, "B O"] | None) -> dict[str, Any]:
    """What a band and a record must share, its keys the words of a refusal."""
    return {
        "the model's trained parameters": probe.parameters,
        **{name: digest(array) for name, array in as_arrays(probe.inputs).items()},
        "y": None if targets is None else digest(targets),
    }


def as_arrays(inputs: Batch) -> dict[str, np.ndarray]:
    """Inputs as the numbers of a record: X_probe, or X_probe/name of several tensors."""
    names = inputs.names or range(len(inputs.tensors))
    several = inputs.several or inputs.names is not None
    return {
        f"X_probe/{name}" if several else "X_probe": _numbers(tensor)
        for name, tensor in zip(names, inputs.tensors, strict=True)
    }


def _numbers(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.double() if tensor.is_floating_point() else tensor.long()).numpy()


def differences(
    found: Iterable[Measured], targets: Float[np.ndarray, "B O"] | None
) -> dict[str, Float[np.ndarray, "S S ..."]]:
    """|Q(s) − Q(s')| for every pair of seeds, ‖K_s − K_s'‖/‖K_s'‖ for the distance."""
    measured = list(found)
    kernels = np.stack([one.kernel for one in measured])
    traces = np.trace(kernels, axis1=1, axis2=2)
    parts = shares(np.stack([one.layer_traces for one in measured]))
    norms = np.linalg.norm(kernels, axis=(1, 2))
    apart = np.array([np.linalg.norm(kernels - one, axis=(1, 2)) for one in kernels])
    scores = {"trace": traces, "effective_rank": effective_ranks(spectra(kernels))}
    if targets is not None:
        scores["alignment"] = alignments(kernels, targets)
    scores["layer_share"] = parts
    return {
        "distance": apart / norms,
        **{name: np.abs(score[:, None] - score[None, :]) for name, score in scores.items()},
    }


def with_errors(
    pairs: Float[np.ndarray, "S S ..."], quantiles: Float[np.ndarray, " Q"]
) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles over ordered pairs s ≠ s', and their errors by resampling seeds, not pairs.

    Pairs that share a seed are not independent; drawing whole seeds, with replacement, keeps that.
    A seed that is drawn twice makes no pair with itself.
    """
    size = len(pairs)
    rng = np.random.default_rng(0)

    def of(chosen: np.ndarray) -> np.ndarray:
        distinct = chosen[:, None] != chosen[None, :]
        return np.quantile(pairs[np.ix_(chosen, chosen)][distinct], quantiles, axis=0)

    drawn = [of(rng.integers(size, size=size)) for _ in range(RESAMPLES)]
    return of(np.arange(size)), np.std(drawn, axis=0, ddof=1)


def _checked_quantiles(quantiles: Sequence[float], seeds: int) -> Float[np.ndarray, " Q"]:
    try:
        found = np.array([float(q) for q in quantiles])
    except (TypeError, ValueError):
        raise TypeError(f"quantiles is {quantiles!r}, expected numbers between 0 and 1.") from None
    if not len(found) or not ((found > 0) & (found < 1)).all() or (np.diff(found) <= 0).any():
        raise ValueError(
            f"quantiles is {list(quantiles)!r}, expected ascending numbers between 0 and 1."
        )
    extreme = float(np.minimum(found, 1 - found).min())
    needed = ceil(BEYOND / extreme - 1e-9)
    if seeds < needed:
        raise ValueError(
            f"{seeds} seeds are too few for quantiles {', '.join(f'{q:g}' for q in found)}; give "
            f"at least {needed}, or quantiles nearer to 0.5."
        )
    return found
