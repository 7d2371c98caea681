"""Settings of every test: shapes and types checked at run time, deterministic Hypothesis."""

import sys
from types import ModuleType

import jaxtyping
import pytest
from beartype import BeartypeConf, beartype
from hypothesis import settings

# The hook rewrites modules as they are imported, and `finitewidth._shapes` takes jaxtyping's
# aliases only where jaxtyping was there first: a package imported earlier would go unchecked.
if "finitewidth" in sys.modules:
    raise RuntimeError(
        "finitewidth was imported before tests/conftest.py, so its shapes would not be checked; "
        "keep plugins and earlier conftest files from importing it."
    )

# The hook takes its checker by module and name. This one lets an int pass for a float, as users
# write it.
checker = ModuleType("run_time_checker")
checker.checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # type: ignore[attr-defined]
sys.modules[checker.__name__] = checker
jaxtyping.install_import_hook("finitewidth", "run_time_checker.checked")

# The same examples on every run and machine; no example is too slow on a busy one.
settings.register_profile("finitewidth", derandomize=True, deadline=None)
settings.load_profile("finitewidth")


@pytest.fixture
def unchecked(monkeypatch):
    """Turn the run-time checks off, so that a bad type reaches the package's own error."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
