"""Grids of experiments: computed here or on a cluster, kept in one file, continued at any time."""

from finitewidth.sweep.outcome import Outcome as Outcome
from finitewidth.sweep.public import export as export
from finitewidth.sweep.public import open as open
from finitewidth.sweep.public import report as report
from finitewidth.sweep.public import run as run
from finitewidth.sweep.public import samples as samples
from finitewidth.sweep.public import status as status
