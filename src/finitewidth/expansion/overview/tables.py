"""The tables of an expansion's overview."""

from math import sqrt

import numpy as np

from finitewidth.expansion.critical import Criticality
from finitewidth.expansion.overview.numbers import Numbers, diagonal_mean
from finitewidth.report import Column, Table
from finitewidth.report.cells import Value

ROWS = 12
"""Layers of the table, the first and the last among them."""

SHOWN = 6
"""Inputs of a shown matrix; the record has all."""

CLASSES = {
    "scale_invariant": "scale-invariant: every K is a fixed point",
    "zero": "K* = 0: K falls like 1/depth",
    "half_stable": "half-stable: K* attracts from one side",
    "none": "no critical point",
}


def criticality_table(numbers: Numbers) -> Table:
    """The critical point of the activation."""
    critical, rows = numbers.critical, []
    if critical.hidden_gain is not None:
        rows += [("critical C_W", critical.hidden_gain, "gain of the hidden layers")]
        rows += [("critical C_b", critical.bias_variance, "variance of the biases")]
    if critical.fixed_point is not None:
        rows += [("K*", critical.fixed_point, "the variance of a pre-activation that stays")]
    if critical.kernel_growth is not None:
        rows += [
            ("ν", critical.kernel_growth, "Var K/K² grows by ν/n a hidden layer"),
            ("depth coefficient", critical.depth_coefficient, _coefficient(critical)),
            ("best ratio", critical.best_ratio(), "of depth to width, 4/(26 ν), two outputs"),
        ]
    title = f"Criticality of {critical.activation}: {CLASSES[critical.kind]}"
    return Table(title, ["quantity", Column("value", digits=6), "meaning"], rows)


def _coefficient(critical: Criticality) -> str:
    if critical.depth_coefficient is None:
        return "none: Var Θ/Θ² grows like depth³/width"
    return "Var Θ/Θ² → coefficient · depth/width, biases frozen"


def kernel_table(numbers: Numbers) -> Table:
    """Mean, spread and first step of the kernel, at infinite width, first order and exact."""
    name, variance, change = numbers.name, numbers.relative_variance, numbers.relative_change
    rows: list[list[Value]] = [
        [f"E {name}", numbers.tangent, numbers.tangent * (1 + numbers.shift)],
        ["shift of the mean, relative", 0.0, numbers.shift],
        [f"Var {name}/{name}²", 0.0, variance],
        [f"spread over seeds, √Var {name}/{name}", 0.0, sqrt(variance)],
        [f"E Δ{name}, first step", 0.0, diagonal_mean(numbers.change)],
        [f"E Δ{name}/{name}, first step", 0.0, change],
    ]
    columns: list[Column | str] = [
        "quantity",
        Column("n = ∞", digits=6),
        Column("first order", digits=6, meaning="in 1/n, at these widths"),
    ]
    exact = numbers.exact
    if exact is not None:
        mean, step = exact.mean, exact.step
        columns.append(Column("exact", digits=6, meaning="the exact law, all orders"))
        law = (
            mean, mean / numbers.tangent - 1, exact.relative_variance,
            sqrt(exact.relative_variance), step, step / mean,
        )  # fmt: skip
        rows = [[*row, value] for row, value in zip(rows, law, strict=True)]
    whole = "" if numbers.single else "T: mean of Θ_aa over the inputs. "
    frozen = (
        ", activation pattern frozen (a real step also carries neurons across zero); the "
        "other derivatives of the kinked activation are read in the distributional sense"
        if numbers.net.act.has_kink
        else ""
    )
    how = "given" if numbers.asked is not None else "½ over the largest eigenvalue of Θ"
    caption = (
        f"{whole}First step: one step on ½ Σ (N − y)² over the inputs, η = {numbers.rate:.4g} "
        f"({how}), first order in η{frozen}."
    )
    return Table("The tangent kernel Θ of this network", columns, rows, caption)


def layer_table(numbers: Numbers) -> Table:
    """K and Θ of layers, and what each adds to shift, spread and step."""
    limits, widths = numbers.expansion.limits, numbers.net.widths
    count = len(limits)
    shown = sorted({round(k) for k in np.linspace(0, count - 1, min(ROWS, count))})
    rows = []
    for k in shown:
        diagonals = [diagonal_mean(one) for one in (limits[k].kernel, limits[k].tangent)]
        hidden = k < count - 1
        added = numbers.share(numbers.shares[k]) if hidden and numbers.shares else (None,) * 3
        rows.append((str(k + 1) if hidden else "output", widths[k] if hidden else None,
                     *diagonals, *added))  # fmt: skip
    name = numbers.name
    columns = [
        "layer",
        "width",
        Column("K", meaning="variance of a pre-activation at n = ∞"),
        Column("Θ", meaning="tangent kernel of its neurons at n = ∞"),
        Column("shift", meaning=f"what its width adds to the shift of E {name}/{name}"),
        Column(f"Var {name}/{name}²", meaning="what it adds to that"),
        Column(f"E Δ{name}/{name}", meaning="what it adds to that"),
    ]
    left = "" if len(shown) == count else f" {len(shown)} of {count} layers are shown."
    mean = "" if numbers.single else " K and Θ: means over the inputs."
    return Table(
        "Layer by layer", columns, rows,
        f"Contributions add up over all hidden layers to the table above.{mean}{left}",
    )  # fmt: skip


def matrices(numbers: Numbers) -> list[Table]:
    """Mean, shift, spread and step of every entry of several inputs' kernel."""
    expansion, scale = numbers.expansion, np.sqrt(np.diagonal(numbers.expansion.infinite))
    size = min(SHOWN, len(numbers.X))
    outer = np.outer(scale, scale)
    found = []
    for title, matrix in (
        ("Θ_ab at n = ∞", expansion.infinite),
        ("Shift of E Θ_ab at first order", expansion.correction),
        ("Spread over seeds, √Var Θ_ab / √(Θ_aa Θ_bb)", np.sqrt(expansion.variance) / outer),
        (f"E ΔΘ_ab of the first step, η = {numbers.rate:.4g}", numbers.change),
    ):
        rows = [(str(a), *(float(v) for v in matrix[a, :size])) for a in range(size)]
        caption = "" if size == len(numbers.X) else f"{size} of {len(numbers.X)} inputs."
        found.append(Table(title, ["a \\ b", *(str(b) for b in range(size))], rows, caption))
    return found
