"""The table of corrections: four computations of each number agree, and the printed one does not.

Simulated values within 5.3 standard errors of the exact law (8 comparisons: false alarms 1e-6); an
error of 10.6 standard errors is found, and every printed form but one is farther away than that.
"""

import pytest

from finitewidth.network import MLP
from finitewidth.reproduce import Reproduction, names, reproduce
from finitewidth.reproduce.errata import update_sign


@pytest.fixture(scope="module")
def errata() -> Reproduction:
    calls: list[tuple[int, int]] = []
    found = reproduce("errata", quick=True, seed=1, progress=lambda *at: calls.append(at))
    assert calls == [(done, 8) for done in range(9)]
    return found


def test_law_and_enumeration_agree(errata: Reproduction) -> None:
    seen = 0
    for name, value in errata.numbers.items():
        key, _, kind = name.rpartition(", ")
        if kind == "exact law":
            assert errata.numbers[f"{key}, enumeration"] == pytest.approx(value, rel=1e-10)
            seen += 1
    assert seen == 8


def test_simulation_agrees_with_the_law_and_rejects_what_is_printed(errata: Reproduction) -> None:
    rejected = 0
    for name, value in errata.numbers.items():
        key, _, kind = name.rpartition(", ")
        if kind == "simulated":
            assert value.trusted  # pyright: ignore[reportAttributeAccessIssue]
            z = value.z  # pyright: ignore[reportAttributeAccessIssue]
            assert abs(z(errata.numbers[f"{key}, exact law"])) < 5.3
            rejected += abs(z(errata.numbers[f"{key}, printed"])) > 10.6
    assert rejected == 7  # d/2 = 2 for 1.9375 takes all networks, not a twentieth


def test_corrected_closed_forms_that_are_exact(errata: Reproduction) -> None:
    for key in ("biases-mean, 2-3-3-1", "biases-mean, 3-1-2-2-1", "inner-sum, 1-40-1"):
        exact = errata.numbers[f"{key}, exact law"]
        assert errata.numbers[f"{key}, corrected"] == pytest.approx(exact, rel=1e-12)
        assert errata.numbers[f"{key}, printed"] != pytest.approx(exact, rel=1e-2)


def test_the_seed_decides_the_sample() -> None:
    net = MLP(n_in=3, widths=[3])
    rows = [update_sign(net, 50, seed) for seed in (1, 1, 2)]
    assert rows[0].simulated == rows[1].simulated != rows[2].simulated


def test_bad_input() -> None:
    assert "errata" in names()
    with pytest.raises(ValueError, match="the name is 'theorem9', expected one of errata"):
        reproduce("theorem9")
    with pytest.raises(ValueError, match="seed is -1"):
        reproduce("errata", seed=-1)
