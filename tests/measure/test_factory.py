"""Factories: a seed gives one network, whatever draws it; the user's generators are put back."""

import copy
import functools
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import finitewidth as fw

X = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = torch.zeros(4, 1, dtype=torch.float64)


def of_weights(weights: Any) -> nn.Module:
    """One linear layer."""
    layer = nn.Linear(3, 1, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.asarray(weights)).reshape(1, 3))
    return nn.Sequential(layer, nn.Tanh())


def by_numpy() -> nn.Module:
    return of_weights(np.random.standard_normal(3))  # noqa: NPY002


def by_python() -> nn.Module:
    return of_weights([random.gauss(0, 1) for _ in range(3)])


def by_all() -> nn.Module:
    return of_weights(
        [float(torch.randn(())), random.gauss(0, 1), np.random.standard_normal()]  # noqa: NPY002
    )


def of_one_layer(weights: np.ndarray) -> np.ndarray:
    """K(x, x') = φ'(w·x) φ'(w·x') x·x' of tanh, written out."""
    slopes = 1 - np.tanh(X.numpy() @ weights) ** 2
    return slopes[:, None] * slopes[None, :] * (X.numpy() @ X.numpy().T)


def numpys(seed: int) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(3)


def pythons(seed: int) -> np.ndarray:
    own = random.Random(seed)
    return np.array([own.gauss(0, 1) for _ in range(3)])


