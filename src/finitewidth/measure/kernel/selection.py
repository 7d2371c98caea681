"""Which outputs a kernel is of: all of them, their trace, their sum, or one."""

from dataclasses import dataclass
from numbers import Integral

import torch


@dataclass(frozen=True)
class Selection:
    """How outputs are chosen and kernels shaped.

    Attributes
    ----------
    kind : str
        ``"all"``, ``"trace"``, ``"sum"``, ``"diagonal"`` or ``"index"``.
    index : int
        Which output, for ``"index"``.
    """

    kind: str
    index: int = 0

    @classmethod
    def read(cls, outputs: object) -> "Selection":
        """From the argument `outputs`.

        Raises
        ------
        ValueError
            Unless it is one of these words or a whole number of at least 0.
        """
        if isinstance(outputs, str) and outputs in ("all", "trace", "sum", "diagonal"):
            return cls(outputs)
        if isinstance(outputs, Integral) and not isinstance(outputs, bool) and int(outputs) >= 0:
            return cls("index", int(outputs))
        raise ValueError(
            f"outputs is {outputs!r}, expected 'all', 'trace', 'sum', 'diagonal' or the number of "
            "one output."
        )

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        """Outputs [B, O] to those whose gradients are wanted.

        Raises
        ------
        ValueError
            If the one that was asked for does not exist.
        """
        if self.kind == "sum":
            return output.sum(dim=1, keepdim=True)
        if self.kind == "index":
            if self.index >= output.shape[1]:
                raise ValueError(
                    f"outputs is {self.index}, but the model has {output.shape[1]} outputs "
                    f"(0 … {output.shape[1] - 1})."
                )
            return output[:, self.index : self.index + 1]
        return output

    @property
    def keeps_outputs(self) -> bool:
        """Whether the kernel has axes for two outputs."""
        return self.kind == "all"
