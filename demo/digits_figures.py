"""The demo's figures, each with the sentence that says what it shows."""

import numpy as np
from digits_results import Kernel, Results

from finitewidth.report import Curve, Plot, Points, Steps

FROZEN = "activation pattern frozen"


def spread_figure(results: Results) -> Plot:
    """Dispersion against depth."""
    first, last = results.depths[0], results.depths[-1]
    x = [k.hidden_layers for k in results.depths]
    return Plot(
        "Randomness against depth",
        f"The dispersion of the kernel grows from {first.spread.exact:.3f} at "
        f"L = {first.hidden_layers} to {last.spread.exact:.2f} at L = {last.hidden_layers}: in "
        "deep narrow networks two seeds have very different kernels. At the largest depth the "
        f"limit is {last.spread.limit / last.spread.exact:.2f} times the exact value, and the "
        f"paper's e^(5β), which holds up to a constant factor, "
        f"{last.spread.paper / last.spread.exact:.1f} times. Bars are one standard error; a hollow "
        "point lacks the rare networks that carry the average.",
        "hidden layers L",
        "dispersion E K²/(E K)²",
        [
            Curve("exact law", x, [k.spread.exact for k in results.depths]),
            Curve("joint limit", x, [k.spread.limit for k in results.depths]),
            Curve("paper, e^(5β)", x, [k.spread.paper for k in results.depths]),
            Points.of("sampled law", x, [k.sampled_spread for k in results.depths]),
            Points.of("networks", x, [k.measured_spread for k in results.depths]),
        ],
        log_x=True,
        log_y=True,
        x_ticks=x,
    )


def update_figure(results: Results) -> Plot:
    """Relative change of the kernel against depth, as a positive number."""
    first, last = results.depths[0], results.depths[-1]
    x = [k.hidden_layers for k in results.depths]
    measured = [(k.hidden_layers, k.measured_update) for k in results.depths]
    below = [(layers, one) for layers, one in measured if np.asarray(one.value).item() < 0]
    return Plot(
        f"First SGD step, {FROZEN}",
        f"To first order, one step at the learning rate 1/E K shrinks the kernel by "
        f"{-first.update.exact:.1%} on average at L = {first.hidden_layers} and by "
        f"{-last.update.exact:.0%} at L = {last.hidden_layers}: the shallow network stays near "
        "its kernel, the deep one leaves it at once. The paper's form, times its constant for "
        f"β → 0, is {_over(first):.2f} times the exact value at L = {first.hidden_layers} and "
        f"{_over(last):.1f} times at L = {last.hidden_layers}.",
        "hidden layers L",
        f"−E ΔK/E K, {FROZEN}",
        [
            Curve("exact law", x, [-k.update.exact for k in results.depths]),
            Curve("joint limit", x, [-k.update.limit for k in results.depths]),
            Curve(
                "paper × constant", x, [k.update.paper * k.update.constant for k in results.depths]
            ),
            Points(
                "networks",
                [layers for layers, _ in below],
                [-np.asarray(one.value).item() for _, one in below],
                [np.asarray(one.std_error).item() for _, one in below],
                [one.trusted for _, one in below],
            ),
        ],
        log_x=True,
        log_y=True,
        x_ticks=x,
    )


def _over(kernel: Kernel) -> float:
    """The paper's update, with its constant, over the exact one."""
    return kernel.update.paper * kernel.update.constant / -kernel.update.exact


def histogram(results: Results) -> Plot:
    """The drawn kernels of a shallow and a deep network, each over its exact mean."""
    chosen = [results.depths[min(1, len(results.depths) - 1)], results.depths[-1]]
    ratios = [k.sample / k.mean for k in chosen]
    low, high = (float(extreme(np.concatenate(ratios))) for extreme in (np.min, np.max))
    edges = np.geomspace(low * 0.999, high * 1.001, 41)
    heights = [100.0 * np.histogram(ratio, edges)[0] / len(ratio) for ratio in ratios]
    top = max(float(height.max()) for height in heights)
    return Plot(
        "The kernel over seeds",
        f"{len(ratios[0])} networks at each depth, in bins of equal ratio. {_tells(chosen[0])} "
        f"{_tells(chosen[1])} In a deep network the mean is not a typical value: it is carried "
        "by a few networks with a large kernel.",
        "K/E K",
        "networks in the bin (%)",
        [
            *(
                Steps(f"L = {k.hidden_layers}", edges, height)
                for k, height in zip(chosen, heights, strict=True)
            ),
            Curve("mean (exact)", [1.0, 1.0], [0.0, top]),
        ],
        log_x=True,
        from_zero=True,
    )


def _tells(kernel: Kernel) -> str:
    ratio = kernel.sample / kernel.mean
    return (
        f"At L = {kernel.hidden_layers}, {np.mean(ratio < 1):.0%} of them lie below the exact "
        f"mean, and the largest is {ratio.max():.1f} times it."
    )


def shares_figure(results: Results, quantity: str) -> Plot:
    """Which layers carry E K² or E ΔK at the middle depth."""
    shares, middle = results.shares[quantity], results.settings.middle
    layers = np.arange(1, middle + 2)
    if quantity == "kernel_squared":
        name, title = "E K²", "Which layers carry the kernel's second moment"
        sentence = (
            f"Every layer takes part: weights {shares.weights.sum():.0%} and biases "
            f"{shares.biases.sum():.0%} of E K² in all. The output's bias counts in every "
            "network, a hidden one only while its neuron is active, hence the rise at the end."
        )
    else:
        name, title = f"E ΔK, {FROZEN}", f"Which layers carry the first step, {FROZEN}"
        sentence = (
            "The weights' part is moved most near the output, the biases' part near the input: "
            "the derivative with respect to a bias depends on the weights above it only, and with "
            "respect to the output's bias it is 1 for ever."
        )
    return Plot(
        title,
        f"With {middle} hidden layers, exact. {sentence}",
        "layer (the last is the output)",
        f"share of {name} (%)",
        [
            Curve("weights", layers, 100 * shares.weights, marked=True),
            Curve("biases", layers, 100 * shares.biases, marked=True),
        ],
        from_zero=True,
        x_ticks=[float(layer) for layer in layers],
    )
