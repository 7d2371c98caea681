"""One sentence where the extra ``sweep`` is missing."""

from functools import partial

from finitewidth import _extras

needed_for = partial(_extras.needed_for, extra="sweep")
"""Wrap its imports; raises as `finitewidth._extras.needed_for`."""
