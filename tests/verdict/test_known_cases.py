"""Models whose regime is known beforehand, and the verdict as a test.

Seeds are fixed, so nothing here is random: every comparison was chosen to lie several standard
errors from where it would fail, and says how far where that is not plain.
"""

import json
from typing import Any

import numpy as np
import pytest

import finitewidth as fw

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

from torch import nn  # noqa: E402

from finitewidth.estimate import Estimate  # noqa: E402
from finitewidth.measure.update import sharpness  # noqa: E402
from tests.verdict.models import (  # noqa: E402
    IMAGES,
    ONE_X,
    ONE_Y,
    SIGNS,
    TwoLayers,
    X,
    Y,
    he,
    ntk,
    resnet,
)


def measured(found: fw.Check) -> dict[str, Estimate]:
    return {row.name: row.measured for row in found.table}


def said(found: fw.Check) -> str:
    """The verdict from the table alone, with the thresholds of the docs."""
    numbers = measured(found)

    def side(name: str, threshold: float) -> int:
        distance = float(numbers[name].value) - threshold
        return int(np.sign(distance)) * (abs(distance) > 2 * float(numbers[name].std_error))

    if side("diverged", 0.5) >= 0:
        return "diverges" if side("diverged", 0.5) else "undecided"
    if side("log_spread", 0.5) >= 0:
        return "strongly random" if side("log_spread", 0.5) else "undecided"
    low, high = side("movement", 0.01), side("movement", 0.1)
    if not numbers["movement"].trusted and high <= 0:
        return "undecided"
    words = {(-1, -1): "frozen", (1, -1): "weak feature learning", (1, 1): "feature learning"}
    return words.get((low, high), "undecided")


# -- the regimes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wide() -> fw.Check:
    return fw.check(ntk(1024), ONE_X, ONE_Y, learning_rate=0.05, seeds=64)


def test_a_wide_shallow_network_is_frozen(wide: fw.Check) -> None:
    assert wide.verdict == said(wide) == "frozen"
    assert "kernel at the start" in wide.sentence
    assert measured(wide)["log_spread"].value < 0.1


def test_the_exact_law_stands_beside_its_numbers(wide: fw.Check) -> None:
    """|z| < 4, a false alarm in 2·10⁻⁴; the law of another width lies further off."""
    rows = {row.name: row for row in wide.table if row.theory is not None}
    assert set(rows) == {"mean", "dispersion_first_input", "update_mean"}
    net = fw.MLP(6, [1024])
    law = fw.KernelLaw(net, ONE_X[0].numpy())
    assert rows["mean"].theory == pytest.approx(law.mean(), rel=1e-12)
    assert rows["dispersion_first_input"].theory == pytest.approx(law.dispersion(), rel=1e-12)
    assert rows["update_mean"].theory == pytest.approx(law.update_mean(0.05), rel=1e-12)
    for row in rows.values():
        assert row.z is not None
        assert abs(row.z) < 4
    for row in wide.shares:
        assert row.theory is not None
        assert row.z is not None
        assert abs(row.z) < 4
    assert wide.shares[0].theory + wide.shares[1].theory == pytest.approx(1.0)  # type: ignore[operator]
    narrow = fw.KernelLaw(fw.MLP(6, [128]), ONE_X[0].numpy())  # sabotage
    assert abs(rows["dispersion_first_input"].measured.z(narrow.dispersion())) > 4


def test_the_step_of_a_narrow_network_is_the_exact_one() -> None:
    """Where the mean change is several errors from 0, so that its sign and rate show."""
    x, y = ONE_X, ONE_Y / 3
    net = fw.MLP(6, [4])
    found = fw.check(ntk(4), x, y, learning_rate=0.05, seeds=100)
    row = next(row for row in found.table if row.name == "update_mean")
    theory = fw.KernelLaw(net, x[0].numpy()).update_mean(0.05)
    assert row.theory == pytest.approx(theory, rel=1e-12)
    assert row.z is not None
    assert abs(row.z) < 4
    assert abs(row.measured.z(-theory)) > 4  # sabotage: the other sign


