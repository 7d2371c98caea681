"""``python -m benchmarks [NAME …]``: every benchmark, or those named, one line each."""

import sys

from benchmarks import crossing, deferred, expansion, law, measure, recorder, sampler, sweep
from benchmarks.table import show

BENCHMARKS = {
    "law": law,
    "crossing": crossing,
    "sampler": sampler,
    "measure": measure,
    "recorder": recorder,
    "deferred": deferred,
    "expansion": expansion,
    "sweep": sweep,
}

for name in sys.argv[1:] or BENCHMARKS:
    if name not in BENCHMARKS:
        sys.exit(f"{name!r} is no benchmark, expected some of {', '.join(BENCHMARKS)}.")
    show(BENCHMARKS[name].lines())
