"""Loss, kernel, features and alignment against the step: a table, a figure, a sentence."""

from collections.abc import Mapping

import numpy as np

from finitewidth.report import Column, Panels, Plot, Table
from finitewidth.simulate.curves import bands

ROWS = 8
"""Steps of the table, the first and the last among them."""

COLUMNS: Mapping[str, Column] = {
    "loss": Column("loss"),
    "kernel_moved": Column("kernel moved", meaning="‖K_t − K_0‖/‖K_0‖"),
    "features_moved": Column(
        "features moved", meaning="‖Φ_t − Φ_0‖/‖Φ_0‖ of the last hidden layer's feature kernel Φ"
    ),
    "alignment": Column("alignment", meaning="of K_t with yyᵀ, from −1 to 1"),
}

PANELS: Mapping[str, tuple[str, str]] = {
    "loss": ("Loss", "loss ½ Σ (N − y)²"),
    "kernel_moved": ("Kernel", "kernel: ‖K_t − K_0‖/‖K_0‖"),
    "features_moved": ("Features", "features: ‖Φ_t − Φ_0‖/‖Φ_0‖"),
}

Curves = Mapping[str, np.ndarray]
"""{name: [size, T + 1]}; those of `COLUMNS` that were recorded."""


def table(title: str, curves: Curves, method: str, rule: str) -> Table:
    """A row a step, with the spread over networks.

    Parameters
    ----------
    title : str
    curves : mapping of str to array [size, T + 1]
    method : str
        ``"dense"`` or ``"deferred"``.
    rule : str
        Where the learning rate comes from; empty: not said.
    """
    size, steps = curves["loss"].shape
    seen = "One network" if size == 1 else f"{size} networks"
    if size == 1:
        spread = "; one network says nothing about the spread over seeds"
    elif size < bands.LEAST:
        spread = "; smallest, median and largest"
    else:
        spread = "; median with its standard error [10 %, 90 %]"
    cells = {name: bands.median if name == "alignment" else bands.with_band for name in COLUMNS}
    return Table(
        title,
        ["step", *(COLUMNS[name] for name in curves)],
        [
            [step, *(cells[name](values[:, step]) for name, values in curves.items())]
            for step in sorted({round(k) for k in np.linspace(0, steps - 1, min(ROWS, steps))})
        ],
        f"{seen}, {method} matrices{spread}.{rule and f' Learning rate: {rule}.'}",
    )


def panels(runs: Mapping[str, Curves]) -> Panels:
    """Loss, movement of the kernel and of the last hidden layer's features, a colour a run.

    Parameters
    ----------
    runs : mapping of str to curves
        Runs on the same data by their names.
    """
    every = list(runs.values())
    size = len(every[0]["loss"])
    plots = [
        Plot(
            title=title,
            sentence="Against the step of SGD.",
            x_label="step",
            y_label=label,
            series=[bands.of_networks(run, curves[name]) for run, curves in runs.items()],
            log_y=name == "loss" and all((curves[name] > 0).all() for curves in every),
        )
        for name, (title, label) in PANELS.items()
        if all(name in curves for curves in every)
    ]
    return Panels(
        "Training, step by step",
        f"{bands.in_words(size)} Φ is the feature kernel of the last hidden layer.",
        plots,
    )


def answer(runs: Mapping[str, Curves], steps: int, hidden: bool) -> str:
    """How far the features moved, in a sentence.

    Parameters
    ----------
    runs : mapping of str to curves
        By name; a single run's name may be empty.
    steps : int
        How many all of them took.
    hidden : bool
        Whether the networks have hidden layers.
    """
    if not hidden:
        return "Without a hidden layer there are no features, and the kernel stays what it is."
    size = max(len(curves["loss"]) for curves in runs.values())
    typical = " (median)" if size > 1 else ""
    if not all("features_moved" in curves for curves in runs.values()):
        parts = [
            f"from {np.median(curves['loss'][:, 0]):.4g} to "
            f"{np.median(curves['loss'][:, steps]):.4g}{_of(name)}"
            for name, curves in runs.items()
        ]
        return f"After {steps} steps the loss has gone {' and '.join(parts)}{typical}."
    parts = [
        f"by {100 * float(np.median(curves['features_moved'][:, -1])):.3g}%{_of(name)}"
        for name, curves in runs.items()
    ]
    return (
        f"After {steps} steps the features of the last hidden layer have moved "
        f"{' and '.join(parts)}{typical}."
    )


def _of(name: str) -> str:
    return f" in {name}" if name else ""
