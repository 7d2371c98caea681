"""A real PyTorch network on the digits: measured over seeds, then trained with a `Recorder`.

Nothing here draws or prints.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from models import make_mlp

import finitewidth as fw
from finitewidth._shapes import Float, Int


@dataclass(frozen=True)
class TrainingSettings:
    """What is measured and trained.

    Attributes
    ----------
    seeds : int
        Of the verdict and of the null band.
    inputs : int
        Images in the batch of the verdict, and in the probe set of the recorder.
    check_rate : float
        Of the full-batch descent of the verdict, on the summed squared error.
    steps, batch : int
        Of training.
    rate : float
        Of training, SGD on the mean cross-entropy.
    held_out : int
        Images kept for the accuracy.
    seed : int
        Of the trained network and its batches.
    """

    seeds: int = 48
    inputs: int = 16
    check_rate: float = 2e-3
    steps: int = 1000
    batch: int = 64
    rate: float = 0.1
    held_out: int = 297
    seed: int = 7


@dataclass(frozen=True)
class Training:
    """What was found.

    Attributes
    ----------
    settings : TrainingSettings
    net : MLP
        The description of the PyTorch network.
    check : Check
        The verdict on it.
    exact_mean : float
        E of the mean diagonal over the probe set, traced over outputs, by the exact law.
    exact_shares : array [layers]
    measured : Estimate
        The mean diagonal over seeds.
    data : xarray.Dataset
        The trajectory.
    accuracy : float
        On the images held out, at the end.
    seconds : tuple of float
        Of the verdict, the null band, and training with the recorder.
    """

    settings: TrainingSettings
    net: fw.MLP
    check: fw.Check
    exact_mean: float
    exact_shares: Float[np.ndarray, " layers"]
    measured: fw.Estimate
    data: Any
    accuracy: float
    seconds: tuple[float, float, float]


def classes() -> tuple[Float[np.ndarray, "images pixels"], Int[np.ndarray, " images"]]:
    """All images, pixels from 0 to 1, and their digits."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.asarray(pixels, dtype=float) / 16.0, np.asarray(labels)


def description() -> fw.MLP:
    """The network of `make_mlp` as the law knows it: PyTorch's weights are not rescaled."""
    return fw.MLP.equal_width(64, 128, 2, parametrization="standard")


def train(
    settings: TrainingSettings, progress: Callable[[int, int], object] | None = None
) -> Training:
    """Verdict, null band, and training; `progress` hears of the verdict's networks."""
    images, labels = classes()
    x, y = images[: settings.inputs], labels[: settings.inputs]

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total)

    start = perf_counter()
    check = fw.check(
        make_mlp,
        x,
        np.eye(10)[y],
        learning_rate=settings.check_rate,
        seeds=settings.seeds,
        progress=told,
    )
    checked = perf_counter()
    null = fw.measure.null_band(make_mlp, x, seeds=settings.seeds, y=y)
    banded = perf_counter()
    with one_thread():
        data, accuracy = recorded(settings, images, labels, null)
    laws = [fw.KernelLaw(description(), image) for image in x]
    return Training(
        settings,
        description(),
        check,
        10.0 * float(np.mean([law.mean() for law in laws])),
        exact_shares(laws),
        check.measured.start.mean,
        data,
        accuracy,
        (checked - start, banded - checked, perf_counter() - banded),
    )


def recorded(
    settings: TrainingSettings,
    images: Float[np.ndarray, "images pixels"],
    labels: Int[np.ndarray, " images"],
    null: Any,
) -> tuple[Any, float]:
    """Train one network, the three lines of the recorder included; trajectory and accuracy."""
    import torch
    from torch.nn.functional import cross_entropy

    inputs, targets = torch.tensor(images), torch.tensor(labels)
    probe, kept = settings.inputs, len(images) - settings.held_out
    torch.manual_seed(settings.seed)
    model = make_mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=settings.rate)
    with TemporaryDirectory() as folder:
        recorder = fw.measure.Recorder(
            model,
            inputs[:probe],
            Path(folder) / "digits.sqlite",
            y=targets[:probe],
            lr=settings.rate,
            null=null,
        )
        with recorder:
            for _ in range(settings.steps):
                chosen = torch.randint(kept, (settings.batch,))
                loss = cross_entropy(model(inputs[chosen]), targets[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(loss)
        data = recorder.dataset().load()
    with torch.no_grad():
        hits = model(inputs[kept:]).argmax(dim=1) == targets[kept:]
    return data, float(hits.double().mean())


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def exact_shares(laws: list[fw.KernelLaw]) -> Float[np.ndarray, " layers"]:
    """Each layer's part of the mean over inputs, weights and bias together."""
    total = np.zeros(laws[0].net.depth)
    for law in laws:
        shares = law.layer_shares()
        total += law.mean() * (shares.weights + shares.biases)
    return total / total.sum()
