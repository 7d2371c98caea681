"""What is trained, and layers whose state makes a kernel of single inputs meaningless."""

from torch import nn
from torch.nn.parameter import UninitializedParameter

from finitewidth.measure.model.norms import fresh

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
DROPOUTS = (nn.modules.dropout._DropoutNd, nn.FeatureAlphaDropout)


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require gradients and are not empty, each once, under its first name.

    Raises
    ------
    TypeError
        If `model` is not a module.
    ValueError
        If there are none, or one is complex, without values yet, made in
        inference mode, or has a gradient hook.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {type(model).__name__}, expected a torch.nn.Module.")
    refuse_lazy(model)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    found = {name: p for name, p in trained.items() if p.numel()}
    for name, parameter in () if found else trained.items():
        raise ValueError(
            f"the model's trained parameters are empty ({name!r} has shape "
            f"{list(parameter.shape)}), so its kernel is 0; give its layers at least one unit."
        )
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
        if parameter.is_inference():
            raise ValueError(
                f"parameter {name!r} was made in torch.inference_mode(), where nothing gets a "
                "gradient; make the model outside of it."
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
        if fresh(module) and not module.training:
            raise ValueError(
                f"{name or 'the model'} ({type(module).__name__}) has statistics that were never "
                "updated, so in eval mode it normalises nothing; set them from data with "
                "fw.measure.calibrate(model, X)."
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
