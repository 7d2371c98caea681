"""Which paths of a quadruple start at a bias, and which pairs share a marked edge.

Every quantity here is a sum over four paths (Hanin & Nica 2020, Lemma 6). A derivative with
respect to a weight, taken of two of them, is a *mark*: both paths contain the edge, and neither
carries its weight. A derivative with respect to a bias, taken of two of them, makes both start
there.
"""

from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True)
class Scheme:
    """The quadruples (or pairs) of one quantity; paths are numbered 0 … 3 for γ₁ … γ₄.

    Attributes
    ----------
    marks : tuple of pairs
        The two paths that share each marked edge.
    biases : tuple of pairs
        The two paths that start together at a bias, one pair for each bias.
    apart : bool
        Whether the marked edges lie in different layers: ∂²N/∂W_e∂W_e' is 0 in one layer.
    paths : int
        4, or 2 for a mean.
    """

    marks: tuple[Pair, ...] = ()
    biases: tuple[Pair, ...] = ()
    apart: bool = False
    paths: int = 4

    @property
    def from_input(self) -> tuple[int, ...]:
        """The paths that start at the input."""
        started = {path for pair in self.biases for path in pair}
        return tuple(path for path in range(self.paths) if path not in started)


SCHEMES = {
    "weights": Scheme(marks=((0, 1),), paths=2),
    "biases": Scheme(biases=((0, 1),), paths=2),
    "weights_squared": Scheme(marks=((0, 1), (2, 3))),
    "cross": Scheme(marks=((2, 3),), biases=((0, 1),)),
    "biases_squared": Scheme(biases=((0, 1), (2, 3))),
    "update_ww": Scheme(marks=((0, 1), (1, 2)), apart=True),
    "update_wb": Scheme(marks=((0, 1),), biases=((1, 2),)),
}


def scheme(quantity: str) -> Scheme:
    """The scheme of a quantity.

    Raises
    ------
    ValueError
        For another name.
    """
    if quantity not in SCHEMES:
        raise ValueError(f"quantity is {quantity!r}, expected one of {', '.join(SCHEMES)}.")
    return SCHEMES[quantity]
