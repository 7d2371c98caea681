"""`fw.expansion.kernel`: what it returns, its symmetries, and what it refuses."""

import re

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import expansion

X = np.array([[1.0, -0.5, 0.8], [0.3, 1.2, -0.4], [-0.9, 0.4, 1.1]])
Y = np.array([0.5, -1.0, 0.3])
ACTIVATIONS = ["relu", "leaky_relu", "abs", "identity", "tanh", "erf", "sin", "gelu", "silu"]


def everything(found: expansion.Expansion) -> dict[str, np.ndarray]:
    return {
        "infinite": found.infinite,
        "nngp": found.nngp,
        "correction": found.correction,
        "nngp_correction": found.nngp_correction,
        "covariance": found.covariance,
        "first_step": found.first_step(np.zeros(len(found.X)), 0.5),
    }


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layers_add_up_to_the_whole(activation: str) -> None:
    net = fw.MLP(3, [20, 50, 30], activation, bias_variance=0.1)
    found = expansion.kernel(net, X)
    assert [share.width for share in found.layers] == [20, 50, 30]
    assert [share.index for share in found.layers] == [1, 2, 3]
    for whole, name in ((found.correction, "correction"), (found.covariance, "covariance")):
        parts = sum(getattr(share, name) for share in found.layers)
        assert parts == pytest.approx(whole, rel=1e-9, abs=1e-12)
    step = sum(share.change.sum(axis=2) for share in found.layers)
    assert step == pytest.approx(found.first_step(Y, 1.0), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("residual", [None, (0.7, 0.9)])
def test_layers_of_a_residual_network_add_up_and_alpha_one_gamma_zero_is_plain(residual) -> None:
    options = {"activation": "identity", "hidden_gain": 1.1, "bias_variance": 0.1}
    found = expansion.kernel(fw.MLP(3, [20, 20, 20], residual=residual, **options), X)
    assert sum(share.covariance for share in found.layers) == pytest.approx(found.covariance)
    plain = expansion.kernel(fw.MLP(3, [20, 20, 20], residual=(1.0, 0.0), **options), X)
    same = expansion.kernel(fw.MLP(3, [20, 20, 20], **options), X)
    for name, one in everything(plain).items():
        assert one == pytest.approx(everything(same)[name]), name


def test_a_residual_branch_without_skip_follows_networks() -> None:
    """γ = 0: z' = αŴz, against networks, since no plain layer has both its gain and its factor."""
    options = {"activation": "identity", "bias": False}
    branch = fw.MLP(3, [25, 25], residual=(0.8, 0.0), hidden_gain=1.0, **options)
    found = expansion.kernel(branch, X)
    run = fw.simulate.ensemble(branch, X, 4000, seed=1)
    z = (run.kernels.mean(axis=0) - found.mean) / (run.kernels.std(axis=0) / 4000**0.5)
    assert np.abs(z).max() < 5.5  # 6 entries, false alarm 2e-7


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_order_of_the_inputs_and_copies_do_not_matter(activation: str) -> None:
    """Inputs in another order, one of them twice: rank 3 in arrays of four inputs."""
    net = fw.MLP(3, [20, 30], activation)
    few = everything(expansion.kernel(net, X))
    chosen = [2, 0, 0, 1]
    many = everything(expansion.kernel(net, X[chosen]))
    for name in ("infinite", "nngp", "correction", "nngp_correction"):
        wanted = few[name][np.ix_(chosen, chosen)]
        assert many[name] == pytest.approx(wanted, rel=1e-7, abs=1e-9), name
    wanted = few["covariance"][np.ix_(*[chosen] * 4)]
    assert many["covariance"] == pytest.approx(wanted, rel=1e-6, abs=1e-8)
    weights = [1.0, 0.5, 0.5, 1.0]
    step = expansion.kernel(net, X[chosen]).first_step(np.zeros(4), 0.5, weights=weights)
    assert step == pytest.approx(few["first_step"][np.ix_(chosen, chosen)], rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "identity"])
def test_parallel_inputs_of_homogeneous_networks_scale(activation: str) -> None:
    """Without biases N(cx) = cN(x): a kernel entry scales with both lengths, c > 0."""
    net = fw.MLP(3, [20, 30], activation, bias=False)
    scale = np.array([1.0, 2.5])
    one = everything(expansion.kernel(net, X[0]))
    two = everything(expansion.kernel(net, np.outer(scale, X[0])))
    product = np.outer(scale, scale)
    for name in ("infinite", "nngp", "correction", "nngp_correction"):
        wanted = one[name].item() * product
        assert two[name] == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    wanted = one["covariance"].item() * np.multiply.outer(product, product)
    assert two["covariance"] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "identity"])
