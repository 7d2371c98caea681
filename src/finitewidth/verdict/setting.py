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
    loss : str
    learning_rate : float or None
    max_dispersion, max_kernel_change : float or None
    """

    model: str
    data: str
    data_in_words: str
    inputs: int
    loss: str
    learning_rate: float | None
    max_dispersion: float | None
    max_kernel_change: float | None

    def caption(self) -> str:
        """What was measured where."""
        step = (
            "no step is taken"
            if self.learning_rate is None
            else f"{self.loss} summed over the batch, SGD at rate {self.learning_rate:g}"
        )
        inputs = f"{self.inputs} inputs" if self.inputs > 1 else "one input"
        return f"At {inputs} of {self.data_in_words}; {step}. Standard errors in brackets."


def data_in_words(data: Data | str | None, X: Any) -> tuple[str, str]:
    """Name and description of a batch; its shape where there is none."""
    if isinstance(data, Data):
        return data.name or data.description, data.description
    shape = list(getattr(X, "shape", ()))
    words = data or f"a batch of shape {shape}"
    return words, words
