"""The empirical kernel of any module, by contraction of the factors of its gradients."""

from finitewidth.measure.kernel.api import kernel as kernel
