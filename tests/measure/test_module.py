"""`module` is the network that `MLP` describes; `calibrate` sets what BatchNorm needs."""

import numpy as np
import pytest
import torch
from torch import nn

import finitewidth as fw
from finitewidth import measure, simulate
from finitewidth.measure import averages
from tests.measure import brute
from tests.simulate import cases, twin

NETS = {name: net for name, net in cases.NETS.items() if isinstance(net.activation, str)}
X = torch.as_tensor(cases.X)


def with_parameters(net: fw.MLP, theta: np.ndarray) -> nn.Module:
    """The module with the scaled weights and biases of `theta`, in the order of the twin."""
    model = measure.module(net).double()
    layers = list(net.layers())
    position = 0
    with torch.no_grad():
        for layer, part in zip(layers, model.layers, strict=True):  # type: ignore[arg-type]
            size = layer.fan_in * layer.fan_out
            given = torch.as_tensor(theta[position : position + size])
            part.weight.copy_(given.view(layer.fan_out, layer.fan_in) / layer.weight_lr**0.5)
            position += size
        for layer, part in zip(layers, model.layers, strict=True):  # type: ignore[arg-type]
            given = torch.as_tensor(theta[position : position + layer.fan_out])
            position += layer.fan_out
            if part.bias is not None:
                part.bias.copy_(given / part.bias_scale)
            else:
                assert not given.any()
    return model


@pytest.mark.parametrize("name", NETS)
def test_outputs_and_kernels_equal_the_simulation(name):
    net = NETS[name]
    expected = simulate.ensemble(net, cases.X, 3, seed=3)
    for k, theta in enumerate(twin.draw(net, 3, seed=3)):
        model = with_parameters(net, theta)
        outputs = model(X)[:, 0].detach().numpy()
        np.testing.assert_allclose(outputs, expected.outputs[k], rtol=1e-11, atol=1e-13)
        for found in (measure.kernel(model, X, outputs="trace"), brute.kernel(model, X, None, 0)):
            np.testing.assert_allclose(
                found.detach().numpy(), expected.kernels[k], rtol=1e-11, atol=1e-12
            )


@pytest.mark.parametrize("name", NETS)
def test_one_step_of_sgd_is_the_step_of_the_network(name):
    net = NETS[name]
    rate = 0.05
    expected = simulate.first_step(net, cases.X, cases.Y, rate, 3, seed=3)
    for k, theta in enumerate(twin.draw(net, 3, seed=3)):
        model = with_parameters(net, theta)
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=rate)
        loss = (model(X)[:, 0] - torch.as_tensor(cases.Y)).square().sum() / 2
        loss.backward()
        optimizer.step()
        after = measure.kernel(model, X, outputs="trace").detach().numpy()
        np.testing.assert_allclose(after, expected.after[k], rtol=1e-10, atol=1e-11)


def test_the_wrong_parametrization_is_seen():
    ntk = cases.NETS["relu"]
    other = fw.MLP(n_in=3, widths=[4, 3, 5], parametrization="standard")
    (theta,) = twin.draw(ntk, 1, seed=3)
    expected = simulate.ensemble(ntk, cases.X, 1, seed=3)
    model = with_parameters(other, theta)
    np.testing.assert_allclose(model(X)[:, 0].detach().numpy(), expected.outputs[0], rtol=1e-11)
    found = measure.kernel(model, X, outputs="trace").detach().numpy()
    assert np.abs(found - expected.kernels[0]).max() > 0.1 * expected.kernels[0].max()


# Against the exact law. Each statistic is one z, and 8 of them are held to 5.5 standard errors: all
# together alarm falsely 3 times in 10⁷. An error of 5.5 + 4.1 = 9.6 standard errors is missed 2
# times in 10⁵: at 200 networks 40 % of a mean and 0.4 of a dispersion, the size of mistaking one
# parametrization for the other. Everything smaller is left to the equalities above.

INPUT = np.array([0.4, -1.0, 0.7, 1.3])
SEEDS = 200
LIMIT = 5.5


def described(parametrization: str) -> fw.MLP:
    return fw.MLP.equal_width(4, 24, 2, parametrization=parametrization)


@pytest.fixture(scope="module", params=["ntk", "standard"])
def measured(request) -> tuple[str, np.ndarray, np.ndarray]:
    """The parametrization, and K_w and K_b of every seed."""
    net = described(request.param)
    x = torch.as_tensor(INPUT)[None]
    weights, biases = [], []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        model = measure.module(net).double()
        whole = measure.kernel(model, x).item()
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.endswith("weight"))
        weights.append(measure.kernel(model, x).item())
        biases.append(whole - weights[-1])
    return request.param, np.array(weights), np.array(biases)


