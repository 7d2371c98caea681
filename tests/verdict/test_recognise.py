"""Which models get a theory beside their numbers, and what the others are told.

Gains are told apart within five standard errors; seeds are fixed, so nothing here is random. Over
seeds a network of the family would be refused about once in 10⁵ times.
"""

from collections.abc import Callable
from typing import Any

import pytest

import finitewidth as fw

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
from torch import Tensor, nn  # noqa: E402

from finitewidth.verdict.draws import recognised_network  # noqa: E402
from finitewidth.verdict.recognise import Recognised  # noqa: E402
from tests.verdict.models import X, resnet, stack  # noqa: E402

Factory = Callable[..., nn.Module]


def recognised(make: Factory, inputs: Tensor = X) -> Recognised:
    return recognised_network(make, list(range(16)), inputs.float())


def found(make: Factory, inputs: Tensor = X) -> fw.MLP:
    answer = recognised(make, inputs)
    assert answer.net is not None, answer.sentence
    return answer.net


def like(**arguments: object) -> fw.MLP:
    usual = {"hidden_gain": 2.0, "output_gain": 1.0, "parametrization": "standard"} | arguments
    return fw.MLP(6, [24, 24], **usual)  # type: ignore[arg-type]


# -- known ----------------------------------------------------------------------------------------

KNOWN = {
    "He normal": (stack, like()),
    "He uniform": (lambda: stack(uniform=True), like(weight_law="uniform")),
    "LeakyReLU, own gain": (
        lambda: stack(slope=0.1),
        like(activation="leaky_relu", negative_slope=0.1, hidden_gain=2 / 1.01),
    ),
    "LeakyReLU, wide slope": (
        lambda: stack(slope=0.5),
        like(activation="leaky_relu", negative_slope=0.5, hidden_gain=2 / 1.25),
    ),
    "LeakyReLU, ReLU's gain": (
        lambda: stack(activation=lambda: nn.LeakyReLU(0.3)),
        like(activation="leaky_relu", negative_slope=0.3),
    ),
    "no biases": (lambda: stack(bias=False), like(bias=False)),
    "Flatten first": (lambda: nn.Sequential(nn.Flatten(), *stack()), like()),
    "Sequential in Sequential": (lambda: nn.Sequential(nn.Flatten(), stack()), like()),
}


@pytest.mark.parametrize("name", KNOWN)
def test_networks_of_the_family_are_recognised(name: str) -> None:
    make, net = KNOWN[name]
    assert found(make) == net


def test_double_precision_is_recognised() -> None:
    assert recognised_network(lambda: stack().double(), list(range(16)), X).net == like()


def test_the_leaky_gain_is_told_from_the_relu_gain() -> None:
    """At slope 0.1 they lie 1 % apart: told with the weights of a wide layer."""
    own = found(lambda: stack([400, 400], slope=0.1))
    relu = found(lambda: stack([400, 400], activation=lambda: nn.LeakyReLU(0.1)))
    assert own.hidden_gain == pytest.approx(2 / 1.01, rel=1e-12)
    assert relu.hidden_gain == 2.0


def test_a_single_layer_is_recognised() -> None:
    net = found(lambda: stack([]))
    assert net.depth == 1


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace", "student_t:9"])
def test_a_module_of_an_mlp_is_that_mlp(law: str, parametrization: str) -> None:
    net = fw.MLP(6, [24, 24], weight_law=law, parametrization=parametrization)
    assert found(lambda: fw.measure.module(net)) == net


def test_images_that_are_flattened_are_one_vector() -> None:
    images = torch.zeros(2, 2, 3)
    assert found(lambda: nn.Sequential(nn.Flatten(), *stack()), images) == like()


def test_the_sentence_says_what_was_read() -> None:
    told = recognised(stack).sentence
    for word in ("gaussian", "2/fan-in", "1/fan-in", "biases that start at 0", "standard"):
        assert word in told


# -- not known ------------------------------------------------------------------------------------


class Squared(nn.Linear):
    """A layer with a forward of its own."""

    def forward(self, input: Tensor) -> Tensor:
        """The square of the layer's output."""
        return super().forward(input) ** 2


