"""What a real step adds to the frozen one: the neurons it carries across zero."""

from finitewidth.law.crossing.batch import crossing_matrix as crossing_matrix
from finitewidth.law.crossing.batch import kink_matrix as kink_matrix
from finitewidth.law.crossing.estimates import CrossingTerm as CrossingTerm
from finitewidth.law.crossing.estimates import StepVariance as StepVariance
