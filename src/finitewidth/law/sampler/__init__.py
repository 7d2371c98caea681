"""Exact samples of the kernel's law, at a cost that does not depend on the width."""

from finitewidth.law.sampler.quantile import Quantile as Quantile
from finitewidth.law.sampler.sample import KernelSample as KernelSample
from finitewidth.law.sampler.sample import LogKernelSample as LogKernelSample
from finitewidth.law.sampler.summary import LogLaw as LogLaw
from finitewidth.law.sampler.summary import SampleSummary as SampleSummary
from finitewidth.statistics.ordered import Ordered as Ordered
