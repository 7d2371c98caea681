"""Laws of the unit-variance weights W: symmetric about 0, variance 1, with their even moments."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import factorial, isfinite
from numbers import Real

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network.exact import double, fraction_of, is_finite, log10_of, rounded


class WeightLaw(ABC):
    """A symmetric law of variance 1 for the entries of W (Hanin & Nica 2020, eq. 4)."""

    @property
    @abstractmethod
    def name(self) -> str:
        """How the law is written in a table or on the command line."""

    @abstractmethod
    def _even_moment(self, order: int) -> Fraction | None:
        """E W^order for an even order ≥ 4, or None where it is missing."""

    @property
    def is_gaussian(self) -> bool:
        return False

    def moment(self, order: int) -> Fraction:
        """E W^order, exactly.

        Raises
        ------
        ValueError
            If the law has no such moment, or was given without it.
        """
        if order < 0:
            raise ValueError(f"moment order is {order}, expected 0 or more.")
        if order % 2:
            return Fraction(0)
        if order <= 2:
            return Fraction(1)
        value = self._even_moment(order)
        if value is None:
            raise ValueError(
                f"this quantity needs E W^{order}, which the weight law {self.name!r} does not "
                "have; use a law with that moment, or GivenMoments with it."
            )
        return value

    @abstractmethod
    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        """Independent float64 draws of the given shape."""


@dataclass(frozen=True)
class Gaussian(WeightLaw):
    """Standard normal; E W^(2m) = (2m−1)!!."""

    @property
    def name(self) -> str:
        return "gaussian"

    @property
    def is_gaussian(self) -> bool:
        return True

    def _even_moment(self, order: int) -> Fraction:
        half = order // 2
        return Fraction(factorial(order), 2**half * factorial(half))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        return rng.standard_normal(shape)


@dataclass(frozen=True)
class Uniform(WeightLaw):
    """Uniform on [−√3, √3]; E W^(2m) = 3^m/(2m+1)."""

    @property
    def name(self) -> str:
        return "uniform"

    def _even_moment(self, order: int) -> Fraction:
        return Fraction(3 ** (order // 2), order + 1)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)


@dataclass(frozen=True)
class Laplace(WeightLaw):
    """Double exponential of scale 1/√2; E W^(2m) = (2m)!/2^m."""

    @property
    def name(self) -> str:
        return "laplace"

    def _even_moment(self, order: int) -> Fraction:
        return Fraction(factorial(order), 2 ** (order // 2))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        return rng.laplace(0.0, np.sqrt(0.5), shape)


@dataclass(frozen=True)
class StudentT(WeightLaw):
    """Student's t with `df` > 2 degrees of freedom, scaled to variance 1.

    E W^(2m) = Π_{i≤m} (2i−1)(df−2)/(df−2i), which exists for 2m < df only.
    """

    df: float | Fraction

    def __post_init__(self) -> None:
        number = isinstance(self.df, Real) and not isinstance(self.df, bool)
        df = double(self.df, "df") if number else 0.0
        if df == float("inf"):
            raise ValueError(
                "Student's t with df=inf is the normal law; write weight_law='gaussian'."
            )
        if not (number and isfinite(df) and df > 2):
            raise ValueError(
                f"Student's t with df={self.df!r} has no finite variance; give df > 2 "
                "(df > 4 for E W^4, df > 8 for the spread of the kernel's change)."
            )

    @property
    def name(self) -> str:
        return f"student_t:{float(self.df):g}"

    def _even_moment(self, order: int) -> Fraction | None:
        if order >= self.df:
            return None
        df, value = fraction_of(self.df), Fraction(1)
        for i in range(1, order // 2 + 1):
            value *= (2 * i - 1) * (df - 2) / (df - 2 * i)
        return value

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        return rng.standard_t(float(self.df), shape) * np.sqrt(float(1 - 2 / fraction_of(self.df)))


def _refuse_impossible(moments: dict[int, Fraction], order: int) -> None:
    """Check the moment of the highest order against those below it.

    With t = W² ≥ 0 and s_k = E t^k: log s_k is convex in k (Hölder), and the matrix
    (s_{i+j}), i, j ≤ 2, has no negative determinant (Hamburger).

    Raises
    ------
    ValueError
        If no law has these moments.
    """
    value, lower = moments[order], sorted(known for known in moments if known < order)
    for middle in lower[1:]:
        first = lower[lower.index(middle) - 1]
        near, far = (middle - first) // 2, (order - middle) // 2
        # s_middle^(near + far) ≤ s_first^far · s_order^near
        if value**near * moments[first] ** far < moments[middle] ** (near + far) * _ROUNDED:
            size = (1 + far / near) * log10_of(moments[middle]) - far / near * log10_of(
                moments[first]
            )
            bound = f"{10**size:g}" if abs(size) < 300 else f"10^{size:.4g}"
            raise ValueError(
                f"E W^{order} = {rounded(value)} belongs to no law: beside E W^{middle} = "
                f"{rounded(moments[middle])} it is at least {bound}."
            )
    two, three, four = moments.get(4), moments.get(6), moments.get(8)
    if two == 1 and value != 1:
        raise ValueError(
            f"E W^{order} = {rounded(value)} belongs to no law: E W^4 = 1 makes W a sign, whose "
            "even moments are all 1."
        )
    if order == 8 and two is not None and three is not None and four is not None:
        above, below = four * (two - 1) + 2 * two * three, three**2 + two**3
        if above < below * _ROUNDED:
            bound = rounded((three**2 - 2 * two * three + two**3) / (two - 1))
            raise ValueError(
                f"E W^8 = {rounded(value)} belongs to no law: beside E W^4 = {rounded(two)} and "
                f"E W^6 = {rounded(three)} it is at least {bound}."
            )


_ROUNDED = 1 - Fraction(1, 10**9)
"""Moments given as floats may miss an inequality that holds with equality."""


@dataclass(frozen=True)
class GivenMoments(WeightLaw):
    """A law known only by its even moments: enough for theory, not for simulation.

    Parameters
    ----------
    moments : mapping of int to number
        Even order (4 and up) to E W^order for variance 1; exact for ints and Fractions.
    """

    moments: Mapping[int, Fraction | float]
    _exact: dict[int, Fraction] = field(init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        return "given moments"

    def __post_init__(self) -> None:
        if not isinstance(self.moments, Mapping):
            raise TypeError(
                f"moments is {self.moments!r}, expected a mapping from even orders to numbers, "
                "such as {4: 3, 6: 15}."
            )
        exact = {0: Fraction(1), 2: Fraction(1)}
        for order, value in sorted(self.moments.items(), key=lambda item: str(item[0]).zfill(9)):
            if not isinstance(order, int) or order < 4 or order % 2:
                raise ValueError(
                    f"moment order {order!r} was given, expected even orders from 4 on "
                    "(the variance is 1 and odd moments are 0)."
                )
            if not isinstance(value, Real) or isinstance(value, bool) or not is_finite(value):
                raise ValueError(f"E W^{order} is {value!r}, expected a finite number.")
            exact[order] = fraction_of(value)
            _refuse_impossible(exact, order)
        object.__setattr__(self, "_exact", exact)

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._exact.items())))

    def _even_moment(self, order: int) -> Fraction | None:
        return self._exact.get(order)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        raise ValueError(
            "a weight law given by its moments cannot be drawn from; simulate with 'gaussian', "
            "'uniform', 'laplace' or 'student_t:DF', or your own WeightLaw."
        )


_BY_NAME = {law.name: law for law in (Gaussian(), Uniform(), Laplace())}


def weight_law(spec: "str | WeightLaw") -> WeightLaw:
    """The law of a name: ``gaussian``, ``uniform``, ``laplace``, ``student_t:DF``, or an instance.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything that is neither a name nor a `WeightLaw`.
    """
    if isinstance(spec, WeightLaw):
        return spec
    if not isinstance(spec, str):
        raise TypeError(f"weight_law is {spec!r}, expected a name or a WeightLaw.")
    if spec in _BY_NAME:
        return _BY_NAME[spec]
    family, _, df = spec.partition(":")
    if family.replace("-", "_") == "student_t" and df:
        try:
            degrees = float(df)
        except ValueError:
            degrees = float("nan")
        try:
            return StudentT(degrees)
        except ValueError as error:
            raise ValueError(f"weight_law {spec!r}: {error}") from None
    raise ValueError(
        f"weight_law is {spec!r}, expected one of {', '.join(_BY_NAME)} or student_t:DF "
        "with DF > 2, for example student_t:9."
    )
