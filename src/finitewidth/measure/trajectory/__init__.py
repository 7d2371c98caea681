"""The kernel's trajectory during training, in the user's own loop."""

from finitewidth.measure.trajectory.null import NullBand as NullBand
from finitewidth.measure.trajectory.null import null_band as null_band
from finitewidth.measure.trajectory.reading import open_record as open_record
from finitewidth.measure.trajectory.recorder import Recorder as Recorder
from finitewidth.measure.trajectory.report import TrainingReport as TrainingReport
