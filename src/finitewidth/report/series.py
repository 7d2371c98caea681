"""What a figure is made of: curves, points with error bars, bands, steps. Finished arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Bool, Float
from finitewidth.estimate import Estimate


def _vector(values: ArrayLike, name: str, label: str) -> Float[np.ndarray, " n"]:
    """A float vector; the sentence of an error names the series and the argument."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} of {label!r} holds no numbers, expected a list of them.") from None
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} of {label!r} has shape {array.shape}, expected [n] with n ≥ 1.")
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(
            f"{name}[{place}] of {label!r} is {array[place]}, expected finite numbers; leave out "
            "what is not known."
        )
    return array


def _same_length(label: str, **arrays: np.ndarray) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"the arrays of {label!r} differ in length ({told}); give one entry each.")


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through finished numbers, such as a theory.

    Parameters
    ----------
    label : str
        In the legend.
    x, y : array-like [n]
        The points it joins.
    marked : bool
        Whether each point carries a marker: for numbers that exist only there.
    """

    label: str
    x: Any
    y: Any
    marked: bool = False

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            object.__setattr__(self, name, _vector(getattr(self, name), name, self.label))
        _same_length(self.label, x=self.x, y=self.y)


@dataclass(frozen=True, eq=False)
class Points:
    """Measured numbers with error bars of one standard error.

    Parameters
    ----------
    label : str
        In the legend.
    x, y, std_error : array-like [n]
        The points and their errors, 0 or more.
    trusted : array-like of bool [n], optional
        False where the error cannot be relied on: such points are drawn hollow. All by default.
    """

    label: str
    x: Any
    y: Any
    std_error: Any
    trusted: Any = None

    def __post_init__(self) -> None:
        for name in ("x", "y", "std_error"):
            object.__setattr__(self, name, _vector(getattr(self, name), name, self.label))
        trusted: Bool[np.ndarray, " n"] = (
            np.ones(len(self.x), dtype=bool)
            if self.trusted is None
            else np.atleast_1d(np.array(self.trusted, dtype=bool))
        )
        object.__setattr__(self, "trusted", trusted)
        _same_length(self.label, x=self.x, y=self.y, std_error=self.std_error, trusted=trusted)
        if (self.std_error < 0).any():
            raise ValueError(
                f"std_error of {self.label!r} holds {self.std_error.min():g}, expected 0 or more."
            )

    @classmethod
    def of(cls, label: str, x: ArrayLike, estimates: Sequence[Estimate]) -> "Points":
        """Points of `Estimate` objects of one number each.

        Raises
        ------
        ValueError
            For an `Estimate` of more than one number, or another number of them than of x.
        """
        for estimate in estimates:
            if np.size(estimate.value) != 1:
                raise ValueError(
                    f"an Estimate of {label!r} has shape {np.shape(estimate.value)}, expected "
                    "single numbers."
                )
        return cls(
            label,
            x,
            [np.asarray(estimate.value).item() for estimate in estimates],
            [np.asarray(estimate.std_error).item() for estimate in estimates],
            [estimate.trusted for estimate in estimates],
        )


@dataclass(frozen=True, eq=False)
class Band:
    """A line with a shaded band around it, such as quantiles over networks.

    Parameters
    ----------
    label : str
        In the legend; says what the band is.
    x, low, middle, high : array-like [n]
        The line is `middle`, the band reaches from `low` to `high`; low ≤ middle ≤ high.
    """

    label: str
    x: Any
    low: Any
    middle: Any
    high: Any

    def __post_init__(self) -> None:
        for name in ("x", "low", "middle", "high"):
            object.__setattr__(self, name, _vector(getattr(self, name), name, self.label))
        _same_length(self.label, x=self.x, low=self.low, middle=self.middle, high=self.high)
        wrong = np.flatnonzero((self.low > self.middle) | (self.middle > self.high))
        if len(wrong):
            place = int(wrong[0])
            raise ValueError(
                f"the band of {self.label!r} is {self.low[place]:g}, {self.middle[place]:g}, "
                f"{self.high[place]:g} at place {place}, expected low ≤ middle ≤ high."
            )


@dataclass(frozen=True, eq=False)
class Steps:
    """A finished histogram.

    Parameters
    ----------
    label : str
        In the legend.
    edges : array-like [n + 1]
        Edges of the bins, increasing.
    heights : array-like [n]
        Height over each bin.
    """

    label: str
    edges: Any
    heights: Any

    def __post_init__(self) -> None:
        for name in ("edges", "heights"):
            object.__setattr__(self, name, _vector(getattr(self, name), name, self.label))
        if len(self.edges) != len(self.heights) + 1 or (np.diff(self.edges) <= 0).any():
            raise ValueError(
                f"{self.label!r} has {len(self.heights)} heights and {len(self.edges)} edges, "
                "expected one more edge than heights, in increasing order."
            )


Series = Curve | Points | Band | Steps
