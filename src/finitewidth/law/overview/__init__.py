"""The exact law of one network at a glance."""

from finitewidth.law.overview.overview import Overview as Overview
