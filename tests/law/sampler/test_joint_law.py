"""The joint law of (N, K_w, K_b) against networks that are drawn weight by weight.

40,000 dense networks against 120,000 draws of the sampler in each case. Among living networks:

- the Kolmogorov–Smirnov distance of N, K_w, K_b and of eleven functions of all three;
- the number of networks in each of 125 cells of the space of (N, K_w, K_b), by χ².

Dead networks: how many there are, by Fisher's exact test between the samples and by the exact
binomial test against 1 − Π (1 − 2^(−n)), and their values, which are constants.

False alarms: every comparison has the level 10⁻⁶ over the number of comparisons in this file, so
at most one run of the file in a million fails by chance. Where all networks are alive this is a
Kolmogorov–Smirnov distance of 0.0186; a distance of 0.037 is missed at most once in a million
runs, and where a fraction p is alive both are 1/√p times larger.

Ranks and cells come from a third sample. Given that sample they are fixed functions, so the tests
are exact about them; equal values (K_b without biases) only make the tests more lenient.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

import finitewidth as fw
from finitewidth.law.sampler import from_draws
from tests.law.sampler import sabotage
from tests.law.sampler.sabotage import Layer, Sabotage

X = np.array([0.7, -1.1, 0.4])
DENSE, SAMPLED, REFERENCE = 40_000, 120_000, 20_000
CELLS = 5
"""Cells along each of the three axes."""


def _net(widths: list[int], slope: float = 0.0, **fields: object) -> fw.MLP:
    if slope == 0.0:
        return fw.MLP(3, widths, **fields)  # type: ignore[arg-type]
    return fw.MLP(3, widths, "leaky_relu", slope, **fields)  # type: ignore[arg-type]


SLOW = {"parametrization": "standard", "bias_lr": 0.3}
GAINS = {"hidden_gain": 1.3, "output_gain": 2.4}
NETS = {
    "1": _net([1]),
    "2": _net([2]),
    "1, 2": _net([1, 2]),
    "3, 2, 4": _net([3, 2, 4]),
    "8 three times": _net([8] * 3),
    "30 twice": _net([30, 30]),
    "30, 5, 20": _net([30, 5, 20]),
    "2, standard": _net([2], parametrization="standard"),
    "3, 2, 4, standard, slow biases, gains": _net([3, 2, 4], **SLOW, **GAINS),
    "30, 5, 20, standard": _net([30, 5, 20], parametrization="standard"),
    "8 three times, slow biases, gains": _net([8] * 3, bias_lr=0.3, **GAINS),
    "3, 2, 4, no biases": _net([3, 2, 4], bias=False),
    "0.3: 1": _net([1], 0.3),
    "0.3: 4": _net([4], 0.3),
    "0.3: 3, 2, 4": _net([3, 2, 4], 0.3),
    "0.3: 30, 5, 20, standard": _net([30, 5, 20], 0.3, parametrization="standard"),
    "-0.5: 4": _net([4], -0.5),
    "-0.5: 3, 2, 4, slow biases, gains": _net([3, 2, 4], -0.5, **SLOW, **GAINS),
    "-0.5: 30 twice": _net([30, 30], -0.5),
    "identity: 3, 2, 4": _net([3, 2, 4], 1.0, hidden_gain=1.0),
    "identity: 1, 2, standard": _net([1, 2], 1.0, **SLOW),
    "identity: 8 three times": _net([8] * 3, 1.0),
    "abs: 1, 2": _net([1, 2], -1.0, hidden_gain=1.0),
    "abs: 3, 2, 4, standard": _net([3, 2, 4], -1.0, **SLOW),
    "abs: 30, 5, 20": _net([30, 5, 20], -1.0),
}


@dataclass(frozen=True)
class Drawn:
    """N, K_w and K_b of the living networks, and how many networks were drawn."""

    output: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    size: int

    @property
    def dead(self) -> int:
        return self.size - len(self.output)


def sampled(net: fw.MLP, size: int, seed: int) -> Drawn:
    draws = fw.KernelLaw(net, X).sample(size, seed, workers=1)
    dead = ~draws.alive
    assert not draws.output[dead].any()
    assert not draws.weights[dead].any()
    assert np.all(draws.biases[dead] == (net.bias_lr if net.bias else 0.0))
    np.testing.assert_allclose(draws.kernel, draws.weights + draws.biases, rtol=4e-16)
    living = draws.alive
    return Drawn(draws.output[living], draws.weights[living], draws.biases[living], size)


@cache
def dense(name: str) -> Drawn:
    net = NETS[name]
    drawn = fw.simulate.ensemble(net, [X], DENSE, seed=sorted(NETS).index(name))
    output, weights, biases = drawn.outputs[:, 0], drawn.weights[:, 0, 0], drawn.biases[:, 0, 0]
    dead = output == 0
    assert not weights[dead].any()
    assert np.all(biases[dead] == (net.bias_lr if net.bias else 0.0))
    return Drawn(output[~dead], weights[~dead], biases[~dead], DENSE)


class Functions:
    """Functions of (N, K_w, K_b), fixed by a reference sample."""

    def __init__(self, reference: Drawn) -> None:
        self._sorted = {
            "n": np.sort(np.abs(reference.output)),
            "w": np.sort(reference.weights),
            "b": np.sort(reference.biases),
        }
        self._edges = self._cell_edges(reference)

    def _rank(self, name: str, values: np.ndarray) -> np.ndarray:
        ordered = self._sorted[name]
        return np.interp(values, ordered, np.linspace(0, 1, len(ordered)))

    def __call__(self, drawn: Drawn) -> dict[str, np.ndarray]:
        n, w, b = drawn.output, drawn.weights, drawn.biases
        rank_n, rank_w, rank_b = self._rank("n", np.abs(n)), self._rank("w", w), self._rank("b", b)
        return {
            "N": n,
            "K_w": w,
            "K_b": b,
            "K": w + b,
            "K_w K_b": w * b,
            "K_w / K": w / (w + b),
            "max(K_w, K_b)": np.maximum(w, b),
            "N²/K_w": n * n / w,
            "N sign(K_w above its median)": n * np.sign(rank_w - 0.5),
            "ranks |N| + K_w": rank_n + rank_w,
            "ranks |N| + K_b": rank_n + rank_b,
            "ranks K_w − K_b": rank_w - rank_b,
            "ranks |N| + K_w + K_b": rank_n + rank_w + rank_b,
            "largest rank of the three": np.maximum(np.maximum(rank_n, rank_w), rank_b),
        }

    # Cells: fifths of K_w; in each of them fifths of K_b; in each of those fifths of N.

    @staticmethod
    def _cut(values: np.ndarray) -> np.ndarray:
        return np.quantile(values, np.arange(1, CELLS) / CELLS)

    def _cell_edges(self, reference: Drawn) -> list[dict[int, np.ndarray]]:
        place, found = np.zeros(len(reference.output), dtype=int), []
        for values in (reference.weights, reference.biases, reference.output):
            edges = {int(k): self._cut(values[place == k]) for k in np.unique(place)}
            found.append(edges)
            place = self._refine(place, values, edges)
        return found

    @staticmethod
    def _refine(place: np.ndarray, values: np.ndarray, edges: dict[int, np.ndarray]) -> np.ndarray:
        inside = np.zeros(len(place), dtype=int)
        for k, cuts in edges.items():
            here = place == k
            inside[here] = np.searchsorted(cuts, values[here])
        return CELLS * place + inside

    def cells(self, drawn: Drawn) -> np.ndarray:
        """How many networks are in each cell."""
        place = np.zeros(len(drawn.output), dtype=int)
        for values, edges in zip(
            (drawn.weights, drawn.biases, drawn.output), self._edges, strict=True
        ):
            place = self._refine(place, values, edges)
        return np.bincount(place, minlength=CELLS**3)


def cells_p_value(first: np.ndarray, second: np.ndarray) -> float:
    """χ² for two samples of counts; cells that both leave empty do not count."""
    used = first + second > 0
    a, b = first[used].astype(float), second[used].astype(float)
    ratio = np.sqrt(b.sum() / a.sum())
    statistic = np.sum((a * ratio - b / ratio) ** 2 / (a + b))
    return float(stats.chi2.sf(statistic, len(a) - 1)) if len(a) > 1 else 1.0


def _p(result: Any) -> float:
    return float(result.pvalue)


def living_p_values(first: Drawn, second: Drawn, functions: Functions) -> dict[str, float]:
    ours, theirs = functions(first), functions(second)
    found = {name: _p(stats.ks_2samp(ours[name], theirs[name], method="asymp")) for name in ours}
    found["cells"] = cells_p_value(functions.cells(first), functions.cells(second))
    return found


def p_values(name: str, seed: int) -> dict[str, float]:
    """All comparisons of the sampler with the dense networks of a case."""
    net, true = NETS[name], dense(name)
    draws = sampled(net, SAMPLED, seed)
    found = living_p_values(true, draws, Functions(sampled(net, REFERENCE, seed + 1)))
    table = [[one.dead, one.size - one.dead] for one in (true, draws)]
    expected = from_draws.exact_dead_fraction(net)
    found["dead, Fisher"] = _p(stats.fisher_exact(table))
    for which, one in (("dense", true), ("sampled", draws)):
        found[f"dead, {which}"] = _p(stats.binomtest(one.dead, one.size, expected))
    return found


COMPARISONS = 18
LEVEL = 1e-6 / (COMPARISONS * len(NETS) + 32)
"""The calibration below makes 30 comparisons, and the correct plain sampler is held to it twice."""


@pytest.mark.parametrize("name", NETS)
def test_the_sampler_draws_what_dense_networks_draw(name: str) -> None:
    found = p_values(name, seed=100 * (1 + list(NETS).index(name)))
    assert len(found) == COMPARISONS
    worst = min(found, key=lambda key: found[key])
    assert found[worst] > LEVEL, f"{worst}: p = {found[worst]:.2g}"


CASES: dict[str, tuple[str, Sabotage]] = {
    "backward χ² of m degrees": ("3, 2, 4", Layer(pinned=0).install),
    "backward χ² of m degrees, wider": ("30, 5, 20", Layer(pinned=0).install),
    "the same, leaky": ("0.3: 3, 2, 4", Layer(pinned=0).install),
    # Deeper networks hide this term from such samples; there the twin is the witness.
    "no cross term": ("0.3: 4", Layer(cross=0.0).install),
    "no cross term, negative slope": ("-0.5: 4", Layer(cross=0.0).install),
    "dead layers ignored": ("3, 2, 4", Layer(notices_death=False).install),
    "death by a small signal": ("1, 2", sabotage.dead_by_size),
    "N and K apart": ("8 three times", sabotage.output_apart),
    "K_w and K_b apart": ("30, 5, 20", sabotage.biases_apart),
    "N and K apart, leaky": ("-0.5: 30 twice", sabotage.output_apart),
    "no sign": ("30 twice", sabotage.signless),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_sampler_is_rejected(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, break_it = CASES[case]
    break_it(monkeypatch)
    assert min(p_values(name, seed=1).values()) < LEVEL


@pytest.mark.parametrize("name", ["3, 2, 4", "0.3: 3, 2, 4"])
def test_the_sampler_of_the_sabotage_is_right_when_nothing_is_broken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Layer().install(monkeypatch)
    assert min(p_values(name, seed=2).values()) > LEVEL


def test_permuted_outputs_are_found_by_the_joint_comparisons_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every coordinate by itself is right, so looking at moments of each would pass."""
    sabotage.output_apart(monkeypatch)
    found = p_values("8 three times", seed=3)
    assert min(found[name] for name in ("N", "K_w", "K_b")) > LEVEL
    assert found["cells"] < LEVEL


@pytest.mark.parametrize("name", ["3, 2, 4", "30, 5, 20, standard"])
def test_p_values_between_two_runs_of_the_sampler_are_uniform(name: str) -> None:
    """200 pairs of samples of 1000 and 3000 networks, and the uniform law of each p-value.

    Kolmogorov–Smirnov at this file's level: a distance of 0.23 is an alarm, so a test whose
    p-values were below 10⁻³ in a quarter of the cases, or never below ¼, would be noticed.
    """
    net = NETS[name]
    functions = Functions(sampled(net, REFERENCE, 7))
    found: dict[str, list[float]] = {}
    for pair in range(200):
        first, second = sampled(net, 1000, 1000 + pair), sampled(net, 3000, 2000 + pair)
        for key, value in living_p_values(first, second, functions).items():
            found.setdefault(key, []).append(value)
    assert len(found) == 15
    for key, values in found.items():
        assert _p(stats.kstest(values, "uniform")) > LEVEL, key
