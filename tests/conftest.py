"""Settings of every test: shapes and types checked at run time, deterministic Hypothesis."""

import sys

import jaxtyping
import pytest
from hypothesis import settings

# The hook rewrites modules as they are imported, and `finitewidth._shapes` takes jaxtyping's
# aliases only where jaxtyping was there first: a package imported earlier would go unchecked.
if "finitewidth" in sys.modules:
    raise RuntimeError(
        "finitewidth was imported before tests/conftest.py, so its shapes would not be checked; "
        "keep plugins and earlier conftest files from importing it."
    )
jaxtyping.install_import_hook("finitewidth", "beartype.beartype")

# The same examples on every run and machine; no example is too slow on a busy one.
settings.register_profile("finitewidth", derandomize=True, deadline=None)
settings.load_profile("finitewidth")


@pytest.fixture
def unchecked(monkeypatch):
    """Turn the run-time checks off, so that a bad type reaches the package's own error."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
