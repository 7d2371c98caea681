"""Without the sweep extra nothing here can be imported; and a small grid."""

from importlib.util import find_spec

import pytest

HERE = all(find_spec(name) is not None for name in ("distributed", "pydantic", "xarray"))

if not HERE:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header() -> list[str]:
    """One line where the tests of sweeps are left out."""
    return [] if HERE else ["tests/sweep is left out: the sweep extra is not installed"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How often the fault campaign struck."""
    counts = [
        (report.nodeid.split("::")[-1], text)
        for report in terminalreporter.getreports("passed")
        for name, text in report.user_properties
        if name == "count"
    ]
    if counts:
        terminalreporter.section("faults of sweeps")
        for test, text in counts:
            terminalreporter.line(f"{test}: {text}")


@pytest.fixture
def small() -> dict:
    """Two methods at four networks."""
    return {
        "axes": {
            "method": ["law", "sampler"],
            "n_in": 5,
            "width": [4, 7],
            "depth": [2, 4],
            "learning_rate": 0.1,
        },
        "precision": {"max_networks": 10_000},
    }
