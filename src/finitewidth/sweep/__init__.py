"""Grids of experiments: computed here or on a cluster, kept in one file, continued at any time."""

from finitewidth.sweep.api import Outcome as Outcome
from finitewidth.sweep.api import open as open
from finitewidth.sweep.api import run as run
from finitewidth.sweep.api import samples as samples
