"""The demo's page: tables and figures with the words around them."""

from math import sqrt

import sklearn
from digits_figures import histogram, shares_figure, spread_figure, update_figure
from digits_results import Results
from digits_tables import agreement, tables

from finitewidth.report import Page, Provenance, Section


def page(results: Results) -> Page:
    """The whole report."""
    settings, depths = results.settings, results.depths
    mean, spread, update, digits = tables(results)
    first, last = depths[0], depths[-1]
    theory = 1000 * sum(k.seconds[0] for k in depths)
    drawing = sum(k.seconds[1] for k in depths)
    more = {
        "scikit-learn": f"{sklearn.__version__}, load_digits",
        "networks": f"{settings.networks}, first step {settings.steps}",
    }
    return Page(
        "The tangent kernel at a handwritten digit",
        [
            "How different are the neural tangent kernels of two random initialisations of the "
            "same network, and how far does one gradient step move the kernel? If both are small, "
            "the network trains like a fixed kernel machine; if not, theories of infinite width "
            "do not describe it.",
            f"Here for ReLU networks of width {settings.width} at the image of a "
            f"{settings.digit}: between seeds the kernel varies by "
            f"{_deviation(first.spread.exact):.0%} of its mean (standard deviation) with "
            f"{first.hidden_layers} hidden layer and by {_deviation(last.spread.exact):.0%} with "
            f"{last.hidden_layers}; the first step, activation pattern frozen, changes it on "
            f"average by {_percent(first.update.exact)} and {_percent(last.update.exact)}.",
            agreement(results),
        ],
        [
            Section(
                "The setting",
                [
                    f"The input x is one of scikit-learn's handwritten digits: 8 × 8 grey values "
                    f"from 0 to 16, divided by 16, so n₀ = 64 and |x|² = {results.square:.2f}. The "
                    "network has L hidden layers of equal width n, Gaussian weights of variance "
                    "2/fan-in (1/fan-in at the output), biases that start at 0 and are trained, "
                    "and one output N. Its kernel K is the sum of (∂N/∂θ)² over all parameters θ, "
                    "with weights of unit variance; β is the sum of 1/n over the hidden layers.",
                    "Four routes to each number: the exact law of K at this width and depth; the "
                    "closed form of Hanin and Nica, Finite Depth and Width Corrections to the "
                    "Neural Tangent Kernel (ICLR 2020), which holds up to a constant factor; the "
                    "limit in which depth and width grow together; and networks drawn at random, "
                    "with their standard errors in brackets.",
                    mean,
                ],
            ),
            Section(
                "Randomness between seeds", [spread, spread_figure(results), histogram(results)]
            ),
            Section(
                "The first step, activation pattern frozen",
                [
                    "One step of gradient descent on ½(N − t)² for this image. The target t drops "
                    "out of the mean. Every neuron keeps its state, active or not, as in the "
                    "paper; a real step also moves neurons across zero, which is another quantity.",
                    update,
                    update_figure(results),
                ],
            ),
            Section(
                "Layer by layer",
                [shares_figure(results, "kernel_squared"), shares_figure(results, "update")],
            ),
            Section("Other digits", [digits]),
            Section(
                "Time",
                [
                    f"The exact law of all {len(depths)} depths took {theory:.0f} ms; drawing "
                    f"{settings.networks} networks of each took {drawing:.0f} s and leaves an "
                    "error, which for deep networks cannot even be trusted."
                ],
            ),
        ],
        Provenance.now(settings.seed, **more),
    )


def _deviation(dispersion: float) -> float:
    return sqrt(dispersion - 1.0)


def _percent(change: float) -> str:
    """A relative change as a percentage with a true minus sign."""
    return f"{change:.1%}".replace("-", "−")
