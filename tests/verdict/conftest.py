"""Without PyTorch nothing here can be imported; the header of the run says so."""

from importlib.util import find_spec

HERE = find_spec("torch") is not None

if not HERE:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header() -> list[str]:
    """One line where the tests of measurement are left out."""
    return [] if HERE else ["tests/verdict is left out: PyTorch (the torch extra) is not installed"]
