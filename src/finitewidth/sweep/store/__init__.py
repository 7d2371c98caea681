"""The store of a sweep: one SQLite file, written by the process that runs the sweep."""

from finitewidth.sweep.store.reader import Reader as Reader
from finitewidth.sweep.store.writer import Writer as Writer
