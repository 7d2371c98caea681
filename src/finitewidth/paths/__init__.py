"""The path calculus of Hanin & Nica (2020), executable: a slow, independent twin of the law."""

from finitewidth.paths.expectation import expectation as expectation
from finitewidth.paths.loops import Loops as Loops
from finitewidth.paths.loops import loops as loops
from finitewidth.paths.monte_carlo import monte_carlo as monte_carlo
from finitewidth.paths.multiplicity import quadruples as quadruples
from finitewidth.paths.multiset import Multiset as Multiset
from finitewidth.paths.overview import Overview as Overview
from finitewidth.paths.path import Edge as Edge
from finitewidth.paths.path import Path as Path
from finitewidth.paths.sample import PathSample as PathSample
from finitewidth.paths.sample import sample as sample
from finitewidth.paths.scheme import Scheme as Scheme
from finitewidth.paths.scheme import scheme as scheme
from finitewidth.paths.sums import PathSums as PathSums
from finitewidth.paths.sums import draw as draw
from finitewidth.paths.sums import path_sums as path_sums
