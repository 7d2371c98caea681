"""`Report`: the results of a store as a page, with figures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from finitewidth.report import Page, Provenance, Record, Section, Shown
from finitewidth.sweep.shown.figures import figure, said
from finitewidth.sweep.shown.results import SHOWN, estimate, finished_cells, results_table

if TYPE_CHECKING:
    import xarray

MOST = 5000
"""Rows of the table; more make a page that no browser likes."""

ROWS = 20
"""A longer table is a detail."""


class Report(Shown):
    """The finished cells of a store.

    Parameters
    ----------
    store : str or path
        The SQLite file.
    data : xarray.Dataset
        What `finitewidth.sweep.open` gives of it.

    Raises
    ------
    ValueError
        If no cell is finished.
    """

    def __init__(self, store: str | Path, data: "xarray.Dataset") -> None:
        self.store, self.data, self.finished = Path(store), data, finished_cells(data)
        self._names = [name for name in SHOWN if name in data]
        if not self.finished.sizes["cell"] or not self._names:
            raise ValueError(f"no cell of {store} is finished yet; there is nothing to report.")

    def page(self) -> Page:
        """Counts, a figure for each observable, the table of all finished cells, provenance."""
        attributes = self.data.attrs
        inputs, sessions = (json.loads(attributes[name]) for name in ("inputs", "sessions"))
        finished, failed = self.finished.sizes["cell"], len(json.loads(attributes["failures"]))
        damage = [attributes["damage"]] if "damage" in attributes else []
        lead = f"{finished} of {self.data.complete.size} cells are finished, {failed} failed."
        figures = [figure(self.finished, name) for name in self._names]
        figures = [one for one in figures if one is not None]
        long = finished > ROWS
        same = ", ".join(f"{name} {value}" for name, value in inputs.items() if name != "seed")
        facts = {
            "store": self.store.name,
            "computed on": f"{attributes['host_count']} machine(s)",
        }
        if sessions:
            last = sessions[-1]
            facts |= {"last run": last["time"], "commit": str(last["commit"])[:12]}
        return Page(
            f"Sweep {self.store.name}",
            [
                lead,
                *damage,
                *["The table of them: --verbose, --html or --markdown."] * long,
            ],
            [
                *([Section("Figures", figures)] if figures else []),
                Section(
                    "All finished cells", [results_table(self.finished, MOST, self.store)], long
                ),
                Section("The same in all cells", [f"{same}."]),
            ],
            Provenance.now(inputs.get("seed"), **facts),
            self._record,
        )

    def _record(self) -> Record:
        """Every observable of every finished cell, named by what varies."""
        inputs = json.loads(self.data.attrs["inputs"])
        damage = {name: self.data.attrs[name] for name in ("damage",) if name in self.data.attrs}
        found = Record({"store": self.store.name} | inputs, more=damage)
        names = [name for name in self.finished if f"{name}_std_error" in self.finished]
        for place in range(self.finished.sizes["cell"]):
            one = self.finished.isel(cell=place)
            axes = {str(name): axis.item() for name, axis in one.coords.items()}
            cell = ", ".join(said(axis, value) for axis, value in axes.items())
            for name in map(str, names):
                value = estimate(one, name, axes.get("by_method", inputs.get("method")))
                if value is not None:
                    found.estimate(f"{name}, {cell}" if cell else name, value)
        return found
