"""`compare`: parametrizations of one network, or any networks, trained on the same data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import ArrayLike

from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Later, Page, Panels, Provenance, Record, Section, Shown
from finitewidth.simulate.curves import by_step
from finitewidth.simulate.runs.run import Inputs, Run, in_turn


@dataclass(frozen=True, eq=False)
class Comparison(Shown):
    """Runs of networks on the same data with the same seed.

    Attributes
    ----------
    runs : sequence of Run
        ``.name``, ``.trajectory``, and whether the learning rate was ``.given``.
    inputs : Inputs
        The training inputs and what they are.
    """

    runs: Sequence[Run]
    inputs: Inputs

    @property
    def _curves(self) -> dict[str, by_step.Curves]:
        return {run.name: run.trajectory.curves for run in self.runs}

    def _networks(self) -> list[str]:
        """The networks in words: the first one, if only the parametrization is another."""
        nets = {run.name: run.trajectory.net for run in self.runs}
        first = self.runs[0].trajectory.net
        if all(replace(net, parametrization=first.parametrization) == first
               for net in nets.values()):  # fmt: skip
            return [in_words(first)]
        return [f"{name}: {in_words(net)}" for name, net in nets.items()]

    def _data(self) -> str:
        widest = max(max(run.trajectory.net.widths, default=0) for run in self.runs)
        weights = f"{widest**2:.3g} weights in the largest hidden layer; " if widest else ""
        return weights + self.inputs.in_words()

    def panels(self) -> Panels:
        """Loss, movement of the kernel and of the features, a colour a run."""
        return by_step.panels(self._curves)

    def page(self) -> Page:
        """How far the features moved, and each run by step."""
        hidden = any(run.trajectory.net.widths for run in self.runs)
        steps = min(run.trajectory.steps_done for run in self.runs)
        diverged = [line for run in self.runs for line in run.trajectory.divergence(run.name)]
        tables = [
            by_step.table(
                f"{run.name}: learning rate {run.trajectory.learning_rate:.4g}",
                run.trajectory.curves,
                run.trajectory.method,
                run.rule,
            )
            for run in self.runs
        ]
        return Page(
            by_step.answer(self._curves, steps, hidden).rstrip("."),
            [*diverged, *self._networks(), self._data()],
            [Section("Step by step", tables), Section("The curves", [Later(self.panels)])],
            Provenance.now(self.runs[0].trajectory.seed),
            self._record,
        )

    def _record(self) -> Record:
        """Every network's curves: facts about these networks, without an error."""
        first = self.runs[0].trajectory
        found = Record(self.inputs.as_json(first), as_json(first.net))
        for run in self.runs:
            run.put_rate(found, f"{run.name}_learning_rate")
            method = f"simulated networks, {run.trajectory.method}"
            found.exact(f"{run.name}_steps", float(run.trajectory.steps_done), method)
            run.trajectory.put(found, f"{run.name}_")
        return found


def compare(
    nets: Mapping[str, MLP],
    X: ArrayLike,
    y: ArrayLike,
    steps: int,
    size: int = 1,
    seed: int = 0,
    method: str = "auto",
    *,
    learning_rate: float | None = None,
    data: str = "",
    store: str | None = None,
    progress: Callable[[int, int], object] | bool = False,
    **descent: Any,
) -> Comparison:
    """Train networks on the same data, with the same seed, and show them beside each other.

    Parameters
    ----------
    nets : mapping of str to MLP
        By their names in tables and legends, e.g. ``{"mup": …, "ntk": …}``.
    X, y, steps, size, seed, method
        As in `train`. X is taken in float32 where a hidden layer has 16,384 neurons or more.
    learning_rate : float, optional
        For all of them; without it each has its `default_rate`.
    data : str
        What the data are, in words.
    store : str, optional
        As in `train`, for the first network; those of the others are ``STORE.NAME``.
    progress : bool or callable
        As in `train`, over all networks.
    **descent
        Further options of `train`: momentum, weight_decay, batch_size, memory_budget, device.

    Returns
    -------
    Comparison
        Shows itself; each ``.runs[k].trajectory`` is the result of `train`.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As `train`, and without networks.
    """
    descent |= {"learning_rate": learning_rate, "data": data, "store": store, "progress": progress}
    return Comparison(*in_turn(nets, X, y, steps, size, seed, method, **descent))
