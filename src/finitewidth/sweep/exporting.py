"""Results of a sweep as CSV, NetCDF or Zarr; whole or not at all."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from finitewidth._extras import needed_for
from finitewidth._files import to_write

if TYPE_CHECKING:
    import xarray


def export(dataset: "xarray.Dataset", path: str | Path) -> None:
    """See `finitewidth.sweep.export`."""
    path = Path(path)
    writers: dict[str, Callable[[xarray.Dataset, Path], None]] = {
        ".csv": _csv,
        ".nc": _netcdf,
        ".zarr": _zarr,
    }
    is_zarr = path.suffix == ".zarr" and (path / "zarr.json").is_file()
    if not is_zarr:  # a folder is replaced only by what it was
        to_write(path, *writers, name="the file")
    # In the same folder, since a file cannot be renamed from one file system to another.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        writers[path.suffix](dataset, temporary)
        if is_zarr:
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        raise RuntimeError(f"{path} cannot be written: {error}.") from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        temporary.unlink(missing_ok=True)


def _csv(dataset: "xarray.Dataset", path: Path) -> None:
    """One row a cell: coordinates, then variables; every digit of a float, nothing for nan."""
    shape = tuple(dataset.sizes.values())
    names = tuple(dataset.sizes)
    index = {name: places.ravel() for name, places in zip(names, np.indices(shape), strict=True)}
    columns: dict[str, Any] = {}
    for name, coordinate in dataset.coords.items():
        (dimension,) = coordinate.dims
        columns[str(name)] = coordinate.values[index[str(dimension)]]
    for name, variable in dataset.data_vars.items():
        columns[str(name)] = variable.transpose(*names).values.ravel()
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(
            [_cell(value) for value in row]
            for row in zip(*(column.tolist() for column in columns.values()), strict=True)
        )


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value != value else value


def _netcdf(dataset: "xarray.Dataset", path: Path) -> None:
    with needed_for("NetCDF files", "sweep"):
        import h5netcdf
    del h5netcdf  # xarray imports it by its name
    dataset.to_netcdf(path, engine="h5netcdf")


def _zarr(dataset: "xarray.Dataset", path: Path) -> None:
    with needed_for("Zarr folders", "sweep"):
        import zarr
    del zarr
    # Zarr's format 3 has text of any length, and none of a fixed one.
    texts = {
        name: coordinate.astype(object)
        for name, coordinate in dataset.coords.items()
        if coordinate.dtype.kind == "U"
    }
    dataset = dataset.assign_coords(texts)
    dataset.to_zarr(path, mode="w-", consolidated=False, zarr_format=3)
