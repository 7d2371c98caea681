"""Which layers carry E K, E K² and E ΔK.

K = Σ_j K^(j), the derivatives with respect to the parameters of layer j. The contribution of
layer j is E K^(j), E K K^(j) or E ΔK^(j): one slot of the product is followed until it is
settled, the recursion runs forward to that layer and backward from the output.
"""

from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.chain import Chain
from finitewidth.law.inputs import PowerSums
from finitewidth.law.layerwise import hidden_segments
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.scaled import Scaled
from finitewidth.law.schemes import (
    Factor,
    Scheme,
    Shape,
    Status,
    hessian,
    kernel_power,
    told_apart,
)
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Page, Plot, Provenance, Record, Section, Shown, Table

NAMES = {
    "kernel": "E K",
    "kernel_squared": "E K²",
    "update": "E ΔK, activation pattern frozen",
}

MAX_LAYERS = 200_000
"""The breakdown visits every layer, also in runs of equal widths."""


@dataclass(frozen=True)
class LayerShares(Shown):
    """Contributions of the layers 1 … d to one expectation, as shares that sum to 1.

    Attributes
    ----------
    weights, biases : array [d]
        Share of each layer's weights and biases (layer j's biases are those of y^(j)).
    log_total : float
        Natural log of |the expectation| they sum to.
    quantity : str
        "kernel", "kernel_squared" or "update".
    """

    weights: Float[np.ndarray, " d"]
    biases: Float[np.ndarray, " d"]
    log_total: float
    quantity: str

    def page(self) -> Page:
        """The shares as a table and a figure."""
        name, layers = NAMES[self.quantity], np.arange(1, len(self.weights) + 1)
        both = 100 * (self.weights + self.biases)
        sentence = (
            f"Weights carry {self.weights.sum():.0%} and biases {self.biases.sum():.0%} of {name}; "
            f"layer {both.argmax() + 1} of {len(layers)} carries most, {both.max():.3g} %."
        )
        columns = [Column(heading, unit="%") for heading in ("weights", "biases")]
        curves = [
            Curve(label, layers, 100 * values, marked=len(layers) <= 50)
            for label, values in (("weights", self.weights), ("biases", self.biases))
        ]
        shown = sorted({round(k) for k in np.linspace(0, len(layers) - 1, min(12, len(layers)))})
        rows = [(int(k + 1), *(float(one.y[k]) for one in curves)) for k in shown]
        record = Record({"quantity": self.quantity})
        record.exact("weights", self.weights)
        record.exact("biases", self.biases)
        record.exact("log_total", self.log_total)
        table = Table(f"Share of {name}", ["layer", *columns], rows)
        plot = Plot(
            f"Which layers carry {name}", sentence, "layer (the last is the output)",
            f"share of {name} (%)", curves, from_zero=True,
        )  # fmt: skip
        return Page(
            f"Which layers carry {name}", [sentence], [Section("Shares", [table, plot])],
            Provenance.now(None), record,
        )  # fmt: skip


def layer_shares(net: MLP, sums: PowerSums, quantity: str) -> LayerShares:
    """How much each layer contributes to E K, E K² or E ΔK.

    Raises
    ------
    ValueError
        For an unknown quantity, more than 200,000 layers, or E ΔK where it is 0 (d = 1).
    """
    if quantity not in NAMES:
        raise ValueError(f"quantity is {quantity!r}, expected one of {', '.join(NAMES)}.")
    if net.depth > MAX_LAYERS:
        raise ValueError(
            f"the breakdown lists every layer and this network has {net.depth}; "
            f"ask for at most {MAX_LAYERS}."
        )
    whole = {
        "kernel": kernel_power(1, "kernel", net.trains_biases),
        "kernel_squared": kernel_power(2, "kernel", net.trains_biases),
        "update": hessian(1, 1, net.trains_biases),
    }[quantity]
    found = [_contributions(net, sums, _with_first_slot(whole, kind)) for kind in ("w", "b")]
    if not net.trains_biases:
        found[1] = [Magnitude(0.0)] * net.depth
    total = Magnitude(0.0)
    for value in (*found[0], *found[1]):
        total = total + value
    if not total.mantissa:
        raise ValueError("E ΔK is 0 without a hidden layer; there is nothing to share out.")
    weights, biases = (
        np.array([(v / total).to_float("share", "") if _matters(v, total) else 0.0 for v in values])
        for values in found
    )
    return LayerShares(weights, biases, total.log, quantity)


def _matters(value: Magnitude, total: Magnitude) -> bool:
    return bool(value.mantissa) and value.exponent > total.exponent - 1000


def _with_first_slot(scheme: Scheme, kind: str) -> Scheme:
    """The scheme with its first slot told apart and of one kind."""
    factors = list(told_apart(scheme).factors)
    for place, factor in enumerate(factors):
        if factor.shape >= Shape.KERNEL_TOLD:
            factors[place] = Factor(factor.shape, (kind, *factor.kinds[1:]))
    return Scheme(tuple(factors))


def _contributions(net: MLP, sums: PowerSums, scheme: Scheme) -> list[Magnitude]:
    """The expectation split by the layer in which the told slot is settled."""
    chain = Chain(net, sums, scheme)
    if net.depth == 1:
        found = [Magnitude(chain.input_output())]
    else:
        found = _hidden_contributions(chain)
    if scheme.can_be_all_biases:
        found[-1] = found[-1] + chain.all_biases_at_output()
    return found


def _settled(chain: Chain) -> np.ndarray:
    """Whether the told slot is settled, for every neuron state."""
    return np.array(
        [
            any(shape >= Shape.KERNEL_TOLD and statuses[0] == Status.DONE
                for shape, statuses, _ in state)
            for state in chain.table.neurons
        ]
    )  # fmt: skip


def _hidden_contributions(chain: Chain) -> list[Magnitude]:
    layers = [
        type(segment)(segment.fan_in, segment.width, 1)
        for segment in hidden_segments(chain.net)[1:]
        for _ in range(segment.count)
    ]
    settled = _settled(chain)
    column = ((0, 1),)
    top = Scaled.from_array(chain.closing()[None, :, None], chain.groups, column)
    forward, backward = [chain.after_first_layer()], [top]
    matrices = chain.matrices(layers) if layers else None
    for place in range(len(layers)):
        assert matrices is not None
        forward.append(forward[-1] @ matrices[place : place + 1])
    for place in reversed(range(len(layers))):
        assert matrices is not None
        backward.append(matrices[place : place + 1] @ backward[-1])
    backward.reverse()
    open_rows, settled_rows = np.where(settled, 0.0, 1.0), np.where(settled, 1.0, 0.0)
    found = [_product(_masked(forward[0], settled_rows), backward[0])]
    for place in range(len(layers)):
        assert matrices is not None
        step = _masked(forward[place], open_rows) @ matrices[place : place + 1]
        found.append(_product(_masked(step, settled_rows), backward[place + 1]))
    found.append(_product(_masked(forward[-1], open_rows), top))
    return found


def _masked(row: Scaled, keep: np.ndarray) -> Scaled:
    return Scaled(row.values * keep, row.exponents, row.rows, row.columns)


def _product(row: Scaled, column: Scaled) -> Magnitude:
    product = row @ column
    power = product.exponents[0, 0, 0]
    if power == -np.inf:
        return Magnitude(0.0)
    return Magnitude(float(product.values[0, 0, 0]), int(power))
