"""Losses: against torch.nn.functional, their curvature, and what they refuse."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import finitewidth as fw
from finitewidth.measure.update.loss import curvature, reduced, value

B, C = 5, 4


def draw(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def classes(*shape: int) -> torch.Tensor:
    """Some of them ignored."""
    found = torch.randint(0, C, shape, generator=torch.Generator().manual_seed(1))
    found.view(-1)[::4] = -100
    return found


CASES = {
    "[B, C]": ((B, C), (B,), 1),
    "PyTorch [B, C, T]": ((B, C, 7), (B, 7), 1),
    "language [B, T, C]": ((B, 7, C), (B, 7), 2),
    "PyTorch [B, C, H, W]": ((B, C, 3, 2), (B, 3, 2), 1),
    "last [B, H, W, C]": ((B, 3, 2, C), (B, 3, 2), 3),
}


@pytest.mark.parametrize("probabilities", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("case", CASES)
def test_cross_entropy_is_that_of_torch(case: str, reduction: str, probabilities: bool) -> None:
    shape, targets, axis = CASES[case]
    output = draw(*shape)
    y = draw(*shape).softmax(axis) if probabilities else classes(*targets)
    moved = y.movedim(axis, 1) if probabilities else y
    expected = functional.cross_entropy(output.movedim(axis, 1), moved, reduction=reduction)
    loss = reduced("cross_entropy", reduction)
    assert float(value(loss, output, y)) == pytest.approx(float(expected), rel=1e-13)
    assert float(value(loss, output, y.numpy())) == pytest.approx(float(expected), rel=1e-13)


def test_the_mean_of_the_squared_error_is_half_of_torchs() -> None:
    output, y = draw(B, 3), draw(3, B).T
    found = value(reduced("mse", "mean"), output, y)
    assert float(found) == pytest.approx(0.5 * float(functional.mse_loss(output, y)), rel=1e-14)


REFUSED = {
    "ambiguous": ((B, C, C), (B, C), "may lie along axis 1 or the last one"),
    "neither": (
        (B, C, 7),
        (B, 6),
        r"for every input, \[5, 7\] \(classes along axis 1\) or",
    ),
    "one class": ((B, 1, 7), (B, 7), "at least 2 outputs"),
    "too few": ((B, 3), (B,), r"classes from 0 to 3, expected 0 … 2 .* \(-100 is ignored\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_targets_that_do_not_fit_are_one_sentence(case: str) -> None:
    shape, targets, told = REFUSED[case]
    with pytest.raises(ValueError, match=told) as caught:
        value("cross_entropy", draw(*shape), classes(*targets))
    assert "\n" not in str(caught.value)


def test_a_batch_that_is_ignored_and_ambiguous_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="every target in y is -100"):
        value("cross_entropy", draw(B, C), torch.full((B,), -100))
    even = torch.full((B, C, C), 1 / C, dtype=torch.float64)
    with pytest.raises(ValueError, match="may lie along axis 1 or the last one"):
        value("cross_entropy", draw(B, C, C), even)


@pytest.mark.parametrize("y", [np.array([0, 2, 1, 1, 0]), np.array([0.0, 2.0, 1.0, 1.0, 0.0])])
def test_class_numbers_for_the_squared_error_name_the_other_loss(y: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"loss='cross_entropy' \(--loss cross_entropy\)"):
        value("mse", draw(B, 3), y)
    with pytest.raises(ValueError, match=r"--loss cross_entropy"):
        value("mse", draw(B, 7, C), classes(B, 7))
    with pytest.raises(ValueError, match="needs one target for every output") as caught:
        value("mse", draw(B, 3), y + 0.5)
    assert "cross_entropy" not in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "reduction", "told"),
    [
        ("mse", "average", "reduction is 'average', expected 'sum' or 'mean'"),
        (functional.mse_loss, "mean", "averages over the batch itself"),
    ],
)
def test_reductions_that_have_no_meaning(loss: object, reduction: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        reduced(loss, reduction)  # type: ignore[arg-type]


# -- curvature ------------------------------------------------------------------------------------


def hessian(loss: object, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    size = output.numel()
    full = torch.autograd.functional.hessian(lambda n: value(loss, n, y), output)  # type: ignore[arg-type]
    return torch.as_tensor(full).reshape(size, size)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_curvature_bounds_the_hessian_in_the_outputs(reduction: str) -> None:
    output = draw(B, C)
    one = reduced("mse", reduction)
    top = float(torch.linalg.eigvalsh(hessian(one, output, output + 1))[-1])
    assert curvature(one, output, output + 1) == pytest.approx(top, rel=1e-12)
    two, y = reduced("cross_entropy", reduction), classes(B)
    assert float(torch.linalg.eigvalsh(hessian(two, output, y))[-1]) < curvature(two, output, y)
    sharp = torch.zeros(B, C, dtype=torch.float64)
    sharp[:, :2] = 60.0  # two classes of probability ½: the bound is reached
    top = float(torch.linalg.eigvalsh(hessian(two, sharp, y))[-1])
    assert curvature(two, sharp, y) == pytest.approx(top, rel=1e-12)


def test_the_curvature_of_a_function_is_its_own() -> None:
    def own(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (3.0 * (output - y) ** 2).sum() + 0.25 * (output[0] ** 4).sum()

    output, y = draw(B, 3), draw(B, 3)
    top = float(torch.linalg.eigvalsh(hessian(own, output, y)).abs().max())
    assert curvature(own, output, y) == pytest.approx(top, rel=1e-9)
    assert curvature(lambda n, t: (n - t).abs().sum(), output, y) == 0.0


# -- λ_max ----------------------------------------------------------------------------------------


def linear() -> torch.nn.Module:
    return torch.nn.Linear(4, 3).double()


X = draw(B, 4)
TARGETS = {"mse": draw(B, 3), "cross_entropy": torch.tensor([0, 2, 1, 1, 0])}


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("loss", TARGETS)
def test_sharpness_is_the_top_eigenvalue_of_the_kernel_with_all_outputs(
    loss: str, reduction: str
) -> None:
    from finitewidth.measure.update.sharpness import sharpness

    y = TARGETS[loss]
    found = sharpness(linear, X, y, reduced(loss, reduction), seeds=[3, 1])
    for seed, top in zip([3, 1], found, strict=True):
        torch.manual_seed(seed)
        kernel = fw.measure.kernel(linear(), X).permute(0, 2, 1, 3).reshape(3 * B, 3 * B)
        terms = 1 if reduction == "sum" else 3 * B if loss == "mse" else B
        share = (1.0 if loss == "mse" else 0.5) / terms
        assert top == pytest.approx(share * float(torch.linalg.eigvalsh(kernel)[-1]), rel=1e-9)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_linear_model_falls_below_two_over_it_and_rises_above(reduction: str) -> None:
    """Exactly: along the first eigenvector the error is multiplied by 1 − rate × λ_max."""
    from finitewidth.measure.update.sharpness import sharpness

    loss = reduced("mse", reduction)
    torch.manual_seed(0)
    model = linear()
    kernel = fw.measure.kernel(model, X).permute(0, 2, 1, 3).reshape(3 * B, 3 * B)
    direction = torch.linalg.eigh(kernel)[1][:, -1].reshape(B, 3)
    y = model(X).detach() - direction  # the error of seed 0 is the first eigenvector
    top = float(sharpness(linear, X, y, loss, seeds=[0, 1])[0])
    for share, falls in ((0.5, True), (1.9, True), (2.1, False)):
        found = fw.measure.descent_ensemble(
            linear, X, y, loss, learning_rate=share / top, seeds=[0, 1], max_steps=1
        ).descents[0]
        ratio = found.losses[1] / found.losses[0]
        assert ratio == pytest.approx((1 - share) ** 2, rel=1e-9)
        assert bool(ratio < 1) is falls
    for rate in (0.5, 1.9):  # and any error falls, with the bound of the cross-entropy as well
        y = TARGETS["cross_entropy"]
        top = float(sharpness(linear, X, y, "cross_entropy", seeds=2).min())
        found = fw.measure.descent_ensemble(
            linear, X, y, "cross_entropy", learning_rate=rate / top, seeds=[0, 1], max_steps=20
        )
        assert all((np.diff(one.losses) < 0).all() for one in found.descents[:1])


def test_a_mean_steps_as_a_sum_at_the_rate_over_the_terms() -> None:
    y = TARGETS["mse"]
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
    one = fw.measure.kernel_update(model.double(), X, y, learning_rate=0.01, find_range=False)
    two = fw.measure.kernel_update(
        model, X, y, learning_rate=0.01 * 3 * B, reduction="mean", find_range=False
    )
    np.testing.assert_allclose(two.first_order, one.first_order, rtol=1e-12)
    np.testing.assert_allclose(two.actual, one.actual, rtol=1e-9)  # type: ignore[arg-type]
    assert two.loss_before == pytest.approx(one.loss_before / (3 * B), rel=1e-14)