def test_a_network_as_deep_as_wide_is_strongly_random() -> None:
    net = fw.MLP.equal_width(6, 16, 16)
    found = fw.check(
        lambda: fw.measure.module(net).double(), ONE_X, ONE_Y / 3, learning_rate=0.001, seeds=24
    )
    assert found.verdict == said(found) == "strongly random"
    assert "one seed" in found.sentence
    assert found.theory.startswith("The model is")


def test_strong_randomness_is_told_without_a_step() -> None:
    net = fw.MLP.equal_width(6, 16, 16)
    found = fw.check(lambda: fw.measure.module(net).double(), ONE_X, seeds=64)
    assert found.verdict == "strongly random"
    calm = fw.check(ntk(256), ONE_X, seeds=16)
    assert calm.verdict == "start only"  # not "undecided": no training was asked for
    assert calm.decision.seeds_needed == 0
    assert calm.decision.between == ()
    assert "no training was asked for" in calm.sentence


def test_the_mean_field_scaling_learns_at_any_width_and_the_ntk_one_less_and_less() -> None:
    """Widths 64 and 1024, a factor 16: the movement keeps its size, or falls by about 16.

    √16 lies between "not at all" and 16 as well as between 1/width and 1/√width; both ratios lie
    more than three of their standard errors on their own side of it.
    """
    found = {
        (width, power): fw.check(
            lambda width=width, power=power: TwoLayers(width, power), X, Y,
            learning_rate=0.1 * (width if power == 1.0 else 1.0), seeds=32,
        )
        for width in (64, 1024)
        for power in (1.0, 0.5)
    }  # fmt: skip
    for width in (64, 1024):
        assert found[width, 1.0].verdict == said(found[width, 1.0]) == "feature learning"
        assert "TwoLayers" in found[width, 1.0].theory
    assert found[64, 0.5].verdict == said(found[64, 0.5]) == "weak feature learning"
    assert found[1024, 0.5].verdict == said(found[1024, 0.5])
    logs = {}
    for power in (1.0, 0.5):
        numbers = [measured(found[width, power])["movement"] for width in (64, 1024)]
        error = sum((float(n.std_error) / float(n.value)) ** 2 for n in numbers) ** 0.5
        logs[power] = float(np.log(float(numbers[0].value) / float(numbers[1].value))), error
    value, error = logs[1.0]
    assert abs(value) + 3 * error < np.log(4)
    value, error = logs[0.5]
    assert value - 3 * error > np.log(4)


def test_a_residual_network_with_batch_norm_is_what_its_numbers_say() -> None:
    found = fw.check(resnet, IMAGES, SIGNS, learning_rate=0.003, seeds=24)
    assert found.verdict == said(found) == "feature learning"
    assert all(row.theory is None for row in [*found.table, *found.shares])
    assert "Conv2d" in found.theory
    assert found.theory.startswith("No theory stands beside the numbers")
    assert sum(float(row.measured.value) for row in found.shares) == pytest.approx(1.0)


def test_a_rate_too_large_diverges() -> None:
    found = fw.check(he(32), X, Y, learning_rate=10.0, seeds=8)
    assert found.verdict == said(found) == "diverges"
    assert "8 of 8" in found.sentence
    assert "rate 10 " in found.sentence


# -- undecided ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "seeds", "about", "word"),
    [
        (64, 3, "diverged", "frozen"),  # three that fall are no majority yet
        (24, 8, "log_spread", "weak feature learning"),
    ],
)
def test_the_seeds_it_asks_for_decide(width: int, seeds: int, about: str, word: str) -> None:
    """Twice as many as asked, since the number itself is an estimate."""
    few = fw.check(he(width), X, Y, learning_rate=0.002, seeds=seeds)
    assert few.verdict == "undecided"
    assert few.decision.about == about
    needed = few.decision.seeds_needed
    assert seeds < needed < 100
    assert f"about {needed} seeds" in few.sentence
    more = fw.check(he(width), X, Y, learning_rate=0.002, seeds=2 * needed)
    assert more.verdict == said(more) == word


# -- limits, and as a test ------------------------------------------------------------------------


def test_a_limit_that_is_kept_passes() -> None:
    found = fw.assert_kernel(ntk(256), ONE_X, seeds=40, max_dispersion=1.1)
    assert found.passed
    assert "passed" in found.limits[0]
    rows = {row.name: row for row in found.table}
    assert rows["dispersion"].passed is True
    assert rows["mean"].passed is None


