"""Statistics that know nothing of networks: what a sample's numbers say, and how far to trust it.

`blocks`: a sample in blocks with a random stream each. `grouped_sums`: power sums by group, and
errors of any function of moments. `jackknife`: errors by leaving one out. `carriers`: how many
numbers carry an average. `ordered`, `log_histogram`, `quantiles`: order statistics, counts in bins,
their intervals.
`spread`: the standard deviation of logarithms. `trust`: what a sample says of its own error.
"""
