"""The 1/n expansion of the tangent kernel: any activation, several inputs, given widths."""

from finitewidth.expansion.critical import Criticality as Criticality
from finitewidth.expansion.critical import criticality as criticality
from finitewidth.expansion.critical import relative_variance as relative_variance
from finitewidth.expansion.depth import Trust as Trust
from finitewidth.expansion.depth import trusted_depth as trusted_depth
from finitewidth.expansion.first_order import Expansion as Expansion
from finitewidth.expansion.first_order import Share as Share
from finitewidth.expansion.first_order import kernel as kernel
from finitewidth.expansion.overview import Overview as Overview
from finitewidth.expansion.prediction import Prediction as Prediction
from finitewidth.expansion.prediction import predict as predict
