"""What one gradient step does to the kernel of any PyTorch model."""

from finitewidth.measure.update.descent import Descent as Descent
from finitewidth.measure.update.descent import DescentEnsemble as DescentEnsemble
from finitewidth.measure.update.descent import descent_ensemble as descent_ensemble
from finitewidth.measure.update.ensemble import UpdateEnsemble as UpdateEnsemble
from finitewidth.measure.update.ensemble import update_ensemble as update_ensemble
from finitewidth.measure.update.one_step import kernel_update as kernel_update
from finitewidth.measure.update.results import KernelUpdate as KernelUpdate
