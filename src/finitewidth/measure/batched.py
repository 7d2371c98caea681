"""Many small networks of one architecture, measured at once.

The time of a small network's kernel goes into calls, not arithmetic. Networks that differ in their
numbers alone are stacked and go through one vectorised pass. Two ways:

- *Linear layers only*: a zero is added to the result of every layer; the gradients with respect to
  these zeros and the layers' inputs give the kernel, layer by layer, without any Jacobian.
- *Jacobians* of every input and output, where they are small.

Whatever a way cannot do is an error of vmap or shows in the comparison with the measurement of the
last network alone; such networks are measured one by one.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, jacrev, vmap

from finitewidth.measure.alike import Template
from finitewidth.measure.factory import Factory, build, fingerprint
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.parameters import BATCH_NORMS, refuse_modules, trained_parameters
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
    def of(cls, base: nn.Module, tensors: list[list[torch.Tensor]]) -> "Stack":
        """From the parameters and buffers of each network, in the order of `Template`."""
        names = set(trained_parameters(base))
        stacked = {
            name: torch.stack(each)
            for name, each in zip(_names(base), zip(*tensors, strict=True), strict=True)
        }
        trained = {name: value for name, value in stacked.items() if name in names}
        rest = {name: value for name, value in stacked.items() if name not in names}
        return cls(base, trained, rest, _linear_only(base, names))

    @property
    def size(self) -> int:
        """Seeds S."""
        return len(next(iter(self.trained.values())))


def batch_size(model: nn.Module, x: object, forward: Forward | None = None) -> int:
    """How many networks like this one are measured at once; 1 where arithmetic takes the time.

    It depends on the network and the inputs alone, since it decides the last bits.
    """
    try:
        called = Model(model, forward)
        inputs, names = called.batch(x, "X"), set(called.parameters)
        if forward is not None or inputs.several or inputs.names is not None:
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
    make_model: Factory, x: object, seeds: list[int], check: bool
) -> list[tuple[OneSeed, Mark]]:
    """Build the networks of some seeds and measure them, together where that is possible.

    Parameters
    ----------
    make_model : callable
    x : tensor or array [B, …]
    seeds : list of int
    check : bool
        Whether to look for randomness and coupling in the first forward pass.

    Returns
    -------
    list of (OneSeed, tuple)
        With the mark of each network; after the second it may be empty.
    """
    first = build(make_model, seeds[0])
    called = Model(first)
    batch = called.batch(x, "X")
    with called.undisturbed():
        if check:
            refuse_randomness(called, batch)
            refuse_coupling(called, batch)
    (inputs,) = batch.tensors
    template, marks, last = Template(first), [fingerprint(first)], first
    tensors = [template.tensors]
    normed = any(isinstance(module, BATCH_NORMS) for module in first.modules())
    for seed in seeds[1:]:
        model = build(make_model, seed)
        values = template.fits(model)
        if values is None:
            break
        if normed:  # whose statistics may not be set; other settings are those of the first
            refuse_modules(model)
        tensors.append(values)  # the module itself is let go
        last = model
        if len(marks) < 2:
            marks.append(fingerprint(model))
    else:
        found = _together(first, last, tensors, inputs) if len(seeds) > 2 else None
        if found is not None:
            return list(zip(found, [*marks, *[()] * (len(found) - len(marks))], strict=True))
    return one_by_one(
        lambda model, *_: measure_model(model, x, check=False), make_model, seeds, False
    )


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
def _together(
    first: nn.Module, last: nn.Module, tensors: list[list[torch.Tensor]], x: torch.Tensor
) -> list[OneSeed] | None:
    """None where it cannot be done, or gives other numbers than the last network alone.

    The last, since the first stands in for all: what leaks from it would not show in itself.
    """
    with torch.enable_grad():
        alone = measure_model(last, x, check=False)
    stack = Stack.of(first, tensors)
    for way in (_by_layers, _by_jacobians):
        try:
            parts = way(stack, x)
        except Exception:  # noqa: BLE001 - whatever vmap cannot do, the slow way may
            continue
        if parts and all(bool(torch.isfinite(part).all()) for part in parts.values()):
            found = _split(parts)
            if _agrees(found[-1], alone, next(iter(stack.trained.values())).dtype):
                return found
    return None  # measured one by one, a network that is not finite says where


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
    room = 1e3 * torch.finfo(dtype).eps
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
