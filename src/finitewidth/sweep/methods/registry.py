"""`Method`, what every method provides, and their names."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

from finitewidth.sweep.plan import Plan
from finitewidth.sweep.summary import Summary

METHODS = ("law", "sampler", "dense", "deferred", "expansion", "factory")

OF_KERNEL = (
    "kernel_mean", "kernel_dispersion", "log_kernel_mean", "log_kernel_variance", "kernel_q05",
    "kernel_median", "kernel_q95", "zero_fraction", "output_square_mean",
)  # fmt: skip
"""Observables of every method that draws networks."""


class Method(ABC):
    """One way to compute cells.

    Attributes
    ----------
    samples : bool
        Whether networks are drawn, in chunks; a formula has a single chunk of none.
    block : int
        Largest number of networks in a block.
    of_step : tuple of str
        Observables that it gives with a learning rate, beside those of `OF_KERNEL`.
    """

    samples: ClassVar[bool] = True
    block: ClassVar[int] = 64
    of_step: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def cost(self, inputs: Mapping[str, Any]) -> float:
        """Estimated seconds of one core for one network, or for the formula.

        Constants were measured on one core of a server; the estimate decides order and sizes of
        the chunks and nothing else.
        """

    @abstractmethod
    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """The networks of some blocks of a cell.

        Parameters
        ----------
        inputs : dict
            The cell's.
        entropy : int
            What its streams start from; block b draws from child b.
        blocks : range
            Which; empty for a formula.
        block : int
            Networks in each.
        """


def sampled_by(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The observables of a cell whose networks are drawn."""
    of_step = method_of(inputs["method"]).of_step if "learning_rate" in inputs else ()
    return OF_KERNEL + of_step


def module_of(name: str) -> str:
    """The module of a method."""
    return f"finitewidth.sweep.methods.{name}"


@cache
def method_of(name: str) -> Method:
    """The method of a name."""
    return import_module(module_of(name)).METHOD


def planned(inputs: Mapping[str, Any]) -> list[int] | None:
    """The plan of a cell's chunks, (block, most) as in `Plan`; None for a formula."""
    method = method_of(inputs["method"])
    if not method.samples:
        return None
    plan = Plan.of(method.block, method.cost(inputs))
    return [plan.block, plan.most]
