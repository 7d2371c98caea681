"""Tables, figures and pages of finished results; nothing is computed here.

Figures need matplotlib and pages jinja2, both in the extra ``finitewidth[report]``; tables need
neither.
"""

from finitewidth.report.bars import Bars as Bars
from finitewidth.report.content import Later as Later
from finitewidth.report.content import Provenance as Provenance
from finitewidth.report.content import Section as Section
from finitewidth.report.drawn import Drawn as Drawn
from finitewidth.report.layout import Column as Column
from finitewidth.report.panels import Panels as Panels
from finitewidth.report.plot import Plot as Plot
from finitewidth.report.record import Record as Record
from finitewidth.report.series import Band as Band
from finitewidth.report.series import Curve as Curve
from finitewidth.report.series import Points as Points
from finitewidth.report.series import Steps as Steps
from finitewidth.report.shown import Page as Page
from finitewidth.report.shown import Shown as Shown
from finitewidth.report.tables import Table as Table