def test_a_limit_that_is_not_kept_fails_with_its_numbers() -> None:
    with pytest.raises(AssertionError, match=r"above the limit 1\.02: failed\.$") as caught:
        fw.assert_kernel(ntk(8), ONE_X, seeds=64, max_dispersion=1.02)
    direct = fw.measure.ensemble(ntk(8), ONE_X, 64).dispersion
    assert str(direct).split("(")[0] in str(caught.value)


def test_a_limit_on_the_step_fails_and_passes() -> None:
    arguments = {"learning_rate": 0.01, "seeds": 8}
    assert fw.assert_kernel(ntk(256), X, Y, max_kernel_change=0.5, **arguments).passed
    with pytest.raises(AssertionError, match="kernel's relative change in one step is"):
        fw.assert_kernel(ntk(256), X, Y, max_kernel_change=1e-5, **arguments)


def test_a_limit_that_is_undecided_does_not_pass() -> None:
    found = fw.check(ntk(8), ONE_X, seeds=64)
    dispersion = measured(found)["dispersion"]
    assert dispersion.trusted
    near = float(dispersion.value) + 1.5 * float(dispersion.std_error)
    limited = fw.check(ntk(8), ONE_X, seeds=64, max_dispersion=near)
    assert limited.passed is None
    assert limited.row("dispersion").outcome == "cannot tell"  # type: ignore[union-attr]
    assert "within two standard errors of the limit" in limited.limits[0]
    assert f"64 seeds cannot tell, it takes about {limited.seeds_needed}" in limited.limits[0]
    far = float(dispersion.value) + 2.5 * float(dispersion.std_error)
    assert fw.check(ntk(8), ONE_X, seeds=64, max_dispersion=far).passed is True
    with pytest.raises(fw.Undecided, match=f"about {limited.seeds_needed}") as caught:
        fw.assert_kernel(ntk(8), ONE_X, seeds=64, max_dispersion=near)
    assert isinstance(caught.value, AssertionError)


def test_an_error_that_is_not_trusted_decides_far_from_the_limit_only() -> None:
    """Of 6 seeds of a spread of 4 %: any reading keeps a limit of 3, and nothing tells 1.003."""
    found = fw.check(ntk(256), ONE_X, seeds=6, max_dispersion=3.0)
    dispersion = measured(found)["dispersion"]
    assert not dispersion.trusted
    assert found.passed is True
    near = fw.check(ntk(256), ONE_X, seeds=6, max_dispersion=2 * float(dispersion.value) - 1)
    assert near.passed is None
    assert "cannot be trusted" in near.limits[0]
    assert near.seeds_needed > 6


def test_a_check_is_neither_true_nor_false() -> None:
    from finitewidth.verdict import check_along

    found = fw.check(ntk(64), ONE_X, seeds=3)
    with pytest.raises(TypeError, match=r"ask for \.passed"):
        bool(found)
    along = check_along(lambda width: ntk(width)(), "width", [8, 16], ONE_X, seeds=3)
    with pytest.raises(TypeError, match=r"ask for \.passed"):
        bool(along)


def test_twelve_seeds_of_a_small_spread_keep_a_distant_limit() -> None:
    found = fw.assert_kernel(ntk(512), ONE_X, seeds=12, max_dispersion=1000)
    assert measured(found)["dispersion"].trusted
    assert found.passed is True


def test_an_undecided_verdict_is_asserted_by_what_is_left() -> None:
    few = fw.check(he(24), X, Y, learning_rate=0.002, seeds=8)
    assert few.verdict == "undecided"
    with pytest.raises(fw.Undecided, match=f"about {few.decision.seeds_needed} seeds"):
        fw.assert_kernel(he(24), X, Y, verdict="frozen", learning_rate=0.002, seeds=8)


def test_a_verdict_is_asserted() -> None:
    arguments = {"learning_rate": 0.01, "seeds": 8}
    assert fw.assert_kernel(ntk(1024), X, Y, verdict="frozen", **arguments).verdict == "frozen"
    both = ["weak feature learning", "frozen"]
    assert fw.assert_kernel(ntk(1024), X, Y, verdict=both, **arguments).verdict == "frozen"
    expected = "expected feature learning or diverges, found frozen: while the loss"
    with pytest.raises(AssertionError, match=expected):
        fw.assert_kernel(ntk(1024), X, Y, verdict=["feature learning", "diverges"], **arguments)


