"""Order 1/n: the recursions of the mean, the fluctuations and the first step of the kernel."""

from finitewidth.expansion.finite.recursion import output_tensors as output_tensors
from finitewidth.expansion.finite.tensors import Tensors as Tensors
