"""`InUse`: a factory whose models are put into use with data: evaluated, BatchNorm calibrated."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from finitewidth.measure.calibrate import as_in_use
from finitewidth.measure.factory import Factory, build
from finitewidth.measure.model.model import Forward
from finitewidth.measure.model.random_state import kept_random_state


@dataclass(frozen=True)
class InUse:
    """A factory that puts each new model into use; see `calibrate.as_in_use`.

    Parameters
    ----------
    make_model : callable
    X : object
        The batch of the statistics.
    forward : callable, optional
    """

    make_model: Factory
    X: Any
    forward: Forward | None

    def __call__(self, seed: int) -> nn.Module:
        """The model of a seed."""
        model = build(self.make_model, seed)
        as_in_use(model, self.X, forward=self.forward)
        return model


@kept_random_state()
def in_use(make_model: Factory, X: Any, forward: Forward | None, seed: int) -> tuple[Factory, str]:
    """The factory that is measured, and what it does to a model, a sentence; empty if nothing.

    Parameters
    ----------
    make_model, X, forward
        As in `ensemble`.
    seed : int
        Of the model that is looked at.
    """
    told = as_in_use(build(make_model, seed), X, forward=forward)
    return (InUse(make_model, X, forward), told) if told else (make_model, "")
