"""The law in exact arithmetic equals the twin that tells every path apart: no tolerance at all.

The networks are wider and more varied than those that can be enumerated, and between them use
every kind of partition that eight paths have.
"""

from fractions import Fraction as F
from functools import cache
from itertools import permutations, product

import pytest

import finitewidth as fw
from finitewidth.law.schemes import hessian, kernel_power
from finitewidth.law.transitions import table
from finitewidth.network import GivenMoments
from tests.law.recursion_twin import Network, even_partitions, expectation

HALF = F(1, 2)
GAUSSIAN = (F(3), F(15), F(105))
UNIFORM = (F(9, 5), F(27, 7), F(9))
LAPLACE = (F(6), F(90), F(2520))
GIVEN = (F(5, 2), F(11), F(80))
NAMES = {GAUSSIAN: "gaussian", UNIFORM: "uniform", LAPLACE: "laplace"}
LEAKY = F(3, 8)

NETWORKS = {
    "no hidden layer": Network((F(1), F(2), -HALF), (), LAPLACE),
    "gaussian": Network((F(1), -HALF), (3, 4, 3), GAUSSIAN),
    "uniform": Network((F(1), F(2)), (5, 2, 6), UNIFORM),
    "laplace": Network((F(1), F(1), F(3, 2)), (2, 7), LAPLACE),
    "given moments": Network((F(2), -HALF), (4, 5, 1, 3), GIVEN),
    "width 1": Network((F(3, 2),), (1, 1, 1, 1), UNIFORM),
    "leaky": Network((F(1), F(2)), (6, 3), GAUSSIAN, slope=LEAKY),
    "leaky, uniform, steep": Network((F(1), F(2)), (3, 1, 4), UNIFORM, slope=F(-3, 2)),
    "abs": Network((F(1), F(0), F(2)), (3, 5), LAPLACE, slope=F(-1), hidden_gain=F(1)),
    "identity": Network((F(1), F(3)), (2, 3, 2), GIVEN, slope=F(1), hidden_gain=F(1)),
    "gains": Network((F(1), F(2)), (3, 4), UNIFORM, hidden_gain=F(5, 4), output_gain=F(7, 2)),
    "standard": Network((F(1), F(2)), (4, 3), LAPLACE, parametrization="standard"),
    "standard, gains, biases": Network(
        (F(2), HALF),
        (2, 5),
        GIVEN,
        slope=LEAKY,
        hidden_gain=F(3, 2),
        output_gain=F(5),
        parametrization="standard",
        bias_lr=F(1, 4),
    ),
    "no biases": Network((F(1), F(2)), (3, 4), UNIFORM, bias=False),
    "frozen biases": Network((F(1), F(2)), (3, 4), GAUSSIAN, bias_lr=F(0)),
    "fast biases": Network((F(1),), (2, 3, 4), LAPLACE, bias_lr=F(3)),
}

# What the package calls a quantity, and how the twin composes it.
SMALL = {
    **{
        (part, order): {"kernels": [kinds] * order}
        for part, kinds in (("kernel", "wb"), ("weights", "w"), ("biases", "b"))
        for order in (1, 2, 3)
    },
    ("cross", 1): {"kernels": ["w", "b"]},
    ("output", 2): {"outputs": 2},
    ("output", 4): {"outputs": 4},
    ("output_kernel", 1): {"outputs": 2, "kernels": ["wb"]},
    ("update_ww", 1): {"outputs": 1, "hessians": [("w", "w")]},
    ("update_wb", 1): {"outputs": 1, "hessians": [("w", "b")]},
    ("hessian_squared", 1): {"hessians": [("wb", "wb")] * 2},
}
LARGE = {
    ("kernel", 4): {"kernels": ["wb"] * 4},
    ("weights", 4): {"kernels": ["w"] * 4},
    ("biases", 4): {"kernels": ["b"] * 4},
    ("update_squared", 1): {"outputs": 2, "hessians": [("wb", "wb")] * 2},
}
EIGHT_PATHS = {
    "four neurons": Network((F(3, 2),), (4,), GIVEN),
    "three inputs": Network((F(1), F(2), -HALF), (3,), LAPLACE, parametrization="standard"),
    "two layers": Network((F(1),), (2, 2), GAUSSIAN, slope=LEAKY, bias_lr=F(3)),
}
# All 379 partitions into even blocks, below, above, or on both sides.
WIDE_EIGHT_PATHS = {
    "narrowing": Network((F(1),), (4, 2), GIVEN),
    "widening": Network((F(3, 2),), (2, 4), GAUSSIAN, slope=LEAKY),
    "wide": Network((F(1), F(2)), (4, 5), UNIFORM),
    "wide, gaussian": Network((F(1), F(2)), (5, 4), GAUSSIAN, bias_lr=F(3)),
    "deep": Network((F(1),), (2, 3, 2, 2), GIVEN, slope=F(-1, 2)),
}


