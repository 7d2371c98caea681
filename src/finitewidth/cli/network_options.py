"""The options that describe a network, spelt the same in every command that takes one."""

from dataclasses import dataclass, fields
from shlex import quote
from typing import Annotated, Any

import cyclopts

from finitewidth.cli.numbers import Whole, Wholes
from finitewidth.data import vector
from finitewidth.network import MLP
from finitewidth.network.activations import activation


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Kind:
    """Activation, weights and biases."""

    activation: str = "relu"
    """relu, leaky_relu, identity, abs, tanh, erf, sin, gelu or silu."""
    negative_slope: float = 0.01
    """Slope of leaky_relu below 0."""
    weight_law: str = "gaussian"
    """gaussian, uniform, laplace or student_t:DF."""
    parametrization: str = "ntk"
    """ntk (unit-variance weights), standard (PyTorch's own), mup or mean_field."""
    hidden_gain: float | None = None
    """C_W: hidden weights have variance C_W/fan-in; if not given 2 (expansion: critical)."""
    output_gain: float = 1.0
    """C_W of the output layer."""
    bias: Annotated[bool, cyclopts.Parameter(negative="--no-bias")] = True
    """Whether there are biases."""

    def kind(self) -> dict[str, Any]:
        """These options as fields of an `MLP`."""
        given = {one.name: getattr(self, one.name) for one in fields(Kind)}
        return given | {"hidden_gain": 2.0 if self.hidden_gain is None else self.hidden_gain}


def refuse_without_law(*options: "Kind | Layers | Input", **more: Any) -> None:
    """Refuse an activation that has no exact law, with the command that has an answer for it.

    Parameters
    ----------
    *options : Kind, Layers or Input
        What was typed.
    **more
        Further options of that command.

    Raises
    ------
    ValueError
    """
    (kind,) = (one for one in options if isinstance(one, Kind))
    if activation(kind.activation, kind.negative_slope, ()).slope is not None:
        return
    given = {
        field.name: getattr(one, field.name)
        for one in options
        for field in fields(one)
        if getattr(one, field.name) != field.default
    } | more
    if not kind.bias:
        given["bias_variance"] = 0  # the critical one of gelu and silu is none of such a network
    typed = " ".join(_typed(name, value) for name, value in given.items())
    raise ValueError(
        f"activation is {kind.activation!r}, which has no exact law (relu, leaky_relu, abs and "
        f"identity have); to first order in 1/n its kernel is known: finitewidth expansion {typed}"
    )


def _typed(name: str, value: Any) -> str:
    option = name.replace("_", "-")
    if value is False:
        return f"--no-{option}"
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"--{option} {quote(text)}"


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Layers:
    """Widths and depth."""

    width: Whole | None = None
    """Width of every hidden layer: 256 or 1e6."""
    widths: Wholes | None = None
    """Hidden widths one by one: 256,128,64."""
    depth: Whole | None = None
    """d, the number of weight layers: hidden layers + 1."""

    def network(self, n_in: int, **kind: Any) -> MLP:
        """The network that --width and --depth, or --widths, describe.

        Raises
        ------
        ValueError
            If they are missing, contradict each other, or are out of range.
        """
        if self.widths is not None:
            if self.width is not None:
                raise ValueError("--width and --widths were both given; give one of them.")
            layers = len(self.widths) + 1
            if self.depth not in (None, layers):
                raise ValueError(
                    f"--depth is {self.depth}, but --widths lists {layers - 1} hidden layers, "
                    f"which is depth {layers}; leave --depth out."
                )
            return MLP(n_in=n_in, widths=self.widths, **kind)
        if self.depth is None:
            raise ValueError(
                "the network's depth is missing; give --width and --depth, or --widths."
            )
        if self.depth < 1:
            raise ValueError(
                f"--depth is {self.depth}, expected at least 1 (weight layers: hidden layers + 1)."
            )
        if self.depth == 1:
            return MLP(n_in=n_in, widths=[], **kind)
        if self.width is None:
            raise ValueError("the width is missing; give --width 256, or --widths 256,128.")
        return MLP.equal_width(n_in, self.width, self.depth - 1, **kind)


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Input:
    """One input, or its dimension alone."""

    n_in: Whole | None = None
    """Input dimension; taken from --input if that is given."""
    input: str | None = None
    """One input: file.npy or digits:7; without it |x|² = n_in (x all ones)."""

    def vector(self) -> Any:
        """The input [n_in] that --input names, or None."""
        return None if self.input is None else vector(self.input, "--input")

    def dimension(self, x: Any, default: int | None = None) -> int:
        """--n-in, or the length of the input, or the default.

        Raises
        ------
        ValueError
            If there is none of them.
        """
        if self.n_in is not None:
            return self.n_in
        if x is None and default is not None:
            return default
        if x is None:
            raise ValueError("the input dimension is missing; give --n-in 784, or --input.")
        return len(x)


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Network(Kind, Layers, Input):
    """A network and one input."""

    def read(self, n_in: int | None = None) -> tuple[MLP, Any]:
        """The network, and the input [n_in] or None; `n_in`: where none is given."""
        x = self.vector()
        return self.network(self.dimension(x, n_in), **self.kind()), x

    def of_law(self, n_in: int | None = None) -> tuple[MLP, Any]:
        """As `read`; an activation without an exact law is refused."""
        net, x = self.read(n_in)
        refuse_without_law(self)
        return net, x
