"""What `finitewidth expansion` shows: tables, sentences, JSON."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from finitewidth.expansion.overview.numbers import TRUSTED, Numbers
from finitewidth.expansion.overview.words import sentences
from finitewidth.cli.results import Results, describe, in_words
from finitewidth.report import Column, Table
from finitewidth.report.cells import Value

ROWS = 12
"""Layers of the table, the first and the last among them."""

SHOWN = 6
"""Inputs of a printed matrix; --json has all."""

CLASSES = {
    "scale_invariant": "scale-invariant: every K is a fixed point",
    "zero": "K* = 0: K falls like 1/depth",
    "half_stable": "half-stable: K* attracts from one side",
    "none": "no critical point",
}


@dataclass(frozen=True, eq=False)
class ExpansionView:
    """The numbers of one network, ready to be printed.

    Attributes
    ----------
    numbers : Numbers
    told : str
        What the inputs are.
    """

    numbers: Numbers
    told: str

    @property
    def _name(self) -> str:
        return "Θ" if self.numbers.single else "T"

    def results(self) -> Results:
        """Everything as JSON; kernels are [B, B], of every input."""
        numbers, found = self.numbers, self._described()
        expansion, critical = numbers.expansion, numbers.critical
        for name, value in (
            ("critical_hidden_gain", critical.hidden_gain),
            ("critical_bias_variance", critical.bias_variance),
            ("fixed_point", critical.fixed_point),
            ("kernel_growth", critical.kernel_growth),
            ("depth_coefficient", critical.depth_coefficient),
        ):
            if value is not None:
                found.approximate(name, value, "criticality at infinite width")
        if critical.kernel_growth is not None:
            found.approximate(
                "best_ratio", critical.best_ratio(), "first two orders in depth/width"
            )
        first = "first order in 1/n"
        found.approximate("kernel", expansion.nngp, "infinite width")
        found.approximate("tangent", expansion.infinite, "infinite width")
        found.approximate("mean_shift", expansion.correction, first)
        found.approximate("variance", expansion.variance, first)
        found.approximate("relative_variance", numbers.relative_variance, first)
        found.approximate("first_step", numbers.change, first)
        for name, error in expansion.quadrature_error.items():
            found.approximate(f"quadrature_error_{name}", error, "steps 1.4 times as long")
        layers = expansion.limits
        for name, values in (
            ("kernel", [np.diagonal(one.kernel).mean() for one in layers]),
            ("tangent", [np.diagonal(one.tangent).mean() for one in layers]),
        ):
            found.approximate(f"layer_{name}", np.array(values), "infinite width")
        if numbers.shares:
            shares = np.array([numbers.share(one) for one in numbers.shares]).T
            for name, values in zip(("shift", "variance", "step"), shares, strict=True):
                found.approximate(f"layer_{name}_share", values, first)
        if numbers.trust is not None:
            found.approximate(
                "trusted_hidden_layers", numbers.trust.layers, f"relative variance <= {TRUSTED}"
            )
        if numbers.exact is not None:
            found.exact("exact_mean", numbers.exact.mean)
            found.exact("exact_relative_variance", numbers.exact.relative_variance)
            found.exact("exact_first_step", numbers.exact.step)
        return found

    def _described(self) -> Results:
        numbers = self.numbers
        return Results(
            describe(numbers.net)
            | {
                "bias_variance": numbers.net.bias_variance,
                "input": self.told,
                "inputs": len(numbers.X),
                "learning_rate": numbers.rate,
                "class": numbers.critical.kind,
                "critical": numbers.is_critical,
                "loss": "sum (N - y)^2 / 2",
            }
        )

    def print(self) -> None:
        """Header, tables and what they say."""
        from rich.console import Console

        console = Console()
        console.print(in_words(self.numbers.net), highlight=False)
        console.print(self.header(), highlight=False)
        for table in self.tables():
            console.print()
            console.print(table)
        console.print()
        for sentence in sentences(self.numbers):
            console.print(sentence, highlight=False)

    def header(self) -> str:
        """The gains, the biases and the inputs."""
        net = self.numbers.net
        gains = f"C_W = {net.hidden_gain:.6g} and C_b = {net.bias_variance:.6g}"
        if self.numbers.is_critical:
            gains += f", critical for {net.act.name}"
        biases = f"trained (factor {net.bias_lr:g})" if net.trains_biases else "frozen"
        if not net.bias:
            biases = "none"
        return f"{gains}; output C_W = {net.output_gain:g}; biases {biases}; {self.told}."

    def tables(self) -> list[Table]:
        """Criticality, the network's kernel, its layers, and matrices of several inputs."""
        found = [self._criticality(), self._kernel(), self._layers()]
        if not self.numbers.single:
            found += self._matrices()
        return found

    def _criticality(self) -> Table:
        critical, rows = self.numbers.critical, []
        if critical.hidden_gain is not None:
            rows += [("critical C_W", critical.hidden_gain, "gain of the hidden layers")]
            rows += [("critical C_b", critical.bias_variance, "variance of the biases")]
        if critical.fixed_point is not None:
            rows += [("K*", critical.fixed_point, "the variance of a pre-activation that stays")]
        if critical.kernel_growth is not None:
            rows += [
                ("ν", critical.kernel_growth, "Var K/K² grows by ν/n a hidden layer"),
                ("depth coefficient", critical.depth_coefficient, self._coefficient()),
                ("best ratio", critical.best_ratio(), "of depth to width, 4/(26 ν), two outputs"),
            ]
        title = f"Criticality of {critical.activation}: {CLASSES[critical.kind]}"
        return Table(title, ["quantity", Column("value", digits=6), "meaning"], rows)

    def _coefficient(self) -> str:
        if self.numbers.critical.depth_coefficient is None:
            return "none: Var Θ/Θ² grows like depth³/width"
        return "Var Θ/Θ² → coefficient · depth/width, biases frozen"

    def _kernel(self) -> Table:
        numbers, name = self.numbers, self._name
        variance, change = numbers.relative_variance, float(np.diagonal(numbers.change).mean())
        rows: list[list[Value]] = [
            [f"E {name}", numbers.tangent, numbers.tangent * (1 + numbers.shift)],
            ["shift of the mean, relative", 0.0, numbers.shift],
            [f"Var {name}/{name}²", 0.0, variance],
            [f"spread over seeds, √Var {name}/{name}", 0.0, sqrt(variance)],
            [f"E Δ{name}, first step", 0.0, change],
            [f"E Δ{name}/{name}, first step", 0.0, change / numbers.tangent],
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

    def _layers(self) -> Table:
        numbers = self.numbers
        limits, widths = numbers.expansion.limits, numbers.net.widths
        count = len(limits)
        shown = sorted({round(k) for k in np.linspace(0, count - 1, min(ROWS, count))})
        rows = []
        for k in shown:
            diagonals = [
                float(np.diagonal(one).mean()) for one in (limits[k].kernel, limits[k].tangent)
            ]
            hidden = k < count - 1
            added = numbers.share(numbers.shares[k]) if hidden and numbers.shares else (None,) * 3
            rows.append((str(k + 1) if hidden else "output", widths[k] if hidden else None,
                         *diagonals, *added))  # fmt: skip
        name = self._name
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

    def _matrices(self) -> list[Table]:
        numbers = self.numbers
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
