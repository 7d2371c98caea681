"""The tangent kernel at a handwritten digit: how random it is, and how far one step moves it.

Run by ``make demo``: prints tables of the exact law, the paper's closed forms, the joint limit and
simulated networks side by side, and writes demo/report.html.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

from digits_numbers import Meter, Report, compute
from digits_report import page
from digits_results import Results, Settings
from digits_tables import agreement, tables
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

NEEDED = ("jinja2", "matplotlib", "sklearn")
REPORT = Path(__file__).parent / "report.html"


def computed(settings: Settings, console: Console) -> Results:
    """The numbers, under a progress bar that estimates the time left."""
    columns = (
        TextColumn("simulating networks"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("time left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=settings.cost())
        finished = 0.0

        def meter(cost: float) -> Report:
            nonlocal finished
            start, finished = finished, finished + cost
            return lambda done, total: bar.update(task, completed=start + cost * done / total)

        measure: Meter = meter
        return compute(settings, measure)


def main(settings: Settings, path: Path) -> int:
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
    written = page(results).write(path)
    console.print(f"Done in {perf_counter() - start:.0f} s. The report, one file for any browser:")
    console.print(str(written), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Settings(), REPORT))
