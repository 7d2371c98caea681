"""finitewidth: how random a network's neural tangent kernel is, and how far training moves it.

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from finitewidth._version import __version__ as __version__

if TYPE_CHECKING:
    from finitewidth import data as data
    from finitewidth import design as design
    from finitewidth import expansion as expansion
    from finitewidth import law as law
    from finitewidth import measure as measure
    from finitewidth import network as network
    from finitewidth import paths as paths
    from finitewidth import report as report
    from finitewidth import reproduce as reproduce
    from finitewidth import simulate as simulate
    from finitewidth import sweep as sweep
    from finitewidth import verdict as verdict
    from finitewidth.estimate import Estimate as Estimate
    from finitewidth.law import KernelLaw as KernelLaw
    from finitewidth.network import MLP as MLP
    from finitewidth.verdict import Check as Check
    from finitewidth.verdict import Undecided as Undecided
    from finitewidth.verdict import assert_kernel as assert_kernel
    from finitewidth.verdict import check as check

_NAMES = {
    "Check": "finitewidth.verdict",
    "Estimate": "finitewidth.estimate",
    "KernelLaw": "finitewidth.law",
    "MLP": "finitewidth.network",
    "Undecided": "finitewidth.verdict",
    "assert_kernel": "finitewidth.verdict",
    "check": "finitewidth.verdict",
}

__all__ = [
    "MLP",
    "Check",
    "Estimate",
    "KernelLaw",
    "Undecided",
    "__version__",
    "assert_kernel",
    "check",
    "data",
    "design",
    "expansion",
    "law",
    "measure",
    "network",
    "paths",
    "report",
    "reproduce",
    "simulate",
    "sweep",
    "verdict",
]


def __getattr__(name: str) -> object:
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in __all__:
        return import_module(f"finitewidth.{name}")
    raise AttributeError(f"module 'finitewidth' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
