"""The tangent kernel at a handwritten digit: how random it is, and how far one step moves it.

Run by ``make demo``: prints tables of the exact law, the paper's closed forms, the joint limit and
simulated networks side by side, measures and trains a PyTorch network, and writes demo/report.html.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from digits_numbers import Meter, Report, compute
from digits_report import page
from digits_results import Results, Settings
from digits_tables import agreement, tables
from digits_training_report import table as training_table
from digits_training_report import trained as training_words
from digits_training_report import verdict
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:  # which imports PyTorch
    from digits_training import Training, TrainingSettings

NEEDED = ("jinja2", "matplotlib", "sklearn", "torch", "xarray")
REPORT = Path(__file__).parent / "report.html"


def progress_bar(what: str, console: Console) -> Progress:
    """A bar that estimates the time left."""
    columns = (
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("time left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console)


def computed(settings: Settings, console: Console) -> Results:
    """The numbers, under a progress bar."""
    with progress_bar("simulating networks", console) as bar:
        task = bar.add_task("", total=settings.cost())
        finished = 0.0

        def meter(cost: float) -> Report:
            nonlocal finished
            start, finished = finished, finished + cost
            return lambda done, total: bar.update(task, completed=start + cost * done / total)

        measure: Meter = meter
        return compute(settings, measure)


def trained(settings: "TrainingSettings | None", console: Console) -> "Training":
    """The PyTorch network's numbers, under a progress bar."""
    from digits_training import TrainingSettings, train

    with progress_bar("measuring a PyTorch network", console) as bar:
        task = bar.add_task("", total=None)
        return train(
            settings or TrainingSettings(),
            lambda done, total: bar.update(task, completed=done, total=total),
        )


def main(settings: Settings, path: Path, training: "TrainingSettings | None" = None) -> int:
    """Compute, print, write the report to `path`; 0 if all went well."""
    console, start = Console(), perf_counter()
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        console.print(
            f"The demo needs {' and '.join(missing)}, not installed here; run make setup."
        )
        return 1
    console.print(
        f"Networks of width {settings.width} with {', '.join(map(str, settings.hidden_layers))} "
        f"hidden layers at an image of a {settings.digit}: {settings.networks} networks a depth "
        f"for the kernel, {settings.steps} for its first step. "
        "Half a minute to a minute on two cores."
    )
    results = computed(settings, console)
    console.print()
    for table in tables(results):
        console.print(table)
    console.print(agreement(results))
    network = trained(training, console)
    console.print()
    console.print(training_table(network))
    console.print(verdict(network))
    console.print(training_words(network))
    page(results, network).html(path)
    console.print(f"Done in {perf_counter() - start:.0f} s. The report, one file for any browser:")
    console.print(str(path), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Settings(), REPORT))
