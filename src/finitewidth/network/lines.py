"""Networks of many depths along a line of constant β = Σ 1/n, or of constant depth/width."""

from collections.abc import Iterable
from dataclasses import replace

from finitewidth._whole_number import whole_number
from finitewidth.network.exact import double
from finitewidth.network.mlp import MLP
from finitewidth.network.widths import DEEPEST, WIDEST, Widths


def on_line(
    net: MLP,
    depths: Iterable[int],
    *,
    beta: float | None = None,
    ratio: float | None = None,
) -> list[MLP]:
    """Networks like `net` of equal widths, one for each depth, on one line of the (n, d) plane.

    Parameters
    ----------
    net : MLP
        Everything but the widths is kept.
    depths : iterable of int
        d ≥ 2, weight layers.
    beta : float, optional
        β = (d − 1)/n (Hanin & Nica 2020, §1): n is the whole number nearest to (d − 1)/β.
    ratio : float, optional
        d/n: n is the whole number nearest to d/ratio.

    Returns
    -------
    list of MLP
        In the order of the depths. Widths are whole, so each network's own `.beta` differs a
        little from the one that was asked for.

    Raises
    ------
    ValueError, TypeError
        Unless exactly one line is given, for a depth below 2, or where the width would be below 1.
    """
    if (beta is None) == (ratio is None):
        raise ValueError(f"beta is {beta!r} and ratio is {ratio!r}; give one of them.")
    name, given = ("beta", beta) if ratio is None else ("ratio", ratio)
    wanted = float(double(given, name))
    if not 0 < wanted < float("inf"):
        raise ValueError(f"{name} is {wanted!r}, expected a finite number above 0.")
    found = []
    for depth in depths:
        if whole_number(depth, "depth", 1, DEEPEST) < 2:
            raise ValueError(f"depth is {depth}, expected 2 or more: a line needs hidden layers.")
        layers = depth - (1 if ratio is None else 0)
        if layers > wanted * WIDEST:
            raise ValueError(
                f"{name} = {wanted:g} at depth {depth} asks for a width above {WIDEST:.0e}, the "
                f"widest there is; raise {name}."
            )
        width = round(layers / wanted)
        if width < 1:
            raise ValueError(
                f"{name} = {wanted:g} at depth {depth} asks for a width of "
                f"{layers / wanted:.2g}, expected at least 1; lower {name}."
            )
        found.append(replace(net, widths=Widths([(width, depth - 1)])))
    return found
