"""`Overview`: the kernel to first order in 1/n, whether that may be trusted, and criticality."""

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._large import check_cost
from finitewidth.expansion.critical import criticality
from finitewidth.expansion.depth import TRUSTED
from finitewidth.expansion.overview import words
from finitewidth.expansion.overview.exact import ExactLaw
from finitewidth.expansion.overview.figure import depth_plot
from finitewidth.expansion.overview.numbers import Numbers, diagonal_mean
from finitewidth.expansion.overview.tables import (
    criticality_table,
    kernel_table,
    layer_table,
    matrices,
)
from finitewidth.expansion.scales import ORDER, check_layers, expandable, input_rows
from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Later, Page, Provenance, Record, Section, Shown

FIRST = "first order in 1/n"


class Overview(Shown):
    """Mean, spread over seeds and first step of a network's kernel, and what depth does to it.

    Parameters
    ----------
    net : MLP
        As of `fw.expansion.kernel`, with a hidden layer.
    X : array-like [B, n_in] or [n_in], optional
        The inputs; one of ones if not given.
    learning_rate : float, optional
        η of the step on ½ Σ (N − y)²; ½ over the largest eigenvalue of Θ if not given.
    exact : callable, optional
        The exact law to stand beside first order: network and input to an object with
        ``mean()``, ``dispersion()`` and ``update_mean(learning_rate)``, with a ValueError where
        there is none; `fw.KernelLaw` is one. Not shown if not given.
    input_name : str, optional
        What the inputs are called.

    Raises
    ------
    ValueError, TypeError
        As of `fw.expansion.kernel`, or without a hidden layer.
    """

    def __init__(
        self,
        net: MLP,
        X: ArrayLike | None = None,
        learning_rate: float | None = None,
        exact: ExactLaw | None = None,
        input_name: str | None = None,
    ) -> None:
        net = expandable(net)
        if net.depth == 1:
            raise ValueError(
                "without a hidden layer the kernel is the same for every seed and no step changes "
                "it; give depth 2 or more."
            )
        check_cost(f"an input of {net.n_in} numbers", 0.0, 24.0 * net.n_in, "give a smaller n_in")
        rows = input_rows(net, np.ones(net.n_in) if X is None else X)
        check_layers(net, len(rows), 4 * ORDER)  # with the errors of the quadrature, and depths
        critical = criticality(
            net.activation,
            negative_slope=net.negative_slope,
            activation_derivatives=net.activation_derivatives,
        )
        self.numbers = Numbers(net, rows, critical, learning_rate, exact)
        some = "1 input" if len(rows) == 1 else f"{len(rows)} inputs"
        self.input_name = input_name or ("|x|² = n_in" if X is None else some)

    def page(self) -> Page:
        """The answer, the kernel's numbers, criticality, and each layer's part."""
        numbers, net = self.numbers, self.numbers.net
        holds = "holds" if numbers.holds else "does not hold"
        sections = [
            Section("The kernel", [kernel_table(numbers)]),
            Section("Criticality", [words.critical(numbers), criticality_table(numbers)]),
            Section("By layer", [layer_table(numbers), words.quadrature(numbers)], detail=True),
        ]
        if not numbers.single:
            sections.append(Section("By input", matrices(numbers), detail=True))
        if len(net.runs) == 1:
            sections.append(Section("By depth", [Later(lambda: depth_plot(numbers))]))
        return Page(
            f"First order in 1/n {holds}: {in_words(net)}",
            [words.conclusion(numbers), words.trusted(numbers), self._taken()],
            sections,
            Provenance.now(None, input=self.input_name),
            self._record,
        )

    def _taken(self) -> str:
        """The gains, the biases and the inputs."""
        net = self.numbers.net
        gains = f"C_W = {net.hidden_gain:.6g} and C_b = {net.bias_variance:.6g}"
        if self.numbers.is_critical:
            gains += f", critical for {net.act.name}"
        biases = f"trained (factor {net.bias_lr:g})" if net.trains_biases else "frozen"
        if not net.bias:
            biases = "none"
        return f"{gains}; output C_W = {net.output_gain:g}; biases {biases}; {self.input_name}."

    def _record(self) -> Record:
        """Everything as JSON; kernels are [B, B], of every input."""
        numbers = self.numbers
        expansion, critical = numbers.expansion, numbers.critical
        record = self._described()
        for name, value in (
            ("critical_hidden_gain", critical.hidden_gain),
            ("critical_bias_variance", critical.bias_variance),
            ("fixed_point", critical.fixed_point),
            ("kernel_growth", critical.kernel_growth),
            ("depth_coefficient", critical.depth_coefficient),
        ):
            if value is not None:
                record.approximate(name, value, "criticality at infinite width")
        if critical.kernel_growth is not None:
            record.approximate(
                "best_ratio", critical.best_ratio(), "first two orders in depth/width"
            )
        expansion.put(record)
        record.approximate("relative_variance", numbers.relative_variance, FIRST)
        record.approximate("first_step", numbers.change, FIRST)
        for name, error in expansion.quadrature_error.items():
            record.approximate(f"quadrature_error_{name}", error, "steps 1.4 times as long")
        layers = expansion.limits
        for name, values in (
            ("kernel", [diagonal_mean(one.kernel) for one in layers]),
            ("tangent", [diagonal_mean(one.tangent) for one in layers]),
        ):
            record.approximate(f"layer_{name}", np.array(values), "infinite width")
        if numbers.shares:
            shares = np.array([numbers.share(one) for one in numbers.shares]).T
            for name, values in zip(("shift", "variance", "step"), shares, strict=True):
                record.approximate(f"layer_{name}_share", values, FIRST)
        if numbers.trust is not None:
            record.approximate(
                "trusted_hidden_layers", numbers.trust.layers, f"relative variance <= {TRUSTED}"
            )
        if numbers.exact is not None:
            record.exact("exact_mean", numbers.exact.mean)
            record.exact("exact_relative_variance", numbers.exact.relative_variance)
            record.exact("exact_first_step", numbers.exact.step)
        return record

    def _described(self) -> Record:
        numbers = self.numbers
        inputs = {
            "bias_variance": numbers.net.bias_variance,
            "input": self.input_name,
            "inputs": len(numbers.X),
            "learning_rate": numbers.rate,
            "class": numbers.critical.kind,
            "critical": numbers.is_critical,
            "loss": "sum (N - y)^2 / 2",
        }
        return Record(inputs, as_json(numbers.net))
