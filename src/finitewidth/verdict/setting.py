"""`Setting`: what was asked of a check, in words."""

from dataclasses import dataclass
from typing import Any

from finitewidth.data import Data
from finitewidth.data.references import named as named


@dataclass(frozen=True)
class Setting:
    """What a verdict is about.

    Attributes
    ----------
    model : str
        The factory's name.
    data, data_in_words : str
        The data's name, and what they are, as part of a sentence.
    inputs : int
        How many of them were used.
    where : str
        The same in words: ``16 of 150 inputs of iris.npz, drawn``.
    rows : tuple of int
        Which rows of the data set they are; empty where that is not known, or all.
    loss, reduction : str
    learning_rate : float or None
        None where no step is taken.
    chosen : bool
        Whether the rate was not given, and is ½/λ_max.
    max_steps : int
        Of the descent, at most.
    max_dispersion, max_kernel_change : float or None
    """

    model: str
    data: str
    data_in_words: str
    inputs: int
    where: str
    rows: tuple[int, ...]
    loss: str
    reduction: str
    learning_rate: float | None
    chosen: bool
    max_steps: int
    max_dispersion: float | None
    max_kernel_change: float | None

    def caption(self, along: bool = False) -> str:
        """What was measured where; `along`: at several values of an argument."""
        step = "no step is taken"
        if self.learning_rate is not None:
            rate = "½/λ_max of each" if along and self.chosen else self.rate
            step = f"{self.loss}{OVER.get(self.reduction, '')}, SGD at rate {rate}"
        return f"At {self.where}; {step}. Standard errors in brackets."

    @property
    def rate(self) -> str:
        """The learning rate as it is said."""
        if self.learning_rate is None:
            return ""
        return f"½/λ_max = {self.learning_rate:.4g}" if self.chosen else f"{self.learning_rate:g}"


OVER = {"sum": " summed over the batch", "mean": " averaged over the batch"}


def data_in_words(
    data: Data | str | None, X: Any, inputs: int
) -> tuple[str, str, int, str, tuple[int, ...]]:
    """The first fields of a `Setting` after the model."""
    if isinstance(data, Data):
        return (
            data.name or data.description, data.description, inputs, data.in_words, data.rows
        )  # fmt: skip
    if data is None:
        shape = getattr(X, "shape", None)
        what = f"{len(X)} tensors" if shape is None else f"shape {list(shape)}"
        data = f"a batch of {what}"
    count = f"{inputs} inputs" if inputs > 1 else "one input"
    return data, data, inputs, f"{count} of {data}", ()
