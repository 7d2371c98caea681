"""One step of a batch of networks: what is observed before it, and the step itself."""

from dataclasses import dataclass

import numpy as np
import torch

from finitewidth._shapes import Float
from finitewidth.simulate.training.descent import minibatch, step
from finitewidth.simulate.training.networks import Networks, Pass
from finitewidth.simulate.training.observe import features, kernel
from finitewidth.simulate.training.problem import Problem

Observation = dict[str, np.ndarray]
"""float64 arrays of one step: outputs [S, B, O], loss [S], kernels [S, P, P], features."""


@dataclass(frozen=True)
class Data:
    """Inputs and targets as tensors.

    Attributes
    ----------
    rows : tensor of shape [B (+ P), n_in]
        X, and the probe behind it if there is one.
    targets : tensor of shape [B, O]
    trained : int
        B.
    shared : bool
        Whether the probe is X.
    """

    rows: Float[torch.Tensor, "R n_in"]
    targets: Float[torch.Tensor, "B O"]
    trained: int
    shared: bool


def data(problem: Problem, device: torch.device) -> Data:
    """The problem's, in its precision."""
    dtype = getattr(torch, problem.precision)
    return Data(
        torch.as_tensor(problem.rows).to(device, dtype),
        torch.as_tensor(problem.y).to(device, dtype),
        len(problem.X),
        problem.probe is None,
    )


def _array(values: torch.Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()


@dataclass(frozen=True)
class Seen:
    """A step half done: the pass, and the unit gradients at the probe if the kernel needed them."""

    at: Pass
    deltas: list[torch.Tensor] | None


def observe(networks: Networks, problem: Problem, on: Data, size: int) -> tuple[Observation, Seen]:
    """What is recorded of `size` networks as they are, and what `descend` goes on with."""
    seen = networks.forward(on.rows.expand(size, -1, -1).contiguous())
    at_training = seen.outputs[:, : on.trained]
    errors = (at_training - on.targets).double()
    found = {
        "outputs": _array(at_training),
        "loss": _array(0.5 * (errors**2).sum(dim=(1, 2))),
    }
    probed = seen if on.shared else seen.rows(slice(on.trained, None))
    deltas = None
    if "kernels" in problem.record:
        deltas = networks.backward(probed)
        found["kernels"] = _array(sum(kernel(networks, probed, deltas)))  # type: ignore[arg-type]
    if "features" in problem.record:
        found["features"] = _array(features(probed))
    return found, Seen(seen, deltas)


def descend(networks: Networks, problem: Problem, on: Data, observed: Seen, step_: int) -> None:
    """Step `step_` → `step_` + 1, in place.

    Where the kernel was recorded at the training inputs, the gradients of the loss are
    combinations of those it is made of, and no further product is asked for.
    """
    seen, deltas = observed.at, observed.deltas
    chosen = minibatch(step_, on.trained, problem.batch_size, problem.seed)
    which: slice | torch.Tensor = slice(0, on.trained)
    if chosen is not None:
        which = torch.from_numpy(chosen).to(seen.outputs.device)
    used = seen if on.shared and chosen is None else seen.rows(which)
    errors = used.outputs - on.targets[which]
    if on.shared and deltas is not None:
        at = [d if chosen is None else d[:, which] for d in deltas]
        vectors, mix = [d.flatten(1, 2) for d in at], _each_its_own(errors)
    else:
        vectors = [d.flatten(1, 2) for d in networks.backward(used, errors[:, :, None, :])]
        mix = _each_its_own(torch.ones_like(errors[:, :, :1]))
    step(
        networks,
        used,
        vectors,
        mix,
        problem.learning_rate,
        problem.momentum,
        problem.weight_decay,
    )


def _each_its_own(
    factors: Float[torch.Tensor, "S B O"],
) -> Float[torch.Tensor, "S BO B"]:
    """The mix in which input b has the vectors (b, 1) … (b, O), with these factors."""
    return torch.diag_embed(factors.transpose(1, 2)).permute(0, 2, 1, 3).flatten(1, 2)
