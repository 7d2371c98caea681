"""`Recorder`: the kernel's trajectory, from the user's own training loop to disk as it goes."""

from collections.abc import Callable
from math import inf, isfinite
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from torch import nn

from finitewidth._files import to_write
from finitewidth._shapes import Float
from finitewidth._whole_number import whole_number
from finitewidth.measure.model.model import Forward
from finitewidth.measure.trajectory.measuring import Measured, Probe
from finitewidth.measure.trajectory.null import SERIES, NullBand, as_arrays, identity
from finitewidth.measure.trajectory.quantities import checked_targets, distances
from finitewidth.measure.trajectory.reading import KIND, open_record
from finitewidth.measure.trajectory.schedule import Schedule
from finitewidth.store.records import Reader, Writer

if TYPE_CHECKING:
    import xarray

Rate = float | Callable[[int], float]


class Recorder:
    """Records a model's kernel on a probe set while it is trained.

    Made before the first step, it records step 0; then `step` is called after every step of the
    optimiser, and `close` (or the end of a ``with`` block) records the last one::

        with fw.measure.Recorder(model, X_probe, "run.sqlite", y=y_probe) as recorder:
            for x, y in batches:
                ...
                optimizer.step()
                recorder.step(loss)
        data = recorder.dataset()

    What is recorded holds for any optimiser: it is the model's kernel at that step, in eval mode.
    Training is the same, bit by bit, with and without: modes, buffers, ``.grad`` and torch's
    random numbers are left as they were. A record is on disk when `step` returns; a loop that is
    killed loses none of them.

    Parameters
    ----------
    model : torch.nn.Module
        As for `kernel`; Dropout and BatchNorm may be in train mode, but a BatchNorm's statistics
        must have been updated once, e.g. by `calibrate`.
    X_probe : tensor or array [B, …]
        Inputs at which the kernel is measured, always the same; or a tuple or a mapping of them.
    path : str or path
        The file; see `open_record`.
    y : tensor or array [B] or [B, O], optional
        Targets of the probe set, for the alignment; whole numbers [B] are classes where the model
        has several outputs.
    every : int, optional
        Record steps 0, every, 2·every, …; without it 0, 1, …, 8, 10, …, 16, 20, …, four to every
        doubling.
    resume_at : int, optional
        The step that the model is at, to continue the file of an interrupted run. Records beyond
        it are replaced; the file is begun if it is missing and this is 0.
    lr : float or callable, optional
        Learning rate, or that of the step s → s + 1 as a function of s; gives the trajectory a
        time Σ lr and a velocity in it.
    eigenvalues : int, optional
        How many of the largest eigenvalues `dataset` returns; all if not given.
    null : NullBand, optional
        See `null_band`.
    forward : callable, optional
        As in `kernel`.

    Raises
    ------
    ValueError
        As `kernel`; for a file that exists (without `resume_at`) or belongs to another model, probe
        set or schedule; targets of another length; a null band of another model or probe set.
    TypeError
        As `kernel`.
    RuntimeError
        If another process is writing the file.
    """

    def __init__(
        self,
        model: nn.Module,
        X_probe: object,
        path: str | Path,
        *,
        y: object = None,
        every: int | None = None,
        resume_at: int | None = None,
        lr: Rate | None = None,
        eigenvalues: int | None = None,
        null: NullBand | None = None,
        forward: Forward | None = None,
    ) -> None:
        self.path = Path(path)
        self._model, self._schedule, self._rate = model, Schedule(every), _checked_rate(lr)
        self._probe = Probe(model, X_probe, forward)
        size = len(self._probe.inputs)
        if eigenvalues is not None and not 1 <= eigenvalues <= size:
            raise ValueError(f"eigenvalues is {eigenvalues}, expected from 1 to {size} (inputs).")
        start = _checked_start(resume_at, self.path)
        now = self._measure(start)  # before the file is begun: a bad model leaves none
        targets = None if y is None else checked_targets(y, size, now.outputs.shape[1])
        if null is not None:
            self._refuse_other(null, targets)
        self._writer = self._opened(targets, eigenvalues, start, now, null)
        try:
            self._place(start, now)
            self._keep(null)
        except BaseException:
            self._writer.close()
            raise

    def step(self, loss: object = None, *, step: int | None = None) -> bool:
        """To be called after every step of the optimiser; measures when a record is due.

        Parameters
        ----------
        loss : float or tensor of one number, optional
            Kept with the record; read only where there is one, so that a graphics card is not
            waited for.
        step : int, optional
            Steps taken so far, if not one more than at the last call.

        Returns
        -------
        bool
            Whether this step was recorded.

        Raises
        ------
        RuntimeError
            After `close`.
        ValueError
            If the step goes backwards, the trained parameters changed, or the model or the loss
            is no longer finite (training diverged); the records before are kept.
        """
        if self._closed:
            raise RuntimeError(
                f"the recorder of {self.path} is closed; continue the file with a new one and "
                f"resume_at={self._step}."
            )
        if step is None:
            self._step += 1
        else:
            self._jump(step)
        detach = getattr(loss, "detach", None)
        self._loss = loss if detach is None else detach()
        if self._step < self._next:
            return False
        self._record(self._measure(self._step), self._loss)
        return True

    def close(self) -> None:
        """Record the last step, if it is not yet, and close the file; a second time, nothing."""
        if self._closed:
            return
        try:
            if self._recorded != self._step:
                self._record(self._measure(self._step), self._loss)
        finally:
            self._end()

    def dataset(self) -> "xarray.Dataset":
        """What was recorded so far; see `open_record`."""
        return open_record(self.path)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:  # the model may be in any state
            self._end()

    def _opened(
        self,
        targets: Float[np.ndarray, "B O"] | None,
        eigenvalues: int | None,
        start: int,
        now: Measured,
        null: NullBand | None,
    ) -> Writer:
        arrays: dict[str, object] = {**as_arrays(self._probe.inputs)}
        if targets is not None:
            arrays["y"] = targets
        identity = {
            "the model's trained parameters": self._probe.parameters,
            "every": self._schedule.every,
            "eigenvalues": eigenvalues,
            "lr": "a function" if callable(self._rate) else self._rate,
            "layers": self._probe.layers,
        }
        check = lambda: self._refuse_continuing(start, now, null)  # noqa: E731
        return Writer(self.path, KIND, identity, arrays, start, check)

    def _refuse_continuing(self, start: int, now: Measured, null: NullBand | None) -> None:
        """Before an existing file is touched: the same network, the same band."""
        with Reader(self.path) as reader:
            record, stored = reader.at(start), reader.at(0, SERIES)
        if record is not None:
            apart = float(distances(now.kernel[None], record.arrays["kernel"][None])[0])
            # rounding on another machine is far below the root of the precision
            if apart > float(np.sqrt(np.finfo(_type(self._probe)).eps)):
                raise ValueError(
                    f"the model's kernel differs from the record of step {start} in {self.path} "
                    f"by {apart:.2g}, relative: it is not the network that was recorded; load the "
                    f"state of step {start}, or give another path."
                )
        if null is not None and stored is not None:
            arrays = null.as_record()[0]
            if not all(np.array_equal(arrays[k], stored.arrays.get(k, ())) for k in arrays):
                raise ValueError(
                    f"{self.path} holds another null band; leave null out to keep that one."
                )

    def _place(self, start: int, now: Measured) -> None:
        """Where the trajectory stands: at its beginning, or at the step it is continued from."""
        self._closed, self._loss = False, None
        self._step, self._recorded, self._next = start, -1, self._schedule.after(start)
        self._time, self._timed = 0.0, 0
        with Reader(self.path) as reader:
            steps = reader.steps()
            last = reader.at(steps[-1]) if steps else None
        if last is None:
            self._record(now, None)
            return
        self._recorded = self._timed = last.step
        self._time = float(last.arrays.get("time", 0.0))

    def _refuse_other(self, null: NullBand, targets: Float[np.ndarray, "B O"] | None) -> None:
        own = identity(self._probe, targets)
        differing = [name for name in own if own[name] != null.identity.get(name)]
        if differing:
            raise ValueError(
                f"the null band was measured with other values of {', '.join(differing)}; make it "
                "with the same model, probe set and targets."
            )

    def _keep(self, null: NullBand | None) -> None:
        if null is None:
            return
        with Reader(self.path) as reader:
            stored = reader.at(0, SERIES) is not None
        if not stored:
            arrays, note = null.as_record()
            self._writer.append(0, arrays, SERIES, note)

    def _jump(self, step: int) -> None:
        if isinstance(step, bool) or not isinstance(step, int):
            raise TypeError(f"step is {step!r}, expected a whole number.")
        if step <= self._step:
            raise ValueError(
                f"step is {step} after step {self._step}; steps only go forward. To continue from "
                f"an earlier one, make a new Recorder with resume_at={step}."
            )
        self._step = step

    def _measure(self, step: int) -> Measured:
        try:
            return self._probe.measure(self._model)
        except ValueError as error:
            if step == 0:
                raise
            raise ValueError(
                f"step {step} cannot be recorded: {error} The records before it are kept in "
                f"{self.path}."
            ) from error

    def _record(self, now: Measured, loss: object) -> None:
        arrays: dict[str, Any] = {
            "kernel": now.kernel,
            "layer_traces": now.layer_traces,
            "outputs": now.outputs,
        }
        if loss is not None:
            arrays["loss"] = self._number(loss)
        if self._rate is not None:
            arrays["time"] = self._elapsed()
        self._writer.append(self._step, arrays)
        self._recorded = self._step
        self._next = self._schedule.after(self._step)

    def _elapsed(self) -> float:
        """Σ lr up to this step, continued from the last record."""
        rate = self._rate
        steps = range(self._timed, self._step)
        if callable(rate):
            self._time += sum(float(rate(step)) for step in steps)
        elif rate is not None:
            self._time = rate * self._step
        self._timed = self._step
        return self._time

    def _number(self, loss: object) -> float:
        try:
            number = float(loss)  # type: ignore[arg-type]
        except (TypeError, ValueError, RuntimeError):
            raise TypeError(
                f"loss is {type(loss).__name__}, expected one number, or a tensor of one."
            ) from None
        if not isfinite(number):
            raise ValueError(
                f"the loss at step {self._step} is {number}: training diverged. The records before "
                f"it are kept in {self.path}."
            )
        return number

    def _end(self) -> None:
        self._closed = True
        self._writer.close()


