"""The three models that kernels are measured on, with inputs for them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

Factory = Callable[[], "nn.Module"]

OUTPUTS = 10
NAMES = ("MLP", "CNN", "transformer")


def build(name: str) -> "nn.Module":
    """The model, in eval mode, with the same weights every time."""
    import torch

    torch.manual_seed(0)
    return {"MLP": _mlp, "CNN": _cnn, "transformer": _transformer}[name]().eval()


def inputs(name: str, count: int) -> "torch.Tensor":
    """`count` inputs of the model."""
    import torch

    generator = torch.Generator().manual_seed(1)
    if name == "transformer":
        return torch.randint(0, 100, (count, 32), generator=generator)
    shape = (784,) if name == "MLP" else (3, 32, 32)
    return torch.randn(count, *shape, generator=generator)


def small(outputs: int) -> "Factory":
    """A factory of networks of 8 hidden layers of width 32, as a user would write it."""
    from torch import nn

    def make_model() -> "nn.Module":
        hidden = [layer for _ in range(8) for layer in (nn.Linear(32, 32), nn.ReLU())]
        return nn.Sequential(*hidden, nn.Linear(32, outputs))

    return make_model


def _mlp() -> "nn.Module":
    """784-512-512-512-10."""
    from torch import nn

    widths = [784, 512, 512, 512]
    hidden = [
        layer
        for i in range(3)
        for layer in (nn.Linear(widths[i], widths[i + 1]), nn.ReLU())
    ]  # fmt: skip
    return nn.Sequential(*hidden, nn.Linear(512, OUTPUTS))


def _cnn() -> "nn.Module":
    """Three convolutions 3-32-32-64 on 32×32 pixels, the later ones of stride 2, and a mean."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, OUTPUTS),
    )


def _transformer() -> "nn.Module":
    """Two encoder layers of 64 features and 4 heads on 32 tokens, and a mean."""
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(100, 64)
            layer = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
            self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(64, OUTPUTS)

        def forward(self, tokens: "torch.Tensor") -> "torch.Tensor":
            return self.head(self.layers(self.table(tokens)).mean(dim=1))

    return Encoder()
