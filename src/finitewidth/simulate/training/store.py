"""A run on disk: its record as it comes, and beside it the state to go on from."""

from collections.abc import Callable, Iterable
from pathlib import Path
from pickle import UnpicklingError
from time import monotonic
from typing import Any
from uuid import uuid4

import numpy as np

from finitewidth.network import MLP
from finitewidth.simulate.training.problem import Problem
from finitewidth.store.records import Reader, Record, Writer, digest

# The state is written again when the last writing took less than this share of the time since:
# a run that is cut off repeats that much of itself at most, and pays as much for it.
SHARE = 0.05


def described(net: MLP) -> dict[str, Any]:
    """The network as JSON; a user's function by its name and by its values at a few numbers."""
    found: dict[str, Any] = {
        name: getattr(net, name)
        for name in (
            "n_in", "hidden_gain", "output_gain", "n_out", "bias", "bias_variance", "bias_lr",
            "parametrization",
        )
    }  # fmt: skip
    some = np.array([[-2.5, -0.7, -0.1, 0.0, 0.3, 1.1, 4.0]])
    return found | {
        "widths": [list(run) for run in net.runs],
        "activation": [net.act.name, digest(net.act(some)), digest(net.act.derivative(some))],
        "weight_law": net.law.name,
        "residual": None if net.residual is None else list(net.residual),
    }


class Store:
    """Nothing is kept."""

    def records(self, first: int, last: int) -> Iterable[Record]:
        """The records of a batch of networks, by step."""
        return ()

    def append(self, first: int, last: int, at: int, found: dict[str, np.ndarray]) -> None:
        """Keep an observation."""

    def diverged(self, first: int, last: int, at: int, network: int) -> None:
        """Keep that a network left the range of its precision."""

    def state(self, first: int, last: int) -> tuple[int, list[dict[str, Any]] | None]:
        """The step to go on from, and the networks there; 0 and None for the start."""
        return 0, None

    def keep(
        self, first: int, last: int, at: int, state: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Keep the networks at step `at`, if it is worth it."""

    def forget(self) -> None:
        """The run is complete: the state is of no more use."""

    def close(self) -> None:
        """End the writing."""


class FileStore(Store):
    """Records in one file (see `finitewidth.store.records`), the state in another, ``….state``.

    Parameters
    ----------
    path : str or path
    problem : Problem
        A file of another problem is refused.
    method : str
        ``"dense"`` or ``"deferred"``.
    at_once : int
        How many networks would be held at a time; a file that was begun with another number goes
        on with that.

    Attributes
    ----------
    at_once : int

    Raises
    ------
    ValueError
        If the file holds something else.
    RuntimeError
        If another run is writing it.
    """

    def __init__(self, path: str | Path, problem: Problem, method: str, at_once: int) -> None:
        self.path = Path(path)
        self._state = self.path.with_name(self.path.name + ".state")
        identity = described(problem.net) | {
            name: getattr(problem, name)
            for name in (
                "learning_rate", "steps", "size", "seed", "momentum", "weight_decay", "batch_size",
                "precision",
            )
        }  # fmt: skip
        identity |= {"method": method, "record": list(problem.record)}
        arrays = {"X": problem.X, "y": problem.y}
        if problem.probe is not None:
            arrays["probe"] = problem.probe
        self._writer = Writer(self.path, "training", identity, arrays)
        self.at_once = at_once
        try:
            self._begin(at_once)
        except BaseException:
            self._writer.close()
            raise
        self._saved, self._took = monotonic(), 0.0

    def _begin(self, at_once: int) -> None:
        """Write how many networks are held at a time, or take it from the file.

        The token beside it tells the file's own state from one that another file left behind.
        """
        with Reader(self.path) as reader:
            begun = reader.at(0, "at once")
        if begun is None:
            self._token = uuid4().hex
            note = {"token": self._token}
            self._writer.append(0, {"at_once": np.array(at_once)}, "at once", note)
        else:
            self.at_once = int(begun.arrays["at_once"])
            self._token = begun.note["token"]

    @staticmethod
    def _series(first: int, last: int) -> str:
        return f"networks {first} to {last - 1}"

    def records(self, first: int, last: int) -> Iterable[Record]:
        """The records of a batch of networks, by step."""
        with Reader(self.path) as reader:
            yield from reader.records(self._series(first, last))

    def append(self, first: int, last: int, at: int, found: dict[str, np.ndarray]) -> None:
        """Write an observation; when this returns it outlives the process."""
        self._writer.append(at, found, self._series(first, last))

    def diverged(self, first: int, last: int, at: int, network: int) -> None:
        """Write the end of a batch's record."""
        self._writer.append(at, {}, self._series(first, last), {"diverged": network})

    def state(self, first: int, last: int) -> tuple[int, list[dict[str, Any]] | None]:
        """The state in the file, if it is of these networks of this run, and whole.

        Without it the batch is trained again from its start, to the same numbers.
        """
        import torch

        if not self._state.is_file():
            return 0, None
        try:
            saved = torch.load(self._state, weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError):  # cut short by a power failure
            return 0, None
        if (saved["token"], saved["series"]) != (self._token, self._series(first, last)):
            return 0, None
        return saved["at"], saved["networks"]

    def keep(
        self, first: int, last: int, at: int, state: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Write the state where that is cheap; a state that was there is replaced at once."""
        import torch

        begun = monotonic()
        if self._took > SHARE * (begun - self._saved):
            return
        new = self._state.with_name(self._state.name + ".new")
        saved = {"token": self._token, "series": self._series(first, last), "at": at}
        saved["networks"] = state()
        torch.save(saved, new)
        new.replace(self._state)
        self._saved = monotonic()
        self._took = self._saved - begun

    def forget(self) -> None:
        """Remove the state."""
        self._state.unlink(missing_ok=True)

    def close(self) -> None:
        """End the writing."""
        self._writer.close()
