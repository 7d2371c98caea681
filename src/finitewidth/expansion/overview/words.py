"""What `finitewidth expansion` says below its tables."""

from math import sqrt

import numpy as np

from finitewidth.expansion.overview.numbers import SEARCHED, TRUSTED, Numbers

RESOLVED = 1e-12
"""Quadrature errors below this are rounding."""


def sentences(numbers: Numbers) -> list[str]:
    """Critical or not, trustworthy or not, and the size of it all."""
    largest = max(numbers.quadrature_error.values())
    size = f"{largest:.0e}" if largest > RESOLVED else f"below {RESOLVED:g}"
    return [
        _critical(numbers),
        _trusted(numbers),
        f"Quadrature error of any entry, relative to Θ (covariance: Θ²): {size}.",
        _conclusion(numbers),
    ]


def _critical(numbers: Numbers) -> str:
    net, critical = numbers.net, numbers.critical
    last = net.depth - 1
    along, across = numbers.susceptibilities[last]
    chi = f"χ_∥ = {along:.4g} and χ_⊥ = {across:.4g} in hidden layer {last}"
    if not numbers.is_critical:
        return (
            f"Not critical: {chi}; a layer multiplies small changes of K by χ_∥ and small "
            "distances between inputs by χ_⊥, and the expansion's terms with them."
        )
    if critical.kind == "half_stable" and critical.fixed_point is not None:
        first = float(np.diagonal(numbers.expansion.limits[0].kernel).mean())
        at = (critical.fixed_point - net.bias_variance) / net.hidden_gain
        return (
            f"Critical gains: {chi}, both 1 at K*; K starts at {first:.4g}, and at K* where "
            f"|x|²/n_in = {at:.4g}."
        )
    always = critical.kind == "scale_invariant"
    return f"Critical: {chi}{'' if always else '; both tend to 1 with depth'}."


def _trusted(numbers: Numbers) -> str:
    criterion = f"first order's Var Θ/Θ² is at most {TRUSTED:g}"
    if numbers.trust is None:
        words = "is" if numbers.relative_variance <= TRUSTED else "is not"
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


def _conclusion(numbers: Numbers) -> str:
    if numbers.relative_variance > TRUSTED:
        return _out_of_range(numbers)
    spread = sqrt(numbers.relative_variance)
    step = float(np.diagonal(numbers.change).mean()) / numbers.tangent
    words = "falls" if step < 0 else "grows"
    found = (
        f"Between seeds the kernel varies by {spread:.1%}, its mean is off the infinite "
        f"width's by {abs(numbers.shift):.2%}, and it {words} by {abs(step):.2%} in the first "
        "step"
    )
    if numbers.exact is not None:
        ratio = numbers.relative_variance / numbers.exact.relative_variance
        found += f"; first order is {ratio:.1%} of the exact variance"
    if numbers.critical.kernel_growth is not None and numbers.trust is not None:
        width = numbers.net.runs[0][0]
        best = numbers.critical.best_ratio() * width
        found += f"; the best depth at width {width} is {best:.3g} layers (two outputs)"
    return found + "."


def _out_of_range(numbers: Numbers) -> str:
    """First order's numbers are not quoted where it cannot be trusted."""
    found = (
        "Out of range: at these widths and depth the numbers of first order are not to be used; "
    )
    if numbers.exact is None:
        return found + "draw networks with fw.simulate.ensemble."
    exact = numbers.exact.relative_variance
    spread, ratio = sqrt(exact), numbers.relative_variance / exact
    return found + (
        f"by the exact law the kernel varies by {spread:.3g} times its mean between seeds, and "
        f"first order has {ratio:.1%} of that variance (finitewidth law)."
    )
