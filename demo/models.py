"""Models of the handwritten digits for ``finitewidth check``, as a user would write them."""

from torch import nn


def make_model() -> nn.Module:
    """A new convolutional classifier of 8 × 8 pixels; torch's random numbers draw its weights."""
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


def make_mlp(width: int = 128, depth: int = 3) -> nn.Module:
    """A new multilayer perceptron of `depth` weight layers with Kaiming weights and biases 0."""
    layers: list[nn.Module] = []
    sizes = [64, *[width] * (depth - 1), 10]
    for place in range(depth):
        linear = nn.Linear(sizes[place], sizes[place + 1])
        last = place == depth - 1
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear" if last else "relu")
        nn.init.zeros_(linear.bias)
        layers += [linear] if last else [linear, nn.ReLU()]
    return nn.Sequential(*layers).double()
