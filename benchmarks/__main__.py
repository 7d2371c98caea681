"""``python -m benchmarks``: every benchmark, one line each."""

from benchmarks import law, sampler
from benchmarks.table import show

for benchmark in (law, sampler):
    show(benchmark.lines())
