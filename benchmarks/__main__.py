"""``python -m benchmarks``: every benchmark, one line each."""

from benchmarks import law
from benchmarks.table import show

show(law.lines())
