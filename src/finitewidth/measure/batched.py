"""Many small networks of one architecture, measured at once.

The time of a small network's kernel goes into calls, not arithmetic. Networks that differ in their
numbers alone are stacked and go through one vectorised pass. Two ways:

- *Linear layers only*: a zero is added to the result of every layer; the gradients with respect to
  these zeros and the layers' inputs give the kernel, layer by layer, without any Jacobian.
- *Jacobians* of every input and output, where they are small.

Whatever a way cannot do is an error of vmap or shows in the comparison with the measurement of the
last network alone, up to rounding and again in float64; such networks are measured one by one.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, jacrev, vmap

from finitewidth.measure.alike import Template
from finitewidth.measure.factory import Factory, build, fingerprint
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.norms import NORMS
from finitewidth.measure.model.parameters import refuse_modules, trained_parameters
from finitewidth.measure.model.precision import in_precision
from finitewidth.measure.model.randomness import refuse_randomness
from finitewidth.measure.one_seed import OneSeed, layer_of, measure_model
from finitewidth.measure.seeds import Mark, one_by_one

LARGEST = 2**21
"""Numbers that a network's measurement holds, up to which it is small."""

TOGETHER = 2**23
"""Numbers that a batch of them holds."""

MOST = 256
"""Networks of a batch."""

Tensors = dict[str, torch.Tensor]

Way = Callable[["Stack", torch.Tensor], Tensors | None]
"""From networks and inputs [B, …] to each parameter's part of the kernels [S, B, B]."""


@dataclass
class Stack:
    """Networks of one architecture.

    Attributes
    ----------
    base : torch.nn.Module
        The first of them, which stands in for all.
    trained, rest : dict of str to tensor [S, …]
        Parameters that require gradients; frozen ones and buffers.
    """

    base: nn.Module
    trained: Tensors
    rest: Tensors
    linear: dict[str, nn.Linear] = field(default_factory=dict)

    @classmethod
    def of(cls, base: nn.Module, tensors: list[torch.Tensor], size: int) -> "Stack":
        """For so many networks, with the first one's parameters and buffers, as of `Template`."""
        names = set(trained_parameters(base))
        own = dict(zip(_names(base), tensors, strict=True))
        rows = {name: value.new_empty(size, *value.shape) for name, value in own.items()}
        trained = {name: value for name, value in rows.items() if name in names}
        rest = {name: value for name, value in rows.items() if name not in names}
        stack = cls(base, trained, rest, _linear_only(base, names))
        stack.put(0, tensors)
        return stack

    @property
    def dtype(self) -> torch.dtype:
        """Of the narrowest trained parameter."""
        return narrowest(self.trained.values())

    def put(self, place: int, tensors: list[torch.Tensor]) -> None:
        """Copy a network's numbers, which its factory may draw anew in the same place."""
        for name, value in zip(_names(self.base), tensors, strict=True):
            (self.trained if name in self.trained else self.rest)[name][place] = value

    @property
    def size(self) -> int:
        """Seeds S."""
        return len(next(iter(self.trained.values())))


def narrowest(tensors: Iterable[torch.Tensor]) -> torch.dtype:
    """The floating type with the largest rounding."""
    return max((t.dtype for t in tensors if t.is_floating_point()), key=_eps)


