"""Inverse questions: the widths that a target asks for."""

from finitewidth.design.width import width_for as width_for
