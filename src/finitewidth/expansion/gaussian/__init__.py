"""Averages of activations over jointly Gaussian pre-activations, exact or by quadrature."""

from finitewidth.expansion.gaussian.averages import Averages as Averages
from finitewidth.expansion.gaussian.averages import Pairs as Pairs
from finitewidth.expansion.gaussian.averages import Quadruples as Quadruples
from finitewidth.expansion.gaussian.of_activation import averages_of as averages_of
