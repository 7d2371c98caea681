"""`kernel`: the tangent kernel of a network of given widths to first order in 1/n."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from finitewidth import _memory
from finitewidth._shapes import Float
from finitewidth.expansion import infinite
from finitewidth.expansion.finite import Tensors, output_tensors
from finitewidth.expansion.finite.recursion import refuse_residual
from finitewidth.expansion.gaussian import averages_of
from finitewidth.expansion.infinite import Limit
from finitewidth.expansion.scales import LIMIT, ORDER, check_layers, expandable, input_rows, numbers
from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Column, Page, Provenance, Record, Section, Shown, Table

COARSE = 1.4  # factor on the quadrature's steps in the comparison that estimates its error

SHOWN = 4
"""Inputs of the table by which it shows itself."""

# Arrays [B, B, B, B] that live at once: those with an axis of sources, and those without.
WITH_SOURCES, WITHOUT = 30, 20


@dataclass(frozen=True, eq=False)
class Share:
    """What the finite width of one hidden layer contributes; the layers add up to the whole.

    Attributes
    ----------
    index, width : int
        Hidden layer j and n_j.
    correction : array of shape [B, B]
        To the mean kernel.
    covariance : array of shape [B, B, B, B]
        To Cov(Θ_ab, Θ_cd).
    change : array of shape [B, B, B]
        To the mean change of Θ_ab per learning rate through batch member k.
    """

    index: int
    width: int
    correction: Float[np.ndarray, "B B"]
    covariance: Float[np.ndarray, "B B B B"]
    change: Float[np.ndarray, "B B B"] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Expansion(Shown):
    """The tangent kernel of one output to first order in the inverse widths.

    Everything is computed when it is first asked for and kept. Corrections are numbers at these
    widths, already divided by them; they are trustworthy while they are small
    (`fw.expansion.trusted_depth` gives the depth where they are not).

    Attributes
    ----------
    net : MLP
        The network.
    X : array of shape [B, n_in]
        The inputs.
    memory_budget : int or None
        Bytes that the arrays over four inputs may take.
    """

    net: MLP
    X: Float[np.ndarray, "B n_in"] = field(repr=False)
    memory_budget: int | None = None

    def _limit(self, coarsening: float = 1.0) -> infinite.Limit:
        check_layers(self.net, len(self.X), LIMIT)
        return infinite.last(self.net, self.X, averages_of(self.net.act, coarsening))

    @cached_property
    def _infinite(self) -> infinite.Limit:
        return self._limit()

    @property
    def infinite(self) -> Float[np.ndarray, "B B"]:
        """Θ_ab, the tangent kernel of infinitely wide layers; holds for residual networks too."""
        return self._infinite.tangent

    @property
    def nngp(self) -> Float[np.ndarray, "B B"]:
        """K_ab = E N(x_a) N(x_b) of infinitely wide layers."""
        return self._infinite.kernel

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """K and Θ of layers 1 … d at infinite width."""
        check_layers(self.net, len(self.X), LIMIT)
        return tuple(infinite.limits(self.net, self.X, averages_of(self.net.act)))

    def _tensors(self, coarsening: float = 1.0, *, separate: bool = False) -> Tensors:
        refuse_residual(self.net)
        inputs, sources = len(self.X), self.net.depth - 1 if separate else 1
        needed = 8 * inputs**4 * (WITH_SOURCES * max(sources, 1) + WITHOUT)
        budget = _memory.available() // 2 if self.memory_budget is None else self.memory_budget
        if needed > budget:
            raise ValueError(
                f"the averages over four of {inputs} inputs"
                + (f" in {sources} layers" if separate else "")
                + f" need {_memory.readable(needed)}, more than the {_memory.readable(budget)} "
                "allowed; use fewer inputs at a time, or a larger memory_budget (bytes)."
            )
        check_layers(self.net, inputs, ORDER)
        averages = averages_of(self.net.act, coarsening)
        return output_tensors(self.net, self.X, averages, separate=separate)[1]

    @cached_property
    def tensors(self) -> Tensors:
        """All tensors of order 1/n of the output neurons; their first axis has length 1."""
        return self._tensors()

    @property
    def correction(self) -> Float[np.ndarray, "B B"]:
        """E Θ_ab at these widths minus `infinite`, at first order."""
        return self.tensors.T1[0]

    @property
    def nngp_correction(self) -> Float[np.ndarray, "B B"]:
        """E N(x_a) N(x_b) at these widths minus `nngp`, at first order."""
        return self.tensors.K1[0]

    @property
    def mean(self) -> Float[np.ndarray, "B B"]:
        """E Θ_ab at these widths, at first order: `infinite` + `correction`."""
        return self.infinite + self.correction

    @cached_property
    def covariance(self) -> Float[np.ndarray, "B B B B"]:
        """Cov(Θ_ab, Θ_cd) over random networks, for the kernel of one output."""
        return self.tensors.covariance()[0]

    @property
    def variance(self) -> Float[np.ndarray, "B B"]:
        """Var Θ_ab over random networks."""
        return np.einsum("abab->ab", self.covariance).copy()

    @cached_property
    def _change(self) -> Float[np.ndarray, "B B B"]:
        return self.tensors.change(self.net.n_out)[0]

    def first_step(
        self, y: ArrayLike, learning_rate: float, *, weights: ArrayLike | None = None
    ) -> Float[np.ndarray, "B B"]:
        """Mean change of the kernel in one step of gradient descent on ½ Σ (N(x_k) − y_k)².

        At first order in the learning rate and in 1/n. For kinked activations this is the
        change with the activation pattern frozen: a real step changes the kernel by a term of
        order width^(−1/2) more, see `fw.law.crossing_matrix`.

        Parameters
        ----------
        y : array of shape [B] or [B, n_out]
            The targets. They do not change the mean, since the error's part in y is odd in the
            output weights; the argument is there as in `fw.simulate.first_step`.
        learning_rate : float
            η.
        weights : array of shape [B], optional
            Weights of the inputs in the loss, 0 for inputs that are not trained on; None: all 1.

        Returns
        -------
        array of shape [B, B]
            E ΔΘ_ab.

        Raises
        ------
        ValueError, TypeError
            For another shape, or numbers that are not finite; for a residual network whose
            activation is not the identity.
        """
        size = len(self.X)
        numbers(y, "y", ((size,), (size, self.net.n_out)))
        rate = float(numbers(learning_rate, "learning_rate", ((),)))
        loss = np.ones(size) if weights is None else numbers(weights, "weights", ((size,),))
        with np.errstate(over="ignore", invalid="ignore"):  # refused below, in one sentence
            found = rate * (self._change @ loss)
        if not np.isfinite(found).all():
            raise ValueError(
                f"learning_rate is {learning_rate:g}, at which the change of the kernel leaves "
                "the range of float64; use a smaller one."
            )
        return found

    @cached_property
    def layers(self) -> tuple[Share, ...]:
        """The contribution of every hidden layer's width, from the input."""
        if self.net.depth == 1:
            return ()
        tensors = self._tensors(separate=True)
        covariance, change = tensors.covariance(), tensors.change(self.net.n_out)
        return tuple(
            Share(number + 1, width, tensors.T1[number], covariance[number], change[number])
            for number, width in enumerate(self.net.widths)
        )

    @cached_property
    def quadrature_error(self) -> dict[str, float]:
        """Largest error of an entry from the averages' quadrature, by quantity.

        The difference from quadrature with steps 1.4 times as long: the error of those, which
        is much above that of the values given. 0 or rounding where averages are closed.
        ``first_step`` is per learning rate. Quantities that have no recursion are left out.
        """
        errors = {"infinite": _largest(self.infinite - self._limit(COARSE).tangent)}
        try:
            refuse_residual(self.net)
        except ValueError:
            return errors
        coarse = self._tensors(COARSE)
        errors["correction"] = _largest(self.correction - coarse.T1[0])
        errors["covariance"] = _largest(self.covariance - coarse.covariance()[0])
        errors["first_step"] = _largest(self._change - coarse.change(self.net.n_out)[0])
        return errors

    def page(self) -> Page:
        """Limit, shift of the mean and spread over seeds of the first inputs' entries."""
        size = min(SHOWN, len(self.X))
        lead = ["" if size == len(self.X) else f"The first {size} of {len(self.X)} inputs."]
        try:
            terms = self.correction, np.sqrt(self.variance)
        except ValueError as error:
            terms = ()
            lead.append(f"At infinite width only: {error}")
        rows = [
            (a, b, float(self.infinite[a, b]), *(float(term[a, b]) for term in terms))
            for a in range(size)
            for b in range(a, size)
        ]
        names = ("shift of the mean", "spread over seeds")[: len(terms)]
        columns = ["a", "b", "Θ_ab at n = ∞", *names]
        table = Table(
            "The tangent kernel", [Column(name, digits=6) for name in columns], rows,
            "Shift and spread are first order in 1/n, at these widths." if terms else "",
        )  # fmt: skip
        title = f"Θ to first order in 1/n: {in_words(self.net)}"
        sections = [Section("The kernel", [table])]
        lead = [line for line in lead if line]
        return Page(title, lead, sections, Provenance.now(None), self._record)

    def _record(self) -> Record:
        record = Record({"inputs": len(self.X)}, as_json(self.net))
        self.put(record)
        return record

    def put(self, record: Record) -> None:
        """Add the kernels [B, B]: K and Θ at infinite width, shift and variance."""
        record.approximate("kernel", self.nngp, "infinite width")
        record.approximate("tangent", self.infinite, "infinite width")
        record.approximate("mean_shift", self.correction, "first order in 1/n")
        record.approximate("variance", self.variance, "first order in 1/n")


