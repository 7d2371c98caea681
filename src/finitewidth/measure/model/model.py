"""`Model`: a module and how it is called, the only place where a model is run."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from finitewidth.measure.model.batch import Batch, checked_batch
from finitewidth.measure.model.graph import nodes
from finitewidth.measure.model.hooks import Hooks, backward_hooks
from finitewidth.measure.model.parameters import refuse_modules, trained_parameters
from finitewidth.measure.model.state import State, undisturbed

FEW = 16
"""Inputs by which backward hooks that change gradients are told from those that look on."""

ROUNDING = 64
"""Units in the last place of the largest entry of a gradient that count as no change."""

Forward = Callable[[nn.Module, Any], torch.Tensor]
"""(model, batch) to a tensor [B, …]; the batch as the user gave it, with other inputs."""


class Model:
    """A module and how it is called.

    Parameters
    ----------
    module : torch.nn.Module
    forward : callable, optional
        (model, batch) to the outputs [B, …]; if not given ``model(X)``, ``model(*X)`` for a tuple
        and ``model(**X)`` for a mapping.

    Attributes
    ----------
    parameters : dict of str to Parameter
        Those that require gradients.

    Raises
    ------
    ValueError, TypeError
        As `trained_parameters`; for a `forward` that cannot be called.
    """

    def __init__(self, module: nn.Module, forward: Forward | None = None) -> None:
        if forward is not None and not callable(forward):
            raise TypeError(
                f"forward is {type(forward).__name__}, expected a function of (model, batch) that "
                "returns a tensor [B, …]."
            )
        self.parameters = trained_parameters(module)
        self.module, self.forward = module, forward
        self._state: State | None = None
        self._hooks: Hooks | None = None
        self._differentiates = False

    @classmethod
    def of(cls, module: "nn.Module | Model", forward: Forward | None = None) -> "Model":
        """The model of a module that may be one already."""
        return module if isinstance(module, Model) else cls(module, forward)

    def batch(self, x: object, name: str) -> Batch:
        """Inputs of this model; see `checked_batch`."""
        return checked_batch(self.module, x, name)

    @contextmanager
    def undisturbed(self, *, evaluate: bool = False) -> Iterator[None]:
        """Every call begins with the module as it is now, and it is so afterwards; see `state`.

        Raises
        ------
        ValueError
            As `refuse_modules`.
        """
        outer = self._state, self._hooks
        with (
            undisturbed(self.module, evaluate=evaluate) as state,
            backward_hooks(self.module) as hooks,
        ):
            refuse_modules(self.module)
            self._state, self._hooks = state, hooks
            try:
                yield
            finally:
                self._state, self._hooks = outer

    @property
    def dtype(self) -> torch.dtype:
        """Of the first trained parameter."""
        return next(iter(self.parameters.values())).dtype

    def __call__(self, batch: Batch) -> Any:
        """The outputs with their graph, in the model's own shape [B, …]; nothing is checked."""
        with torch.enable_grad():
            if self._hooks is not None:
                self._leave_out_onlookers(self._hooks, batch[:FEW])
            return self._run(batch)

    def _leave_out_onlookers(self, hooks: Hooks, few: Batch) -> None:
        """Backward hooks of modules, unless gradients are others without them."""
        self._hooks = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that they see no gradient of the input
            try:
                hooked = self._gradients(few)
            except Exception:  # noqa: BLE001 - they are anybody's code, and may have lost count
                hooked = []
        hooks.leave_out()
        plain = self._gradients(few)
        eps = torch.finfo(self.dtype).eps
        for one, two in zip(hooked, plain, strict=False):
            if not bool((one - two).abs().max() <= ROUNDING * eps * two.abs().max()):
                hooks.put_back()
                return

    def _gradients(self, few: Batch) -> list[torch.Tensor]:
        """Of a weighted sum of the outputs; none where there is no such sum."""
        output = self._run(few)
        if not isinstance(output, torch.Tensor) or not output.requires_grad or not output.numel():
            return []
        weights = torch.linspace(1.0, 2.0, output.numel()).to(output).view(output.shape)
        return gradients((output * weights).sum(), [*self.parameters.values()])

    def _run(self, batch: Batch, renewed: bool = True) -> Any:
        if self._state is not None and renewed:
            self._state.renew()
        given = batch.given()
        if self.forward is not None:
            return self.forward(self.module, given)
        if batch.names is not None:
            return self.module(**given)
        return self.module(*given) if batch.several else self.module(given)

    @torch.enable_grad()
    def shaped(self, batch: Batch) -> torch.Tensor:
        """The outputs with their graph, in the model's own shape [B, …].

        Raises
        ------
        TypeError
            If the output is not one tensor.
        ValueError
            If it does not keep the batch axis, is not finite (the sentence names the module), or
            the model cannot take the input.
        """
        output = self._called(batch)
        if not isinstance(output, torch.Tensor):
            raise TypeError(
                f"the model returns a {type(output).__name__}, expected one tensor of shape "
                "[B, …]; give forward=, a function of (model, batch) that picks it, or wrap the "
                "model."
            )
        if output.dim() == 0 or output.shape[0] != len(batch):
            raise ValueError(
                f"the model's output has shape {list(output.shape)} for {len(batch)} inputs, "
                "expected [B, …] with the batch first."
            )
        if output.numel() == 0:
            raise ValueError(
                f"the model's output has shape {list(output.shape)}, expected at least one number "
                "for every input."
            )
        if output.is_complex():
            raise ValueError(f"the model's output is {output.dtype}, expected real numbers.")
        self._refuse_infinite(output, batch)
        if not output.requires_grad:
            raise ValueError("the model's output does not depend on any of its trained parameters.")
        return self._of_a_pair(output, batch) if len(batch) == 1 else output

    @torch.enable_grad()
    def outputs(self, batch: Batch) -> torch.Tensor:
        """The same, [B, O]."""
        output = self.shaped(batch)
        return output.reshape(output.shape[0], -1)

    def plain(self, batch: Batch, *, renewed: bool = True) -> torch.Tensor:
        """The outputs without a graph, [B, O].

        Parameters
        ----------
        batch : Batch
        renewed : bool
            Whether the call begins with the module as it was, not as the last call left it.

        Raises
        ------
        ValueError
            If they are not finite.
        """
        output = self.unchecked(batch, renewed=renewed)
        self._refuse_infinite(output, batch)
        return output

    def unchecked(self, batch: Batch, *, renewed: bool = True) -> torch.Tensor:
        """The outputs without a graph, [B, O], finite or not."""
        if not self._differentiates:
            try:
                with torch.no_grad():
                    return self._run(batch, renewed).detach().reshape(len(batch), -1)
            except RuntimeError:  # derivatives in the forward pass need a graph
                self._differentiates = True
        with torch.enable_grad():
            return self._run(batch, renewed).detach().reshape(len(batch), -1)

    def _of_a_pair(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """One input as the first of two where the model has a BatchNorm.

        Its gradient on a processor is wrong by up to the whole for a batch of one whose entries
        lie otherwise in memory than PyTorch expects (a transposed view, channels last).
        """
        if any(node.name().startswith(_BATCH_NORM) for node in nodes(output.grad_fn)):
            return self(batch[[0, 0]])[:1]
        return output

    def _called(self, batch: Batch) -> Any:
        try:
            return self(batch)
        except (RuntimeError, TypeError, IndexError) as error:
            hint = ""
            if not batch.holds_floats:
                hint = "; its numbers are integers: convert them to floats if the model embeds none"
            raise ValueError(
                f"the model cannot take an input of {batch.words}: {reason(error)}{hint}."
            ) from error

    def _refuse_infinite(self, output: torch.Tensor, batch: Batch) -> None:
        """Say which module first returns nan or infinite numbers."""
        if bool(torch.isfinite(output).all()):
            return
        bad: list[str] = []

        def look(name: str, tensor: torch.Tensor) -> None:
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                bad.append(name)

        self.watched(batch, look)
        where = (
            f"nan or infinity first appears in {bad[0]}" if bad else "no module is to blame alone"
        )
        raise ValueError(f"the model's output is not finite; {where}.")

    def watched(self, batch: Batch, look: Callable[[str, torch.Tensor], None]) -> None:
        """Call the model and show every tensor that a module returns, in order, with its name."""

        def hook(name: str) -> Any:
            def see(module: nn.Module, _inputs: object, output: object) -> None:
                for tensor in output if isinstance(output, tuple | list) else (output,):
                    if isinstance(tensor, torch.Tensor):
                        look(f"{name or 'the model'} ({type(module).__name__})", tensor.detach())

            return see

        handles = [
            module.register_forward_hook(hook(name))
            for name, module in self.module.named_modules()
            if not isinstance(module, torch.jit.ScriptModule)
        ]
        try:
            self(batch)
        finally:
            for handle in handles:
                handle.remove()


_BATCH_NORM = "NativeBatchNormBackward"


def gradients(value: torch.Tensor, parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    """Of a number with its graph: dense, and 0 for a parameter that it does not depend on."""
    found = torch.autograd.grad(value, parameters, allow_unused=True, materialize_grads=True)
    return [part.to_dense() if part.is_sparse else part for part in found]


def reason(error: Exception) -> str:
    """The first line of an error of a user's code, as part of a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
