"""Results of measurements show themselves: short, with every seed's numbers in the JSON."""

import json
from io import StringIO

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

from rich.console import Console  # noqa: E402
from torch import nn  # noqa: E402

import finitewidth as fw  # noqa: E402
from finitewidth.report import Plot, Shown  # noqa: E402

SEEDS = 20
X = np.linspace(-1, 1, 15).reshape(3, 5)
Y = np.array([[1.0], [-1.0], [0.5]])
STEP = {"learning_rate": 0.01, "seeds": SEEDS}


def make() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1)).double()


def dead_and_alive(seed: int) -> nn.Module:
    """Every second network has a kernel of 0."""
    torch.manual_seed(seed)
    model = make()
    if seed % 2:
        for one in model.parameters():
            one.requires_grad_(False)
        model[2].weight.requires_grad_()  # type: ignore[union-attr]
        torch.nn.init.constant_(model[0].bias, -9.0)  # type: ignore[arg-type]
    return model


def printed(result: Shown, verbose: bool = False) -> list[str]:
    file = StringIO()
    Console(file=file, width=80, highlight=False).print(result.terminal(verbose), end="")
    return file.getvalue().splitlines()


def results() -> dict[str, Shown]:
    update = fw.measure.update_ensemble(make, X, Y, **STEP)
    descent = fw.measure.descent_ensemble(make, X, Y, **STEP)
    return {
        "ensemble": fw.measure.ensemble(make, X, SEEDS),
        "update_ensemble": update,
        "kernel_update": fw.measure.kernel_update(make(), X, Y, learning_rate=0.01),
        "descent_ensemble": descent,
        "descent": descent.descents[0],
    }


def test_every_result_is_short_and_has_a_figure() -> None:
    for name, result in results().items():
        lines = printed(result)
        assert len(lines) <= 25, name
        assert max(map(len, lines)) <= 80, name
        (figure,) = result.page().drawings()
        assert isinstance(figure, Plot)
        assert "<table>" in result._repr_html_()


def test_the_numbers_are_those_of_the_attributes() -> None:
    ensemble = fw.measure.ensemble(make, X, SEEDS)
    found = json.loads(ensemble.to_json())
    assert found["results"]["mean"]["value"] == ensemble.mean.value
    assert found["results"]["condition"]["std_error"] == ensemble.condition.std_error
    assert found["samples"]["mean"] == ensemble.diagonals.tolist()
    assert found["seeds"] == ensemble.seeds
    shares = [one["value"] for name, one in found["results"].items() if name.startswith("share_")]
    assert sum(shares) == pytest.approx(1.0)
    assert any("share of the kernel" in line for line in printed(ensemble, verbose=True))
    update = fw.measure.update_ensemble(make, X, Y, **STEP)
    found = json.loads(update.to_json())
    assert found["results"]["relative_first_order"]["value"] == update.relative_first_order.value
    assert found["samples"]["relative_first_order"] == update.relative_by_first_order.tolist()
    assert found["inputs"]["learning_rate"] == 0.01


def test_the_movement_is_the_mean_of_the_seeds_own() -> None:
    """A loss that one step takes to nearly 0 counts as five factors e."""
    ends = (1e-6, 0.5), (np.exp(-2.0), 0.3), (2.0, 0.3)
    descents = [fw.measure.Descent(np.array([1.0, end]), True, moved) for end, moved in ends]
    found = fw.measure.DescentEnsemble([0, 1, 2], descents)
    assert found.movements == [pytest.approx(0.1), pytest.approx(0.15), None]
    assert found.movement is not None
    assert found.movement.value == pytest.approx(0.125)
    assert json.loads(found.to_json())["samples"]["movement"] == found.movements


def test_a_step_and_a_descent_that_end_in_infinity_show_what_there_is() -> None:
    wild = {"learning_rate": 1e140, "seeds": 3}
    for result in (
        fw.measure.update_ensemble(make, X, Y, **wild),
        fw.measure.descent_ensemble(make, X, Y, **wild),
        fw.measure.kernel_update(make(), X, Y, learning_rate=1e140),
    ):
        assert len(printed(result)) <= 25
        result._repr_html_()


def test_kernels_of_zero_have_no_condition_number() -> None:
    found = fw.measure.ensemble(dead_and_alive, X, 4)
    assert (found.diagonals == 0).any()
    assert "condition" not in json.loads(found.to_json())["results"]
    assert found.page().drawings()[0].svg()


def test_a_loss_of_zero_is_left_out_of_the_logarithmic_axis() -> None:
    descent = fw.measure.Descent(np.array([2.0, 1.0, 0.0]), True, 0.1)
    figure = descent.page().drawings()[0]
    assert isinstance(figure, Plot)
    assert figure.series[0].y.tolist() == [1.0, 0.5]  # type: ignore[union-attr]
