"""Random networks, drawn and evaluated one by one: plain Monte Carlo.

`ensemble` draws networks at initialisation and records their kernels; `first_step` also takes one
gradient step, `train` as many as asked for. They know nothing of the theory in the other packages,
which is checked against them.
"""

from finitewidth.simulate.chooser import ensemble as ensemble
from finitewidth.simulate.chooser import first_step as first_step
from finitewidth.simulate.means_of_step import step_means as step_means
from finitewidth.simulate.results import Ensemble as Ensemble
from finitewidth.simulate.results import FirstStep as FirstStep
from finitewidth.simulate.training.train import train as train
from finitewidth.simulate.training.trajectory import Trajectory as Trajectory