class Leaking(nn.ReLU):
    """An activation that is no ReLU."""

    def forward(self, input: Tensor) -> Tensor:
        """A line."""
        return input


class Doubling(nn.Sequential):
    """A stack that is not the composition of its layers."""

    def forward(self, input: Tensor) -> Tensor:
        """Twice."""
        return 2 * super().forward(input)


def default() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1))


def orthogonal(scale: float = 2.0**0.5) -> nn.Module:
    model = stack()
    nn.init.orthogonal_(model[2].weight, gain=scale)
    return model


def off(place: int, factor: float) -> Factory:
    """One gain too large."""

    def make() -> nn.Module:
        model = stack()
        with torch.no_grad():
            model[place].weight.mul_(factor**0.5)
        return model

    return make


def normed() -> nn.Module:
    model = stack()
    nn.utils.parametrizations.weight_norm(model[2])
    return model


def hooked(kind: str) -> Factory:
    def make() -> nn.Module:
        model = stack()
        getattr(model[2], kind)(lambda *arguments: None)
        return model

    return make


def tied() -> nn.Module:
    model = stack([6, 6])
    model[2] = model[0]
    return model


def shared() -> nn.Module:
    model = stack()
    model[2].weight = stack()[2].weight
    square = stack([24, 24, 24])
    square[4].weight = square[2].weight
    return square


def frozen() -> nn.Module:
    model = stack()
    model[2].weight.requires_grad_(False)
    return model


def convolution() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(24, 1),
    )  # fmt: skip


def of_seed(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return stack([24 + seed % 2, 24])


def mixed() -> nn.Module:
    model = stack()
    nn.init.kaiming_uniform_(model[2].weight, nonlinearity="relu")
    return model


def one_without_bias() -> nn.Module:
    model = stack()
    model[2] = nn.Linear(24, 24, bias=False)
    return model


def sparse() -> nn.Module:
    """Half of the weights 0, with the usual variance."""
    model = stack()
    with torch.no_grad():
        weight = model[2].weight
        weight.mul_(2**0.5 * (torch.rand_like(weight) < 0.5))
    return model


def shifted() -> nn.Module:
    model = stack()
    with torch.no_grad():
        model[2].weight.add_(0.05)
    return model


UNKNOWN: dict[str, tuple[Factory, str]] = {
    "PyTorch's default": (default, "biases start at random"),
    "orthogonal": (orthogonal, "right angles"),
    "hidden gain off": (off(2, 1.1), "no usual gain"),
    "output gain off": (off(4, 1.25), "no usual gain"),
    "Linear subclass": (lambda: stack(linear=Squared), "Squared"),
    "ReLU subclass": (lambda: stack(activation=Leaking), "Leaking"),
    "Sequential subclass": (lambda: Doubling(*stack()), "Doubling"),
    "inner Sequential subclass": (lambda: nn.Sequential(Doubling(*stack())), "Doubling"),
    "weight norm": (normed, "ParametrizedLinear"),
    "hook": (hooked("register_forward_hook"), "hooks"),
    "hook before": (hooked("register_forward_pre_hook"), "hooks"),
    "hook on gradients": (hooked("register_full_backward_hook"), "hooks"),
    "tied": (tied, "used twice"),
    "shared weight": (shared, "used twice"),
    "frozen": (frozen, "frozen"),
    "convolution": (convolution, "Unflatten"),
    "widths of the seed": (of_seed, "depend on the seed"),
    "two laws": (mixed, "different laws"),
    "some biases": (one_without_bias, "biases"),
    "sparse": (sparse, "neither normal nor uniform"),
    "mean": (shifted, "another mean"),
    "another activation": (lambda: stack(activation=nn.GELU), "GELU"),
    "two slopes": (
        lambda: nn.Sequential(*(nn.LeakyReLU(0.1) if i == 1 else m for i, m in enumerate(stack()))),
        "different slopes",
    ),
    "ends in ReLU": (lambda: nn.Sequential(*stack(), nn.ReLU()), "last layer"),
    "no activation": (lambda: stack(activation=nn.Identity), "without an activation"),
    "another module of an MLP": (
        lambda: fw.measure.module(fw.MLP(6, [24], activation="tanh")),
        "linear on either side of 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_others_are_told_what_differs(name: str) -> None:
    make, word = UNKNOWN[name]
    answer = recognised(make)
    assert answer.net is None
    assert word in answer.sentence
    assert answer.sentence.startswith("No theory stands beside the numbers: ")
    assert answer.sentence.count(". ") == 0  # one sentence


def altered(change: Callable[[Any], None]) -> Factory:
    """A module of an MLP after a change."""

    def make() -> nn.Module:
        model = fw.measure.module(fw.MLP(6, [24, 24]))
        with torch.no_grad():
            change(model)
        return model

    return make


def _hook(model: Any) -> None:
    model.layers[1].register_forward_hook(lambda *arguments: None)


def _scale(model: Any) -> None:
    model.layers[1].weight.mul_(1.1)


def _orthogonal(model: Any) -> None:
    nn.init.orthogonal_(model.layers[1].weight, gain=24**0.5)


def _bias(model: Any) -> None:
    model.layers[0].bias.add_(0.1)


def _freeze(model: Any) -> None:
    model.layers[0].weight.requires_grad_(False)


def _freeze_bias(model: Any) -> None:
    model.layers[0].bias.requires_grad_(False)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_hook, "hooks"),
        (_scale, "not as its MLP draws them"),
        (_orthogonal, "right angles"),
        (_bias, "biases do not start at 0"),
        (_freeze, "frozen"),
        (_freeze_bias, "frozen"),
    ],
)
def test_a_module_of_an_mlp_that_was_changed_is_not(
    change: Callable[[Any], None], word: str
) -> None:
    answer = recognised(altered(change))
    assert answer.net is None
    assert word in answer.sentence


