"""Small models of many kinds, in float64, for comparisons with brute-force Jacobians."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

import finitewidth as fw
from finitewidth import measure


@dataclass(frozen=True)
class Case:
    """A model, its inputs, and the parameters that are left to Jacobians.

    Attributes
    ----------
    build : callable
        A new model.
    shape : tuple of int
        Of one input.
    integers : int
        Inputs are whole numbers below this one, if not 0.
    fallback : frozenset of str
        Trained parameters whose gradients are not contracted; every other one must be.
    unused : frozenset of str
        Trained parameters that the output does not depend on.
    """

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    integers: int = 0
    fallback: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()

    def model(self, dtype: torch.dtype = torch.float64) -> nn.Module:
        """The same model at every call, its parameters moved off 0 and 1."""
        torch.manual_seed(1)
        model = self.build().to(dtype)
        noise = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for parameter in model.parameters():
                drawn = torch.randn(parameter.shape, generator=noise, dtype=torch.float64)
                parameter += 0.1 * drawn.to(dtype)
        norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if norms:
            measure.calibrate(model, self.inputs(16, seed=5).to(dtype))
        return model.eval()

    def inputs(self, count: int, seed: int = 3) -> torch.Tensor:
        """[count, *shape]."""
        generator = torch.Generator().manual_seed(seed)
        if self.integers:
            return torch.randint(self.integers, (count, *self.shape), generator=generator)
        return torch.randn(count, *self.shape, generator=generator, dtype=torch.float64)


class Function(nn.Module):
    """A forward pass as a function of the module."""

    def __init__(self, forward: Callable[..., torch.Tensor], **parts: object) -> None:
        super().__init__()
        self.function = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self, x)


def weights(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape))


def mlp(*, inplace: bool = True) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(4, 6), nn.ReLU(inplace), nn.Linear(6, 5), nn.ReLU(inplace), nn.Linear(5, 3)
    )


def flat(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(2))


def built(model: nn.Module, *shape: int) -> nn.Module:
    """With its lazy layers filled in."""
    with torch.no_grad():
        model(torch.zeros(2, *shape))
    return model


def conv(
    *layers: nn.Module, shape: tuple[int, ...], fallback: frozenset[str] = frozenset()
) -> Case:
    return Case(lambda: built(flat(*_copies(layers)), *shape), shape, fallback=fallback)


def _copies(layers: tuple[nn.Module, ...]) -> list[nn.Module]:
    """New layers of the same settings, drawn anew.

    The given ones were drawn when this module was imported, from whatever state the generator had.
    """
    copies = [deepcopy(layer) for layer in layers]
    for copy in copies:
        for part in copy.modules():
            draw = getattr(part, "reset_parameters", None)
            if draw is not None:
                draw()
    return copies


def shared_linear(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.out(torch.tanh(m.lin(torch.tanh(m.lin(x)))))


def tied(m: Any, x: torch.Tensor) -> torch.Tensor:
    hidden = torch.tanh(m.mix(m.table(x)).mean(1))
    return functional.linear(hidden, m.table.weight)


def attention_first(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.out(m.attention(x, x, x, need_weights=False)[0]).flatten(1)


def attention_second(m: Any, x: torch.Tensor) -> torch.Tensor:
    x = x.transpose(0, 1)
    return m.out(m.attention(x, x, x)[0]).mean(0)


def cross_attention(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.attention(x, m.key(x), m.key(x))[0].sum(1)


def last_state(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.out(m.rnn(x)[0][:, -1])


def bilinear(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.two(x[:, :2], m.one(x))


def bare(m: Any, x: torch.Tensor) -> torch.Tensor:
    """One use of each kind: scaled, transposed, viewed, indexed, expanded, cut."""
    a = functional.linear(x, 0.3 * m.scaled)
    b = torch.tanh(a) @ m.turned.t()
    c = torch.tanh(b) @ m.viewed.view(5, 4)
    d = c * m.picked[[2, 0, 0, 1]] + m.grown.expand(4)
    return torch.cat([d @ m.cut[:4], x @ m.plain], dim=1) * m.gain + m.shift


def scaled_twice(m: Any, x: torch.Tensor) -> torch.Tensor:
    h = torch.tanh(functional.linear(x, 2.0 * (0.5 * m.w), m.b))
    return functional.linear(h, -m.w) + 3.0 * (h @ m.w) - torch.sub(x, m.b, alpha=2.0)


def left_product(m: Any, x: torch.Tensor) -> torch.Tensor:
    return (m.w @ x.t()).t() * m.w.sum()


def regularised(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.lin(x) + m.lin.weight.square().sum() + m.lin.bias * m.lin.bias


def positions(m: Any, x: torch.Tensor) -> torch.Tensor:
    hidden = m.table(x) + m.place(torch.arange(x.shape[1])) + m.learned
    return m.out(m.norm(torch.tanh(hidden)))


def flattened(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Rows of the first layer are the frames of all inputs, of the second all positions turned."""
    batch = x.shape[0]
    h = torch.tanh(m.one(x.reshape(-1, 4)))
    h = h.view(batch, 3, -1).permute(1, 0, 2).reshape(batch * 3, -1)
    return torch.tanh(m.two(h)).view(3, batch, -1).sum(0)


