"""What an expansion says about a network, in sentences."""

from math import sqrt

from finitewidth.expansion.depth import SEARCHED, TRUSTED
from finitewidth.expansion.overview.numbers import Numbers, diagonal_mean

RESOLVED = 1e-12
"""Quadrature errors below this are rounding."""


def quadrature(numbers: Numbers) -> str:
    """How large the error of the averages is."""
    largest = max(numbers.quadrature_error.values())
    size = f"{largest:.0e}" if largest > RESOLVED else f"below {RESOLVED:g}"
    return f"Quadrature error of any entry, relative to Θ (covariance: Θ²): {size}."


def critical(numbers: Numbers) -> str:
    """Critical or not, and the susceptibilities."""
    net, point = numbers.net, numbers.critical
    last = net.depth - 1
    along, across = numbers.susceptibilities[last]
    chi = f"χ_∥ = {along:.4g} and χ_⊥ = {across:.4g} in hidden layer {last}"
    if not numbers.is_critical:
        return (
            f"Not critical: {chi}; a layer multiplies small changes of K by χ_∥ and small "
            "distances between inputs by χ_⊥, and the expansion's terms with them."
        )
    if point.kind == "half_stable" and point.fixed_point is not None:
        first = diagonal_mean(numbers.expansion.limits[0].kernel)
        at = (point.fixed_point - net.bias_variance) / net.hidden_gain
        return (
            f"Critical gains: {chi}, both 1 at K*; K starts at {first:.4g}, and at K* where "
            f"|x|²/n_in = {at:.4g}."
        )
    always = point.kind == "scale_invariant"
    return f"Critical: {chi}{'' if always else '; both tend to 1 with depth'}."


def trusted(numbers: Numbers) -> str:
    """Up to which depth first order is trustworthy."""
    criterion = f"first order's Var Θ/Θ² is at most {TRUSTED:g}"
    if numbers.trust is None:
        words = "is" if numbers.holds else "is not"
        return f"First order {words} trustworthy here: the criterion is that {criterion}."
    trust, layers, width = numbers.trust, numbers.net.depth - 1, numbers.net.runs[0][0]
    words = "within" if layers <= trust.layers else "beyond"
    if trust.end == "searched":
        here = (
            f"all {SEARCHED} that were tried; this network has {layers}"
            if layers <= SEARCHED
            else f"all {SEARCHED} that were tried, and this network has {layers}"
        )
        return f"At width {width}, {criterion} for {here}."
    if trust.end == "range":
        return (
            f"At width {width}, {criterion} up to {trust.layers} hidden layers, where the "
            f"kernel leaves the range of float64; this network has {layers}."
        )
    return (
        f"At width {width} first order is trustworthy up to {trust.layers} hidden layers "
        f"(depth {trust.layers + 1}): so far {criterion}. This network has {layers}, {words} "
        "that."
    )


def conclusion(numbers: Numbers) -> str:
    """Spread over seeds, shift of the mean and first step."""
    if not numbers.holds:
        return _out_of_range(numbers)
    spread = sqrt(numbers.relative_variance)
    step = numbers.relative_change
    moves = "falls" if step < 0 else "grows"
    words = (
        f"Between seeds the kernel varies by {spread:.1%}, its mean is off the infinite "
        f"width's by {abs(numbers.shift):.2%}, and it {moves} by {abs(step):.2%} in the first "
        "step"
    )
    if numbers.exact is not None:
        ratio = numbers.relative_variance / numbers.exact.relative_variance
        words += f"; first order is {ratio:.1%} of the exact variance"
    if numbers.critical.kernel_growth is not None and numbers.trust is not None:
        width = numbers.net.runs[0][0]
        best = numbers.critical.best_ratio() * width
        words += f"; the best depth at width {width} is {best:.3g} layers (two outputs)"
    return words + "."


def _out_of_range(numbers: Numbers) -> str:
    """First order's numbers are not quoted where it cannot be trusted."""
    words = (
        "Out of range: at these widths and depth the numbers of first order are not to be used; "
    )
    if numbers.exact is None:
        return words + "draw networks with fw.simulate.ensemble."
    exact = numbers.exact.relative_variance
    spread, ratio = sqrt(exact), numbers.relative_variance / exact
    return words + (
        f"by the exact law the kernel varies by {spread:.3g} times its mean between seeds, and "
        f"first order has {ratio:.1%} of that variance (finitewidth law)."
    )
