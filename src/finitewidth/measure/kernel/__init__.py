"""The empirical kernel of any module, by contraction of the factors of its gradients."""

from finitewidth.measure.kernel.of_module import kernel as kernel
