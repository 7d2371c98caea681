"""Is a module a plain stack of linear layers and ReLUs? Exact types: a subclass may do anything."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@dataclass(frozen=True)
class Plain:
    """Linear layers with one activation between them.

    Attributes
    ----------
    layers : list of torch.nn.Linear
    slope : float
        Of the activation below 0.
    """

    layers: "list[nn.Linear]"
    slope: float


def plain(model: "nn.Module") -> Plain | str:
    """The stack that a module is, or what it has that such a stack has not."""
    from torch import nn

    modules = _flat(model)
    if isinstance(modules, str):
        return modules
    hooked = hooks(model)
    if hooked:
        return hooked
    layers: list[nn.Linear] = []
    slopes: list[float] = []
    for place, layer in enumerate(modules):
        if type(layer) in (nn.Flatten, nn.Identity, nn.Dropout):
            continue
        if type(layer) is nn.Linear:
            if len(layers) > len(slopes):
                return f"module {place} (Linear) follows a Linear without an activation"
            layers.append(layer)
            continue
        slope = _slope(layer)
        if slope is None:
            return f"module {place} is a {type(layer).__name__}"
        if len(slopes) >= len(layers):
            return f"module {place} ({type(layer).__name__}) follows no Linear"
        slopes.append(slope)
    if not layers or len(slopes) != len(layers) - 1:
        return "its last layer is not a Linear"
    if len(set(slopes)) > 1:
        return f"its activations have different slopes below 0 ({sorted(set(slopes))})"
    if len({id(layer.weight) for layer in layers}) < len(layers):
        return "one weight is used twice"
    return Plain(layers, slopes[0] if slopes else 0.0)


def hooks(model: "nn.Module") -> str:
    """What may change a module's function without showing in its type, or empty."""
    for name, module in model.named_modules():
        named = f"module {name!r} ({type(module).__name__})" if name else "it"
        if any(getattr(module, kind, None) for kind in HOOKS):
            return f"{named} has hooks, which may do anything"
        if "forward" in vars(module):
            return f"{named} has a forward of its own"
    return ""


def _flat(model: Any) -> "list[nn.Module] | str":
    """The layers of nested Sequentials."""
    from torch import nn

    if type(model) is not nn.Sequential:
        return f"it is a {type(model).__name__}, not a Sequential of Linear and ReLU or LeakyReLU"
    modules: list[nn.Module] = []
    for layer in model:
        inner = _flat(layer) if type(layer) is nn.Sequential else [layer]
        if isinstance(inner, str):
            return inner
        modules += inner
    return modules


def _slope(layer: Any) -> float | None:
    from torch import nn

    if type(layer) is nn.ReLU:
        return 0.0
    return float(layer.negative_slope) if type(layer) is nn.LeakyReLU else None