@cache
def law_of(net: Network) -> fw.KernelLaw:
    """The same network at the same input, as the package describes it."""
    law = NAMES.get(net.moments) or GivenMoments(dict(zip((4, 6, 8), net.moments, strict=True)))
    described = fw.MLP(
        n_in=len(net.x),
        widths=list(net.widths),
        activation={F(0): "relu", F(1): "identity", F(-1): "abs"}.get(net.slope, "leaky_relu"),
        negative_slope=float(net.slope),
        weight_law=law,
        hidden_gain=float(net.hidden_gain),
        output_gain=float(net.output_gain),
        bias=net.bias,
        bias_lr=float(net.bias_lr),
        parametrization=net.parametrization,
    )
    return fw.KernelLaw(described, list(net.x))


@cache
def by_twin(net: Network, quantity: tuple[str, int]) -> F:
    """The value of a quantity of `SMALL` or `LARGE`, path by path."""
    return expectation(net, **(SMALL | LARGE)[quantity])


def differences(net: Network, quantities: dict) -> dict:
    """The quantities that differ, as (package, twin)."""
    found = {}
    for name, order in quantities:
        got, want = law_of(net).fraction(name, order), by_twin(net, (name, order))
        if got != want:
            found[name, order] = (got, want)
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_up_to_six_paths(name):
    assert differences(NETWORKS[name], SMALL) == {}


@pytest.mark.parametrize("name", EIGHT_PATHS)
def test_eight_paths(name):
    assert differences(EIGHT_PATHS[name], LARGE) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE_EIGHT_PATHS)
def test_eight_paths_in_wider_and_deeper_networks(name):
    assert differences(WIDE_EIGHT_PATHS[name], LARGE) == {}


