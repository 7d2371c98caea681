"""Which paths run through the network together, and which derivatives tie them.

N is a sum over paths (Hanin & Nica 2020, Definition 2), so a product of N, of kernels and of
Hessian products is a sum over tuples of paths, tied where they share a derivative. A *slot* is one
such derivative: with respect to a weight (a *mark* on an edge that its paths share) or to a bias
(its paths *start* at one neuron).

    N        one path, no slot
    K        Σ_θ (∂_θ N)²:               paths 0, 1;     slot {0, 1}
    gᵀHg     Σ_{p,q} ∂_pN ∂_p∂_qN ∂_qN:  paths 0, 1, 2;  slots p = {0, 1}, q = {1, 2}
"""

from dataclasses import dataclass
from enum import IntEnum
from itertools import product


class Status(IntEnum):
    """What is known of a slot once the layers below have been passed."""

    ABSENT = 0  # a bias, whose paths have not started
    OPEN = 1  # a weight, not met yet
    DONE = 2


class Shape(IntEnum):
    """The kinds of factor. A *told* one keeps its ends apart, so its first slot is known."""

    OUTPUT = 0
    KERNEL = 1
    HESSIAN = 2
    KERNEL_TOLD = 3
    HESSIAN_TOLD = 4


PATHS = (1, 2, 3, 2, 3)
SLOTS: tuple[tuple[tuple[int, int], ...], ...] = (
    (),
    ((0, 1),),
    ((0, 1), (1, 2)),
    ((0, 1),),
    ((0, 1), (1, 2)),
)
"""For each shape, the paths that each of its slots ties."""

MIRRORED = (False, True, True, False, False)
"""For each shape, whether its ends can be exchanged."""


@dataclass(frozen=True)
class Factor:
    """A shape with the kinds each slot may be: "w", "b", or "wb"."""

    shape: Shape
    kinds: tuple[str, ...] = ()

    def starts(self) -> tuple[tuple[Status, ...], ...]:
        """The statuses it can have below the first layer.

        Two biases of one second derivative give 0 (Hanin & Nica 2020, Proposition 4: Δ_bb = 0).
        """
        options = [
            tuple({"w": Status.OPEN, "b": Status.ABSENT}[kind] for kind in kinds)
            for kinds in self.kinds
        ]
        return tuple(
            statuses
            for statuses in product(*options)
            if len(statuses) < 2 or statuses.count(Status.ABSENT) < 2
        )


@dataclass(frozen=True)
class Scheme:
    """A product of factors whose expectation is wanted."""

    factors: tuple[Factor, ...]

    @property
    def paths(self) -> int:
        """Number of paths, 2k."""
        return sum(PATHS[factor.shape] for factor in self.factors)

    @property
    def slots(self) -> int:
        """Number of derivatives that tie them."""
        return sum(len(SLOTS[factor.shape]) for factor in self.factors)

    @property
    def can_be_all_biases(self) -> bool:
        """Whether every path may start at a bias, leaving the layers below empty."""
        return all(
            any(all(s is Status.ABSENT for s in start) and start for start in factor.starts())
            for factor in self.factors
        )


PARTS = {"kernel": "wb", "weights": "w", "biases": "b"}


def _kinds(part: str, trains_biases: bool) -> str:
    return PARTS[part] if trains_biases else PARTS[part].replace("b", "")


def kernel_power(order: int, part: str, trains_biases: bool) -> Scheme:
    """K^order, or K_w^order, or K_b^order."""
    return Scheme((Factor(Shape.KERNEL, (_kinds(part, trains_biases),)),) * order)


def cross() -> Scheme:
    """K_w K_b."""
    return Scheme((Factor(Shape.KERNEL, ("w",)), Factor(Shape.KERNEL, ("b",))))


def output_kernel(outputs: int, kernels: int, trains_biases: bool) -> Scheme:
    """N^outputs K^kernels."""
    kernel = Factor(Shape.KERNEL, (_kinds("kernel", trains_biases),))
    return Scheme((Factor(Shape.OUTPUT),) * outputs + (kernel,) * kernels)


def hessian(outputs: int, copies: int, trains_biases: bool) -> Scheme:
    """N^outputs (gᵀHg)^copies."""
    kinds = _kinds("kernel", trains_biases)
    return Scheme(
        (Factor(Shape.OUTPUT),) * outputs + (Factor(Shape.HESSIAN, (kinds, kinds)),) * copies
    )


def update_part(kinds: tuple[str, str]) -> Scheme:
    """Δ_ab = N Σ_{p∈a, q∈b} ∂_pN ∂_p∂_qN ∂_qN, kinds "w" or "b" (Hanin & Nica 2020, §4)."""
    return Scheme((Factor(Shape.OUTPUT), Factor(Shape.HESSIAN, kinds)))


def told_apart(scheme: Scheme) -> Scheme:
    """The same product with its first kernel or Hessian told, to ask where its first slot lies."""
    told = {Shape.KERNEL: Shape.KERNEL_TOLD, Shape.HESSIAN: Shape.HESSIAN_TOLD}
    factors = list(scheme.factors)
    place = next(i for i, factor in enumerate(factors) if factor.shape in told)
    factors[place] = Factor(told[factors[place].shape], factors[place].kinds)
    return Scheme(tuple(factors))
