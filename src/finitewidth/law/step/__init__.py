"""The first step of SGD: pattern frozen, neurons that cross zero, and both together."""

from finitewidth.law.step.step import Step as Step
