"""Other names of what `along` holds, for one release."""

from finitewidth.verdict.along import ChecksAlong as Sweep
from finitewidth.verdict.along import check_along as check_sweep

__all__ = ["Sweep", "check_sweep"]
