"""`DeferredLinear`: a linear layer whose weight matrix is never drawn in full."""

import weakref
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from finitewidth.simulate.deferred.matrix import DeferredMatrix


class DeferredWeight(torch.nn.Parameter):
    """Stands for a weight matrix that is not stored: a parameter without numbers.

    It makes autograd visit the layer, carries the options of its parameter group, and lets every
    optimiser but `DeferredSGD` be recognised and refused.
    """

    layer: "weakref.ref[DeferredLinear] | None" = None

    def __reduce_ex__(self, _: Any) -> Any:
        """Without the layer, which a copy learns in its first forward pass."""
        return DeferredWeight, (self.data, self.requires_grad)


class DeferredLinear(torch.nn.Module):
    """y = scale · W x + b with W of iid Normal(0, 1) entries, met in products only.

    Behaves as `torch.nn.Linear` in forward and backward. The gradient of the weight is kept as the
    pairs (u, x) of Σ u xᵀ, for `DeferredSGD`; it is in no ``.grad``, so that clipping by norm does
    not see it.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is a bias, 0 at the start, an ordinary parameter.
    scale : float, optional
        Standard deviation of a weight at the start; 1/√in_features if None.
    seed : int or numpy SeedSequence, optional
        Of the matrix; drawn from PyTorch's generator if None, so that ``torch.manual_seed``
        decides it.
    dtype : torch.dtype, optional
        torch.float32 or torch.float64; PyTorch's default if None.
    device : str or torch.device

    Raises
    ------
    ValueError, TypeError
        For sizes, a scale, a seed or a dtype that cannot be used; in a forward pass for inputs of
        another length or dtype.
    RuntimeError
        If the layer is converted to another dtype or device.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        scale: float | None = None,
        seed: int | np.random.SeedSequence | None = None,
        dtype: torch.dtype | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        super().__init__()
        dtype = dtype or torch.get_default_dtype()
        if seed is None:
            seed = int(torch.randint(2**62, ()))
        self.matrix = DeferredMatrix(
            out_features, in_features, seeds=[seed], dtype=dtype, device=device
        )
        self.in_features, self.out_features = in_features, out_features
        self.scale = 1 / sqrt(in_features) if scale is None else float(scale)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale is {scale}, expected a finite number above 0.")
        self.weight = DeferredWeight(torch.empty(0, dtype=dtype, device=device))
        self.bias = None
        if bias:
            self.bias = torch.nn.Parameter(torch.zeros(out_features, dtype=dtype, device=device))
        self._pairs: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._in_pass = False
        self._watched: int | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer at inputs of shape [..., in_features]."""
        if x.dim() < 1 or x.shape[-1] != self.in_features:
            raise ValueError(
                f"the input has shape {list(x.shape)}, expected [..., {self.in_features}]."
            )
        self._watch()
        y = _Product.apply(x, self.weight, self)
        assert isinstance(y, torch.Tensor)
        return y if self.bias is None else y + self.bias

    def gradient(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """u of shape [1, R, out_features] and x of shape [1, R, in_features] of Σ u xᵀ, the
        gradient with respect to scale · W since it was last cleared; None without one.
        """  # noqa: D205
        if self.weight.grad is None or not self._pairs:
            return None
        if len(self._pairs) == 1:
            return self._pairs[0]
        us, xs = zip(*self._pairs, strict=True)
        return torch.cat(us, dim=1), torch.cat(xs, dim=1)

    def clear_gradient(self) -> None:
        """Forget the gradient."""
        self._pairs, self.weight.grad = [], None

    def dense_weight(self) -> torch.Tensor:
        """scale · W at present, of shape [out_features, in_features]; draws all of W.

        Raises
        ------
        ValueError
            If it does not fit into the free memory.
        """
        return self.scale * self.matrix.dense()[0]

    def to_linear(self) -> torch.nn.Linear:
        """The ordinary layer with the same weights; draws all of W."""
        weight = self.dense_weight()
        linear = torch.nn.Linear(
            self.in_features, self.out_features, self.bias is not None,
            dtype=weight.dtype, device=weight.device,
        )  # fmt: skip
        with torch.no_grad():
            linear.weight.copy_(weight)
            if self.bias is not None:
                linear.bias.copy_(self.bias)
        return linear

    def extra_repr(self) -> str:
        """As `torch.nn.Linear` does."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}, scale={self.scale:.4g}"
        )

    def get_extra_state(self) -> dict[str, Any]:
        """What is known of the matrix, for ``state_dict``."""
        return {"matrix": self.matrix.state_dict(), "scale": self.scale}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self.matrix.load_state_dict(state["matrix"])
        self.scale = state["scale"]
        self.clear_gradient()

    def _apply(self, fn: Any, recurse: bool = True) -> "DeferredLinear":
        found = fn(torch.empty(0, dtype=self.matrix.dtype, device=self.matrix.device))
        if found.dtype != self.matrix.dtype or found.device.type != self.matrix.device.type:
            raise RuntimeError(
                f"a DeferredLinear in {self.matrix.dtype} on {self.matrix.device} cannot be "
                f"converted to {found.dtype} on {found.device}: build it with dtype= and device=."
            )
        return super()._apply(fn, recurse)

    def _watch(self) -> None:
        """Learn when a backward pass is over; copies of a layer learn it anew."""
        if self._watched == id(self.weight):
            return
        self.weight.layer = weakref.ref(self)
        here = self.weight.layer

        def over(_: torch.Tensor) -> None:
            layer = here()
            if layer is not None:
                layer._in_pass = False

        self.weight.register_post_accumulate_grad_hook(over)
        self._watched = id(self.weight)

    def _take(self, u: torch.Tensor, x: torch.Tensor) -> None:
        """Keep a pair; a pass that finds the gradient cleared by ``zero_grad`` starts anew."""
        if not self._in_pass:
            if self.weight.grad is None:
                self._pairs = []
            self._in_pass = True
        self._pairs.append((u, x))

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        return state | {"_pairs": [], "_in_pass": False, "_watched": None}


class _Product(torch.autograd.Function):
    """scale · W x, and scale · Wᵀ u backward."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, _: torch.Tensor, layer: DeferredLinear) -> torch.Tensor:  # type: ignore[override]
        flat = x.detach().reshape(1, -1, layer.in_features)
        ctx.save_for_backward(x)
        ctx.flat, ctx.layer = flat, layer
        return (layer.scale * layer.matrix.right(flat)).reshape(*x.shape[:-1], layer.out_features)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        (x,) = ctx.saved_tensors  # refuses an x that was written to since
        layer, wanted = ctx.layer, ctx.needs_input_grad
        u = grads[0].detach().reshape(1, -1, layer.out_features).contiguous()
        if wanted[1]:
            layer._take(u, ctx.flat)
        back = (layer.scale * layer.matrix.left(u)).reshape(x.shape) if wanted[0] else None
        return back, torch.zeros_like(layer.weight) if wanted[1] else None, None
