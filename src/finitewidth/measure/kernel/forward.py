"""The forward pass that is measured, and what is refused before anything is measured."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from finitewidth.measure.kernel.graph import nodes

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
DROPOUTS = (nn.modules.dropout._DropoutNd, nn.FeatureAlphaDropout)


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require gradients, each once, under its first name.

    Raises
    ------
    TypeError
        If `model` is not a module.
    ValueError
        If there are none, or one is complex, without values yet, or has a gradient hook.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {type(model).__name__}, expected a torch.nn.Module.")
    refuse_lazy(model)
    found = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not found:
        raise ValueError(
            "the model has no parameter that requires a gradient, so its kernel is 0; "
            "unfreeze some with requires_grad_(True)."
        )
    for name, parameter in found.items():
        if parameter._backward_hooks:
            raise ValueError(
                f"parameter {name!r} has a gradient hook, so training does not use the output's "
                "own gradient; remove it, or write what it does into the forward pass."
            )
        if parameter.is_complex():
            raise ValueError(
                f"parameter {name!r} is of type {parameter.dtype}; kernels of complex parameters "
                "are not covered, use real ones."
            )
    return found


def refuse_lazy(model: nn.Module) -> None:
    """Refuse parameters that get their values in the first forward pass.

    Raises
    ------
    ValueError
        If there is one.
    """
    for name, parameter in model.named_parameters():
        if isinstance(parameter, UninitializedParameter):
            raise ValueError(
                f"parameter {name!r} has no values yet (a lazy layer); call the model once on a "
                "batch, in the factory if there is one."
            )


def refuse_modules(model: nn.Module) -> None:
    """Refuse layers whose state makes a kernel of single inputs meaningless.

    Raises
    ------
    ValueError
        For BatchNorm in train mode or with statistics never updated, Dropout in train mode, and
        compiled modules.
    """
    for name, module in model.named_modules():
        if "_orig_mod" in module._modules or getattr(module, "_compiled_call_impl", None):
            raise ValueError(
                f"{name or 'the model'} is compiled by torch.compile, which runs its backward "
                "pass once only; measure the module that was given to torch.compile, or one on "
                "which .compile() was not called."
            )
        if isinstance(module, BATCH_NORMS):
            if not module.track_running_stats:
                raise ValueError(
                    f"{name or 'the model'} ({type(module).__name__}) has "
                    "track_running_stats=False, so it normalises by the batch even in eval mode; "
                    "set track_running_stats=True and calibrate, or use another normalisation."
                )
            if module.training:
                raise ValueError(
                    f"{name or 'the model'} ({type(module).__name__}) is in train mode, where the "
                    "output of one input depends on the others; set its statistics with "
                    "fw.measure.calibrate(model, X), which ends in eval mode."
                )
            if module.num_batches_tracked is not None and int(module.num_batches_tracked) == 0:
                raise ValueError(
                    f"{name or 'the model'} ({type(module).__name__}) has statistics that were "
                    "never updated, so in eval mode it normalises nothing; set them from data "
                    "with fw.measure.calibrate(model, X)."
                )
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.max_norm is not None:
            raise ValueError(
                f"{name or 'the model'} ({type(module).__name__}) has max_norm="
                f"{module.max_norm:g}, so it rewrites its weights as it runs; set max_norm=None."
            )
        if isinstance(module, DROPOUTS) and module.training and module.p > 0:
            raise ValueError(
                f"{name or 'the model'} ({type(module).__name__}) is in train mode, where the "
                "model is random; call model.eval() before measuring."
            )


def checked_input(model: nn.Module, x: object, name: str) -> torch.Tensor:
    """An input batch as a tensor on the model's device, floats in the model's precision.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        For an empty batch, nan, complex numbers, or another device than the model's.
    """
    try:
        tensor = x if isinstance(x, torch.Tensor) else torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError):
        several = "; a model of several inputs needs a module around it that makes them from one"
        raise TypeError(
            f"{name} is {type(x).__name__}, expected a tensor or an array"
            f"{several if isinstance(x, Mapping | list | tuple) else ''}."
        ) from None
    if tensor.dim() == 0 or tensor.shape[0] == 0:
        raise ValueError(
            f"{name} has shape {list(tensor.shape)}, expected [B, …] with at least one input."
        )
    if tensor.is_complex():
        raise ValueError(f"{name} is of type {tensor.dtype}, expected real numbers.")
    # frozen whole numbers, as of a quantised layer, say nothing of the input's precision
    floats = (p for p in model.parameters() if p.is_floating_point())
    parameter = next(floats, next(iter(model.parameters())))
    if isinstance(x, torch.Tensor) and tensor.device != parameter.device:
        raise ValueError(
            f"{name} is on {tensor.device} and the model on {parameter.device}; move one of them."
        )
    if tensor.is_floating_point():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{name} holds nan or infinite numbers, expected finite ones.")
        tensor = tensor.to(device=parameter.device, dtype=parameter.dtype)
    return tensor.detach().to(parameter.device)


def run(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The model's output with its graph, [B, O].

    Raises
    ------
    TypeError
        If the output is not one tensor.
    ValueError
        If it does not keep the batch axis, is not finite (the sentence names the module), or the
        model cannot take the input.
    """
    with torch.enable_grad():
        try:
            output = model(x)
        except (RuntimeError, TypeError, IndexError) as error:
            reason = str(error).strip().splitlines()[0]
            hint = ""
            if not x.is_floating_point():
                hint = "; its numbers are integers: convert them to floats if the model embeds none"
            raise ValueError(
                f"the model cannot take an input of shape {list(x.shape)} and type {x.dtype}: "
                f"{reason}{hint}."
            ) from error
    if not isinstance(output, torch.Tensor):
        raise TypeError(
            f"the model returns a {type(output).__name__}, expected one tensor of shape [B, …]; "
            "wrap it in a module that picks the tensor."
        )
    if output.dim() == 0 or output.shape[0] != x.shape[0]:
        raise ValueError(
            f"the model's output has shape {list(output.shape)} for {x.shape[0]} inputs, expected "
            "[B, …] with the batch first."
        )
    if output.is_complex():
        raise ValueError(f"the model's output is {output.dtype}, expected real numbers.")
    if not bool(torch.isfinite(output).all()):
        raise ValueError(f"the model's output is not finite; {_first_bad_module(model, x)}.")
    if not output.requires_grad:
        raise ValueError("the model's output does not depend on any of its trained parameters.")
    return output.reshape(output.shape[0], -1)