# What the doubles make of it: sums of at most some ten thousand terms of one sign a layer, each
# with a few roundings; 1e-12 leaves room for nothing else.
IN_DOUBLES = {
    ("cross", 1): lambda law: law.cross_moment(),
    ("output", 2): lambda law: law.output_moment(2),
    ("output", 4): lambda law: law.output_moment(4),
    ("output_kernel", 1): lambda law: law.output_kernel_moment(),
    ("update_ww", 1): lambda law: law.update_parts()["ww"],
    ("update_wb", 1): lambda law: law.update_parts()["wb"],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_doubles_agree_with_the_twin(name):
    net = NETWORKS[name]
    law = law_of(net)
    for quantity, order in SMALL:
        want = float(by_twin(net, (quantity, order)))
        if quantity == "hessian_squared":  # E (ΔK)² at target t is 4 (E N²(gᵀHg)² + t² E (gᵀHg)²)
            squares = [law.update_variance(target=t) + law.update_mean() ** 2 for t in (0.0, 3.0)]
            got, tolerance = (squares[1] - squares[0]) / 36, 1e-12 * squares[1]
        elif quantity in ("kernel", "weights", "biases"):
            got, tolerance = law.moment(order, quantity), 1e-12 * want
        else:
            got, tolerance = IN_DOUBLES[quantity, order](law), 1e-12 * want
        assert abs(got - want) <= tolerance, (quantity, order)


# The twin itself.


def test_numbers_of_partitions():
    """1, 1, 4, 31, 379 partitions of 0, 2, …, 8 paths into even blocks."""
    assert [len(even_partitions(frozenset(range(n)))) for n in (0, 2, 4, 6, 8)] == [
        1,
        1,
        4,
        31,
        379,
    ]


def test_one_linear_layer_by_hand():
    """N = (a x + b y)√c with independent a, b: E N⁴ = c² (μ_4 (x⁴ + y⁴) + 6 x² y²)."""
    net = Network((F(1), F(2)), (), GIVEN, output_gain=F(3))
    c = F(3, 2)
    assert expectation(net, outputs=4) == c**2 * (F(5, 2) * (1 + 16) + 6 * 4)
    # K_w = λ |x|² is no random number; ∂_p∂_qN of two weights of one layer is 0.
    assert expectation(net, kernels=["w"] * 3) == (c * 5) ** 3
    assert expectation(net, kernels=["wb"] * 3) == (c * 5 + 1) ** 3
    assert expectation(net, outputs=1, hessians=[("wb", "wb")]) == 0


def test_one_hidden_neuron_by_hand():
    """N = √(c_1 c_2) v s w x with s open or not: K and gᵀHg of two parameters and two biases."""
    net = Network((F(2),), (1,), GIVEN, hidden_gain=F(3), output_gain=F(5), bias_lr=F(7))
    mu, c_1, c_2, x = F(5, 2), F(3), F(5), F(2)
    # K_w = c_1 c_2 x² s (v² + w²), K_b = 7 (1 + c_2 s v²), s = s² with mean ½.
    weights = c_1 * c_2 * x**2
    assert expectation(net, kernels=["w"] * 2) == weights**2 * (2 * mu + 2) / 2
    assert expectation(net, kernels=["b"] * 2) == 49 * (1 + 2 * c_2 / 2 + c_2**2 * mu / 2)
    assert expectation(net, kernels=["w", "b"]) == 7 * weights * (2 + c_2 * (mu + 1)) / 2
    # gᵀHg = 2 ∂_vN ∂_v∂_wN ∂_wN λ_v λ_w + 2 ∂_vN ∂_v∂_bN ∂_bN λ_v 7, N gᵀHg = N² (…).
    assert expectation(net, outputs=1, hessians=[("w", "w")]) == 2 * weights * weights / 2
    assert expectation(net, outputs=1, hessians=[("w", "b")]) == 7 * c_2 * weights / 2


# What makes the package fast: states that differ by a symmetry are one state.


def number_of_classes(order: int) -> int:
    """States of K^order up to exchanging kernels and the two paths of each, counted one by one.

    A kernel's derivative is a bias whose paths have not started, a weight not met yet, or done.
    """
    pairs = [(2 * i, 2 * i + 1) for i in range(order)]
    renamings = [
        {
            path: pairs[target][side ^ flip]
            for pair, target, flip in zip(pairs, places, flips, strict=True)
            for side, path in enumerate(pair)
        }
        for places in permutations(range(order))
        for flips in product((0, 1), repeat=order)
    ]
    seen, classes = set(), 0
    for statuses in product(("absent", "open", "done"), repeat=order):
        present = frozenset(
            path
            for pair, status in zip(pairs, statuses, strict=True)
            if status != "absent"
            for path in pair
        )
        for blocks in even_partitions(present):
            if (statuses, frozenset(blocks)) in seen:
                continue
            classes += 1
            for new in renamings:
                moved = [""] * order
                for (first, _), status in zip(pairs, statuses, strict=True):
                    moved[new[first] // 2] = status
                renamed = frozenset(frozenset(new[path] for path in block) for block in blocks)
                seen.add((tuple(moved), renamed))
    return classes


@pytest.mark.parametrize(("order", "states"), [(1, 3), (2, 12), (3, 42), (4, 166)])
def test_symmetric_states_are_one_state(order, states):
    assert number_of_classes(order) == states
    for only_pairs in (False, True):
        assert len(table(kernel_power(order, "kernel", True), only_pairs).neurons) == states


def test_states_of_the_largest_recursion():
    """E N²(gᵀHg)²: 756, counted when the recursion was derived."""
    assert len(table(hessian(2, 2, True), True).neurons) == 756
