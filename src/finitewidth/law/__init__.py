"""The exact law of the kernel at one input: theory, no sampling."""

from finitewidth.law.breakdown import LayerShares as LayerShares
from finitewidth.law.crossing import crossing_matrix as crossing_matrix
from finitewidth.law.crossing import kink_matrix as kink_matrix
from finitewidth.law.kernel_law import KernelLaw as KernelLaw
from finitewidth.law.limit import JointLimit as JointLimit
from finitewidth.law.paper import PaperForm as PaperForm
from finitewidth.law.sampler import SampleSummary as SampleSummary
from finitewidth.law.start import start_quantiles as start_quantiles
