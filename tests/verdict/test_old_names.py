"""Names of the last release still lead to what they named."""

from finitewidth import verdict
from finitewidth.verdict.sweep import Sweep, check_sweep


def test_the_old_names_are_the_new_ones():
    assert check_sweep is verdict.check_along
    assert Sweep is verdict.ChecksAlong
    assert verdict.Row is verdict.Measurement
