"""Ensembles: against the exact law, the same for any number of workers, honest about small samples.

Statistical comparisons: 8 of them at |z| < 5.5, a false alarm in 3e-7 of runs; an error of 11
standard errors is missed at most once in a million.
"""

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

import finitewidth as fw

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
from torch import nn  # noqa: E402

X = np.linspace(-1.0, 1.0, 6)[None, :]
CASES = {
    "ntk": fw.MLP(6, [24, 24]),
    "standard": fw.MLP(6, [24, 24], parametrization="standard"),
}


def small() -> nn.Module:
    """A factory that other processes can import."""
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.fixture(scope="module", params=CASES)
def measured(request):
    net = CASES[request.param]
    found = fw.measure.ensemble(lambda: fw.measure.module(net).double(), X, seeds=500)
    return net, found


def test_mean_and_dispersion_are_the_exact_ones(measured) -> None:
    net, found = measured
    law = fw.KernelLaw(net, X[0])
    assert found.mean.size == 500
    assert abs(found.mean.z(law.mean())) < 5.5
    assert abs(found.dispersion.z(law.dispersion())) < 5.5
    other = CASES["standard" if net.parametrization == "ntk" else "ntk"]
    assert abs(found.mean.z(fw.KernelLaw(other, X[0]).mean())) > 11  # sabotage


def test_layer_shares_are_the_exact_ones(measured) -> None:
    net, found = measured
    shares = fw.KernelLaw(net, X[0]).layer_shares()
    measured_shares = list(found.layer_shares.values())
    assert sum(share.value for share in measured_shares) == pytest.approx(1.0, rel=1e-12)
    for share, exact in zip(measured_shares, shares.weights + shares.biases, strict=True):
        assert abs(share.z(exact)) < 5.5
    wrong = np.roll(shares.weights + shares.biases, 1)  # sabotage: another layer's share
    distances = [abs(s.z(w)) for s, w in zip(measured_shares, wrong, strict=True)]
    assert max(distances) > 11


def test_numbers_do_not_depend_on_the_workers() -> None:
    inputs = torch.linspace(-1, 1, 24).view(4, 6)
    factory = partial(fw.measure.module, CASES["ntk"])  # importable in another process
    one = fw.measure.ensemble(factory, inputs, seeds=[3, 1, 4], workers=1)
    two = fw.measure.ensemble(factory, inputs, seeds=[3, 1, 4], workers=2)
    np.testing.assert_array_equal(one.kernels, two.kernels)
    assert one.seeds == two.seeds == [3, 1, 4]
    torch.manual_seed(1)
    alone = fw.measure.kernel(factory(), inputs, outputs="trace").double().numpy()
    np.testing.assert_allclose(one.kernels[1], alone, rtol=1e-5)


def test_a_factory_with_a_seed_argument() -> None:
    calls: list[int] = []

    def make(seed: int) -> nn.Module:
        calls.append(seed)
        torch.manual_seed(100 + seed)
        return small()

    fw.measure.ensemble(make, torch.ones(1, 6), seeds=[5, 7])
    assert set(calls) == {5, 7}


def test_it_stops_at_the_target_error() -> None:
    inputs, counts = torch.ones(1, 6), []
    found = fw.measure.ensemble(
        small, inputs, 200, target_error=0.04, progress=lambda done, total: counts.append(done)
    )
    assert len(found.seeds) % 16 == 0
    assert len(found.seeds) < 200
    assert counts[-1] == len(found.seeds)
    assert found.mean.std_error <= 0.04 * found.mean.value
    before = fw.measure.ensemble(small, inputs, len(found.seeds) - 16)
    assert before.mean.std_error > 0.04 * before.mean.value
    np.testing.assert_array_equal(before.kernels, found.kernels[:-16])


def test_few_seeds_are_not_trusted_and_say_how_many_it_takes() -> None:
    found = fw.measure.ensemble(small, torch.ones(1, 6), seeds=8)
    assert found.mean.trusted
    assert not found.dispersion.trusted
    assert "it takes about" in found.dispersion.note


def test_condition_number_of_known_kernels() -> None:
    found = fw.measure.Ensemble(
        [0, 1],
        np.stack([np.diag([1.0, 10.0]), np.diag([1.0, 1000.0])]),
        {"all": np.array([5.5, 500.5])},
    )
    assert found.log10_condition.value == pytest.approx(2.0)
    assert found.log10_condition_spread.value == pytest.approx(np.sqrt(2.0))
    assert found.top_eigenvalue.value == pytest.approx(505.0)
    assert found.trace.value == pytest.approx((11 + 1001) / 2)
    singular = fw.measure.Ensemble([0, 1], np.ones((2, 2, 2)), {"all": np.ones(2)})
    assert not singular.log10_condition.trusted
    assert "singular" in singular.log10_condition.note


