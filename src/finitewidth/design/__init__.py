"""Inverse questions: the widths that a target asks for."""

from finitewidth.design.answer import Width as Width
from finitewidth.design.answer import width as width
from finitewidth.design.answer import width_for as width_for