@pytest.mark.parametrize("scale", [1e-65, 1e65])
def test_the_ends_of_float64(activation: str, scale: float) -> None:
    """Without biases N(cx) = cN(x): high powers of K would overflow long before its square."""
    net = fw.MLP(3, [20, 30], activation, bias=False)
    usual = everything(expansion.kernel(net, X))
    found = everything(expansion.kernel(net, scale * X))
    for name in ("infinite", "nngp", "correction", "nngp_correction"):
        assert found[name] / scale**2 == pytest.approx(usual[name], rel=1e-8, abs=1e-12), name
    for name in ("covariance", "first_step"):
        assert found[name] / scale**4 == pytest.approx(usual[name], rel=1e-8, abs=1e-12), name


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu", "gelu", "erf"])
def test_nearly_equal_inputs_approach_equal_ones_in_proportion(activation: str) -> None:
    """From a distance of 1e-2 down to 1e-10, without a hump of rounding from 1/q³ in between."""
    net = fw.MLP(3, [50] * 3, activation)
    equal = everything(expansion.kernel(net, X[[0, 1, 1]]))
    direction = np.array([0.3, -0.5, 0.2])
    slopes = {name: [] for name in ("correction", "covariance", "first_step")}
    for distance in (1e-2, 1e-3, 4e-4, 1e-4, 1e-5, 4e-6, 1e-6, 2e-7, 1e-8):
        rows = np.stack([X[0], X[1], X[1] + distance * direction])
        near = everything(expansion.kernel(net, rows))
        for name, found in slopes.items():
            change = np.abs(near[name] - equal[name]).max()
            found.append((change - 1e-10 * np.abs(equal[name]).max()) / distance)
    for name, found in slopes.items():
        assert max(found) < 4 * found[0], name


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu", "tanh", "gelu"])
def test_opposite_and_zero_inputs_follow_networks(activation: str) -> None:
    """x, −x and 0: kernels that are singular at every layer; 10 entries, |z| < 5.6."""
    net = fw.MLP(3, [60, 60], activation)
    rows = np.stack([X[0], -X[0], 0 * X[0]])
    found = expansion.kernel(net, rows)
    run = fw.simulate.ensemble(net, rows, 3000, seed=2)
    error = run.kernels.std(axis=0) / 3000**0.5 + 1e-12
    assert np.abs((run.kernels.mean(axis=0) - found.mean) / error).max() < 5.6
    assert all(np.isfinite(one).all() for one in everything(found).values())
    centred = run.kernels - run.kernels.mean(axis=0)
    products = np.einsum("sab,scd->sabcd", centred, centred)
    error = products.std(axis=0) / 3000**0.5 + 1e-12
    # The next order is about 10 % of the covariance at this width.
    distance = np.abs(products.mean(axis=0) - found.covariance) - 0.25 * np.abs(found.covariance)
    assert (distance / error).max() < 5.6


def test_a_network_without_hidden_layer_does_not_fluctuate():
    found = expansion.kernel(fw.MLP(3, []), X)
    assert found.infinite == pytest.approx(1 + X @ X.T / 3)
    assert not found.correction.any()
    assert not found.covariance.any()
    assert not found.first_step(Y, 1.0).any()
    assert found.layers == ()


@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu", "erf", "relu"])
def test_the_quadrature_error_bounds_the_error(activation: str) -> None:
    """Against steps half as long."""
    rows = np.random.default_rng(0).standard_normal((4, 5))
    net = fw.MLP(5, [20, 30], activation, bias_variance=0.1)
    found = expansion.kernel(net, rows)
    fine = found._tensors(0.6)
    claimed = found.quadrature_error
    assert set(claimed) == {"infinite", "correction", "covariance", "first_step"}
    assert np.abs(found.covariance - fine.covariance()[0]).max() <= claimed["covariance"] + 1e-12
    assert claimed["covariance"] < 1e-4 * np.abs(found.covariance).max()


def test_a_function_is_the_activation_it_is():
    """tanh as a user's function with two derivatives; the other three are differences."""

    def own(z):
        return np.tanh(z)

    def first(z):
        return 1 - np.tanh(z) ** 2

    def second(z):
        return -2 * np.tanh(z) * first(z)

    named = everything(expansion.kernel(fw.MLP(3, [20, 30], "tanh"), X))
    net = fw.MLP(3, [20, 30], own, activation_derivatives=(first, second))
    for name, found in everything(expansion.kernel(net, X)).items():
        assert found == pytest.approx(named[name], rel=1e-5, abs=1e-7), name


def test_the_weights_of_the_loss():
    found = expansion.kernel(fw.MLP(3, [20, 30], "gelu"), X)
    parts = [found.first_step(Y, 1.0, weights=row) for row in np.eye(3)]
    assert sum(parts) == pytest.approx(found.first_step(Y, 1.0))
    # What is not trained on does not matter.
    fewer = expansion.kernel(fw.MLP(3, [20, 30], "gelu"), X[:2])
    assert parts[0][:2, :2] == pytest.approx(fewer.first_step(Y[:2], 1.0, weights=[1.0, 0.0]))
    assert found.first_step(0 * Y, 2.0) == pytest.approx(2 * found.first_step(Y, 1.0))