def diagonal_kernels(conditions: np.ndarray) -> fw.measure.Ensemble:
    kernels = np.stack([np.diag([1.0, condition]) for condition in conditions])
    parts = {"all": np.einsum("sbb->s", kernels) / 2}
    return fw.measure.Ensemble(list(range(len(conditions))), kernels, parts)


def test_condition_is_a_median_with_the_error_of_order_statistics() -> None:
    # 1/Z² has no average; its median is 1/0.4549. One error encloses it in 0.67 of the ensembles,
    # ± 4.9 standard errors of 0.0235 over 400 of them; an error twice or half as large would do
    # so in 0.93 or 0.38.
    rng = np.random.default_rng(5)
    within = 0
    for _ in range(400):
        found = diagonal_kernels(1 + 1 / rng.standard_normal(64) ** 2).condition
        assert found.trusted
        within += abs(found.value - 1 - 1 / 0.45493642) <= found.std_error
    assert 0.55 <= within / 400 <= 0.79


def test_condition_from_few_seeds_or_singular_kernels_is_not_trusted() -> None:
    assert not diagonal_kernels(np.arange(2.0, 17.0)).condition.trusted
    assert diagonal_kernels(np.arange(2.0, 18.0)).condition.trusted
    one_singular = diagonal_kernels(np.append(np.arange(2.0, 18.0), 1e14)).condition
    assert not one_singular.trusted
    assert "1 of 17" in one_singular.note


BAD = {
    "same network": (
        lambda: fw.measure.ensemble(_constant, torch.ones(1, 6), 3),
        "ignores its seed",
    ),
    "closure": (lambda: fw.measure.ensemble(lambda: small(), torch.ones(1, 6), 3, 2), "workers=1"),
    "one seed": (lambda: fw.measure.ensemble(small, torch.ones(1, 6), 1), "at least 2"),
    "twice": (lambda: fw.measure.ensemble(small, torch.ones(1, 6), [1, 1]), "a seed twice"),
    "negative": (lambda: fw.measure.ensemble(small, torch.ones(1, 6), [1, -1]), "holds -1"),
    "workers": (lambda: fw.measure.ensemble(small, torch.ones(1, 6), 3, 0), "workers is 0"),
    "target": (
        lambda: fw.measure.ensemble(small, torch.ones(1, 6), 3, target_error=2.0),
        "target_error is 2.0",
    ),
}


def _constant() -> nn.Module:
    torch.manual_seed(0)
    return small()


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(case: str) -> None:
    make, part = BAD[case]
    with pytest.raises(ValueError, match=part):
        make()


def test_a_factory_that_is_none(unchecked) -> None:
    with pytest.raises(TypeError, match="expected a function"):
        fw.measure.ensemble(small(), torch.ones(1, 6), 3)
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module"):
        fw.measure.ensemble(lambda: 3, torch.ones(1, 6), 3)  # type: ignore[arg-type, return-value]


class Warns(nn.Module):
    """Warns at every call, as some of PyTorch's layers do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 1)

    def forward(self, x: Any) -> Any:
        warnings.warn("of PyTorch", UserWarning, stacklevel=1)
        return self.layer(x)


@pytest.mark.filterwarnings("always:of PyTorch:UserWarning")
def test_a_warning_is_not_shown_for_every_seed() -> None:
    with pytest.warns(UserWarning, match="of PyTorch") as shown:
        fw.measure.ensemble(Warns, torch.ones(2, 6), 5)
    assert len(shown) <= 2  # of the seeds, and of the look at the model before them


def test_products_and_eigenvalues_without_the_matrix() -> None:
    torch.manual_seed(0)
    model, inputs = small().double(), torch.randn(5, 6, dtype=torch.float64)
    full = fw.measure.kernel(model, inputs).permute(0, 2, 1, 3).reshape(10, 10).numpy()
    operator = fw.measure.KernelOperator(model, inputs)
    vector = np.arange(10.0)
    np.testing.assert_allclose(operator @ vector, full @ vector, rtol=1e-12)
    values = np.linalg.eigvalsh(full)[::-1]
    np.testing.assert_allclose(operator.top_eigenvalues(3), values[:3], rtol=1e-10)
    with pytest.raises(ValueError, match="expected \\[10\\]"):
        _ = operator @ np.ones(3)
    with pytest.raises(ValueError, match="count is 10"):
        operator.top_eigenvalues(10)


def test_effective_rank_and_alignment_of_known_kernels() -> None:
    assert fw.measure.effective_rank(np.eye(4)) == pytest.approx(4.0)
    assert fw.measure.effective_rank(np.diag([1.0, 0.0])) == pytest.approx(1.0)
    y = np.array([1.0, -1.0, 2.0])
    assert fw.measure.alignment(np.outer(y, y), y) == pytest.approx(1.0)
    assert fw.measure.alignment(np.eye(2), np.array([1.0, 1.0])) == pytest.approx(0.5**0.5)
    with pytest.raises(ValueError, match="all 0"):
        fw.measure.alignment(np.eye(2), np.zeros(2))