def _largest(difference: np.ndarray) -> float:
    return float(np.abs(difference).max())


def kernel(net: MLP, X: ArrayLike, *, memory_budget: int | None = None) -> Expansion:
    """The tangent kernel of a network at the inputs, to first order in the inverse widths.

    Parameters
    ----------
    net : MLP
        The network, with Gaussian weights; any activation that is smooth or of the family of
        ReLU, any widths, several outputs (the kernel is that of one of them).
    X : array of shape [B, n_in] or [n_in]
        The inputs; one vector means B = 1.
    memory_budget : int, optional
        Bytes that the arrays over four inputs may take; half of the free memory if None.

    Returns
    -------
    Expansion
        ``.infinite``, ``.correction`` of shape [B, B], ``.covariance`` of shape [B, B, B, B],
        ``.first_step(y, learning_rate)`` of shape [B, B], each computed on access.

    Raises
    ------
    ValueError, TypeError
        One sentence for each argument that cannot be used. On access: where memory would not
        suffice, and for the 1/n terms of a residual network with a non-linear activation.
    RuntimeError
        On access: if the kernel leaves the range of float64, or quadrature does not resolve
        the activation.

    Examples
    --------
    >>> import finitewidth as fw
    >>> net = fw.MLP(n_in=2, widths=[32] * 4, activation="gelu", bias=False)
    >>> expansion = fw.expansion.kernel(net, [1, 1])
    >>> print(f"{expansion.infinite[0, 0]:.4f} {expansion.mean[0, 0]:.4f}")
    3.9114 3.9606
    >>> print(f"{expansion.variance[0, 0]:.3f}")
    10.100
    """
    found = expandable(net)
    return Expansion(found, input_rows(found, X), memory_budget)
