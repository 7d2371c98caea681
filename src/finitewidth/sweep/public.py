"""A grid of experiments into a store, and out of it: the functions of `finitewidth.sweep`."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finitewidth._extras import needed_for
from finitewidth.sweep.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np
    import xarray

    from finitewidth.sweep.engine.schedule import Progress
    from finitewidth.sweep.shown.report import Report
    from finitewidth.sweep.shown.status import Status


def run(
    grid: Mapping[str, Any] | str | Path,
    store: str | Path,
    cluster: Any = None,
    *,
    allow_factories: bool = False,
    allow_large: bool = False,
    progress: Callable[["Progress"], object] | None = None,
) -> Outcome:
    """Compute every cell of a grid; what the store has already is not computed again.

    Parameters
    ----------
    grid : dict, str or path
        Axes, precision and seed, or a TOML or YAML file of them; see the guide, "Sweeps".
    store : str or path
        An SQLite file, created if missing; written by this process alone.
    cluster : optional
        Who computes: None, this process; an int, so many processes of this machine;
        ``"processes"``, one for every core; ``"tcp://…"``, the address of a Dask scheduler; or
        a `distributed.Client`. The numbers are the same.
    allow_factories : bool
        Whether a factory, ``package:function``, that the grid names may be imported and called.
    allow_large : bool
        Whether the grid may have more than 100,000 cells.
    progress : callable, optional
        Called with a `Progress`, a few times a second at most.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError, TypeError
        One sentence for whatever is wrong with the grid or the store.
    RuntimeError
        If another sweep is running on the store, it cannot be written, or the scheduler is lost;
        what was computed is in the store, and the next run continues.

    Notes
    -----
    A cell that fails does not end the sweep: its cause is in the result and in the store, and the
    next run tries it again. After Ctrl-C, a kill or a crash the next run continues.
    """
    with needed_for("sweeps", "sweep"):
        from finitewidth.sweep.running import run as run_grid
    return run_grid(
        grid,
        store,
        cluster,
        allow_factories=allow_factories,
        allow_large=allow_large,
        progress=progress,
    )


def open(store: str | Path) -> "xarray.Dataset":
    """The results of a sweep, also while it is running.

    Parameters
    ----------
    store : str or path

    Returns
    -------
    xarray.Dataset
        Named dimensions and coordinates for what varies (the methods' is ``by_method``), and for
        every observable a variable with its ``_std_error`` and ``_trusted``; ``networks``;
        ``complete``, True where a cell is finished. Where a cell has no number (its method does
        not give it, or it is not computed yet) there is nan. What is the same in all cells, and
        provenance, is in ``attrs``. A damaged cell keeps its place and is not complete; a
        warning and ``attrs["damage"]`` say so.

    Raises
    ------
    ValueError
        If there is no such file, it is no store, or of another version.
    RuntimeError
        If the file is damaged.
    """
    with needed_for("sweeps", "sweep"):
        from finitewidth.sweep.dataset import dataset
    found = dataset(store)
    if "damage" in found.attrs:
        warnings.warn(f"{store}: {found.attrs['damage']}", RuntimeWarning, stacklevel=2)
    return found


def samples(store: str | Path, **where: Any) -> dict[str, "np.ndarray"]:
    """The numbers of every network of one cell, where the grid said ``samples = true``.

    Parameters
    ----------
    store : str or path
    **where
        Inputs that tell the cell from the others, e.g. ``width=8, method="dense"``.

    Returns
    -------
    dict of str to array [networks]
        ``kernel``, ``output_square``, and with a step ``update`` and ``step``.

    Raises
    ------
    ValueError
        If not exactly one cell has these inputs, or its networks were not kept.
    RuntimeError
        If a file is missing or damaged; the next run computes it anew.
    """
    with needed_for("sweeps", "sweep"):
        from finitewidth.sweep.kept import samples as read
    return read(store, where)


def status(store: str | Path) -> "Status":
    """How far a store has come, also while a sweep is running on it; reads no result.

    Raises
    ------
    ValueError, RuntimeError
        As `open`.
    """
    from finitewidth.sweep.shown.status import status as read

    return read(store)


def report(store: str | Path) -> "Report":
    """The results of a store as a page: figures, the table of all finished cells, provenance.

    Raises
    ------
    ValueError, RuntimeError
        As `open`; and if no cell is finished.
    """
    from finitewidth.sweep.shown.report import Report

    return Report(store, open(store))


def export(store: str | Path, path: str | Path) -> str:
    """Write the results to a file, replacing what has that name.

    Parameters
    ----------
    store : str or path
    path : str or path
        Ending in ``.csv`` (one row a cell; no provenance), ``.nc`` (NetCDF 4) or ``.zarr`` (a
        folder, format 3).

    Returns
    -------
    str
        How many cells were written, and how many of them are not finished.

    Raises
    ------
    ValueError, RuntimeError
        As `open`; and for another ending, a folder that does not exist, a name that is something
        else, or a file that cannot be written.
    """
    data = open(store)
    from finitewidth.sweep.exporting import export as write

    write(data, path)
    cells, finished = data.complete.size, int(data.complete.sum())
    missing = "" if cells == finished else f", {cells - finished} of them not finished"
    return f"{cells} cells{missing}"
