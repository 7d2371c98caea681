"""The verdict: measurement beside theory, in a word and a sentence."""

from finitewidth.verdict.api import Check as Check
from finitewidth.verdict.api import assert_kernel as assert_kernel
from finitewidth.verdict.api import check as check
from finitewidth.verdict.rows import Row as Row
