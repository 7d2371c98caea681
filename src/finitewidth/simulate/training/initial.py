"""The deferred method of `ensemble`: outputs and kernels at the start, matrices never stored."""

import numpy as np
import torch

from finitewidth._shapes import Float
from finitewidth.network import MLP
from finitewidth.simulate.dense.draw import BLOCK
from finitewidth.simulate.matrices.threads import lent_to_products
from finitewidth.simulate.progress import reporting
from finitewidth.simulate.results import Ensemble
from finitewidth.simulate.training import draw
from finitewidth.simulate.training.observe import kernel


def ensemble(
    net: MLP, X: Float[np.ndarray, "B n_in"], size: int, seed: int, at_once: int, progress: object
) -> Ensemble:
    """Draw and evaluate networks in float64, `at_once` at a time; arguments checked by the caller.

    They are those that ``train(…, method="deferred")`` starts from with this seed.

    Raises
    ------
    RuntimeError
        If a kernel leaves the range of float64.
    """
    count = len(X)
    outputs = np.empty((size, count))
    weights, biases = np.empty((size, count, count)), np.empty((size, count, count))
    rows = torch.from_numpy(X)
    quiet = np.errstate(over="ignore", invalid="ignore")
    with lent_to_products(), quiet, torch.no_grad(), reporting(progress, "networks") as report:
        for first in range(0, size, min(at_once, BLOCK)):
            last = min(first + min(at_once, BLOCK), size)
            networks = draw.deferred(net, seed, first, last, torch.float64, torch.device("cpu"))
            seen = networks.forward(rows.expand(last - first, -1, -1).contiguous())
            parts = kernel(networks, seen, networks.backward(seen))
            outputs[first:last] = seen.outputs[:, :, 0].numpy()
            weights[first:last], biases[first:last] = (part.numpy() for part in parts)
            found = outputs[first:last].sum(axis=1) + (
                weights[first:last] + biases[first:last]
            ).sum(axis=(1, 2))
            if not np.isfinite(found).all():
                raise RuntimeError(
                    f"network {first + int(np.argmin(np.isfinite(found)))} has outputs or kernels "
                    "beyond the range of float64; use fewer layers or smaller gains."
                )
            report(last, size)
    return Ensemble(
        net=net,
        outputs=outputs,
        weights=weights,
        biases=biases,
        kernels=weights + biases,
        seed=seed,
        method="deferred",
    )
