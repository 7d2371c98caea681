"""`Summary`: what a chunk of networks says, in a form that adds up over chunks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor
from math import log2 as log2_of
from typing import Any

import numpy as np

from finitewidth._shapes import Float, Int
from finitewidth.statistics.grouped_sums import GroupedSums
from finitewidth.statistics.log_histogram import LogHistogram
from finitewidth.store.checksums import PackedArray, packed, unpacked

WIDEST_BIN, FINEST_BIN, BINS = 6, 40, 12
"""Powers of two: a chunk's histogram of K has 64 bins an octave (1.1 % each), and up to 2⁴⁰ as long
as it has no more than 4096: K of wide networks varies by far less than 1 %."""


@dataclass(frozen=True, eq=False)
class Summary:
    """The networks of one chunk, or of a cell's finished chunks.

    Attributes
    ----------
    networks : int
        0 for formulas.
    values : dict of str to float
        Closed quantities, by observable; one chunk alone has them.
    sums : dict of str to GroupedSums
        By quantity: ``kernel``, ``log_kernel``, ``output_square``, ``update``, ``step``.
    histogram : LogHistogram or None
        Of K.
    known : dict of str to float
        What theory knows of the quantities and an error's trust may use.
    notes : dict of str to str
        Why an observable is missing.
    samples : dict of str to array [networks]
        The networks' own numbers, which travel and are stored apart.
    files : dict of str to str
        The names of the files that hold them, by quantity; of one chunk.
    """

    networks: int
    values: dict[str, float] = field(default_factory=dict)
    sums: dict[str, GroupedSums] = field(default_factory=dict)
    histogram: LogHistogram | None = None
    known: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    samples: dict[str, Float[np.ndarray, " n"]] = field(default_factory=dict, repr=False)
    files: dict[str, str] = field(default_factory=dict)

    def __add__(self, later: "Summary") -> "Summary":
        histogram = self.histogram
        if histogram is not None and later.histogram is not None:
            histogram = histogram + later.histogram
        return Summary(
            self.networks + later.networks,
            self.values,
            {name: sums + later.sums[name] for name, sums in self.sums.items()},
            histogram,
            self.known,
            self.notes,
        )

    def packed(self) -> tuple[str, list[PackedArray]]:
        """As JSON and arrays; every float is kept to its last bit."""
        head: dict[str, Any] = {
            "networks": self.networks,
            "values": self.values,
            "shifts": {name: sums.shift for name, sums in self.sums.items()},
            "known": self.known,
            "notes": self.notes,
            "files": self.files,
        }
        arrays: dict[str, object] = {name: sums.sums for name, sums in self.sums.items()}
        if self.histogram is not None:
            head["first"], head["zeros"] = self.histogram.first, self.histogram.lowest
            head["bins"] = self.histogram.bins_per_octave
            arrays["histogram"] = self.histogram.counts
        text = json.dumps(head, sort_keys=True, allow_nan=False, ensure_ascii=False)
        return text, packed(arrays)

    @classmethod
    def unpacked(cls, text: str, rows: list[PackedArray]) -> "Summary":
        """What `packed` gave."""
        head: Mapping[str, Any] = json.loads(text)
        arrays = unpacked(rows)
        histogram = None
        if "histogram" in arrays:
            histogram = LogHistogram(
                head.get("bins", 2**WIDEST_BIN), head["first"], arrays["histogram"], head["zeros"]
            )
        sums = {name: GroupedSums(shift, arrays[name]) for name, shift in head["shifts"].items()}
        return cls(head["networks"], head["values"], sums, histogram, head["known"], head["notes"],
            files=head["files"],
        )  # fmt: skip


def of_networks(
    index: Int[np.ndarray, " n"],
    log_kernel: Float[np.ndarray, " n"],
    output_square: Float[np.ndarray, " n"],
    others: Mapping[str, Float[np.ndarray, " n"]] | None = None,
    known: dict[str, float] | None = None,
) -> Summary:
    """The summary of networks by their numbers in the cell.

    Parameters
    ----------
    index : array of int [n]
        Their numbers in the cell.
    log_kernel : array [n]
        ln K, −inf where K is 0.
    output_square : array [n]
        N².
    others : dict of str to array [n], optional
        Further quantities.
    known : dict, optional
        As in `Summary`.

    Raises
    ------
    ValueError
        If sums leave the range of a double.
    """
    living = np.isfinite(log_kernel)
    with np.errstate(over="ignore"):
        kernel = np.exp(log_kernel)
    if not np.isfinite(kernel).all():
        raise ValueError(
            f"some K is e^{float(log_kernel.max()):.4g}, beyond the range of a double; use fewer "
            "layers or smaller gains."
        )
    quantities = {"kernel": kernel, "output_square": output_square, **(others or {})}
    sums = {name: GroupedSums.of(values, index) for name, values in quantities.items()}
    sums["log_kernel"] = GroupedSums.of(log_kernel[living], index[living])
    log2 = log_kernel[living] / np.log(2.0)
    span = max(float(np.ptp(log2)) if len(log2) else 1.0, 2.0**-FINEST_BIN)
    finest = min(max(floor(BINS - log2_of(span)), WIDEST_BIN), FINEST_BIN)
    histogram = LogHistogram(2**finest)
    histogram.add(log2, int((~living).sum()))
    return Summary(
        len(index), sums=sums, histogram=histogram, known=known or {}, samples=quantities
    )
