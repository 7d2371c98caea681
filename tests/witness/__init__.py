"""Independent witnesses: slow, plain computations that share no code with the package."""
