"""`Record`: inputs and named results in the one JSON shape of all results."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finitewidth._version import __version__
from finitewidth.estimate import Estimate


@dataclass
class Record:
    """What was asked and the numbers that answer it.

    Attributes
    ----------
    inputs : dict
        What was asked for.
    network : dict or None
        The network's description, where it is known.
    seeds : list of int
        Seeds that were measured one by one.
    samples : dict
        {name: one number a seed}, in the order of `seeds`.
    more : dict
        Further entries of the document, e.g. ``"verdict"``.
    results : dict
        {name: value, std_error, method, exact, trusted, note, size}.
    """

    inputs: dict[str, Any]
    network: dict[str, Any] | None = None
    seeds: Sequence[int] = ()
    samples: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def exact(self, name: str, value: float | np.ndarray, method: str = "exact") -> None:
        """A closed quantity."""
        self.estimate(name, Estimate(value, np.zeros_like(value), 0, method, exact=True))

    def approximate(
        self, name: str, value: float | np.ndarray, method: str, std_error: float = 0.0
    ) -> None:
        """A closed form that is not exact, such as the paper's or a limit."""
        errors = np.full_like(value, std_error, dtype=float)
        self.estimate(name, Estimate(value, errors, 0, method))

    def estimate(self, name: str, value: Estimate) -> None:
        """A sampled quantity."""
        self.results[name] = {
            "value": _plain(value.value),
            "std_error": _plain(value.std_error),
            "method": value.method,
            "exact": value.exact,
            "trusted": value.trusted,
            "note": value.note,
            "size": value.size,
        }

    def to_json(self) -> str:
        """The document, indented; no nan and no inf."""
        document = {
            "inputs": self.inputs,
            "results": self.results,
            "samples": {name: _plain(values) for name, values in self.samples.items()},
            "seeds": list(self.seeds),
            "network": self.network,
            **self.more,
            "version": __version__,
        }
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
