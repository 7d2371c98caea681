"""finitewidth: how random a network's neural tangent kernel is, and how far training moves it."""

from finitewidth import design as design
from finitewidth import law as law
from finitewidth import network as network
from finitewidth import simulate as simulate
from finitewidth._version import __version__ as __version__
from finitewidth.estimate import Estimate as Estimate
from finitewidth.law import KernelLaw as KernelLaw
from finitewidth.network import MLP as MLP
