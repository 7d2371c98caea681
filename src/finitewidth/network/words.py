"""A network in a line of words, and as JSON."""

from typing import Any

from finitewidth.network.mlp import MLP


def as_json(net: MLP) -> dict[str, Any]:
    """The network's fields; hidden widths as runs [width, number of layers]."""
    return {
        "n_in": net.n_in,
        "widths": [list(run) for run in net.runs],
        "depth": net.depth,
        "activation": net.act.name,
        "slope": net.act.slope,
        "weight_law": net.law.name,
        "hidden_gain": net.hidden_gain,
        "output_gain": net.output_gain,
        "bias": net.bias,
        "bias_lr": net.bias_lr,
        "parametrization": net.parametrization,
    }


def in_words(net: MLP) -> str:
    """The network in one line."""
    name = net.act.name
    if name == "leaky_relu":
        name += f"({net.act.slope:g})"
    hidden = " + ".join(f"{w} × {count}" if count > 1 else str(w) for w, count in net.runs[:6])
    if len(net.runs) > 6:
        hidden += " + …"
    return (
        f"{name}, n_in {net.n_in}, hidden {hidden or 'none'}, depth d = {net.depth}, "
        f"β = Σ 1/n = {net.beta:.5g}, {net.law.name} weights, {net.parametrization} parametrization"
    )
