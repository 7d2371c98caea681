"""Runs of several networks on the same data: parametrizations of one, or networks on a line."""
