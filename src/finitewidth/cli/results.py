"""What a command found, in the one JSON shape that every command prints."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finitewidth import __version__
from finitewidth.estimate import Estimate
from finitewidth.network import MLP


@dataclass
class Results:
    """Inputs and named results of one command."""

    inputs: dict[str, Any]
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def exact(self, name: str, value: float | np.ndarray, method: str = "exact") -> None:
        """A closed quantity."""
        self._put(name, value, np.zeros_like(value), method, True)

    def approximate(self, name: str, value: float | np.ndarray, method: str) -> None:
        """A closed form that is not exact, such as the paper's or a limit."""
        self._put(name, value, np.zeros_like(value, dtype=float), method, False)

    def estimate(self, name: str, value: Estimate) -> None:
        """A sampled quantity."""
        self._put(name, value.value, value.std_error, value.method, value.exact)
        if not value.trusted:
            self.results[name] |= {"trusted": False, "note": value.note}

    def _put(self, name: str, value: Any, std_error: Any, method: str, exact: bool) -> None:
        self.results[name] = {
            "value": _plain(value),
            "std_error": _plain(std_error),
            "method": method,
            "exact": exact,
        }

    def to_json(self) -> str:
        """{"inputs", "results": {name: {"value", "std_error", "method", "exact"}}, "version"}."""
        document = {"inputs": self.inputs, "results": self.results, "version": __version__}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def describe(net: MLP) -> dict[str, Any]:
    """The network's fields as JSON inputs; hidden widths as runs [width, number of layers]."""
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