def test_limits_and_verdict_are_asserted_together() -> None:
    with pytest.raises(AssertionError, match="above the limit"):
        fw.assert_kernel(
            ntk(1024), X, Y, verdict="frozen", max_kernel_change=1e-6, learning_rate=0.01, seeds=8
        )


def never() -> nn.Module:
    raise RuntimeError("built")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "nothing is asserted"),
        ({"max_dispersion": None}, "nothing is asserted"),
        ({"verdict": "lazy"}, "verdict is 'lazy', expected one of frozen, "),
        ({"verdict": ["frozen", "Frozen"]}, "verdict is 'Frozen'"),
        ({"verdict": "undecided"}, "verdict is 'undecided'"),  # luck is nothing to assert
        ({"max_dispersion": 1.0}, "above 1"),
        ({"max_dispersion": float("nan")}, "finite"),
        ({"max_kernel_change": 0.1}, "needs targets y"),
    ],
)
def test_what_cannot_be_asserted_is_refused_before_anything_is_built(
    arguments: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        fw.assert_kernel(never, X, **arguments)  # type: ignore[arg-type]


def test_half_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="y is missing"):
        fw.check(never, X, learning_rate=0.1)


# -- the rate and the descent ---------------------------------------------------------------------


def test_without_a_rate_it_trains_at_half_of_the_largest_stable_one() -> None:
    found = fw.check(he(64), X, Y, seeds=8)
    largest = 0.0
    for seed in range(8):
        torch.manual_seed(seed)
        kernel = fw.measure.kernel(he(64)(), X, outputs="trace")  # one output: all there is
        largest = max(largest, float(torch.linalg.eigvalsh(kernel)[-1]))
    assert found.setting.learning_rate == pytest.approx(0.5 / largest, rel=1e-9)
    assert found.measured.descent is not None
    assert not found.measured.descent.diverged.any()
    row = found.row("rate_times_sharpness")
    assert row is not None
    assert 0.0 < row.measured.value <= 0.5
    assert f"½/λ_max = {0.5 / largest:.4g}" in found.setting.caption()
    given = fw.check(he(64), X, Y, seeds=8, learning_rate=0.5 / largest)
    for name in ("movement", "kernel_change", "rate_times_sharpness"):
        one, two = found.row(name), given.row(name)
        assert one is not None
        assert two is not None
        assert float(one.measured.value) == pytest.approx(float(two.measured.value), rel=1e-9)


def test_the_rate_of_a_mean_is_that_of_the_sum_times_the_terms() -> None:
    """4 inputs and one output: the same steps, so the same numbers, at four times the rate."""
    one = fw.check(he(64), X, Y, seeds=6)
    two = fw.check(he(64), X, Y, seeds=6, reduction="mean")
    assert two.setting.learning_rate == pytest.approx(4 * one.setting.learning_rate, rel=1e-9)  # type: ignore[operator]
    for row, other in zip(one.table, two.table, strict=True):
        assert float(row.measured.value) == pytest.approx(float(other.measured.value), rel=1e-6)
    assert "mse averaged over the batch" in two.setting.caption()


def test_a_loss_that_falls_by_less_than_a_factor_decides_nothing() -> None:
    """A whole factor moves the kernel by some per cent; over a fall of 0.1 % it is no "frozen"."""
    whole = fw.check(he(32), X, Y, learning_rate=0.002, seeds=24)
    assert float(whole.row("movement").measured.value) > 0.01  # type: ignore[union-attr]
    short = fw.check(he(32), X, Y, learning_rate=1e-6, max_steps=20, seeds=24)
    assert short.verdict == "undecided"
    assert short.decision.about == "fall"
    assert short.row("movement") is None
    row, descent = short.row("moved"), short.measured.descent
    assert row is not None
    assert descent is not None
    assert float(row.measured.value) < 0.01
    assert not row.measured.trusted
    fall = f"{100 * descent.fall:.2g} %"
    assert descent.fall < 0.02
    assert row.label.endswith(f"over the fall of {fall}")
    assert f"24 of 24 seeds falls by {fall}" in short.sentence
    assert "by a factor e the kernel" not in short.sentence
    assert f"{descent.steps_needed:,} or more" in short.sentence
    enough = fw.check(
        he(32), X, Y, learning_rate=5e-4, seeds=6, max_steps=20 * descent.steps_needed
    )
    assert enough.row("movement") is not None


