"""The first gradient step against the twin, and the two patterns against each other."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from tests.simulate import cases, twin

SIZE, RATE = 3, 0.05
KINKED = [name for name, net in cases.NETS.items() if net.act.slope is not None]


@pytest.mark.parametrize("name", cases.NETS)
def test_a_real_step_equals_the_twin(name):
    net = cases.NETS[name]
    found = simulate.first_step(net, cases.X, cases.Y, RATE, SIZE, seed=5)
    for k, theta in enumerate(twin.draw(net, SIZE, seed=5)):
        after = twin.stepped(net, theta, cases.X, cases.Y, RATE)
        for seen, expected in (
            (found.outputs, twin.outputs(net, theta, cases.X)),
            (found.outputs_after, twin.outputs(net, after, cases.X)),
            (found.before, twin.kernel(net, theta, cases.X)),
            (found.after, twin.kernel(net, after, cases.X)),
        ):
            np.testing.assert_allclose(seen[k], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", KINKED)
def test_a_frozen_step_equals_the_twin_with_its_slopes_kept(name):
    net = cases.NETS[name]
    rate = 0.3  # large enough that neurons cross
    found = simulate.first_step(net, cases.X, cases.Y, rate, SIZE, seed=6, pattern="frozen")
    for k, theta in enumerate(twin.draw(net, SIZE, seed=6)):
        kept = twin.pattern(net, theta, cases.X)
        after = twin.stepped(net, theta, cases.X, cases.Y, rate)
        np.testing.assert_allclose(
            found.after[k], twin.kernel(net, after, cases.X, kept), rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize("name", cases.NETS)
def test_first_order_is_the_derivative_of_the_frozen_kernel_along_the_step(name):
    net = cases.NETS[name]
    found = simulate.first_step(net, cases.X, cases.Y, RATE, SIZE, seed=7)
    for k, theta in enumerate(twin.draw(net, SIZE, seed=7)):
        kept = None if net.act.slope is None else twin.pattern(net, theta, cases.X)
        change = twin.stepped(net, theta, cases.X, cases.Y, RATE) - theta
        h = 3e-3 / max(1.0, np.abs(change).max())

        def at(t, theta=theta, change=change, kept=kept):
            return twin.kernel(net, theta + t * change, cases.X, kept)

        # Sixth-order central difference.
        slope = (
            45 * (at(h) - at(-h)) - 9 * (at(2 * h) - at(-2 * h)) + (at(3 * h) - at(-3 * h))
        ) / (60 * h)
        scale = np.abs(slope).max() + np.abs(at(0)).max()
        np.testing.assert_allclose(found.first_order[k], slope, rtol=1e-8, atol=1e-11 * scale)


def test_crossings_are_counted_as_the_twin_counts_them():
    net, rate = cases.NETS["leaky"], 0.3
    found = simulate.first_step(net, cases.X, cases.Y, rate, 12, seed=8)
    expected = []
    for theta in twin.draw(net, 12, seed=8):
        before = np.array(twin.pattern(net, theta, cases.X))
        after = twin.stepped(net, theta, cases.X, cases.Y, rate)
        expected.append((before != np.array(twin.pattern(net, after, cases.X))).sum())
    assert sum(expected) > 5
    np.testing.assert_array_equal(found.crossed, expected)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs"])
def test_the_patterns_agree_in_the_networks_in_which_nothing_crosses(activation):
    net = fw.MLP(n_in=3, widths=[10, 10], activation=activation)
    real = simulate.first_step(net, cases.X, cases.Y, 0.02, 300, seed=2)
    frozen = simulate.first_step(net, cases.X, cases.Y, 0.02, 300, seed=2, pattern="frozen")
    still = real.crossed == 0
    np.testing.assert_array_equal(still, frozen.crossed == 0)
    assert 50 < still.sum() < 290
    np.testing.assert_array_equal(real.before, frozen.before)
    np.testing.assert_array_equal(real.first_order, frozen.first_order)
    np.testing.assert_allclose(real.after[still], frozen.after[still], rtol=1e-12)
    differ = np.abs(real.after - frozen.after).max(axis=(1, 2)) > 1e-6 * real.after.max()
    assert differ[~still].sum() > 0.9 * (~still).sum()


@pytest.mark.parametrize("name", ["identity", "tanh", "gelu", "softplus"])
def test_nothing_crosses_without_a_kink(name):
    found = simulate.first_step(cases.NETS[name], cases.X, cases.Y, 0.3, 20, seed=1)
    assert (found.crossed == 0).all()


def test_frozen_and_real_are_the_same_for_the_identity():
    net = cases.NETS["identity"]
    real = simulate.first_step(net, cases.X, cases.Y, 0.3, 5, seed=1)
    frozen = simulate.first_step(net, cases.X, cases.Y, 0.3, 5, seed=1, pattern="frozen")
    np.testing.assert_allclose(real.after, frozen.after, rtol=1e-13)


def test_the_step_draws_the_networks_of_the_ensemble():
    net = cases.NETS["relu, residual"]
    drawn = simulate.ensemble(net, cases.X, 100, seed=12)
    found = simulate.first_step(net, cases.X, cases.Y, RATE, 100, seed=12)
    np.testing.assert_array_equal(found.before, drawn.kernels)
    np.testing.assert_array_equal(found.outputs, drawn.outputs)


def test_averages_name_what_they_are():
    net = fw.MLP(n_in=3, widths=[30])
    for pattern, name in (("real", "real step"), ("frozen", "pattern frozen")):
        found = simulate.first_step(net, cases.X, cases.Y, 0.1, 200, seed=3, pattern=pattern)
        change = found.mean_change()
        assert change.method == f"dense, {name}"
        np.testing.assert_allclose(change.value, (found.after - found.before).mean(axis=0))
        assert found.mean_first_order().method == "dense, pattern frozen, first order"
        np.testing.assert_allclose(found.mean_first_order().value, found.first_order.mean(axis=0))


def test_a_step_beyond_float64_says_so():
    net = fw.MLP(n_in=3, widths=[4, 4])
    with pytest.raises(RuntimeError, match="after the step: lower learning_rate"):
        simulate.first_step(net, cases.X, cases.Y, 1e160, 3, seed=0)


def test_outputs_descend_along_the_gradient_of_torch():
    torch = pytest.importorskip("torch", reason="the check against autograd needs torch")
    net = fw.MLP(n_in=3, widths=[6, 5], activation="tanh", bias_variance=0.3)
    found = simulate.first_step(net, cases.X, cases.Y, RATE, 1, seed=21)
    theta = twin.draw(net, 1, seed=21)[0]
    X, y = torch.tensor(cases.X), torch.tensor(cases.Y)

    leaves, position = [], 0
    layers = list(net.layers())
    for layer in layers:  # unit-variance weights, as stored in the "ntk" parametrization
        size = layer.fan_in * layer.fan_out
        block = theta[position : position + size].reshape(layer.fan_out, layer.fan_in)
        leaves.append(torch.tensor(block / np.sqrt(layer.weight_variance), requires_grad=True))
        position += size
    for layer in layers:
        block = theta[position : position + layer.fan_out]
        leaves.append(torch.tensor(block, requires_grad=True))
        position += layer.fan_out

    def network(parameters, x):
        for k, layer in enumerate(layers):
            weight = parameters[k] * np.sqrt(layer.weight_variance)
            x = x @ weight.T + parameters[len(layers) + k]
            x = x if layer.is_output else torch.tanh(x)
        return x[:, 0]

    def kernel(parameters):
        J = torch.autograd.functional.jacobian(lambda *p: network(p, X), tuple(parameters))
        flat = torch.cat([j.reshape(len(X), -1) for j in J], dim=1)
        return (flat @ flat.T).numpy()

    np.testing.assert_allclose(found.before[0], kernel(leaves), rtol=1e-11)
    loss = 0.5 * ((network(leaves, X) - y) ** 2).sum()
    gradient = torch.autograd.grad(loss, leaves)
    with torch.no_grad():
        moved = [p - RATE * g for p, g in zip(leaves, gradient, strict=True)]
    np.testing.assert_allclose(found.after[0], kernel(moved), rtol=1e-11)
