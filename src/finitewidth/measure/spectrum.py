"""A kernel without storing it: products, top eigenvalues, trace, effective rank, alignment."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from finitewidth._shapes import Float
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.randomness import refuse_randomness

Product = Callable[[np.ndarray], np.ndarray]


class KernelOperator:
    """K of a batch as a linear map on vectors over (input, output), never stored.

    One product costs a backward and a forward-mode pass: K v = J (Jᵀ v).

    Parameters
    ----------
    model : torch.nn.Module
    X : tensor or array [B, …]
        Or a tuple or a mapping of them.
    forward : callable, optional
        As in `kernel`.

    Raises
    ------
    ValueError, TypeError
        As `kernel`.
    """

    def __init__(self, model: nn.Module, X: object, *, forward: Forward | None = None) -> None:
        called = Model(model, forward)
        self._parameters = [*called.parameters.values()]
        batch = called.batch(X, "X")
        with called.undisturbed():
            refuse_randomness(called, batch)
            refuse_coupling(called, batch)
            self._output = called.outputs(batch)
            self._pull()

    @classmethod
    def of(cls, output: torch.Tensor, parameters: list[nn.Parameter]) -> "KernelOperator":
        """That of outputs with their graph, which are not looked at."""
        found = cls.__new__(cls)
        found._output, found._parameters = output, parameters
        found._pull()
        return found

    def _pull(self) -> None:
        # the double-backward trick: Jᵀu as a differentiable function of u gives J w
        self._dummy = torch.zeros_like(self._output, requires_grad=True)
        pulled = torch.autograd.grad(
            self._output, self._parameters, self._dummy, create_graph=True, allow_unused=True
        )
        self._used = [
            (parameter, grad)
            for parameter, grad in zip(self._parameters, pulled, strict=True)
            if grad is not None
        ]

    @property
    def shape(self) -> tuple[int, int]:
        """(B·O, B·O)."""
        return self._output.numel(), self._output.numel()

    def __matmul__(self, vector: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """K v for v over (input, output), the outputs of one input side by side."""
        if vector.shape != (self.shape[0],):
            raise ValueError(
                f"the vector has shape {list(vector.shape)}, expected [{self.shape[0]}] "
                "(inputs × outputs)."
            )
        v = torch.as_tensor(vector, dtype=self._output.dtype, device=self._output.device)
        parameters = [parameter for parameter, _ in self._used]
        weights = torch.autograd.grad(
            self._output, parameters, v.view_as(self._output), retain_graph=True
        )
        (found,) = torch.autograd.grad(
            [grad for _, grad in self._used], self._dummy, weights, retain_graph=True
        )
        return found.detach().double().reshape(-1).cpu().numpy()

    def top_eigenvalues(self, count: int = 1) -> Float[np.ndarray, " count"]:
        """The largest eigenvalues, descending, by Lanczos iteration.

        Raises
        ------
        ValueError
            Unless 1 ≤ count < B·O.
        """
        size = self.shape[0]
        if not 1 <= count < size:
            raise ValueError(f"count is {count}, expected from 1 to {size - 1} (inputs × outputs).")
        return _lanczos(lambda v: self @ v, size, count)


def largest_eigenvalue(product: Product, size: int) -> float:
    """That of a symmetric map of vectors [size], the largest by magnitude."""
    if size == 1:
        return float(product(np.ones(1))[0])
    if not product(_start(size)).any():
        return 0.0
    return float(_lanczos(product, size, 1)[0])


def _start(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(size)


def _lanczos(product: Product, size: int, count: int) -> np.ndarray:
    from scipy.sparse.linalg import LinearOperator, eigsh

    flat: Product = lambda v: product(v.reshape(-1))  # noqa: E731
    operator = LinearOperator((size, size), matvec=flat, dtype=np.float64)  # type: ignore[call-arg]
    values = eigsh(operator, k=count, v0=_start(size), return_eigenvectors=False)
    return np.sort(values)[::-1]


def effective_rank(kernel: Float[np.ndarray, "n n"]) -> float:
    """exp of the entropy of the eigenvalues over their sum (Roy & Vetterli 2007)."""
    values = np.maximum(np.linalg.eigvalsh(kernel), 0.0)
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def alignment(kernel: Float[np.ndarray, "n n"], targets: Float[np.ndarray, "n ..."]) -> float:
    """⟨K, y yᵀ⟩/(‖K‖ ‖y yᵀ‖) (Cristianini et al. 2002); 1 if K is y yᵀ up to a factor.

    Raises
    ------
    ValueError
        If the shapes differ or the targets are all 0.
    """
    y = np.asarray(targets, dtype=np.float64).reshape(len(targets), -1)
    if kernel.shape != (len(y), len(y)):
        raise ValueError(
            f"kernel has shape {list(kernel.shape)} for {len(y)} targets, expected "
            f"[{len(y)}, {len(y)}]."
        )
    outer = y @ y.T
    if not outer.any():
        raise ValueError("the targets are all 0, so nothing aligns with them.")
    return float((kernel * outer).sum() / (np.linalg.norm(kernel) * np.linalg.norm(outer)))
