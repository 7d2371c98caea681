"""Inputs and data sets that are named in text, and functions that are."""

from finitewidth.data.digits import digits as digits
from finitewidth.data.references import imported as imported
from finitewidth.data.scaled import unit_inputs as unit_inputs
from finitewidth.data.sets import Data as Data
from finitewidth.data.sets import load as load
from finitewidth.data.training import training_set as training_set
from finitewidth.data.vector import vector as vector
