"""What is trained on what: the arguments of a run, checked."""

from dataclasses import dataclass
from math import isfinite
from numbers import Real

import numpy as np

from finitewidth._whole_number import whole_number
from finitewidth.network import MLP
from finitewidth.simulate import inputs

RECORDS = ("kernels", "features")
PROBES = 64  # values at which a user's function is tested for being elementwise


@dataclass(frozen=True)
class Problem:
    """A training run, apart from how it is done.

    Attributes
    ----------
    net : MLP
    X : array of shape [B, n_in]
    y : array of shape [B, O]
    probe : array of shape [P, n_in] or None
        Where kernels are recorded; None for X.
    learning_rate, momentum, weight_decay : float
    steps, size, seed : int
    batch_size : int or None
    record : tuple of str
    precision : str
        ``"float32"`` or ``"float64"``.
    single_output : bool
        Whether y was given without its last axis.
    """

    net: MLP
    X: np.ndarray
    y: np.ndarray
    probe: np.ndarray | None
    learning_rate: float
    steps: int
    size: int
    seed: int
    momentum: float
    weight_decay: float
    batch_size: int | None
    record: tuple[str, ...]
    precision: str
    single_output: bool

    @property
    def rows(self) -> np.ndarray:
        """All inputs that are evaluated at a step: X, and the probe behind it."""
        return self.X if self.probe is None else np.concatenate([self.X, self.probe])

    @property
    def probes(self) -> int:
        """Probes P."""
        return len(self.X if self.probe is None else self.probe)


def precision(X: object) -> str:
    """float32 where X is, float64 otherwise; X may be an array, a tensor or a list."""
    return "float32" if str(getattr(X, "dtype", "")).endswith("float32") else "float64"


def as_array(value: object, name: str) -> np.ndarray:
    """A tensor on any device, or anything array-like, as a NumPy array."""
    detach = getattr(value, "detach", None)
    if detach is None:
        return np.asarray(value)
    return detach().cpu().numpy()


def elementwise(net: MLP) -> None:
    """Refuse a user's function that mixes its entries.

    Raises
    ------
    ValueError
        If f of a shuffled or shortened vector is not the shuffled or shortened f.
    """
    if isinstance(net.activation, str):
        return
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2, PROBES))
    order = rng.permutation(PROBES)
    for what, function in (("activation", net.act), ("derivative of", net.act.derivative)):
        whole = np.asarray(function(z))
        same = np.allclose(function(z[:, order]), whole[:, order], rtol=1e-9, atol=1e-12)
        same = same and np.allclose(function(z[:, :5]), whole[:, :5], rtol=1e-9, atol=1e-12)
        same = same and np.allclose(function(z[1:]), whole[1:], rtol=1e-9, atol=1e-12)
        if not same:
            name = f"{what} {net.act.name!r}"
            raise ValueError(
                f"the {name} is not elementwise: what it makes of an entry depends on the other "
                "entries; give a function that treats every entry alike and by itself."
            )


def targets(y: object, net: MLP, count: int) -> tuple[np.ndarray, bool]:
    """y as [B, O], and whether it was given as [B].

    Raises
    ------
    ValueError, TypeError
        For another shape, and entries that are no finite numbers.
    """
    array = inputs.finite(y, "y")
    expected = f"[{count}, {net.n_out}]" + (f" or [{count}]" if net.n_out == 1 else "")
    if net.n_out == 1 and array.shape == (count,):
        return array[:, None], True
    if array.shape != (count, net.n_out):
        raise ValueError(
            f"y has shape {list(array.shape)}, expected {expected}: {net.n_out} target(s) for each "
            "input in X."
        )
    return array, net.n_out == 1


def fraction(value: object, name: str, below: float) -> float:
    """A finite number from 0 up to, without, `below`."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected a number of at least 0.")
    number = float(value)
    if not (isfinite(number) and 0 <= number < below):
        limit = f" and below {below:g}" if isfinite(below) else ""
        raise ValueError(f"{name} is {number:g}, expected a finite number of at least 0{limit}.")
    return number


def recorded(record: object) -> tuple[str, ...]:
    """What to record, in the order of `RECORDS`."""
    if isinstance(record, str) or not isinstance(record, tuple | list | set | frozenset):
        raise TypeError(f"record is {record!r}, expected a tuple of names from {RECORDS}.")
    unknown = [name for name in record if name not in RECORDS]
    if unknown:
        raise ValueError(
            f"record contains {unknown[0]!r}, expected names from {', '.join(RECORDS)}; outputs "
            "and loss are always recorded."
        )
    return tuple(name for name in RECORDS if name in record)


def stated(
    net: object,
    X: object,
    y: object,
    learning_rate: object,
    steps: object,
    size: object,
    seed: object,
    momentum: object,
    weight_decay: object,
    batch_size: object,
    probe: object,
    record: object,
) -> Problem:
    """The problem, every argument checked.

    Raises
    ------
    ValueError, TypeError
        One sentence for the first argument that cannot be used.
    """
    checked = inputs.simulable(net, several_outputs=True)
    elementwise(checked)
    rows = inputs.input_rows(checked, as_array(X, "X"))
    wanted, single = targets(as_array(y, "y"), checked, len(rows))
    return Problem(
        net=checked,
        X=rows,
        y=wanted,
        probe=None
        if probe is None
        else inputs.input_rows(checked, as_array(probe, "probe"), name="probe"),
        learning_rate=inputs.positive(learning_rate, "learning_rate"),
        steps=whole_number(steps, "steps", 0),
        size=whole_number(size, "size", 1),
        seed=whole_number(seed, "seed", 0),
        momentum=fraction(momentum, "momentum", 1.0),
        weight_decay=fraction(weight_decay, "weight_decay", float("inf")),
        batch_size=None if batch_size is None else whole_number(batch_size, "batch_size", 1),
        record=recorded(record),
        precision=precision(X),
        single_output=single,
    )
