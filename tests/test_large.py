"""Long work is refused before it starts, with its estimate, unless it was asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import _large
from finitewidth.expansion import Overview as Expanded
from finitewidth.paths import Overview as Paths

DEEP = fw.MLP.equal_width(4, 4, 10**9)


def law() -> fw.KernelLaw:
    return fw.KernelLaw(fw.MLP(4, [4, 4]))


LONG: dict[str, tuple[Callable[[], Any], str]] = {
    "sample of deep networks": (lambda: fw.KernelLaw(DEEP).sample(10, 0), "hours"),
    "summary of many": (lambda: law().summary(10**12, 0), "days"),
    "quantile of many": (lambda: law().quantile(0.5, 10**12), "days"),
    "log quantile of many": (lambda: law().log_quantile(0.5, 10**12), "days"),
    "crossing term of many": (
        lambda: law().crossing_mean(method="conditional", size=10**12), "days",
    ),
    "fraction of many layers": (lambda: fw.KernelLaw(DEEP).fraction("kernel"), "years"),
    "paths through many layers": (lambda: fw.paths.loops(DEEP, np.ones(4), "update"), "TiB"),
    "page of paths": (lambda: Paths(fw.MLP.equal_width(2, 2, 10**6)), "minutes"),
    "paths from many inputs": (lambda: Paths(fw.MLP(10**12, [2])), "TiB"),
    "expansion of many layers": (lambda: Expanded(fw.MLP.equal_width(4, 9, 10**5)), "minutes"),
    "expansion of listed layers": (lambda: Expanded(fw.MLP(4, [9, 8] * 50_000)), "minutes"),
    "expansion of an input": (lambda: Expanded(fw.MLP(10**12, [9])), "TiB"),
    "kernel of many layers": (
        lambda: fw.expansion.kernel(fw.MLP.equal_width(4, 9, 10**6), np.ones(4)).correction,
        "minutes",
    ),
    "ensemble of deep networks": (lambda: fw.simulate.ensemble(DEEP, np.ones((1, 4)), 3, 0), "TiB"),
    "ensemble of long ones": (
        lambda: fw.simulate.ensemble(fw.MLP.equal_width(4, 4, 10**5), np.ones((1, 4)), 10**6, 0,
                                     memory_budget=10**14),
        "hours",
    ),
    "training of deep networks": (
        lambda: fw.simulate.train(DEEP, np.ones((1, 4)), [1.0], 0.1, 2, method="deferred"), "TiB",
    ),
    "training for many steps": (
        lambda: fw.simulate.train(fw.MLP(4, [4]), np.ones((1, 4)), [1.0], 0.1, 10**12), "years",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LONG)
def test_long_work_is_refused_with_its_estimate(case: str) -> None:
    ask, unit = LONG[case]
    with pytest.raises(ValueError, match=unit) as caught:
        ask()
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert text.count(". ") == 0
    assert ("allow_large=True (--yes)" in text) != (unit == "TiB")


def test_long_work_is_begun_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_large, "SECONDS", 0.0)
    ask = law()
    for draw in (ask.sample, ask.log_sample, ask.summary):
        with pytest.raises(ValueError, match="takes about"):
            draw(100, 1)
        draw(100, 1, allow_large=True)
    assert ask.quantile(0.5, 100, 1, allow_large=True).value > 0
    assert ask.log_quantile(0.5, 100, 1, allow_large=True).size == 100
    assert ask.fraction("kernel", allow_large=True) > 0
    with pytest.raises(ValueError, match="takes about"):
        ask.sample(100, 1)
    with _large.allowing(True), _large.allowing(False):
        ask.sample(100, 1)


def test_a_time_has_its_unit() -> None:
    found = [_large.duration(seconds) for seconds in (30, 600, 7200, 2e5, 1e10)]
    assert found == ["30 seconds", "10 minutes", "2 hours", "2.3 days", "3.2e+02 years"]