def scores(law: fw.KernelLaw, weights: np.ndarray, biases: np.ndarray) -> list[float]:
    """Means of both parts and of the kernel, dispersion of the kernel, in standard errors."""
    kernels = weights + biases
    pairs = [
        (averages.mean(weights), law.mean("weights")),
        (averages.mean(biases), law.mean("biases")),
        (averages.mean(kernels), law.mean()),
        (averages.dispersion(kernels), law.dispersion()),
    ]
    return [(float(e.value) - float(exact)) / float(e.std_error) for e, exact in pairs]


def test_an_ensemble_follows_the_exact_law(measured):
    parametrization, weights, biases = measured
    law = fw.KernelLaw(described(parametrization), INPUT)
    assert max(map(abs, scores(law, weights, biases))) < LIMIT


def test_the_law_of_the_other_parametrization_is_rejected(measured):
    parametrization, weights, biases = measured
    other = {"ntk": "standard", "standard": "ntk"}[parametrization]
    law = fw.KernelLaw(described(other), INPUT)
    assert max(map(abs, scores(law, weights, biases))) > 2 * LIMIT


def test_a_dispersion_without_fluctuation_is_rejected(measured):
    _, weights, biases = measured
    found = averages.dispersion(weights + biases)
    assert (float(found.value) - 1.0) / float(found.std_error) > LIMIT


@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace"])
def test_draws_are_torchs(law):
    net = fw.MLP(3, [64, 64], weight_law=law, bias_variance=0.5)
    torch.manual_seed(1)
    one = measure.module(net).state_dict()
    torch.manual_seed(1)
    two = measure.module(net).state_dict()
    torch.manual_seed(2)
    three = measure.module(net).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], three[name]) for name in one)
    # 64² unit variances: the standard error of their mean is at most √(5/64²) = 0.035.
    assert abs(float(one["layers.1.weight"].square().mean()) - 1.0) < 4.9 * 0.035


def test_what_is_frozen_stays_frozen():
    model = measure.module(fw.MLP(3, [4], bias_variance=0.4, bias_lr=0.0))
    trained = {name: p.requires_grad for name, p in model.named_parameters()}
    assert trained["layers.0.weight"]
    assert not trained["layers.0.bias"]


def test_what_module_refuses(unchecked):
    with pytest.raises(TypeError, match=r"net is Linear, expected an MLP\.$"):
        measure.module(nn.Linear(3, 2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'?softplus'? is a function of NumPy arrays; .* gelu"):
        measure.module(cases.NETS["softplus"])
    with pytest.raises(ValueError, match=r"residual|equal"):
        measure.module(fw.MLP(3, [4, 5], residual=(0.5, 0.5)))


# calibrate


def _by_hand(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = values.sum(0) / len(values)
    return mean, ((values - mean) ** 2).sum(0) / (len(values) - 1)


def test_calibrate_averages_the_batches():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).double()
    x = torch.randn(11, 3, dtype=torch.float64)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    assert measure.calibrate(model, x, batch_size=5) is model
    norm = model[1]
    assert isinstance(norm, nn.BatchNorm1d)
    hidden = model[0](x).detach()
    parts = [_by_hand(hidden[:5]), _by_hand(hidden[5:10])]  # a batch of one has no variance
    expected = [sum(column) / 2 for column in zip(*parts, strict=True)]
    assert norm.running_mean is not None
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_mean, expected[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(norm.running_var, expected[1], rtol=1e-12, atol=1e-12)
    assert not any(module.training for module in model.modules())
    assert norm.momentum == 0.1
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert all(p.grad is None for p in model.parameters())


def test_calibrate_forgets_what_was_there_and_is_repeatable():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).double()
    x = torch.randn(8, 3, dtype=torch.float64)
    first = {name: v.clone() for name, v in measure.calibrate(model, x).state_dict().items()}
    measure.calibrate(model, 5.0 * x)
    assert not torch.equal(first["1.running_var"], model.state_dict()["1.running_var"])
    again = measure.calibrate(model, x).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_calibrate_sees_later_norms_behind_earlier_ones():
    torch.manual_seed(1)
    first, second, middle = nn.BatchNorm1d(3), nn.BatchNorm1d(2), nn.Linear(3, 2)
    model = nn.Sequential(first, middle, second).double()
    x = 2.0 + torch.randn(9, 3, dtype=torch.float64)
    measure.calibrate(model, x)
    normalised = (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + first.eps)
    mean, variance = _by_hand(middle(normalised).detach())
    torch.testing.assert_close(second.running_mean, mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(second.running_var, variance, rtol=1e-12, atol=1e-12)


def test_calibrate_leaves_a_failed_model_with_its_momentum():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(2, 2))
    with pytest.raises(RuntimeError):
        measure.calibrate(model, torch.randn(4, 3))
    assert model[0].momentum == 0.1  # type: ignore[union-attr]
