"""What ≃ leaves open: exact over form, for equal widths, as d/n grows.

A ≃ B of Hanin & Nica (2020) says that A/B stays between two universal constants. Here is A/B.
"""

from collections.abc import Callable, Mapping

from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Column, Table

RATIOS = (0.02, 0.1, 0.5, 1.0, 2.0, 4.0)
"""d/n that are looked at."""

EXACT: Mapping[str, tuple[str, Callable[[KernelLaw], float]]] = {
    "weights_squared": ("E K_w²", lambda law: law.moment(2, "weights")),
    "biases_squared": ("E K_b²", lambda law: law.moment(2, "biases")),
    "cross": ("E K_b K_w", lambda law: law.cross_moment()),
    "kernel_squared": ("E K²", lambda law: law.moment(2)),
    "dispersion": ("E K²/(E K)²", lambda law: law.dispersion()),
    "update_ww": ("E Δ_ww", lambda law: law.update_parts()["ww"]),
    "update_wb": ("E Δ_wb", lambda law: law.update_parts()["wb"]),
    "update": ("|E ΔK|", lambda law: -law.update_mean()),
    "relative_update": ("|E ΔK|/E K", lambda law: -law.relative_update()),
}
"""Symbol and exact value of the quantities that the paper has a form for."""


def law_at(ratio: float, width: int) -> KernelLaw:
    """Equal widths with d/n = ratio, |x|² = n_0."""
    return KernelLaw(MLP.equal_width(1, width, round(ratio * width) - 1))


def over_form(law: KernelLaw, name: str) -> float:
    """Exact value over the corrected form."""
    return EXACT[name][1](law) / law.paper()[name].value.to_float(name, "")


def exponent(ratio: float, width: int) -> float:
    """d ln(E K²/(E K)²)/d(d/n), a central difference over a tenth of the width."""
    step = max(width // 20, 1)
    depth = round(ratio * width)
    low, high = (
        KernelLaw(MLP.equal_width(1, width, at - 1)).log_dispersion()
        for at in (max(depth - step, 2), depth + step)
    )
    return (high - low) * width / (depth + step - max(depth - step, 2))


def constants(names: tuple[str, ...], quick: bool) -> dict[str, float]:
    """exact/form of every quantity at every d/n, by name."""
    width = 100 if quick else 400
    laws = {"0": KernelLaw(MLP.equal_width(1, 10**6, 99))}
    laws |= {f"{ratio:g}": law_at(ratio, width) for ratio in RATIOS}
    return {
        f"exact/form, {name}, d/n = {ratio}": over_form(law, name)
        for ratio, law in laws.items()
        for name in names
    }


def table(names: tuple[str, ...], quick: bool, *, exponents: bool = False) -> Table:
    """The table of `constants`; with the exponent of the dispersion if asked for."""
    width = 100 if quick else 400
    found = constants(names, quick)
    rows: list[list[str | float | None]] = []
    for ratio in ("0", *(f"{ratio:g}" for ratio in RATIOS)):
        row: list[str | float | None] = ["→ 0" if ratio == "0" else ratio]
        row += [found[f"exact/form, {name}, d/n = {ratio}"] for name in names]
        if exponents:
            row.append(None if ratio == "0" else exponent(float(ratio), width))
        rows.append(row)
    extra = [Column("exponent", meaning="d ln(E K²/(E K)²)/d(d/n); 5 is printed")]
    return Table(
        "Exact over form",
        ["d/n", *(EXACT[name][0] for name in names), *(extra if exponents else [])],
        rows,
        f"What ≃ leaves open, at equal widths {width}; → 0 is width 10⁶, d = 100.",
    )
