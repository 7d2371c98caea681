"""The kernel to first order in 1/n at a glance."""

from finitewidth.expansion.overview.overview import Overview as Overview
