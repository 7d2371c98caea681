"""How a cell's numbers are obtained: one module a method, loaded when it is first used."""

from finitewidth.sweep.methods.registry import METHODS as METHODS
from finitewidth.sweep.methods.registry import Method as Method
from finitewidth.sweep.methods.registry import method_of as method_of
from finitewidth.sweep.methods.registry import module_of as module_of
from finitewidth.sweep.methods.registry import planned as planned
from finitewidth.sweep.methods.registry import sampled_by as sampled_by
