"""A check of two seeds works, and trusts none of its errors."""

import warnings

import pytest

import finitewidth as fw

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

from tests.verdict.models import X, Y, he  # noqa: E402


def test_two_seeds_are_numbers_and_no_trusted_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fw.check(he(16), X, Y, learning_rate=1e-3, seeds=2, max_dispersion=2.0)
    start = found.measured.start
    first, second = start.diagonals
    assert start.mean.value == pytest.approx((first + second) / 2)
    assert start.variance.value == pytest.approx((first - second) ** 2 / 2)
    rows = {row.name: row.measured for row in (*found.table, *found.shares)}
    assert {"mean", "dispersion", "log_spread", "kernel_change", "movement"} <= set(rows)
    for name, estimate in rows.items():
        counted = name in {"diverged"}  # a share of seeds, whose error is a formula's
        assert counted or not estimate.trusted, name
    assert str(found)
    assert "not trusted" in found.markdown()


def test_an_ensemble_of_two_shows_itself() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fw.measure.ensemble(he(16), X, 2)
        assert "not trusted" in found.markdown()
    for name in ("mean", "variance", "dispersion", "trace", "top_eigenvalue", "condition",
                 "log10_condition", "log10_condition_spread", "mean_kernel"):  # fmt: skip
        assert not getattr(found, name).trusted, name
