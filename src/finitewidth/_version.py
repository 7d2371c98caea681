"""The version of the package, its single source: the build reads this file."""

__version__ = "0.1.0"
