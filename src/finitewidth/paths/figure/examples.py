"""Figures 1 and 2 of Hanin & Nica (2020), for any widths.

Both show γ₁ … γ₄ of a term of E K_w²: e₁ is shared by γ₁ and γ₂, e₂ by γ₃ and γ₄. Without a loop
the paths keep their partners from the input to the output; with one loop all four meet in a neuron,
leave it with other partners, γ₁ with γ₃ and γ₂ with γ₄, and meet again.
"""

from collections.abc import Sequence

from finitewidth.paths.figure.figure import PathFigure


def figure_one(sizes: Sequence[int]) -> PathFigure:
    """No interaction: partners stay together at all layers between the marks.

    Parameters
    ----------
    sizes : sequence of int
        n_0 … n_d, with n_d = 1.

    Raises
    ------
    ValueError
        With fewer than two neurons in a layer below the output, or no hidden layer.
    """
    _checked(sizes, 1)
    narrow = [layer for layer, n in enumerate(sizes[:-1]) if n < 2]
    if narrow:
        raise ValueError(
            f"layer {narrow[0]} has one neuron, in which the four paths would meet; Figure 1 takes "
            "two or more in every layer below the output."
        )
    strands = [_two(n, layer) for layer, n in enumerate(sizes[:-1])]
    neurons = [[pair[path // 2] for pair in strands] + [0] for path in range(4)]
    depth = len(sizes) - 1
    marks = [(min(2, depth - 1), (0, 1)), (max(depth - 1, 1), (2, 3))]
    return PathFigure(
        neurons, sizes, marks, "No loop: γ₁ with γ₂, γ₃ with γ₄, from the input to the output"
    )


def figure_two(sizes: Sequence[int]) -> PathFigure:
    """One loop between the marks: partners swap once, and swap back.

    Parameters
    ----------
    sizes : sequence of int
        n_0 … n_d, with n_d = 1.

    Raises
    ------
    ValueError
        With fewer than three hidden layers, or no layer with two neurons to have the loop in.
    """
    _checked(sizes, 3)
    hidden = len(sizes) - 2
    meet, again = max(1, hidden // 3), hidden
    narrow = [layer for layer in range(meet) if sizes[layer] < 2]
    narrow += [layer for layer in range(meet + 1, again) if sizes[layer] < 2]
    if narrow:
        raise ValueError(
            f"layer {narrow[0]} has one neuron, in which the four paths would meet; Figure 2 takes "
            f"two or more in layers 0 … {meet - 1} and {meet + 1} … {again - 1}."
        )
    neurons: list[list[int]] = [[] for _ in range(4)]
    for layer, n in enumerate(sizes):
        a, b = _two(n, layer)
        swapped = meet < layer < again
        together = layer == meet or layer >= again
        for path in range(4):
            strand = path % 2 if swapped else path // 2
            neurons[path].append(n // 2 if together else (a, b)[strand])
    marks = [(1, (0, 1)), (len(sizes) - 1, (2, 3))]
    return PathFigure(
        neurons, sizes, marks, "One loop: γ₁ with γ₃ and γ₂ with γ₄ between two collisions"
    )


def _two(n: int, layer: int) -> tuple[int, int]:
    """Two different neurons of a layer, the first above the second."""
    half = max(n // 2, 1)
    return layer % half, n - 1 - (layer + 1) % half


def _checked(sizes: Sequence[int], hidden: int) -> None:
    if len(sizes) - 2 < hidden or sizes[-1] != 1:
        raise ValueError(
            f"the network has sizes {list(sizes)}, expected at least {hidden} hidden layers and "
            "one output."
        )