def test_a_batch_of_one_target_value_is_named() -> None:
    found = fw.check(ntk(64), X, torch.ones(4, 1), seeds=4)
    assert any("All 4 targets of this batch are [1.]" in text for text in found.remarks)
    assert not any("targets" in text for text in fw.check(ntk(64), X, Y, seeds=4).remarks)


def untouched_by_hand() -> nn.Module:
    """As it is written for training: BatchNorm without statistics, Dropout, train mode."""
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1)
    ).double()


def ready() -> nn.Module:
    return fw.measure.calibrate(untouched_by_hand(), X)


def test_a_model_in_train_mode_is_put_into_use_and_said() -> None:
    found = fw.check(untouched_by_hand, X, Y, learning_rate=1e-3, seeds=3)
    direct = fw.check(ready, X, Y, learning_rate=1e-3, seeds=3)
    assert found.table == direct.table
    assert found.remarks[0] == (
        "The model is measured in eval mode (BatchNorm1d, Dropout came in train mode), with the "
        "statistics of BatchNorm1d set from the 4 inputs."
    )
    assert found.remarks[0] in found.unsaid()
    assert not any("eval mode" in text for text in direct.remarks)
    assert found.setting.model.endswith("untouched_by_hand")


def scaled(model: Any, batch: dict[str, Any]) -> Any:
    """A forward of the user's own."""
    return 2.0 * model(batch["x"])


def test_a_forward_of_ones_own_is_what_is_measured() -> None:
    """Twice the output is four times the kernel."""
    plain = fw.check(he(64), X, Y, learning_rate=0.0005, seeds=4)
    found = fw.check(he(64), {"x": X}, Y, learning_rate=0.0005, seeds=4, forward=scaled)
    for name in ("mean", "top_eigenvalue", "rate_times_sharpness"):
        one, two = plain.row(name), found.row(name)
        assert one is not None
        assert two is not None
        assert float(two.measured.value) == pytest.approx(4 * float(one.measured.value), rel=1e-9)
    assert "forward=" in found.theory
    assert found.net is None


def test_along_an_argument_each_value_has_its_rate() -> None:
    along = fw.verdict.check_along(lambda width: he(width)(), "width", [8, 16], X, Y, seeds=3)
    rates = [one.setting.learning_rate for one in along.checks]
    assert rates[0] != rates[1]
    assert json.loads(along.to_json())["inputs"]["learning_rate"] == rates
    assert "SGD at rate ½/λ_max of each" in along.markdown().replace("\\", "")


class _Sine(torch.autograd.Function):
    """A backward pass in NumPy, which cannot be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return torch.from_numpy(g.numpy() * np.cos(x.numpy()))


class _Once(nn.Module):
    def __init__(self, numpy: bool) -> None:
        super().__init__()
        self.a, self.b, self.numpy = nn.Linear(3, 16), nn.Linear(16, 2), numpy

    def forward(self, x: Any) -> Any:
        h = self.a(x)
        return self.b(_Sine.apply(h) if self.numpy else h.sin())


@pytest.mark.parametrize("dense", [512, 1])
def test_a_model_that_is_differentiated_once_has_the_same_verdict(
    dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """λ_max from the matrix, the first order from differences; and the page says so."""
    monkeypatch.setattr(sharpness, "DENSE", dense)
    x, y = torch.eye(3).double(), torch.ones(3, 2)
    found, twin = (
        fw.check(lambda numpy=numpy: _Once(numpy).double(), x, y, seeds=4)
        for numpy in (True, False)
    )
    assert found.setting.learning_rate == pytest.approx(twin.setting.learning_rate, rel=1e-6)
    for one, two in zip(found.table, twin.table, strict=True):
        assert one.measured.value == pytest.approx(two.measured.value, rel=1e-5)
    assert found.verdict == twin.verdict
    assert any("cannot differentiate twice" in text for text in found.remarks)
    assert not any("differentiate" in text for text in twin.remarks)
