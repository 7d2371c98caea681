"""Results of the expansion show themselves."""

import json

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.expansion.overview.numbers import Numbers

X = np.array([[0.3, 0.1], [1.0, -2.0]])


def test_the_noisiest_input_and_relative_errors() -> None:
    """The noisiest input, and errors of the quadrature over the kernel's size."""
    net = fw.MLP.equal_width(2, 20, 2, activation="gelu", hidden_gain=1.9)
    numbers = Numbers(net, X, fw.expansion.criticality("gelu"), 0.1)
    each = [fw.expansion.kernel(net, x) for x in X]
    spread = [(one.variance / one.infinite**2).item() for one in each]
    assert numbers.noisiest.tolist() == X[int(np.argmax(spread))].tolist()
    errors, size = numbers.expansion.quadrature_error, numbers.tangent
    assert numbers.quadrature_error == {
        "Θ": errors["infinite"] / size,
        "shift": errors["correction"] / size,
        "covariance": errors["covariance"] / size**2,
        "step": pytest.approx(0.1 * 2 * errors["first_step"] / size),
    }
    relu = fw.MLP.equal_width(2, 20, 4)
    assert Numbers(relu, X[:1], fw.expansion.criticality("relu"), None).shift == 0.0


def test_the_exact_law_is_an_argument() -> None:
    net = fw.MLP.equal_width(2, 50, 2)
    beside = json.loads(fw.expansion.Overview(net, X[0], 0.1, fw.KernelLaw).to_json())["results"]
    alone = json.loads(fw.expansion.Overview(net, X[0], 0.1).to_json())["results"]
    assert beside["exact_mean"]["value"] == fw.KernelLaw(net, X[0]).mean()
    assert beside["exact_first_step"]["value"] == fw.KernelLaw(net, X[0]).update_mean(0.1)
    assert set(beside) - set(alone) == {
        "exact_mean", "exact_relative_variance", "exact_first_step"
    }  # fmt: skip
    (figure,) = fw.expansion.Overview(net, X[0], 0.1, fw.KernelLaw).page().drawings()
    assert isinstance(figure, fw.report.Plot)
    assert "exact law" in [one.label for one in figure.series]
    several = fw.expansion.Overview(net, X, 0.1, fw.KernelLaw)
    assert "exact" not in several.markdown()
    assert "exact_mean" not in several.to_json()


def test_an_expansion_shows_its_kernel() -> None:
    net = fw.MLP.equal_width(2, 20, 2, activation="tanh", hidden_gain=1.3)
    found = fw.expansion.kernel(net, X)
    rows = [line.split("|")[1:-1] for line in found.markdown().splitlines() if "|" in line][2:]
    assert [(int(a), int(b)) for a, b, *_ in rows] == [(0, 0), (0, 1), (1, 1)]
    for a, b, *shown in rows:
        place = int(a), int(b)
        numbers = found.infinite[place], found.correction[place], found.variance[place] ** 0.5
        assert [float(text) for text in shown] == pytest.approx(numbers, rel=1e-5)
    results = json.loads(found.to_json())["results"]
    assert results["variance"]["value"] == found.variance.tolist()
    assert "Θ_ab" in found._repr_html_()


def test_without_first_order_an_expansion_shows_its_limit() -> None:
    residual = fw.MLP.equal_width(2, 20, 2, activation="tanh", residual=(0.5, 1.0))
    page = fw.expansion.kernel(residual, X).markdown()
    assert "At infinite width only: " in page
    assert "spread over seeds" not in page
    many = fw.expansion.kernel(fw.MLP(2, [5]), np.ones((6, 2))).markdown()
    assert "The first 4 of 6 inputs." in many
