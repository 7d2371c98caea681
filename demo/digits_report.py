"""The demo's page: tables and figures with the words around them."""

from math import sqrt
from typing import TYPE_CHECKING

from digits_figures import histogram, shares_figure, spread_figure, update_figure
from digits_results import Results
from digits_tables import agreement, tables
from digits_training_report import section

from finitewidth.report import Page, Provenance, Section

if TYPE_CHECKING:
    from digits_training import Training

QUESTION = """
How different are the neural tangent kernels of two random initialisations of the same network, and
how far does one gradient step move the kernel? If both are small, the network trains like a fixed
kernel machine; if not, theories of infinite width do not describe it.
"""

ROUTES = """
Four routes to each number: the exact law of K at this width and depth; the closed form of Hanin
and Nica, Finite Depth and Width Corrections to the Neural Tangent Kernel (ICLR 2020), which holds
up to a constant factor; the limit in which depth and width grow together; and networks drawn at
random, with their standard errors in brackets.
"""

STEP = """
One step of gradient descent on ½(N − t)² for this image. The target t drops out of the mean. Every
neuron keeps its state, active or not, as in the paper; a real step also moves neurons across zero,
which is another quantity.
"""


def answer(results: Results) -> str:
    """The result in two numbers for the shallowest and the deepest network."""
    settings, first, last = results.settings, results.depths[0], results.depths[-1]
    return (
        f"Here for ReLU networks of width {settings.width} at the image of a {settings.digit}, "
        f"with L = {first.hidden_layers} and L = {last.hidden_layers} hidden layers: between "
        f"seeds the kernel varies by {sqrt(first.spread.exact - 1):.0%} and "
        f"{sqrt(last.spread.exact - 1):.0%} of its mean (standard deviation); the first step, "
        f"activation pattern frozen, shrinks it on average by {-first.update.exact:.1%} and "
        f"{-last.update.exact:.0%}, to first order."
    )


def setting(results: Results) -> str:
    """The input and the network."""
    return (
        "The input x is one of scikit-learn's handwritten digits: 8 × 8 grey values from 0 to 16, "
        f"divided by 16, so n₀ = 64 and |x|² = {results.square:.2f}. The network has L hidden "
        "layers of equal width n, Gaussian weights of variance 2/fan-in (1/fan-in at the output), "
        "biases that start at 0 and are trained, and one output N. Its kernel K is the sum of "
        "(∂N/∂θ)² over all parameters θ, with weights scaled to variance 1; β is the sum of 1/n "
        "over the hidden layers."
    )


def times(results: Results) -> str:
    """What the routes cost."""
    theory = 1000 * sum(k.seconds[0] for k in results.depths)
    drawing = sum(k.seconds[1] for k in results.depths)
    return (
        f"The exact law at all {len(results.depths)} depths took {theory:.0f} ms. Drawing "
        f"{results.settings.networks} networks of each took {drawing:.0f} s and leaves an error, "
        "which for deep networks cannot even be trusted."
    )


def page(results: Results, training: "Training | None" = None) -> Page:
    """The whole report; with the part about a PyTorch network if there is one."""
    import sklearn

    settings = results.settings
    mean, spread, update, digits = tables(results)
    more = {
        "scikit-learn": f"{sklearn.__version__}, load_digits",
        "networks": f"{settings.networks}, first step {settings.steps}",
    }
    return Page(
        "The tangent kernel at a handwritten digit",
        [QUESTION, answer(results), agreement(results)],
        [
            Section("The setting", [setting(results), ROUTES, mean]),
            Section(
                "Randomness between seeds", [spread, spread_figure(results), histogram(results)]
            ),
            Section(
                "The first step, activation pattern frozen",
                [STEP, update, update_figure(results)],
            ),
            Section(
                "Layer by layer",
                [shares_figure(results, "kernel_squared"), shares_figure(results, "update")],
            ),
            Section("Other digits", [digits]),
            *([] if training is None else [section(training)]),
            Section("Time", [times(results)]),
        ],
        Provenance.now(settings.seed, **more),
    )
