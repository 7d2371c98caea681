"""Kernels of PyTorch models: against the tutorial's recipes and nngeometry, in time and memory."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.rivals import hooks, models, torch_func
from benchmarks.table import Line
from benchmarks.timing import ONE_THREAD

COUNTS = {"all": 64, "trace": 256, "sum": 256}
ENGINES = ("finitewidth", "Jacobians", "vector products", "nngeometry")
GOALS = {"MLP": {"all": 1 / 5, "trace": 1 / 5}, "CNN": {"all": 1 / 3, "trace": 1 / 3}}
GOALS["transformer"] = GOALS["CNN"]
# What neural-tangents' structured derivatives reach over the Jacobians of the same recipe, core
# by core: 0.040 s to 8.8 s, 0.111 s to 17.7 s, 0.022 s to 1.7 s.
STRUCTURED = {"all": 1 / 220, "trace": 1 / 160, "sum": 1 / 77}


def lines() -> Iterator[Line]:
    """All lines of this benchmark, as they come."""
    if find_spec("torch") is None:
        print("kernels of PyTorch models: left out, torch is not installed")
        return
    if not hooks.installed():
        print("nngeometry: left out, it is not installed (pip install nngeometry==0.4)")
    with _one_thread():
        for name in models.NAMES:
            for outputs in COUNTS:
                yield from _cell(name, outputs)
        yield from _ensembles()
    for name in models.NAMES:
        for outputs in COUNTS:
            yield from _memory(name, outputs)


def rival_inputs(engine: str, name: str, outputs: str) -> int:
    """Inputs a rival is run on: fewer where the whole takes over half a minute or 2 GiB.

    The Jacobians of the MLP and hooks on convolutions grow at least with the number of inputs. A
    time on fewer inputs is scaled by the count, which flatters the rival, or for vector products by
    its square, which charges their fixed costs too often: theirs is an estimate, and they are far
    from being the fastest rival.
    """
    whole = COUNTS[outputs]
    if engine == "vector products":
        return 8
    if engine == "Jacobians" and name == "MLP":
        return 16
    return 16 if engine == "nngeometry" and name == "CNN" else whole


def job(engine: str, name: str, outputs: str, count: int) -> Callable[[], object]:
    """One kernel, to be called again and again."""
    model, x = models.build(name), models.inputs(name, count)
    if engine == "finitewidth":
        from finitewidth.measure import kernel

        return lambda: kernel(model, x, outputs=outputs)
    rival = {
        "Jacobians": torch_func.jacobian_contraction,
        "vector products": torch_func.vector_products,
        "nngeometry": hooks.gram,
    }[engine]
    return lambda: rival(model, x, outputs)


def rivals(name: str) -> list[str]:
    """Those that can measure the model: nngeometry knows no embedding and no attention."""
    hooked = hooks.installed() and name != "transformer"
    return list(ENGINES[1:4] if hooked else ENGINES[1:3])


@contextmanager
def _one_thread():
    """One thread, and none of the fused operations that ``torch.func`` has no rules for."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    threads, fused = torch.get_num_threads(), torch.backends.mha.get_fastpath_enabled()
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.mha.set_fastpath_enabled(fused)


def _seconds(run: Callable[[], object]) -> float:
    """CPU time on the one thread: the machine's other work hardly shows in it."""
    start = time.process_time()
    run()
    return time.process_time() - start


def _cell(name: str, outputs: str) -> list[Line]:
    """One kernel, and its ratio to each rival."""
    whole = COUNTS[outputs]
    ours = job("finitewidth", name, outputs, whole)
    ours()
    others = {}
    for engine in rivals(name):
        _agree(engine, name, outputs)
        count = rival_inputs(engine, name, outputs)
        scale = (whole / count) ** (2 if engine == "vector products" else 1)
        run = job(engine, name, outputs, count)
        others[engine] = scale * _seconds(run), count
    # around the rivals, so that a slow spell of the machine weighs on both
    seconds = statistics.median(_seconds(ours) for _ in range(3))
    fastest = min(others, key=lambda engine: others[engine][0])
    found = []
    for engine, (other, count) in others.items():
        goal = GOALS[name].get(outputs, 1.0) if engine == fastest else 1.0
        if name == "MLP" and engine == "Jacobians":
            goal = min(goal, STRUCTURED[outputs])
        note = "" if count == whole else f", from {count} inputs"
        title = f"kernel, {outputs}, {name}, {whole} inputs"
        found.append(Line(title, seconds, seconds / other, engine + note, ratio_at_most=goal))
    return found


def _agree(engine: str, name: str, outputs: str) -> None:
    """Both engines give the same numbers; this call warms the rival up, too."""
    import torch

    one, two = (job(each, name, outputs, 4)() for each in ("finitewidth", engine))
    assert isinstance(one, torch.Tensor)
    assert isinstance(two, torch.Tensor)
    torch.testing.assert_close(one, two.detach(), rtol=0.0, atol=1e-3 * float(one.abs().max()))


def _ensembles(networks: int = 512) -> list[Line]:
    """Small networks from a factory, against the factory alone: 8 hidden layers of width 32."""
    import torch

    from finitewidth.measure import ensemble
    from finitewidth.measure.factory import build

    x = torch.randn(16, 32, generator=torch.Generator().manual_seed(1))

    def alone(make_model: models.Factory) -> None:
        for seed in range(networks):
            build(make_model, seed)

    found = []
    for outputs in (1, 10):
        make_model = models.small(outputs)
        pairs = [
            (
                _seconds(partial(ensemble, make_model, x, networks)),
                _seconds(partial(alone, make_model)),
            )
            for _ in range(4)  # the first to warm up
        ]
        whole, factory = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
        title = f"{networks} small networks, {outputs} outputs, 16 inputs"
        found.append(Line(title, whole, whole / factory, "the factory alone", ratio_at_most=2.0))
    return found


_PEAK = """
import sys
import torch
from benchmarks import measure
engine, name, outputs, count = sys.argv[1:]
def status(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1])
with measure._one_thread():
    measure.job(engine, name, outputs, 2)()
    run = measure.job(engine, name, outputs, int(count))
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    run()
    print(status("VmHWM") - before)
"""


def peak_memory(engine: str, name: str, outputs: str, count: int) -> int:
    """KiB that a kernel takes at its peak beyond the model and the inputs, in a fresh process.

    The kernel of two inputs goes before. `ru_maxrss` will not do: a process inherits its parent's.
    """
    arguments = [sys.executable, "-W", "ignore", "-c", _PEAK, engine, name, outputs, str(count)]
    done = subprocess.run(
        arguments, check=True, env=os.environ | ONE_THREAD, capture_output=True, text=True
    )
    return max(int(done.stdout), 1)


def _memory(name: str, outputs: str) -> list[Line]:
    """Peak memory against the Jacobians and nngeometry, on the same inputs."""
    if not Path("/proc/self/clear_refs").exists():
        print("peak memory: left out, this system does not tell it")
        return []
    engines = [engine for engine in rivals(name) if engine != "vector products"]
    count = min(rival_inputs(engine, name, outputs) for engine in engines)
    start = time.perf_counter()
    ours = peak_memory("finitewidth", name, outputs, count)
    seconds = time.perf_counter() - start
    found = []
    for engine in engines:
        other = peak_memory(engine, name, outputs, count)
        title = f"peak memory {ours / 1024:.3g} MiB, {outputs}, {name}, {count} inputs"
        found.append(Line(title, seconds, ours / other, engine, ratio_at_most=0.5))
    return found
