"""Measurement of any PyTorch model: its kernel, and how that differs between seeds."""

from finitewidth.measure.calibrate import calibrate as calibrate
from finitewidth.measure.ensembles import Ensemble as Ensemble
from finitewidth.measure.ensembles import ensemble as ensemble
from finitewidth.measure.kernel import kernel as kernel
from finitewidth.measure.module import module as module
from finitewidth.measure.spectrum import KernelOperator as KernelOperator
from finitewidth.measure.spectrum import alignment as alignment
from finitewidth.measure.spectrum import effective_rank as effective_rank
from finitewidth.measure.trajectory import NullBand as NullBand
from finitewidth.measure.trajectory import Recorder as Recorder
from finitewidth.measure.trajectory import TrainingReport as TrainingReport
from finitewidth.measure.trajectory import null_band as null_band
from finitewidth.measure.trajectory import open_record as open_record
from finitewidth.measure.update import Descent as Descent
from finitewidth.measure.update import DescentEnsemble as DescentEnsemble
from finitewidth.measure.update import KernelUpdate as KernelUpdate
from finitewidth.measure.update import UpdateEnsemble as UpdateEnsemble
from finitewidth.measure.update import descent_ensemble as descent_ensemble
from finitewidth.measure.update import kernel_update as kernel_update
from finitewidth.measure.update import update_ensemble as update_ensemble
