"""Gaussian matrices that are never drawn in full, and PyTorch layers over them.

`matrix` answers products with random matrices too large to store; `linear` is a layer over one and
`optimizer` the descent of such layers. Imported on use, since they need PyTorch.
"""

from finitewidth.simulate.deferred.linear import DeferredLinear as DeferredLinear
from finitewidth.simulate.deferred.matrix import DeferredMatrix as DeferredMatrix
from finitewidth.simulate.deferred.optimizer import DeferredSGD as DeferredSGD
