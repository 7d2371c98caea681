"""The first step of SGD: pattern frozen, neurons that cross zero, and both together."""