def _type(probe: Probe) -> np.dtype:
    """The precision that the kernel carries: of the trained parameters, single at most for half."""
    worst = min(
        (str(described[0]) for described in probe.parameters.values()),
        key=lambda name: {"float64": 2, "float32": 1}.get(name, 0),
    )
    return np.dtype({"float64": "f8", "float32": "f4"}.get(worst, "f2"))


def _checked_rate(lr: Any) -> Rate | None:
    if lr is None:
        return None
    if callable(lr):
        return cast("Callable[[int], float]", lr)
    if isinstance(lr, bool) or not isinstance(lr, int | float) or not 0 < lr < inf:
        raise ValueError(f"lr is {lr!r}, expected a positive number or a function of the step.")
    return float(lr)


def _checked_start(resume_at: object, path: Path) -> int:
    """The step to begin or to continue at.

    Raises
    ------
    ValueError
        If the file exists and is not to be continued, or the other way round.
    """
    to_write(path, name="the recorder's file")
    exists = path.exists() and path.stat().st_size > 0
    if resume_at is None:
        if exists:
            raise ValueError(
                f"{path} exists; give resume_at=… (the step that the model is at) to continue it, "
                "or another path."
            )
        return 0
    resume_at = whole_number(resume_at, "resume_at", 0)
    if resume_at > 0 and not exists:
        raise ValueError(
            f"there is no file {path} to continue at step {resume_at}; leave resume_at out to "
            "begin one."
        )
    return resume_at