# -- seeds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "weights"), [(by_numpy, numpys), (by_python, pythons)])
def test_a_seed_is_the_one_of_the_generator_that_draws(make: Any, weights: Any) -> None:
    for _ in range(2):
        found = fw.measure.ensemble(make, X, [3, 0, 5]).kernels
        expected = np.stack([of_one_layer(weights(seed)) for seed in (3, 0, 5)])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_a_seed_beyond_numpy_s_has_numbers_of_its_own() -> None:
    seeds = [2, 2 + 2**32, 2**64 - 1]
    one, two = (fw.measure.ensemble(by_numpy, X, seeds).kernels for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert len({kernel[0, 0] for kernel in one}) == 3


def test_a_check_measures_the_same_networks_throughout() -> None:
    check = fw.check(by_numpy, X, Y, learning_rate=0.01, seeds=4)
    assert check.measured.step is not None
    for kernel, update in zip(
        check.measured.start.kernels, check.measured.step.updates, strict=True
    ):
        np.testing.assert_allclose(kernel, update.before, rtol=1e-12, atol=1e-14)


def states() -> tuple[Any, ...]:
    numpy = repr(np.random.get_state(legacy=False))  # noqa: NPY002
    words = np.random.get_state(legacy=True)[1]  # type: ignore[index] # noqa: NPY002
    return random.getstate(), numpy, words.tolist(), torch.get_rng_state().tolist()


LEFT: dict[str, Callable[[], Any]] = {
    "ensemble": lambda: fw.measure.ensemble(by_all, X, 3),
    "steps": lambda: fw.measure.update_ensemble(by_all, X, Y, learning_rate=0.1, seeds=2),
    "descents": lambda: fw.measure.descent_ensemble(by_all, X, Y, learning_rate=0.1, seeds=2),
    "check": lambda: fw.check(by_all, X, Y, learning_rate=0.1, seeds=2),
    "failed": lambda: refused(fails_late),
    "band": lambda: fw.measure.null_band(by_all, X, 8, quantiles=(0.5,)),
}


def refused(make: Callable[..., nn.Module]) -> str:
    with pytest.raises(ValueError, match="make_model") as found:
        fw.measure.ensemble(make, X, 6)
    if "fails at seed" in str(found.value):
        assert found.value.__cause__ is not None
    return str(found.value)


@pytest.mark.parametrize("case", LEFT)
def test_the_user_s_random_numbers_are_put_back(case: str, unchecked) -> None:
    """The run-time checks themselves draw from Python's."""
    before = states()
    LEFT[case]()
    assert states() == before


# -- what is refused ------------------------------------------------------------------------------

ONE = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()


def one_module() -> nn.Module:
    """Drawn anew, as one that is too slow to make."""
    for layer in ONE:
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()
    return ONE


def fails_late(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return of_weights(torch.randn(3 if seed < 2 else 4))


def sys_exit() -> nn.Module:
    sys.exit("no such config")


def own_generator() -> nn.Module:
    return of_weights(np.random.default_rng().standard_normal(3))


SHARED = np.random.default_rng(0)


class Scaled(nn.Module):
    def __init__(self, scale: Any) -> None:
        super().__init__()
        self.lin, self.scale = nn.Linear(3, 1).double(), scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lin(x) * torch.as_tensor(self.scale)


def by_the_system(kind: Callable[[float], Any]) -> Callable[[], nn.Module]:
    return lambda: Scaled(kind(int.from_bytes(os.urandom(8), "big") / 2**64))


def wide_or_not() -> nn.Module:
    return nn.Linear(3, 1 + next(COUNTED)).double()


COUNTED = iter(range(10**6))

REFUSED: dict[str, tuple[Callable[..., nn.Module], str]] = {
    "generator without a seed": (own_generator, "two different networks at seed 0 (0.weight"),
    "generator that goes on": (lambda: of_weights(SHARED.standard_normal(3)), "(0.weight differs)"),
    "bytes of the system": (by_the_system(float), "(scale differs)"),
    "in an array": (by_the_system(np.array), "(scale differs)"),
    "in a tensor": (by_the_system(torch.tensor), "(scale differs)"),
    "another width": (wide_or_not, "two different networks at seed 0"),
    "one module, drawn anew": (one_module, "returns the same module at every call"),
    "fails": (
        fails_late,
        "fails_late) fails at seed 2 with RuntimeError: shape '[1, 3]' is invalid for input of si",
    ),
    "wants more": (of_weights, "fails at seed 0 with TypeError: of_weights() missing 1 required"),
    "leaves": (sys_exit, "fails at seed 0 with SystemExit: no such config."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case: str) -> None:
    make, part = REFUSED[case]
    text = refused(make)
    assert part in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "measure",
    [
        lambda make: fw.measure.update_ensemble(make, X, Y, learning_rate=0.1, seeds=2),
        lambda make: fw.measure.descent_ensemble(make, X, Y, learning_rate=0.1, seeds=2),
        lambda make: fw.check(make, X, seeds=2),
        lambda make: fw.measure.null_band(make, X, 8, quantiles=(0.5,)),
    ],
)
def test_every_ensemble_refuses_them(measure: Callable[[Any], Any]) -> None:
    for make, part in ((own_generator, "two different networks"), (one_module, "the same module")):
        with pytest.raises(ValueError, match=part):
            measure(make)


def test_what_is_no_other_network_is_not_refused() -> None:
    """A module that is kept for each seed, a shared part, numbers and names that only count."""

    @functools.lru_cache
    def kept(seed: int) -> nn.Module:
        return of_weights(numpys(seed))

    body = nn.Linear(3, 3).double().requires_grad_(False)

    def shared() -> nn.Module:
        model = nn.Sequential(body, nn.Linear(3, 1).double(), nn.Tanh())
        model.number = next(COUNTED)  # type: ignore[assignment]
        return model

    for make in (kept, shared, lambda: copy.deepcopy(one_module())):
        kernels = fw.measure.ensemble(make, X, 4).kernels
        assert len({kernel[0, 0] for kernel in kernels}) == 4


def test_a_shared_part_that_is_drawn_anew_keeps_every_seed_s_numbers() -> None:
    """Networks are measured together after all of them are made."""
    body = nn.Linear(3, 4).double()

    def make() -> nn.Module:
        body.reset_parameters()
        return nn.Sequential(body, nn.Tanh(), nn.Linear(4, 1).double())

    found = fw.measure.ensemble(make, X, 6).kernels
    for seed, kernel in enumerate(found):
        torch.manual_seed(seed)
        alone = fw.measure.kernel(make(), X, outputs="trace").numpy()
        np.testing.assert_allclose(kernel, alone, rtol=1e-12)


SEEDS = {
    "a float": ([0, 1.0], "1.0, expected a whole number"),
    "a float of NumPy": (np.arange(3.0), "0.0"),
    "how many, a float": (8.0, "seeds is 8.0, expected how many"),
    "text": ("12", "'1', expected a whole number"),
    "truth": (True, "seeds is True"),
    "truths": ([False, True], "False, expected a whole number"),
}


@pytest.mark.parametrize("case", SEEDS)
def test_seeds_are_whole_numbers(case: str, unchecked) -> None:
    seeds, part = SEEDS[case]
    with pytest.raises(TypeError) as refused:
        fw.measure.ensemble(by_numpy, X, seeds)  # type: ignore[arg-type]
    assert part in str(refused.value)


def test_whole_numbers_of_numpy_are_seeds(unchecked) -> None:
    expected = fw.measure.ensemble(by_numpy, X, 3)
    for seeds in (np.int64(3), np.arange(3), torch.arange(3), (np.uint8(0), 1, np.int32(2))):
        found = fw.measure.ensemble(by_numpy, X, seeds)  # type: ignore[arg-type]
        assert found.seeds == [0, 1, 2]
        np.testing.assert_array_equal(found.kernels, expected.kernels)
    with pytest.raises(ValueError, match="seeds holds 18446744073709551616, expected"):
        fw.measure.ensemble(by_numpy, X, [0, 2**64])


# -- other processes ------------------------------------------------------------------------------


class Unsendable:
    """Not a function, and not to be pickled."""

    def __call__(self) -> nn.Module:
        return by_numpy()

    def __reduce__(self) -> Any:
        raise NotImplementedError("bound to this machine")


SENT = """
import random
import numpy as np
import torch

def make():
    layer = torch.nn.Linear(3, 1)
    layer.weight.data *= np.random.standard_normal() + random.random()
    return torch.nn.Sequential(layer, torch.nn.Tanh()).double()
"""


def test_workers_draw_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_for_workers.py").write_text(SENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    from made_for_workers import make  # type: ignore[import-not-found]

    one, two = (fw.measure.ensemble(make, X, 4, workers).kernels for workers in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_factory_that_cannot_be_sent_says_why() -> None:
    part = r"make_model cannot be sent .*NotImplementedError: bound to this machine.*workers=1"
    with pytest.raises(ValueError, match=part):
        fw.measure.ensemble(Unsendable(), X, 4, 2)


SCRIPT = """
import torch
import finitewidth as fw

def make():
    return torch.nn.Linear(3, 1)

{guard}print("mean", fw.measure.ensemble(make, torch.ones(2, 3), 4, workers=2).mean.value)
"""


def script(tmp_path: Path, guard: str, *, file: bool) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(guard=guard))
    command = [str(path)] if file else ["-c", path.read_text()]
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, cwd=tmp_path
    )


def test_an_interactive_session_gets_one_sentence(tmp_path: Path) -> None:
    done = script(tmp_path, "", file=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ValueError: make_model cannot be imported by other processes (Attri")
    assert "workers=1" in last


def test_a_script_with_a_guard_runs(tmp_path: Path) -> None:
    done = script(tmp_path, "if __name__ == '__main__':\n    ", file=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mean 4.0")  # |x|² + 1
