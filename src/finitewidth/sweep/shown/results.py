"""Finished cells as a table: what varies, and the observables of the kernel."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.report import Column, Table

if TYPE_CHECKING:
    import xarray

SHOWN = {
    "kernel_mean": Column("E K"),
    "kernel_dispersion": Column("E K²/(E K)²"),
    "update_mean": Column("ΔK frozen", meaning="E ΔK of one SGD step, activation pattern frozen"),
    "step_mean": Column("ΔK real", meaning="E ΔK of one real SGD step"),
}
"""Observables that have a column and a figure."""


def finished_cells(data: "xarray.Dataset") -> "xarray.Dataset":
    """The finished cells of what `finitewidth.sweep.open` gives, along one dimension ``cell``."""
    if not data.dims:  # one cell
        data = data.expand_dims("cell")
    elif "cell" not in data.dims:
        data = data.stack(cell=list(data.dims), create_index=False)
    return data.isel(cell=np.flatnonzero(data.complete.values))


def results_table(finished: "xarray.Dataset", most: int, store: str | Path) -> Table:
    """Inputs and observables of the first `most` of the `finished_cells` of a store."""
    axes = [str(name) for name in finished.coords]
    names = [name for name in SHOWN if name in finished]
    rows = []
    for place in range(min(finished.sizes["cell"], most)):
        one = finished.isel(cell=place)
        rows.append(
            [_plain(one[axis].values.item()) for axis in axes]
            + [_cell(estimate(one, name)) for name in names]
        )
    columns = [Column(axis.removeprefix("by_").replace("_", " ")) for axis in axes]
    columns += [SHOWN[name] for name in names]
    caption = ""
    if finished.sizes["cell"] > most:
        caption = (
            f"{most} of {finished.sizes['cell']} finished cells; all of them: finitewidth sweep "
            f"export {store} --to out.csv"
        )
    return Table("Results", columns, rows, caption)


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else None if value != value else value


def _cell(found: Estimate | None) -> Estimate | float | None:
    """Digits as of a plain number where there is no error."""
    return found if found is None or found.std_error else float(found.value)


def estimate(one: "xarray.Dataset", name: str, method: str = "sampled") -> Estimate | None:
    """An observable of one cell; None where its method gives none."""
    value, error = float(one[name]), float(one[f"{name}_std_error"])
    if value != value:
        return None
    trusted = bool(one[f"{name}_trusted"])
    note = "" if trusted else "few networks carry it; ask for more, or for method law."
    return Estimate(value, error, int(one.networks), method, method == "law", trusted, note)
