"""Tables, figures and one-file HTML pages of finished results; nothing is computed here.

Figures need matplotlib and pages jinja2, both in the extra ``finitewidth[report]``; tables need
neither.
"""

from finitewidth.report.layout import Column as Column
from finitewidth.report.page import Page as Page
from finitewidth.report.page import Provenance as Provenance
from finitewidth.report.page import Section as Section
from finitewidth.report.panels import Panels as Panels
from finitewidth.report.path_examples import figure_one as figure_one
from finitewidth.report.path_examples import figure_two as figure_two
from finitewidth.report.path_figure import PathFigure as PathFigure
from finitewidth.report.plot import Plot as Plot
from finitewidth.report.series import Band as Band
from finitewidth.report.series import Curve as Curve
from finitewidth.report.series import Points as Points
from finitewidth.report.series import Steps as Steps
from finitewidth.report.tables import Table as Table
