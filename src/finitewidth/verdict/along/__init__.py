"""Verdicts along an argument of the factory, such as its width, and the powers that join them."""

from finitewidth.verdict.along.checking import check_along as check_along
from finitewidth.verdict.along.checking import refuse_missing as refuse_missing
from finitewidth.verdict.along.powers import fitted_power as fitted_power
from finitewidth.verdict.along.result import ChecksAlong as ChecksAlong
