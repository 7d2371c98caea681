"""Benchmarks: times of the package beside what a user would do instead, as ratios."""
