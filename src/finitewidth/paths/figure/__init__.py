"""Drawings of paths through a network; needs the extra ``finitewidth[report]``."""

from finitewidth.paths.figure.examples import figure_one as figure_one
from finitewidth.paths.figure.examples import figure_two as figure_two
from finitewidth.paths.figure.figure import PathFigure as PathFigure
