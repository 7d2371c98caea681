"""The description of a network: widths, activation, weight law, parametrization."""

from finitewidth.network.activations import Activation as Activation
from finitewidth.network.lines import on_line as on_line
from finitewidth.network.mlp import MLP as MLP
from finitewidth.network.parametrizations import Layer as Layer
from finitewidth.network.weights import Gaussian as Gaussian
from finitewidth.network.weights import GivenMoments as GivenMoments
from finitewidth.network.weights import Laplace as Laplace
from finitewidth.network.weights import StudentT as StudentT
from finitewidth.network.weights import Uniform as Uniform
from finitewidth.network.weights import WeightLaw as WeightLaw
from finitewidth.network.widths import Widths as Widths