def routed(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Every input through the layer that its sign chooses: rows in no regular order."""
    right = (x[:, 0] > 0).nonzero()[:, 0]
    left = (x[:, 0] <= 0).nonzero()[:, 0]
    out = x.new_zeros(x.shape[0], 2)
    out = out.index_put((right,), m.right(x[right])).index_put((left,), m.left(x[left]))
    return m.mix(torch.tanh(out))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.Conv2d(3, 3, 1)
        self.one, self.two = nn.BatchNorm2d(3), nn.BatchNorm2d(3, affine=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu_(self.one(self.first(x)))
        return torch.relu(x + self.two(self.second(h)))


def frozen() -> nn.Module:
    model = mlp()
    model[0].requires_grad_(False)
    bias = model[2].bias
    assert isinstance(bias, nn.Parameter)
    bias.requires_grad_(False)
    return model


def names(*found: str) -> frozenset[str]:
    return frozenset(found)


def lin(i: int, o: int) -> nn.Linear:
    return nn.Linear(i, o)


CASES: dict[str, Case] = {
    "mlp, relu in place": Case(mlp, (4,)),
    "linear on more axes": Case(lambda: nn.Sequential(lin(4, 3), nn.Tanh(), lin(3, 2)), (2, 3, 4)),
    "shared linear": Case(lambda: Function(shared_linear, lin=lin(4, 4), out=lin(4, 2)), (4,)),
    "tied embedding": Case(
        lambda: Function(tied, table=nn.Embedding(7, 4), mix=lin(4, 4)), (3,), integers=7
    ),
    "attention, batch first": Case(
        lambda: Function(
            attention_first, attention=nn.MultiheadAttention(4, 2, batch_first=True), out=lin(4, 2)
        ),
        (3, 4),
    ),
    "attention, sequence first": Case(
        lambda: Function(attention_second, attention=nn.MultiheadAttention(4, 2), out=lin(4, 2)),
        (3, 4),
    ),
    "cross attention": Case(
        lambda: Function(
            cross_attention, attention=nn.MultiheadAttention(4, 2, batch_first=True), key=lin(4, 4)
        ),
        (3, 4),
        fallback=names("attention.in_proj_weight", "attention.in_proj_bias"),
    ),
    "encoder, batch first": Case(
        lambda: nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, norm_first=True), (3, 4)
    ),
    "encoder, post norm": Case(
        lambda: nn.Sequential(nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), lin(4, 1)),
        (3, 4),
    ),
    "conv1d": conv(
        nn.Conv1d(2, 3, 3, stride=2, padding=1, dilation=2), nn.Tanh(), nn.Conv1d(3, 2, 2),
        shape=(2, 9),
    ),
    "conv2d": conv(
        nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), nn.ReLU(True),
        nn.Conv2d(3, 2, 1), nn.MaxPool2d(2), shape=(2, 6, 6),
    ),
    "conv3d": conv(
        nn.Conv3d(2, 3, (2, 3, 1), stride=(1, 2, 1), padding=(1, 0, 1), dilation=(2, 1, 1)),
        nn.Tanh(), nn.Conv3d(3, 1, 2), shape=(2, 4, 5, 3),
    ),
    "conv, same and circular padding": conv(
        nn.Conv2d(2, 2, (2, 3), padding="same"), nn.Tanh(),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular", bias=False), shape=(2, 4, 4),
    ),
    "grouped convolutions": conv(
        nn.Conv2d(4, 6, 3, groups=2, padding=1, stride=2, dilation=2), nn.Tanh(),
        nn.Conv2d(6, 6, 2, groups=6), shape=(4, 6, 6),
    ),
    "grouped conv1d and conv3d": conv(
        nn.Conv1d(4, 4, 2, groups=2), nn.Tanh(), nn.Unflatten(2, (2, 2, 2)),
        nn.Conv3d(4, 4, (1, 2, 1), groups=4), shape=(4, 9),
    ),
    "depthwise, many channels": conv(nn.Conv1d(80, 80, 2, groups=80), shape=(80, 3)),
    "transposed convolution": conv(
        nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), nn.Tanh(),
        nn.ConvTranspose2d(3, 3, 2, groups=3), shape=(2, 3, 3),
        fallback=names("0.weight", "2.weight"),
    ),
    "gru": Case(
        lambda: Function(last_state, rnn=nn.GRU(3, 4, batch_first=True), out=lin(4, 2)),
        (3, 3),
    ),
    "lstm": Case(
        lambda: Function(last_state, rnn=nn.LSTM(3, 2, batch_first=True), out=lin(2, 1)), (3, 3)
    ),
    "bilinear": Case(
        lambda: Function(bilinear, one=lin(3, 3), two=nn.Bilinear(2, 3, 2)), (3,),
        fallback=names("two.weight"),
    ),
    "residual blocks": conv(nn.Conv2d(2, 3, 1), Residual(), Residual(), shape=(2, 3, 3)),
    "batchnorm1d": Case(
        lambda: nn.Sequential(lin(3, 4), nn.BatchNorm1d(4), nn.Tanh(), lin(4, 2)), (3,)
    ),
    "bare parameters": Case(
        lambda: Function(
            bare, scaled=weights(3, 4), turned=weights(5, 3), viewed=weights(20),
            picked=weights(3), grown=weights(1), cut=weights(6, 2), plain=weights(4, 1),
            gain=weights(), shift=weights(3),
        ),
        (4,),
        fallback=names("viewed", "picked", "grown", "cut"),
    ),
    "scaled twice": Case(
        lambda: Function(scaled_twice, w=weights(4, 4), b=weights(4)), (4,),
        fallback=names("w", "b"),
    ),
    "left product": Case(
        lambda: Function(left_product, w=weights(3, 4)), (4,), fallback=names("w")
    ),
    "weight in the output": Case(
        lambda: Function(regularised, lin=lin(4, 3)), (4,),
        fallback=names("lin.weight", "lin.bias"),
    ),
    "layer norm": Case(
        lambda: nn.Sequential(nn.LayerNorm(4), lin(4, 3), nn.LayerNorm([2, 3]), lin(3, 1)), (2, 4)
    ),
    "group norm": conv(
        nn.Conv2d(2, 4, 2), nn.GroupNorm(2, 4), nn.Tanh(), nn.GroupNorm(1, 4), shape=(2, 3, 3)
    ),
    "rms norm": Case(lambda: nn.Sequential(lin(4, 3), nn.RMSNorm(3), lin(3, 2)), (2, 4)),
    "instance norm": conv(
        nn.Conv2d(2, 3, 1), nn.InstanceNorm2d(3, affine=True), nn.Tanh(), shape=(2, 3, 3),
        fallback=names("1.weight", "1.bias"),
    ),
    "prelu": Case(
        lambda: nn.Sequential(lin(4, 3), nn.PReLU(3), lin(3, 2), nn.PReLU()), (4,),
        fallback=names("1.weight", "3.weight"),
    ),
    "embedding bag": Case(
        lambda: nn.Sequential(nn.EmbeddingBag(6, 3), nn.Tanh(), lin(3, 2)), (4,), integers=6,
        fallback=names("0.weight"),
    ),
    "embedding with padding": Case(
        lambda: nn.Sequential(nn.Embedding(5, 3, padding_idx=0), nn.Tanh(), lin(3, 1)),
        (4,), integers=5,
    ),
    "positional embeddings": Case(
        lambda: Function(
            positions, table=nn.Embedding(5, 4), place=nn.Embedding(3, 4), learned=weights(3, 4),
            norm=nn.LayerNorm(4), out=lin(4, 1),
        ),
        (3,), integers=5, fallback=names("place.weight"),
    ),
    "weight norm": Case(
        lambda: nn.Sequential(parametrizations.weight_norm(lin(4, 3)), nn.Tanh(), lin(3, 2)), (4,),
        fallback=names(
            "0.parametrizations.weight.original0", "0.parametrizations.weight.original1"
        ),
    ),
    "spectral norm": Case(
        lambda: nn.Sequential(parametrizations.spectral_norm(lin(4, 3)), nn.Tanh(), lin(3, 2)),
        (4,), fallback=names("0.parametrizations.weight.original"),
    ),
    "frozen layers": Case(frozen, (4,)),
    "unused parameter": Case(
        lambda: Function(lambda m, x: m.a(x), a=lin(3, 2), b=lin(3, 2)), (3,),
        unused=names("b.weight", "b.bias"),
    ),
    "trailing axes": Case(
        lambda: nn.Sequential(nn.Conv1d(2, 3, 2), nn.Tanh(), nn.Conv1d(3, 2, 1)), (2, 4)
    ),
    "flattened and turned rows": Case(
        lambda: Function(flattened, one=lin(4, 3), two=lin(3, 2)), (3, 4)
    ),
    "routed rows": Case(
        lambda: Function(routed, right=lin(3, 2), left=lin(3, 2), mix=lin(2, 2)), (3,)
    ),
    "mlp, ntk parametrization": Case(
        lambda: measure.module(fw.MLP(3, [5, 4], n_out=2, bias_variance=0.3, bias_lr=0.7)), (3,)
    ),
    "mlp, standard parametrization": Case(
        lambda: measure.module(
            fw.MLP(3, [5, 4], n_out=2, activation="tanh", parametrization="standard")
        ),
        (3,),
    ),
    "mlp, residual": Case(
        lambda: measure.module(
            fw.MLP.equal_width(3, 4, 3, residual=(0.5, 0.8), activation="gelu", bias=False)
        ),
        (3,),
    ),
}  # fmt: skip
