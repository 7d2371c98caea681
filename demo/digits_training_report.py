"""The part of the demo's page about the PyTorch network, each figure with its sentence."""

from typing import TYPE_CHECKING

import numpy as np

import finitewidth as fw
from finitewidth.report import Column, Curve, Plot, Points, Section, Table

if TYPE_CHECKING:  # which imports PyTorch
    from digits_training import Training

NETWORK = """
The same question for a network that is trained: make_mlp of demo/models.py, a PyTorch Sequential
64–128–128–10 with ReLU, Kaiming weights and biases that start at 0, on ten classes. Its kernel is
summed over its ten outputs. PyTorch trains the weights themselves, not unit-variance ones times a
scale, so the law is that of parametrization="standard".
"""


def section(training: "Training") -> Section:
    """Measured beside the law, then trained."""
    return Section(
        "A PyTorch network, measured and trained",
        [
            NETWORK,
            verdict(training),
            table(training),
            shares_figure(training),
            trained(training),
            distance_figure(training),
            size_figure(training),
            loss_figure(training),
        ],
    )


def verdict(training: "Training") -> str:
    """The verdict's sentence, for full-batch descent."""
    settings, check = training.settings, training.check
    return (
        f"The verdict, of {check.seeds} seeds and full-batch descent on {settings.inputs} images "
        f"(squared error, rate {settings.check_rate:g}): {check}"
    )


def comparisons(training: "Training") -> list[tuple[str, fw.Estimate, float]]:
    """Name, measured, exact."""
    rows = [("E K, mean over the images", training.measured, training.exact_mean)]
    for place, (row, exact) in enumerate(
        zip(training.check.shares, training.exact_shares, strict=True), start=1
    ):
        rows.append((f"share of layer {place}", row.measured, float(exact)))
    return rows


def worst(training: "Training") -> float:
    """The largest |z| of the comparisons."""
    return max(
        abs(float(np.asarray(found.z(exact)).item())) for _, found, exact in comparisons(training)
    )


def table(training: "Training") -> Table:
    """The kernel at the start, beside the law."""
    rows = comparisons(training)
    # four comparisons, one false alarm in 20 such reports
    agrees = worst(training) <= 2.5
    return Table(
        "The PyTorch network at the start, beside the exact law",
        [
            Column("quantity"),
            Column("measured", meaning="over seeds (standard error)"),
            Column("exact law"),
            Column("z", places=1, meaning="(measured − exact)/standard error"),
        ],
        [(name, e, exact, float(np.asarray(e.z(exact)).item())) for name, e, exact in rows],
        "Measurement and law agree: every |z| is at most 2.5."
        if agrees
        else f"The largest |z| is {worst(training):.1f}, which chance exceeds in less than one of "
        "twenty reports.",
    )


def shares_figure(training: "Training") -> Plot:
    """Shares of the layers at the start, beside the law, and after training."""
    rows = training.check.shares
    place = np.arange(1, len(rows) + 1)
    last = 100 * training.data.layer_share.values[-1]
    return Plot(
        "Which layers carry the kernel, before and after training",
        f"At the start the output layer carries {100 * training.exact_shares[-1]:.0f} % by the "
        f"law, after {training.settings.steps} steps {last[-1]:.0f} % in the trained network: the "
        "law describes the start alone. Bars are one standard error over seeds.",
        "layer (the last is the output)",
        "share of the kernel (%)",
        [
            Curve("exact law, at the start", place, 100 * training.exact_shares, marked=True),
            Curve("one network, trained", place, last, marked=True),
            Points(
                "measured over seeds, at the start",
                place,
                [100 * float(row.measured.value) for row in rows],
                [100 * float(row.measured.std_error) for row in rows],
            ),
        ],
        from_zero=True,
        x_ticks=[float(p) for p in place],
    )


def trained(training: "Training") -> str:
    """What training did, in numbers."""
    settings, data = training.settings, training.data
    distance, band = data.distance.values, data.distance_null.values
    moved = int(data.moved_at.sel(quantity="distance"))
    beyond = (
        f"from step {moved} on it differs from its start by more than nine in ten pairs of seeds do"
        if moved >= 0
        else "that is no more than pairs of seeds differ"
    )
    return (
        f"Trained for {settings.steps} steps of SGD (cross-entropy averaged over batches of "
        f"{settings.batch}, rate {settings.rate:g}) with a Recorder in the loop, the network "
        f"reaches {training.accuracy:.0%} on {settings.held_out} images held out, and its kernel "
        f"moves by {distance[-1]:.1f} times its norm; {beyond} (median pair: {band[1]:.2f}). "
        f"The training and {len(data.step)} records took {training.seconds[2]:.0f} s, the verdict "
        f"{training.seconds[0]:.0f} s."
    )


def distance_figure(training: "Training") -> Plot:
    """Distance to the start against steps, and the null band."""
    data = training.data
    steps, distance = data.step.values[1:], data.distance.values[1:]
    ends = [steps[0], steps[-1]]
    low, middle, high = data.distance_null.values
    beyond = steps[distance > high]
    crossing = (
        f"The upper line is crossed by step {beyond[0]}: from there on the kernel is farther from "
        "its start than the kernels of nine in ten other seeds are."
        if len(beyond)
        else "Training stays below the upper line."
    )
    return Plot(
        "How far training moves the kernel",
        "‖K_t − K_0‖/‖K_0‖ of the trained network; the lines are how far two seeds lie apart "
        f"before any training. {crossing}",
        "step",
        "distance to the start",
        [
            Curve("training", steps, distance, marked=True),
            Curve("pairs of seeds: one in ten below", ends, [low, low]),
            Curve("half of them below", ends, [middle, middle]),
            Curve("nine in ten below", ends, [high, high]),
        ],
        log_x=True,
        log_y=True,
    )


def size_figure(training: "Training") -> Plot:
    """Mean diagonal against steps, from the law's value on."""
    data = training.data
    size = data.trace.values / len(data.input)
    mean = training.exact_mean
    spread = float(training.check.measured.start.diagonals.std(ddof=1))
    ends = [0.0, float(data.step.values[-1])]
    return Plot(
        "The size of the kernel",
        f"The mean diagonal of the trained network begins at {size[0]:.0f}, "
        f"{abs(size[0] - mean) / spread:.1f} standard deviations over seeds from the exact mean "
        f"{mean:.0f}, and ends at {size[-1]:.0f}: training made it {size[-1] / size[0]:.0f} times "
        "as large.",
        "step",
        "mean diagonal of K",
        [
            Curve("training", data.step.values, size, marked=True),
            Curve("E K at the start, exact law", ends, [mean, mean]),
        ],
        log_y=True,
    )


def loss_figure(training: "Training") -> Plot:
    """The loss of the batches at the recorded steps."""
    data = training.data
    losses = data.loss.values
    known = np.isfinite(losses) & (losses > 0)
    return Plot(
        "The loss",
        f"Cross-entropy of the batch at the recorded steps: from {losses[known][0]:.2f} to "
        f"{losses[known][-1]:.2f} while the kernel moves as above.",
        "step",
        "loss",
        [Curve("batch loss", data.step.values[known], losses[known], marked=True)],
        log_x=True,
        log_y=True,
    )