def test_a_module_of_one_mlp_for_every_seed() -> None:
    answer = recognised(lambda seed: fw.measure.module(fw.MLP(6, [24 + seed % 2])))
    assert answer.net is None
    assert "seed" in answer.sentence


def test_a_layer_at_several_positions_is_not() -> None:
    answer = recognised(stack, torch.zeros(2, 3, 6))
    assert answer.net is None
    assert "several positions" in answer.sentence


def test_a_residual_network_is_not() -> None:
    answer = recognised_network(resnet, list(range(8)), torch.zeros(2, 1, 4, 4).double())
    assert answer.net is None
    assert "Conv2d" in answer.sentence


# -- weights that depend on each other ------------------------------------------------------------


def copied(change: Callable[[Any], None]) -> Factory:
    def make() -> nn.Module:
        model = stack([24, 24, 24])
        with torch.no_grad():
            change(model)
        return model

    return make


def _opposite(model: Any) -> None:
    """The usual way to an output of 0: every last neuron twice, with opposite signs."""
    model[4].weight[12:] = model[4].weight[:12]
    model[6].weight[:, 12:] = -model[6].weight[:, :12]


def _opposite_outputs(model: Any) -> None:
    model[6].weight[:, 12:] = -model[6].weight[:, :12]


def _twice(model: Any) -> None:
    model[0].weight[12:] = model[0].weight[:12]


def _same_layers(model: Any) -> None:
    model[4].weight.copy_(model[2].weight)


def _same_every_seed(model: Any) -> None:
    generator = torch.Generator().manual_seed(3)
    drawn = torch.randn(24, 24, generator=generator)
    drawn = (drawn - drawn.mean()) / drawn.std()
    model[2].weight.copy_((2 / 24) ** 0.5 * drawn)


@pytest.mark.parametrize(
    "change", [_opposite, _opposite_outputs, _twice, _same_layers, _same_every_seed]
)
def test_weights_that_depend_on_each_other_are_refused(
    change: Callable[[Any], None],
) -> None:
    assert recognised(copied(lambda model: None)).net is not None
    assert recognised(copied(change)).net is None


def test_a_network_of_the_family_is_not_refused_by_chance() -> None:
    """Ten times other seeds."""
    for first in range(0, 10 * 600, 600):
        seeds = list(range(first, first + 16))
        answer = recognised_network(lambda: stack([16, 16]), seeds, X.float())
        assert answer.net is not None, (first, answer.sentence)
