"""What `finitewidth simulate` is asked to do to a network, and a finished run of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from finitewidth.network import MLP
from finitewidth.simulate import Trajectory, train

SHARE = 0.99
"""Share of the networks whose kernels the learning rate is chosen for: kernels have heavy tails,
and a step that suits the mean makes the largest diverge."""


@dataclass(frozen=True)
class Trained:
    """One network's run.

    Attributes
    ----------
    name : str
        In tables and legends.
    rate : float
        The learning rate.
    given : bool
        Whether the rate was asked for.
    trajectory : Trajectory
    """

    name: str
    rate: float
    given: bool
    trajectory: Trajectory

    @cached_property
    def features_moved(self) -> np.ndarray:
        """‖Φ_t − Φ_0‖/‖Φ_0‖ of the last hidden layer's feature kernel, [size, steps + 1].

        0 for a network whose last hidden layer is dead on the data: it has no gradient and stays
        at Φ = 0.
        """
        kernels = self.trajectory.features
        if kernels.shape[2] == 0:
            return np.zeros(kernels.shape[:2])
        last = kernels[:, :, -1]
        start = np.linalg.norm(last[:, :1], axis=(2, 3))
        moved = np.linalg.norm(last - last[:, :1], axis=(2, 3))
        return np.divide(moved, start, out=moved, where=start > 0)

    @cached_property
    def curves(self) -> dict[str, np.ndarray]:
        """{name: [size, steps + 1]} of everything that is shown."""
        return {
            "loss": self.trajectory.loss,
            "kernel_moved": self.trajectory.distance,
            "features_moved": self.features_moved,
            "alignment": self.trajectory.alignment,
        }

    @property
    def rule(self) -> str:
        """Where the learning rate comes from."""
        if self.given:
            return "given"
        who = "" if self.trajectory.size == 1 else f" of {100 * SHARE:g} % of the networks"
        return f"½ over the largest eigenvalue of the kernel at step 0{who}"


@dataclass(frozen=True)
class Training:
    """Data and schedule: everything but the network.

    Attributes
    ----------
    X, y : array [B, n_in], [B] or [B, n_out]
    steps, size, seed, method, momentum, weight_decay, batch_size
        As in `finitewidth.simulate.train`.
    lr : float or None
        The learning rate; None chooses one by the kernel at the start.
    """

    X: np.ndarray
    y: np.ndarray
    steps: int
    size: int
    seed: int
    method: str
    momentum: float
    weight_decay: float
    batch_size: int | None
    lr: float | None

    def work(self, net: MLP) -> float:
        """What a progress bar is shown for, in its units."""
        return 10.0 * self.size * (self.steps + 1) * sum(net.widths) * len(self.X)

    def rate(self, net: MLP) -> float:
        """The learning rate of this network."""
        if self.lr is not None:
            return self.lr
        start = train(net, self.X, self.y, 1.0, 0, self.size, self.seed, self.method,
                      record=("kernels",)).kernels[:, 0]  # fmt: skip
        return 0.5 / float(np.quantile(np.linalg.eigvalsh(start)[:, -1], SHARE))

    def of(
        self,
        name: str,
        net: MLP,
        store: str | None,
        progress: Callable[[int, int], object] | None,
    ) -> Trained:
        """Train `size` networks, or read or finish the run that `store` holds."""
        rate = self.rate(net)
        trajectory = train(
            net,
            self.X,
            self.y,
            rate,
            self.steps,
            self.size,
            self.seed,
            self.method,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            store=store,
            progress=progress or False,
        )
        return Trained(name, rate, self.lr is not None, trajectory)
