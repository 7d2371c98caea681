"""A model of the handwritten digits for ``finitewidth check``, as a user would write it."""

from torch import nn


def make_model() -> nn.Module:
    """A new classifier of 8 × 8 pixels; torch's random numbers draw its weights."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )
