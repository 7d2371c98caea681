"""The kernel on the probe set in the middle of a training loop, leaving the loop as it was."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from finitewidth._memory import available, readable
from finitewidth._shapes import Float
from finitewidth.measure.kernel.contract import contract
from finitewidth.measure.kernel.factors import Factor
from finitewidth.measure.kernel.features import Layouts, features
from finitewidth.measure.kernel.rounding import refuse_rounding
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.randomness import refuse_randomness


@dataclass(frozen=True)
class Measured:
    """One measurement.

    Attributes
    ----------
    kernel : array [B, B]
        Trace over outputs.
    layer_traces : array [L]
        Σ_b of each layer's part of K(x_b, x_b).
    outputs : array [B, O]
    """

    kernel: Float[np.ndarray, "B B"]
    layer_traces: Float[np.ndarray, " L"]
    outputs: Float[np.ndarray, "B O"]


class Probe:
    """A model at fixed inputs, to be measured again and again.

    Parameters
    ----------
    model : torch.nn.Module
    X : tensor or array [B, …]
        Or a tuple or a mapping of them.
    forward : callable, optional
        As in `kernel`.

    Attributes
    ----------
    inputs : Batch
    parameters : dict of str to list
        Shape and type of every trained parameter, by name.
    layers : list of str
        Modules with trained parameters of their own.

    Raises
    ------
    ValueError, TypeError
        As `kernel`.
    """

    def __init__(self, model: nn.Module, X: object, forward: Forward | None = None) -> None:
        self._forward = forward
        called = Model(model, forward)
        self.parameters = _described(called.parameters)
        self.inputs = called.batch(X, "X_probe").clone()
        self.layers = list(dict.fromkeys(_layer(name) for name in self.parameters))
        self._layouts: Layouts = {}
        self._block = 0

    def measure(self, model: nn.Module) -> Measured:
        """The kernel of the model as it is now, in eval mode.

        The first time it is also looked for randomness, and for inputs that influence each other.

        Raises
        ------
        ValueError
            If the trained parameters are not those of the first model, or as `kernel`.
        """
        called = Model(model, self._forward)
        self._refuse_change(_described(called.parameters))
        with called.undisturbed(evaluate=True):
            if not self._block:
                refuse_randomness(called, self.inputs)
                refuse_coupling(called, self.inputs)
                refuse_rounding(called, self.inputs)
                self._block = self._block_size(called)
            return self._measured(called)

    @torch.no_grad()
    def _measured(self, model: Model) -> Measured:
        size = len(self.inputs)
        places = [
            slice(start, min(start + self._block, size)) for start in range(0, size, self._block)
        ]
        total = torch.zeros(size, size, dtype=torch.float64)
        traces, outputs = dict.fromkeys(self.layers, 0.0), []
        for i, rows in enumerate(places):
            output, one = self._factors(model, rows)
            outputs.append(output)
            for columns in places[i:]:
                two = one if columns is rows else self._factors(model, columns)[1]
                for name, factor in one.items():
                    other = two.get(name)
                    if other is None:
                        continue
                    term = contract(factor, other, trace=True).double().cpu()
                    total[rows, columns] += term
                    if columns is rows:
                        traces[_layer(name)] += float(term.diagonal().sum())
        upper = total.triu(1)
        kernel = (upper + upper.T + total.diagonal().diag()).numpy()
        if len(places) == 1:
            kernel = ((total + total.T) / 2).numpy()
        if not kernel.any():
            raise ValueError(
                "the kernel on the probe set is 0: no trained parameter moves any output there."
            )
        return Measured(kernel, np.array(list(traces.values())), np.concatenate(outputs))

    def _factors(self, model: Model, rows: slice) -> tuple[np.ndarray, dict[str, Factor]]:
        output, parameters = model.outputs(self.inputs[rows]), model.parameters
        generator = torch.Generator(device=output.device).manual_seed(0)
        with torch.no_grad():
            found = features(output, list(parameters.values()), generator, self._layouts)
            if output.element_size() < 4:  # half precision: contracted in single
                found = found.to(torch.float32)
        named = {n: found.factors[p] for n, p in parameters.items() if p in found.factors}
        return output.detach().double().cpu().numpy(), named

    def _block_size(self, model: Model) -> int:
        """Inputs that are taken at once, from what the first two need."""
        few = min(2, len(self.inputs))
        _, factors = self._factors(model, slice(0, few))
        each = sum(
            tensor.numel() * tensor.element_size()
            for factor in factors.values()
            for tensor in factor.tensors
        ) / (few)
        budget = available() / 2
        if 4 * each > budget:
            raise ValueError(
                f"the gradients of one probe input take {readable(each)}, more than the memory "
                f"that is free ({readable(2 * budget)}) allows; freeze layers with "
                "requires_grad_(False), or measure a smaller model."
            )
        # two blocks' gradients at once, and as much again for intermediate results
        return max(1, min(len(self.inputs), int(budget / (4 * each))))

    def _refuse_change(self, now: dict[str, list[object]]) -> None:
        if now == self.parameters:
            return
        name = next(
            name for name in (*self.parameters, *now) if self.parameters.get(name) != now.get(name)
        )
        was, found = self.parameters.get(name), now.get(name)
        raise ValueError(
            f"the model's trained parameters are not those at the beginning of the record: {name} "
            f"was {_words(was)} and is {_words(found)}; record a changed model in a new file."
        )


def _described(parameters: dict[str, nn.Parameter]) -> dict[str, list[object]]:
    return {name: [str(p.dtype).removeprefix("torch."), *p.shape] for name, p in parameters.items()}


def _words(described: list[object] | None) -> str:
    return "not trained" if described is None else f"{described[0]} {list(described[1:])}"


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or name