def _first_bad_module(model: nn.Module, x: torch.Tensor) -> str:
    """Which module first returns nan or infinite numbers."""
    bad: list[str] = []

    def look(name: str, module: nn.Module):
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            tensors = output if isinstance(output, tuple | list) else (output,)
            for tensor in tensors:
                if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
                    continue
                if not bool(torch.isfinite(tensor).all()):
                    bad.append(f"{name or 'the model'} ({type(module).__name__})")

        return module.register_forward_hook(hook)

    handles = [look(name, module) for name, module in model.named_modules()]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return f"nan or infinity first appears in {bad[0]}" if bad else "no module is to blame alone"


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Leave buffers (running statistics, counters) as they were."""
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                if name in before:
                    buffer.copy_(before[name])


def refuse_randomness(model: nn.Module, x: torch.Tensor) -> None:
    """Evaluate twice on the first inputs and compare; look for graphs that hide parameters.

    Raises
    ------
    ValueError
        If the two answers differ, or the graph of one is no full one.
    """
    few = x[:2]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        output = run(model, few)
    for warning in told:
        if _CHECKPOINT_WITHOUT_GRADIENT in str(warning.message):
            raise ValueError(_REENTRANT)
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    _refuse_nodes(output)
    one, two = output.detach(), run(model, few).detach()
    if not torch.equal(one, two):
        raise ValueError(
            "the model gives two different answers to the same input (largest difference "
            f"{float((one - two).abs().max()):.3g}): it is random or changes as it runs; "
            "put it into eval mode, or fix its random numbers."
        )


_CHECKPOINT_WITHOUT_GRADIENT = "None of the inputs have requires_grad=True"
"""PyTorch's warning where the parameters in a checkpoint get no gradient."""

_REENTRANT = (
    "the model uses torch.utils.checkpoint with use_reentrant=True, which hides its parameters "
    "from the graph; switch checkpointing off, or use use_reentrant=False."
)


def _refuse_nodes(output: torch.Tensor) -> None:
    """Refuse a graph that hides parameters, or can be walked through once only."""
    for node in nodes(output.grad_fn):
        if node.name() == "CheckpointFunctionBackward":
            raise ValueError(_REENTRANT)
        if node.name() == "CompiledFunctionBackward":
            raise ValueError(
                "the model calls a function compiled by torch.compile, which runs its backward "
                "pass once only; measure under torch.compiler.set_stance('force_eager')."
            )


_TOGETHER = 16
"""Inputs that are looked at together."""


def refuse_coupling(model: nn.Module, x: torch.Tensor) -> None:
    """Compare the outputs of two inputs in a batch with those of each alone.

    Raises
    ------
    ValueError
        If they differ by more than rounding.
    """
    if len(x) < 2:
        return
    x = x[:_TOGETHER]
    with torch.no_grad():
        together = run_plain(model, x)[[0, -1]]
        alone = torch.cat([run_plain(model, x[:1]), run_plain(model, x[-1:])])
    scale = float(together.abs().max())
    if float((together - alone).abs().max()) > 1e4 * torch.finfo(alone.dtype).eps * scale:
        raise ValueError(
            "the outputs of one input depend on the other inputs of the batch, so K(x, x') of "
            "single inputs does not exist; put batch-coupled layers such as BatchNorm into eval "
            "mode, or change the model."
        )


def run_plain(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The output without its graph, [B, O]."""
    return model(x).reshape(len(x), -1)


def finite(kernel: torch.Tensor) -> torch.Tensor:
    """The kernel itself.

    Raises
    ------
    ValueError
        If a gradient is not finite, or a sum overflows.
    """
    if not bool(torch.isfinite(kernel).all()):
        raise ValueError(
            f"the kernel is not finite in {kernel.dtype} although the outputs are: a gradient is "
            "infinite or nan there (as that of a root at 0), or a sum overflows; measure "
            "model.double(), or other inputs."
        )
    return kernel
