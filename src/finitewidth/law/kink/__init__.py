"""What a real step adds to the frozen one: the neurons it carries across zero."""

from finitewidth.law.kink.batch import kink_matrix as kink_matrix
from finitewidth.law.kink.estimates import CrossingTerm as CrossingTerm
from finitewidth.law.kink.estimates import StepVariance as StepVariance
