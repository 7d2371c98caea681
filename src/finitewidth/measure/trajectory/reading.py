"""`open_record`: a recorded trajectory as an xarray Dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth._extras import needed_for
from finitewidth.measure.trajectory import quantities
from finitewidth.measure.trajectory.null import SERIES, NullBand
from finitewidth.store.records import Experiment, Reader, Record

if TYPE_CHECKING:
    import xarray

KIND = "trajectory"

BEYOND_ERRORS = 2.0
"""Standard errors of the null quantile by which a change must exceed it to count as moved."""

Variables = dict[str, tuple[tuple[str, ...], Any, dict[str, str]]]


def open_record(path: str | Path, *, skip_damaged: bool = False) -> "xarray.Dataset":
    """Read what a `Recorder` wrote, during training or afterwards.

    Parameters
    ----------
    path : str or path
        The file; nothing in it is executed or unpickled.
    skip_damaged : bool
        Leave damaged records out instead of refusing the file.

    Returns
    -------
    xarray.Dataset
        By step: ``kernel``, ``trace``, ``distance`` (to the first record), ``distance_last``,
        ``velocity``, ``velocity_time``, ``alignment``, ``eigenvalues``, ``effective_rank``,
        ``layer_share``, ``outputs``, ``loss``; with a null band ``…_null``, ``…_null_error`` by
        quantile, ``moved`` and ``moved_at``. nan stands where there is nothing: the distance to
        the last record at the first, a loss that was not handed over.

    Raises
    ------
    ValueError
        If there is no such file, it is none of a Recorder, or of another version of the format.
    RuntimeError
        If a record is damaged or may be missing (the sentence says why), or xarray is not
        installed.

    Notes
    -----
    Formulas: docs, "The kernel during training".
    """
    with needed_for("Datasets", "torch"):
        import xarray
    with Reader(path) as reader:
        experiment = reader.experiment
        if experiment.kind != KIND:
            raise ValueError(
                f"{path} holds a record of kind {experiment.kind!r}, expected one of a Recorder."
            )
        if not skip_damaged:
            reader.refuse_damage_beside(("", SERIES))
        records = list(reader.records(skip_damaged=skip_damaged))
        stored = list(reader.records(SERIES, skip_damaged=skip_damaged))
    if not records:
        raise ValueError(f"{path} holds no record yet.")
    variables, coordinates = _trajectory(records, experiment)
    if stored:
        band = NullBand.from_record(stored[0])
        variables |= _null(band, variables, coordinates["step"][1])
        coordinates["quantile"] = (("quantile",), band.quantiles, {"long_name": "quantile"})
        coordinates["quantity"] = (("quantity",), np.array(_compared(band)), {})
    return xarray.Dataset(variables, coordinates, _provenance(experiment, stored))


def _trajectory(
    records: list[Record], experiment: Experiment
) -> tuple[Variables, dict[str, tuple[tuple[str, ...], Any, dict[str, str]]]]:
    def column(name: str) -> np.ndarray:
        return np.stack([record.arrays[name] for record in records])

    steps = np.array([record.step for record in records])
    kernels, outputs = column("kernel"), column("outputs")
    eigenvalues = quantities.spectra(kernels)
    kept = experiment.identity["eigenvalues"] or eigenvalues.shape[1]
    last = quantities.to_last(kernels)
    losses = [float(record.arrays.get("loss", np.nan)) for record in records]
    variables: Variables = {
        "kernel": _of("kernel, traced over outputs", kernels, "input", "input2", units="K"),
        "trace": _of("trace of the kernel", np.trace(kernels, axis1=1, axis2=2), units="K"),
        "distance": _of("relative distance to the first record", quantities.to_first(kernels)),
        "distance_last": _of("relative distance to the last record", last),
        "velocity": _of(
            "relative distance to the last record, per step",
            quantities.per(last, steps),
            units="1/step",
        ),
        "eigenvalues": _of(
            "eigenvalues of the kernel, descending",
            eigenvalues[:, :kept],
            "eigenvalue",
            units="K",
        ),
        "effective_rank": _of(
            "effective rank of the kernel", quantities.effective_ranks(eigenvalues)
        ),
        "layer_share": _of(
            "each layer's part of the trace", quantities.shares(column("layer_traces")), "layer"
        ),
        "outputs": _of("outputs on the probe set", outputs, "input", "output", units="output"),
        "loss": _of("loss handed over", np.array(losses), units="loss"),
    }
    coordinates = {
        "step": (("step",), steps, {"long_name": "steps of the optimiser", "units": "step"}),
        "input": (("input",), np.arange(kernels.shape[1]), {"long_name": "probe input"}),
        "input2": (("input2",), np.arange(kernels.shape[1]), {"long_name": "probe input"}),
        "eigenvalue": (("eigenvalue",), np.arange(1, kept + 1), {"long_name": "rank"}),
        "layer": (("layer",), np.array(experiment.identity["layers"]), {"long_name": "layer"}),
        "output": (("output",), np.arange(outputs.shape[2]), {"long_name": "model output"}),
        **_probe(experiment.arrays),
    }
    targets = experiment.arrays.get("y")
    if targets is not None:
        variables["alignment"] = _of(
            "alignment of the kernel with the targets", quantities.alignments(kernels, targets)
        )
        coordinates["targets"] = (("input", "target"), targets, {"long_name": "targets"})
    if all("time" in record.arrays for record in records):
        time = column("time")
        units = {"long_name": "sum of the learning rates", "units": "learning rate"}
        coordinates["time"] = (("step",), time, units)
        variables["velocity_time"] = _of(
            "relative distance to the last record, per unit of time",
            quantities.per(last, time),
            units="1/learning rate",
        )
    return variables, coordinates


def _probe(arrays: Mapping[str, np.ndarray]) -> Variables:
    """``probe``, or ``probe_name`` of every tensor where an input is several."""
    found: Variables = {}
    for key, values in arrays.items():
        if key.split("/")[0] == "X_probe":
            name = key.replace("X_probe", "probe").replace("/", "_")
            axes = (f"{name}_axis_{axis}" for axis in range(1, values.ndim))
            found[name] = (("input", *axes), values, {"long_name": "probe set"})
    return found


def _of(
    name: str, values: np.ndarray, *axes: str, units: str = "1"
) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    return ("step", *axes), values, {"long_name": name, "units": units}


def _compared(band: NullBand) -> list[str]:
    """The quantities of which `moved` tells."""
    return [name for name in band.values if name != "layer_share"]


def _null(band: NullBand, trajectory: Mapping[str, Any], steps: np.ndarray) -> Variables:
    """The band's variables, and where the trajectory leaves it.

    A quantity has moved where it differs from its first record by more than the largest quantile
    of the difference between two seeds, and two standard errors of that.
    """
    found: Variables = {}
    for name, values in band.values.items():
        axes = ("quantile", "layer") if name == "layer_share" else ("quantile",)
        about = {
            "long_name": f"{name}: difference between two seeds at initialisation",
            "units": trajectory[name][2]["units"],
        }
        found[f"{name}_null"] = (axes, values, about)
        found[f"{name}_null_error"] = (
            axes,
            band.errors[name],
            about | {"long_name": f"standard error of {name}_null"},
        )
    names = _compared(band)
    moved = []
    for name in names:
        series = trajectory[name][1]
        change = series if name == "distance" else np.abs(series - series[0])
        moved.append(change > band.values[name][-1] + BEYOND_ERRORS * band.errors[name][-1])
    table = np.array(moved)
    largest = f"{band.quantiles[-1]:g}"
    found["moved"] = (
        ("quantity", "step"),
        table,
        {"long_name": f"changed by more than quantile {largest} of two seeds' difference"},
    )
    found["moved_at"] = (
        ("quantity",),
        np.array([steps[row.argmax()] if row.any() else -1 for row in table]),
        {"long_name": "first recorded step that moved; -1 if none did", "units": "step"},
    )
    return found


def _provenance(experiment: Experiment, stored: list[Record]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": "kernel during training",
        "model_mode": "eval",
        "finitewidth": experiment.provenance["finitewidth"],
        "begun": experiment.provenance["time"],
        "every": experiment.identity["every"] or "geometric",
        "parameters": sum(
            int(np.prod(described[1:], dtype=np.int64))
            for described in experiment.identity["the model's trained parameters"].values()
        ),
    }
    if stored:
        found["null_seeds"] = stored[0].note["seeds"]
    return found
