"""What a training run returns: arrays by network and step, what follows from them, quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Later, Page, Provenance, Record, Section, Shown
from finitewidth.simulate.curves import by_step

BANDS = ("outputs", "loss", "kernel", "distance", "alignment")

CURVES = {
    "loss": "loss",
    "kernel_moved": "distance",
    "features_moved": "features_moved",
    "alignment": "alignment",
}


@dataclass(frozen=True, eq=False)
class Trajectory(Shown):
    """Networks during training.

    T + 1 is the number of recorded steps, the start included: `steps_done` + 1.

    Attributes
    ----------
    net : MLP
        The network, in the parametrization it was trained in.
    y : array of shape [B] or [B, O]
        The targets.
    learning_rate : float
        η.
    outputs : array of shape [size, T + 1, B], or [size, T + 1, B, O] with several outputs
        N at the training inputs, before step 0, 1, … and after the last.
    loss : array of shape [size, T + 1]
        ½ Σ (N − y)² over all training inputs.
    kernels : array of shape [size, T + 1, P, P]
        The tangent kernel on the probe set, summed over the outputs. Not recorded: P = 0.
    features : array of shape [size, T + 1, L, P, P]
        x_a^(j)·x_b^(j)/n_j of the hidden layers j = 1 … L on the probe set. Not recorded: P = 0.
    at_inputs : bool
        Whether the probe set is the training inputs.
    method : str
        ``"dense"`` or ``"deferred"``.
    diverged_at : int or None
        The step after which some network had numbers that are not finite. The record of all
        networks ends before it.
    diverged : int or None
        The first such network.
    seed : int or None
        As given to `train`.
    """

    net: MLP
    y: np.ndarray = field(repr=False)
    learning_rate: float
    outputs: np.ndarray = field(repr=False)
    loss: Float[np.ndarray, "size T"] = field(repr=False)
    kernels: Float[np.ndarray, "size T P P"] = field(repr=False)
    features: Float[np.ndarray, "size T L Q Q"] = field(repr=False)
    at_inputs: bool
    method: str
    diverged_at: int | None = None
    diverged: int | None = None
    seed: int | None = None

    @property
    def size(self) -> int:
        """Number of networks."""
        return len(self.loss)

    @property
    def steps_done(self) -> int:
        """Number of steps that all networks took with finite numbers."""
        return self.loss.shape[1] - 1

    @property
    def distance(self) -> Float[np.ndarray, "size T"]:
        """‖K_t − K_0‖/‖K_0‖ in the Frobenius norm.

        Raises
        ------
        ValueError
            If the kernels were not recorded, or a kernel is 0 at the start.
        """
        start = self._recorded_kernels()[:, :1]
        norms = np.sqrt((start**2).sum(axis=(2, 3)))
        if (norms == 0).any():
            raise ValueError(
                f"the kernel of network {int(np.argmin(norms[:, 0]))} is 0 at the start, so that "
                "a relative distance to it has no meaning; use .kernels."
            )
        return np.sqrt(((self.kernels - start) ** 2).sum(axis=(2, 3))) / norms

    @cached_property
    def features_moved(self) -> Float[np.ndarray, "size T"]:
        """‖Φ_t − Φ_0‖/‖Φ_0‖ of the last hidden layer's feature kernel Φ.

        0 for a network whose last hidden layer is dead on the data: it has no gradient and stays
        at Φ = 0. 0 without hidden layers.

        Raises
        ------
        ValueError
            If the features were not recorded.
        """
        if self.features.shape[-1] == 0:
            raise ValueError(
                'the features were not recorded; train with "features" in record to have them.'
            )
        if self.features.shape[2] == 0:
            return np.zeros(self.features.shape[:2])
        last = self.features[:, :, -1]
        start = np.linalg.norm(last[:, :1], axis=(2, 3))
        moved = np.linalg.norm(last - last[:, :1], axis=(2, 3))
        return np.divide(moved, start, out=moved, where=start > 0)

    @property
    def alignment(self) -> Float[np.ndarray, "size T"]:
        """⟨K, yyᵀ⟩/(‖K‖ ‖yyᵀ‖): 1 for a kernel that knows nothing but the targets.

        Raises
        ------
        ValueError
            If the kernels were not recorded at the training inputs, or K or y is 0.
        """
        kernels = self._recorded_kernels()
        if not self.at_inputs:
            raise ValueError(
                "the alignment with the targets needs the kernels at the training inputs, but "
                "they were recorded on another probe set; train with probe=None."
            )
        y = self.y.reshape(len(self.y), -1)
        wanted = y @ y.T
        norms = np.sqrt((kernels**2).sum(axis=(2, 3))) * np.sqrt((wanted**2).sum())
        if (norms == 0).any():
            raise ValueError(
                "the alignment is not defined because all targets or all entries of a kernel are 0."
            )
        return np.einsum("stab,ab->st", kernels, wanted) / norms

    def band(
        self, of: str = "kernel", q: Sequence[float] = (0.05, 0.5, 0.95)
    ) -> Float[np.ndarray, "q T ..."]:
        """Quantiles over the networks, step by step.

        Parameters
        ----------
        of : str
            ``"outputs"``, ``"loss"``, ``"kernel"`` (the mean of its diagonal), ``"distance"`` or
            ``"alignment"``.
        q : sequence of float
            From 0 to 1.

        Returns
        -------
        array of shape [len(q), T + 1], or [len(q), T + 1, B …] for the outputs

        Raises
        ------
        ValueError
            For an unknown name, a q outside [0, 1], or what cannot be had from this record.
        """
        if of not in BANDS:
            raise ValueError(f"band of {of!r} was asked for, expected one of {', '.join(BANDS)}.")
        wanted = np.atleast_1d(np.asarray(q, dtype=float))
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError(f"q is {q!r}, expected numbers from 0 to 1.")
        if of == "kernel":
            values = np.diagonal(self._recorded_kernels(), axis1=2, axis2=3).mean(axis=2)
        else:
            values = getattr(self, of)
        return np.quantile(values, wanted, axis=0)

    @cached_property
    def curves(self) -> dict[str, Float[np.ndarray, "size T"]]:
        """Loss, ``"kernel_moved"``, ``"features_moved"`` and ``"alignment"``.

        Left out is what was not recorded, is not defined, or leaves the range of float64.
        """
        found = {}
        with np.errstate(over="raise"):  # shortly before a run diverges
            for name, attribute in CURVES.items():
                try:
                    found[name] = getattr(self, attribute)
                except (ValueError, FloatingPointError):
                    continue
        return found

    def divergence(self, name: str = "the run") -> list[str]:
        """The sentence about a run that diverges, or none."""
        if self.diverged_at is None:
            return []
        sentence = (
            f"{name} diverges at step {self.diverged_at}; the record ends before it. Lower the "
            f"learning rate {self.learning_rate:.4g}."
        )
        return [sentence]

    def put(self, record: Record, prefix: str = "") -> None:
        """Every network's curves into a record: facts about these networks, without an error."""
        for name, values in self.curves.items():
            record.exact(f"{prefix}{name}", values, f"simulated networks, {self.method}")

    def page(self) -> Page:
        """What training did, and loss, kernel, features and alignment by step."""
        answer = by_step.answer({"": self.curves}, self.steps_done, bool(self.net.widths))
        title = f"By step, at learning rate {self.learning_rate:.4g}"
        table = by_step.table(title, self.curves, self.method, "")
        figure = Later(lambda: by_step.panels({"networks": self.curves}))
        return Page(
            answer.rstrip("."),
            [*self.divergence("The run"), in_words(self.net)],
            [Section("Step by step", [table, figure])],
            Provenance.now(self.seed),
            self._record,
        )

    def _record(self) -> Record:
        inputs = {"inputs": len(self.y), "seed": self.seed, "size": self.size}
        found = Record(inputs | {"learning_rate": self.learning_rate}, as_json(self.net))
        self.put(found)
        return found

    def _recorded_kernels(self) -> np.ndarray:
        if self.kernels.shape[-1] == 0:
            raise ValueError(
                'the kernels were not recorded; train with "kernels" in record to have them.'
            )
        return self.kernels
