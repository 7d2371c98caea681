"""`width_for`: the answer against a search one width at a time, and its refusals."""

from collections.abc import Callable

import pytest

import finitewidth as fw

CASES = [
    # hidden layers, max dispersion, fields
    (1, 1.05, {}),
    (3, 1.3, {}),
    (10, 1.5, {"bias": False}),
    (6, 1.2, {"activation": "identity", "hidden_gain": 1.0}),
    (4, 1.1, {"weight_law": "uniform"}),
    (5, 1.4, {"activation": "leaky_relu", "negative_slope": -0.5}),
    (4, 1.6, {"parametrization": "standard"}),
    (2, 50.0, {}),
]


def _smallest(meets: Callable[[int], bool], top: int = 400) -> int:
    """The smallest width from which on a target holds, one by one down from `top`."""
    assert meets(top)
    return next((width + 1 for width in range(top - 1, 0, -1) if not meets(width)), 1)


@pytest.mark.parametrize(("hidden", "target", "fields"), CASES)
def test_dispersion_is_met_there_and_not_one_below(hidden, target, fields) -> None:
    def meets(width: int) -> bool:
        net = fw.MLP.equal_width(7, width, hidden, **fields)
        return fw.KernelLaw(net).dispersion() <= target

    assert fw.design.width_for(hidden, target, 7, **fields) == _smallest(meets)


def test_update_target_and_both_together() -> None:
    def law(width: int) -> fw.KernelLaw:
        return fw.KernelLaw(fw.MLP.equal_width(7, width, 4))

    slow = _smallest(lambda n: -law(n).relative_update(0.1) <= 0.02)
    assert fw.design.width_for(4, None, 7, max_relative_update=0.02, learning_rate=0.1) == slow
    steady = fw.design.width_for(4, 1.1, 7)
    both = fw.design.width_for(4, 1.1, 7, max_relative_update=0.02, learning_rate=0.1)
    assert both == max(slow, steady)
    assert slow != steady


def test_the_input_matters() -> None:
    small = fw.design.width_for(4, 1.1, 2, x=[0.1, 0.1])
    large = fw.design.width_for(4, 1.1, 2, x=[5.0, 5.0])
    assert small != large


def test_a_width_far_above_what_could_be_searched() -> None:
    target = 1 + 1e-9
    width = fw.design.width_for(9, target, 784)
    law = lambda n: fw.KernelLaw(fw.MLP.equal_width(784, n, 9))  # noqa: E731
    allowed = target - 1  # not 1e-9: the target was rounded to a double
    assert law(width).relative_variance() <= allowed < law(width - 1).relative_variance()


def test_narrow_dead_layers_do_not_pass_for_steady_ones() -> None:
    """At gain ½ and 30 layers, width 1 is steady because it is dead: width 2 is not."""
    law = lambda n: fw.KernelLaw(fw.MLP.equal_width(10, n, 30, hidden_gain=0.5))  # noqa: E731
    target = law(1).dispersion() * 1.0001
    assert law(4).dispersion() > target  # the trap is there
    width = fw.design.width_for(30, target, 10, hidden_gain=0.5)
    assert all(law(n).dispersion() <= target for n in range(width, width + 50))
    assert law(width - 1).dispersion() > target


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"hidden_layers": 3}, "no target"),
        ({"hidden_layers": 3, "max_dispersion": 1.0}, "only infinite width"),
        ({"hidden_layers": 3, "max_dispersion": 0.9}, "above 1"),
        ({"hidden_layers": 3, "max_dispersion": float("nan")}, "nan"),
        ({"hidden_layers": 3, "max_relative_update": 0.0}, "above 0"),
        ({"hidden_layers": 0, "max_dispersion": 2.0}, "no width to choose"),
        ({"hidden_layers": 3, "max_dispersion": 1 + 1e-14}, "no width up to 1e+12"),
        (
            {"hidden_layers": 3, "max_relative_update": 0.1, "parametrization": "standard"},
            "no width up to 1e+12",
        ),
        ({"hidden_layers": 3, "max_dispersion": 1.1, "activation": "tanh"}, "simulate"),
        (
            {"hidden_layers": 3, "max_relative_update": 0.1, "learning_rate": -1.0},
            "learning_rate is -1.0",
        ),
    ],
)
def test_a_target_that_cannot_be_met_says_so(arguments, part) -> None:
    with pytest.raises(ValueError, match=part.replace("+", r"\+")):
        fw.design.width_for(n_in=10, **arguments)


def test_the_answer_shows_itself_with_one_neuron_less() -> None:
    answer = fw.design.width(29, 1.2, 784, learning_rate=0.5)
    assert answer.value == fw.design.width_for(29, 1.2, 784) == answer.law.net.widths[0]
    assert answer.below is not None
    assert answer.below.net.widths[0] == answer.value - 1
    assert answer.law.dispersion() <= 1.2 < answer.below.dispersion()
    numbers = answer.record().results
    assert numbers["width"]["value"] == answer.value
    assert numbers["dispersion"]["value"] == answer.law.dispersion()
    assert numbers["relative_update"]["value"] == answer.law.relative_update(0.5)
    text = answer.markdown()
    assert f"Every width from {answer.value} on meets the target" in text
    assert f"{answer.below.dispersion():.6g}" in text


def test_nothing_is_below_a_single_neuron() -> None:
    answer = fw.design.width(2, 50.0, 784)
    assert (answer.value, answer.below) == (1, None)
    assert "not enough" not in answer.markdown()
