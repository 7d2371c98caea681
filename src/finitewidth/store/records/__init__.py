"""Records of a run in one SQLite file: appended one by one, checked when read, safe to kill.

One format for every program that writes as it goes: a trajectory is one series of steps, a grid of
experiments one series a cell.
"""

from finitewidth.store.checksums import digest as digest
from finitewidth.store.database import DamagedFile as DamagedFile
from finitewidth.store.records.format import RECORDS as RECORDS
from finitewidth.store.records.format import Experiment as Experiment
from finitewidth.store.records.format import Record as Record
from finitewidth.store.records.reader import Reader as Reader
from finitewidth.store.records.writer import Writer as Writer
