"""Four paths drawn at random by what they contribute."""

from numpy.typing import ArrayLike

from finitewidth.network import MLP
from finitewidth.paths.figure.figure import PathFigure
from finitewidth.paths.sample import sample
from finitewidth.paths.scheme import scheme

QUANTITIES = {
    "weights_squared": "E K_w²",
    "cross": "E K_b K_w",
    "biases_squared": "E K_b²",
    "update_ww": "E Δ_ww",
    "update_wb": "E Δ_wb",
}


def sampled(net: MLP, x: ArrayLike, quantity: str, seed: int) -> PathFigure:
    """One draw of `fw.paths.sample`, with its marked edges; parameters as there."""
    drawn, plan = sample(net, x, quantity, 1, seed), scheme(quantity)
    marks = [(int(layer), pair) for layer, pair in zip(drawn.marks[0], plan.marks, strict=True)]
    title = f"Four paths of {QUANTITIES[quantity]}, drawn by their weight"
    return PathFigure(drawn.neurons[0], (net.n_in, *net.widths, 1), marks, title)
