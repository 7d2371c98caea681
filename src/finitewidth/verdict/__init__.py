"""The verdict: measurement beside theory, in a word and a sentence."""

from finitewidth.verdict.along import ChecksAlong as ChecksAlong
from finitewidth.verdict.along import check_along as check_along
from finitewidth.verdict.checking import Undecided as Undecided
from finitewidth.verdict.checking import assert_kernel as assert_kernel
from finitewidth.verdict.checking import check as check
from finitewidth.verdict.measurement import Measurement as Measurement
from finitewidth.verdict.result import Check as Check

Row = Measurement
"""The old name, for one release."""
