"""Random networks, drawn and evaluated one by one: plain Monte Carlo.

`ensemble` draws networks at initialisation and records their kernels; `first_step` also takes one
gradient step, `train` as many as asked for. `compare` trains several networks on the same data,
`along_line` those of a line of the (n, d) plane. They know nothing of the theory in the other
packages, which is checked against them.
"""

from finitewidth.simulate.chooser import ensemble as ensemble
from finitewidth.simulate.chooser import first_step as first_step
from finitewidth.simulate.means_of_step import step_means as step_means
from finitewidth.simulate.results import Ensemble as Ensemble
from finitewidth.simulate.results import FirstStep as FirstStep
from finitewidth.simulate.runs.comparison import Comparison as Comparison
from finitewidth.simulate.runs.comparison import compare as compare
from finitewidth.simulate.runs.line import Line as Line
from finitewidth.simulate.runs.line import along_line as along_line
from finitewidth.simulate.runs.rate import default_rate as default_rate
from finitewidth.simulate.runs.run import Run as Run
from finitewidth.simulate.training.train import train as train
from finitewidth.simulate.training.trajectory import Trajectory as Trajectory
