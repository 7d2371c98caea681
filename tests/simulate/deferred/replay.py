"""The slow twin: the same questions asked of a stored matrix, in plain float64."""

from collections.abc import Callable

import torch

from finitewidth.simulate.deferred import DeferredMatrix


class Replay:
    """Asks a deferred matrix, and writes down what was asked, answered and descended."""

    def __init__(self, matrix: DeferredMatrix) -> None:
        self.matrix = matrix
        self._steps: list[Callable[[torch.Tensor], None]] = []
        self._velocity: torch.Tensor | None = None
        self.worst = 0.0

    def right(self, x: torch.Tensor) -> torch.Tensor:
        answer = self.matrix.right(x)
        asked, kept = x.double().clone(), answer.double()
        self._steps.append(lambda w: self._compare(kept, asked @ w.mT, asked, w))
        return answer

    def left(self, u: torch.Tensor) -> torch.Tensor:
        answer = self.matrix.left(u)
        asked, kept = u.double().clone(), answer.double()
        self._steps.append(lambda w: self._compare(kept, asked @ w, asked, w))
        return answer

    def descend(self, u, x, rate, momentum=0.0, weight_decay=0.0, mix=None) -> None:
        self.matrix.descend(u, x, rate, momentum, weight_decay, mix)
        a, b = u.double().clone(), x.double().clone()
        if mix is not None:
            a = torch.einsum("srn,srb->sbn", a, mix.double())

        def step(w: torch.Tensor) -> None:
            gradient = a.mT @ b + weight_decay * w
            if momentum:
                if self._velocity is not None:
                    gradient = gradient + momentum * self._velocity
                self._velocity = gradient
            w -= rate * gradient

        self._steps.append(step)

    def _compare(self, answer, product, asked, w) -> None:
        """Worst difference, in units of |row| times the root mean square of the matrix."""
        scale = torch.linalg.vector_norm(asked, dim=2, keepdim=True) * w.square().mean().sqrt()
        error = ((answer - product).abs() / scale.clamp_min(1e-300)).amax()
        self.worst = max(self.worst, float(error))

    def error(self) -> float:
        """Worst difference of all answers and of the matrix at the end from a stored one's."""
        now = self.matrix.dense().double()
        w = self.matrix.complete().double()
        for step in self._steps:
            step(w)
        return max(self.worst, float((now - w).abs().amax() / w.square().mean().sqrt()))