@pytest.mark.parametrize("name", ["correction", "covariance", "layers", "tensors"])
def test_a_residual_network_that_is_not_linear_names_the_simulation(name: str) -> None:
    net = fw.MLP(3, [20, 20], "tanh", residual=(0.5, 1.0))
    found = expansion.kernel(net, X)
    with pytest.raises(ValueError, match=r"use fw\.simulate\.ensemble\(net, X, size\)") as error:
        getattr(found, name)
    assert str(error.value).count(". ") == 0
    with pytest.raises(ValueError, match=r"fw\.simulate\.ensemble"):
        found.first_step(Y, 1.0)
    assert np.isfinite(found.infinite).all()
    assert set(found.quadrature_error) == {"infinite"}


def test_a_residual_network_of_one_hidden_layer_is_plain():
    one = expansion.kernel(fw.MLP(3, [20], "tanh", residual=(0.5, 1.0)), X)
    assert one.covariance == pytest.approx(expansion.kernel(fw.MLP(3, [20], "tanh"), X).covariance)


def test_memory_is_refused_before_it_is_taken():
    rows = np.random.default_rng(0).standard_normal((40, 3))
    found = expansion.kernel(fw.MLP(3, [20, 20], "relu"), rows, memory_budget=10**8)
    assert found.infinite.shape == (40, 40)
    with pytest.raises(ValueError, match=r"of 40 inputs need .* MiB, more than the 95\.4 MiB"):
        _ = found.covariance
    with pytest.raises(ValueError, match="in 2 layers"):
        _ = found.layers


def test_the_memory_that_is_named_is_enough():
    import tracemalloc

    rows = np.random.default_rng(0).standard_normal((16, 3))
    found = expansion.kernel(fw.MLP(3, [20, 20], "sin"), rows)
    tracemalloc.start()
    _ = found.tensors
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    from finitewidth.expansion.first_order import WITH_SOURCES, WITHOUT

    assert peak < 8 * 16**4 * (WITH_SOURCES + WITHOUT)


BAD = {
    "weights": (fw.MLP(3, [4], weight_law="uniform"), X, "needs Gaussian weights and .* 'uniform'"),
    "residual": (fw.MLP(3, [4, 5], "identity", residual=(1, 1)), X, "need equal hidden widths"),
    "shape": (fw.MLP(3, [4]), X[:, :2], r"X has shape \(3, 2\), expected \[B, 3\]"),
    "empty": (fw.MLP(3, [4]), X[:0], r"X has shape \(0, 3\), expected .* at least one row"),
    "nan": (fw.MLP(3, [4]), X * np.nan, "X has entries that are not finite"),
}


@pytest.mark.parametrize(("net", "rows", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_get_a_sentence(net: fw.MLP, rows: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        expansion.kernel(net, rows)


def test_bad_types_get_a_sentence(unchecked) -> None:
    with pytest.raises(TypeError, match="net is a str, expected an MLP"):
        expansion.kernel("relu", X)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="X has entries of type <U3, expected real numbers"):
        expansion.kernel(fw.MLP(3, [4]), [["one", "two", "six"]])


STEPS = {
    "short y": ((Y[:2], 1.0), r"y has shape \[2\], expected \[3\] or \[3, 1\]"),
    "nan y": ((Y * np.nan, 1.0), "y has entries that are not finite"),
    "rate": ((Y, np.inf), "learning_rate has entries that are not finite"),
    "rates": ((Y, [1.0, 2.0]), r"learning_rate has shape \[2\], expected \[\]"),
}


@pytest.mark.parametrize(("arguments", "sentence"), STEPS.values(), ids=STEPS.keys())
def test_a_bad_step_gets_a_sentence(unchecked, arguments: tuple, sentence: str) -> None:
    found = expansion.kernel(fw.MLP(3, [20]), X)
    with pytest.raises(ValueError, match=re.compile(sentence)):
        found.first_step(*arguments)


def test_inputs_beyond_float64_are_refused_without_a_warning() -> None:
    with pytest.raises(RuntimeError, match="the variance of the pre-activations is inf in layer 1"):
        _ = expansion.kernel(fw.MLP(3, [9]), 1e200 * X).infinite


@pytest.mark.parametrize(("gain", "layers"), [(4.0, 600), (1.0, 600)])
def test_kernels_beyond_float64_are_refused(gain: float, layers: int) -> None:
    net = fw.MLP.equal_width(3, 9, layers, hidden_gain=gain)
    with pytest.raises(RuntimeError, match=r"in layer \d+, outside 1e-140 to 1e\+140"):
        _ = expansion.kernel(net, X[0]).infinite