def _eps(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps


def batch_size(model: nn.Module, x: object, forward: Forward | None = None) -> int:
    """How many networks like this one are measured at once; 1 where arithmetic takes the time.

    Also 1 below single precision, whose rounding would hide a wrong number. It depends on the
    network and the inputs alone, since it decides the last bits.
    """
    try:
        called = Model(model, forward)
        inputs, names = called.batch(x, "X"), set(called.parameters)
        if forward is not None or inputs.several or inputs.names is not None:
            return 1
        if _eps(narrowest(called.parameters.values())) > _eps(torch.float32):
            return 1
        with called.undisturbed():
            outputs = called.plain(inputs[:1]).numel()
    except Exception:  # noqa: BLE001 - the measurement says what is wrong
        return 1
    parameters = sum(p.numel() for p in model.parameters())
    layers = _linear_only(model, names)
    if layers:
        results = sum(layer.out_features for layer in layers.values())
        numbers = parameters + len(inputs) * outputs * results
    else:
        numbers = parameters * len(inputs) * outputs
    return min(MOST, TOGETHER // max(numbers, 1)) if numbers <= LARGEST else 1


def measure_batch(
    make_model: Factory, x: object, forward: Forward | None, seeds: list[int], check: bool
) -> list[tuple[OneSeed, Mark]]:
    """Build the networks of some seeds and measure them, together where that is possible.

    Parameters
    ----------
    make_model : callable
    x : tensor or array [B, …]
    forward : callable or None
        With one, networks are measured one by one.
    seeds : list of int
    check : bool
        Whether to look for randomness and coupling in the first forward pass.

    Returns
    -------
    list of (OneSeed, tuple)
        With the mark of each network; after the second it may be empty.
    """
    alone = partial(one_by_one, partial(_one, x=x, forward=forward), make_model, seeds)
    if len(seeds) < 3 or forward is not None:  # two are not worth a comparison
        return alone(check)
    first = build(make_model, seeds[0])
    called = Model(first)
    batch = called.batch(x, "X")
    with called.undisturbed():
        if check:
            refuse_randomness(called, batch)
            refuse_coupling(called, batch)
    (inputs,) = batch.tensors
    template, marks, last = Template(first), [fingerprint(first)], first
    stack = Stack.of(first, template.tensors, len(seeds))
    normed = any(isinstance(module, NORMS) for module in first.modules())
    for place, seed in enumerate(seeds[1:], 1):
        model = build(make_model, seed)
        values = template.fits(model)
        if values is None:
            break
        if normed:  # whose statistics may not be set; other settings are those of the first
            refuse_modules(model)
        stack.put(place, values)  # the module itself is let go
        last = model
        if len(marks) < 2:
            marks.append(fingerprint(model))
    else:
        found = _together(stack, last, inputs)
        if found is not None:
            return list(zip(found, [*marks, *[()] * (len(found) - len(marks))], strict=True))
    return alone(False)


def _one(
    model: nn.Module, seed: int, first: bool, *, x: object, forward: Forward | None
) -> OneSeed:
    del seed
    return measure_model(Model(model, forward), x, check=first)


def _names(model: nn.Module) -> list[str]:
    """Of parameters and buffers, each once, in the order of `Template`."""
    found: dict[int, str] = {}
    for prefix, module in model.named_modules(remove_duplicate=False):
        for kind in (module._parameters, module._buffers):
            for key, tensor in kind.items():
                if tensor is not None:
                    found.setdefault(id(tensor), f"{prefix}.{key}" if prefix else key)
    return list(found.values())


@torch.no_grad()
def _together(stack: Stack, last: nn.Module, x: torch.Tensor) -> list[OneSeed] | None:
    """None where it cannot be done, or gives other numbers than the last network alone.

    The last, since the first stands in for all: what leaks from it would not show in itself. Alone
    it is measured in float64, and the way is gone once more there, where rounding hides nothing.
    """
    double = stack.dtype != torch.float64
    try:
        with ExitStack() as put_back:
            for module in {stack.base, last} if double else ():
                put_back.enter_context(in_precision(module, torch.float64))
            with torch.enable_grad():
                alone = measure_model(last, x, check=False)
            exact = Stack.of(stack.base, Template(last).tensors, 1) if double else None
    except Exception:  # noqa: BLE001 - measured one by one, it says what is wrong
        return None
    for way in (_by_layers, _by_jacobians):
        found = _by(way, stack, x)
        if found is None or not _agrees(found[-1], alone, stack.dtype):
            continue
        if exact is not None:
            with in_precision(stack.base, torch.float64):
                once = _by(way, exact, x.double() if x.is_floating_point() else x)
            if once is None or not _agrees(once[0], alone, torch.float64):
                continue
        return found
    return None


def _by(way: Way, stack: Stack, x: torch.Tensor) -> list[OneSeed] | None:
    """None where the way cannot be gone or leads to what is not finite."""
    try:
        parts = way(stack, x)
    except Exception:  # noqa: BLE001 - whatever vmap cannot do, the slow way may
        return None
    if not parts or not all(bool(torch.isfinite(part).all()) for part in parts.values()):
        return None
    return _split(parts)


def _split(parts: Tensors) -> list[OneSeed]:
    """Each network's own, from the parts [S, B, B] of each parameter."""
    total = torch.stack(list(parts.values())).sum(dim=0)
    kernels = ((total + total.transpose(1, 2)) / 2).cpu().numpy()
    layers: dict[str, np.ndarray] = {}
    for name, part in parts.items():
        mean = part.diagonal(dim1=1, dim2=2).mean(dim=1).cpu().numpy()
        layer = layer_of(name)
        layers[layer] = layers[layer] + mean if layer in layers else mean
    return [
        OneSeed(kernel, {layer: float(values[i]) for layer, values in layers.items()})
        for i, kernel in enumerate(kernels)
    ]


def _agrees(found: OneSeed, alone: OneSeed, dtype: torch.dtype) -> bool:
    """Up to rounding, entry by entry and layer by layer."""
    room = 1e3 * _eps(dtype)
    scale = float(np.abs(alone.kernel).max())
    near = bool((np.abs(found.kernel - alone.kernel) <= room * scale).all())
    names = {name for name, value in alone.shares.items() if value != 0}
    return near and all(
        abs(found.shares.get(name, 0.0) - alone.shares.get(name, 0.0)) <= room * scale
        for name in names | set(found.shares)
    )


def _by_jacobians(stack: Stack, x: torch.Tensor) -> Tensors | None:
    """Each parameter's part of the kernels [S, B, B]."""
    outputs = stack.base(x[:1]).numel()
    numbers = len(x) * outputs * sum(value[0].numel() for value in stack.trained.values())
    if numbers > LARGEST:
        return None

    def single(trained: Tensors, rest: Tensors, one: torch.Tensor) -> torch.Tensor:
        return functional_call(stack.base, (trained, rest), (one[None],)).reshape(-1)

    each = vmap(vmap(jacrev(single), (None, None, 0)), (0, 0, None))
    found = {}
    for name, jacobian in each(stack.trained, stack.rest, x).items():
        rows = jacobian.reshape(stack.size, len(x), -1)
        found[name] = (rows @ rows.transpose(1, 2)).double()
    return found


def _by_layers(stack: Stack, x: torch.Tensor) -> Tensors | None:
    """The same from the layers' inputs a and output gradients δ: (a·a') Σ_o δ_o·δ'_o, + 1·… ."""
    layers = stack.linear
    if not layers:
        return None
    like = next(iter(stack.trained.values()))
    taps = {n: like.new_zeros(len(x), layer.out_features) for n, layer in layers.items()}

    def tapped(trained: Tensors, rest: Tensors, zeros: Tensors) -> tuple[torch.Tensor, Tensors]:
        inputs: Tensors = {}

        def hook(name: str) -> Any:
            def add(_module: nn.Module, args: tuple[torch.Tensor, ...], out: torch.Tensor) -> Any:
                if name in inputs or args[0].dim() != 2 or len(args[0]) != len(x):
                    raise ValueError("not one row an input")
                inputs[name] = args[0]
                return out + zeros[name]

            return add

        handles = [layer.register_forward_hook(hook(name)) for name, layer in layers.items()]
        try:
            output = functional_call(stack.base, (trained, rest), (x,))
        finally:
            for handle in handles:
                handle.remove()
        return output.reshape(len(x), -1).sum(dim=0), inputs

    gradients, inputs = vmap(jacrev(tapped, argnums=2, has_aux=True), (0, 0, None))(
        stack.trained, stack.rest, taps
    )
    found: Tensors = {}
    for name in layers:
        rows = gradients[name]  # [S, O, B, J]
        errors = (rows @ rows.transpose(2, 3)).sum(dim=1).double()
        if f"{name}.weight" in stack.trained:
            seen = inputs[name]
            found[f"{name}.weight"] = errors * (seen @ seen.transpose(1, 2)).double()
        if f"{name}.bias" in stack.trained:
            found[f"{name}.bias"] = errors
    return found


def _linear_only(model: nn.Module, trained: set[str]) -> dict[str, nn.Linear]:
    """The linear layers by name, if they hold every trained parameter; else nothing."""
    layers = {name: m for name, m in model.named_modules() if type(m) is nn.Linear}
    own = {f"{name}.{kind}" for name in layers for kind in ("weight", "bias")}
    return layers if "" not in layers and trained <= own else {}
