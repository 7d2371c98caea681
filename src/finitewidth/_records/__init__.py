"""Records of a run in one SQLite file: appended one by one, checked when read, safe to kill.

One format for every program that writes as it goes: a trajectory is one series of steps, a grid of
experiments one series a cell.
"""

from finitewidth._records.format import SCHEMA as SCHEMA
from finitewidth._records.format import DamagedRecord as DamagedRecord
from finitewidth._records.format import Experiment as Experiment
from finitewidth._records.format import Record as Record
from finitewidth._records.format import digest as digest
from finitewidth._records.reader import Reader as Reader
from finitewidth._records.writer import Writer as Writer
