"""Laws of the weights: moments against integrals of densities, draws against distributions."""

from fractions import Fraction as F
from math import sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import finitewidth as fw
from finitewidth.network import Gaussian, GivenMoments, Laplace, StudentT, Uniform
from finitewidth.network.weights import weight_law

# Each law with its density of variance 1, written down once more.
LAWS = {
    "gaussian": (Gaussian(), stats.norm()),
    "uniform": (Uniform(), stats.uniform(-sqrt(3), 2 * sqrt(3))),
    "laplace": (Laplace(), stats.laplace(scale=1 / sqrt(2))),
    "student_t:9": (StudentT(9), stats.t(9, scale=sqrt(7 / 9))),
    "student_t:30.5": (StudentT(30.5), stats.t(30.5, scale=sqrt(28.5 / 30.5))),
}
by_name = pytest.mark.parametrize("name", LAWS)


@by_name
@pytest.mark.parametrize("order", [0, 2, 4, 6, 8])
def test_even_moments_against_integrals(name, order):
    """To 1e-8: the quadrature states its own error, and it is smaller."""
    law, density = LAWS[name]
    end = sqrt(3) if name == "uniform" else np.inf
    half, error = quad(
        lambda w: w**order * density.pdf(w), 0, end, epsrel=1e-9, epsabs=0.0, limit=500
    )
    assert error < 5e-9 * half
    assert float(law.moment(order)) == pytest.approx(2 * half, rel=1e-8)


@by_name
def test_odd_moments_and_the_variance(name):
    law, _ = LAWS[name]
    assert [law.moment(order) for order in (1, 3, 5, 7)] == [0, 0, 0, 0]
    assert law.moment(0) == law.moment(2) == 1
    assert isinstance(law.moment(4), F)
    assert law.is_gaussian == (name == "gaussian")


def test_named_moments():
    """Gaussian 3, 15, 105; uniform 9/5, 27/7, 9; Laplace (2m)!/2^m."""
    assert [Gaussian().moment(k) for k in (4, 6, 8)] == [3, 15, 105]
    assert [Uniform().moment(k) for k in (4, 6, 8)] == [F(9, 5), F(27, 7), 9]
    assert [Laplace().moment(k) for k in (4, 6, 8)] == [6, 90, 2520]
    # Student's t: μ_4 = 3 (df − 2)/(df − 4)
    assert StudentT(5).moment(4) == 9
    assert StudentT(9).moment(8) == 105 * F(7, 7) * F(7, 5) * F(7, 3) * 7


def kolmogorov(law, density, size: int, seed: int) -> float:
    draws = law.sample(np.random.default_rng(seed), (size,))
    return stats.kstest(draws, density.cdf).pvalue


@by_name
def test_draws_have_the_law(name):
    """Kolmogorov–Smirnov, 20,000 draws: false alarm 1e-7 for each of five laws.

    A distribution function that is off by 0.034 anywhere is missed at most once in a million.
    """
    law, density = LAWS[name]
    assert kolmogorov(law, density, 20_000, 1) > 1e-7


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("gaussian", stats.norm(scale=1.15)),
        ("uniform", LAWS["gaussian"][1]),
        ("laplace", LAWS["gaussian"][1]),
        ("student_t:9", stats.norm(scale=1.2)),
        ("student_t:9", stats.t(9)),
    ],
)
def test_draws_of_another_law_are_noticed(name, wrong):
    assert kolmogorov(LAWS[name][0], wrong, 20_000, 1) < 1e-7


@by_name
def test_draws_have_their_shape_and_follow_the_generator(name):
    law, _ = LAWS[name]
    draws = law.sample(np.random.default_rng(4), (3, 2, 5))
    assert draws.shape == (3, 2, 5)
    assert draws.dtype == np.float64
    np.testing.assert_array_equal(draws, law.sample(np.random.default_rng(4), (3, 2, 5)))


@pytest.mark.parametrize(
    ("df", "there", "missing"), [(3, 2, 4), (4, 2, 4), (4.5, 4, 6), (8, 6, 8), (8.001, 8, 10)]
)
def test_moments_that_student_t_does_not_have(df, there, missing):
    law = StudentT(df)
    assert law.moment(there) > 0
    with pytest.raises(
        ValueError, match=rf"needs E W\^{missing}, which the weight law 'student_t:"
    ):
        law.moment(missing)


def test_given_moments():
    law = GivenMoments({4: F(5, 2), 6: 11})
    assert law.moment(2) == 1
    assert law.moment(4) == F(5, 2)
    assert law.moment(6) == 11
    assert law.moment(5) == 0
    assert not law.is_gaussian
    with pytest.raises(ValueError, match=r"needs E W\^8, which the weight law 'given moments'"):
        law.moment(8)
    with pytest.raises(ValueError, match="cannot be drawn from; simulate with 'gaussian'"):
        law.sample(np.random.default_rng(0), (2,))
    assert law == GivenMoments({4: F(5, 2), 6: 11})
    assert hash(law) == hash(GivenMoments({6: 11, 4: F(5, 2)}))
    assert GivenMoments({4: 0.1 + 0.2 + 1}).moment(4) == F(0.1 + 0.2 + 1)  # no decimal guessing


@pytest.mark.parametrize(
    "moments",
    [{4: 1, 6: 1, 8: 1}, {4: 2, 6: 4, 8: 8}, {4: 4 / 3, 6: 16 / 9, 8: 64 / 27}],
    ids=["signs", "three atoms", "floats at the bound"],
)
def test_moments_at_the_bound_of_cauchy_schwarz(moments):
    assert GivenMoments(moments).moment(8) == F(moments[8])


def test_moments_with_a_gap_at_the_bound():
    """A law on 0 and ±√3: E W^4 = 3, E W^8 = 27."""
    assert GivenMoments({4: 3, 8: 27}).moment(8) == 27
    assert GivenMoments({4: 2, 6: 5, 8: 13}).moment(8) == 13


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, F, int, float])
def test_moments_are_numbers_of_any_kind(kind, unchecked):
    assert GivenMoments({4: kind(3), 6: kind(15)}) == GivenMoments({4: 3, 6: 15})
    assert GivenMoments({4: kind(3)}).moment(4) == 3


@pytest.mark.parametrize(
    ("spec", "law"),
    [
        ("gaussian", Gaussian()),
        ("uniform", Uniform()),
        ("laplace", Laplace()),
        ("student_t:7", StudentT(7)),
        ("student-t:7.5", StudentT(7.5)),
        (StudentT(3), StudentT(3)),
    ],
)
def test_laws_by_name(spec, law):
    assert weight_law(spec) == law
    assert weight_law(law.name) == law
    assert fw.MLP(n_in=2, widths=[3], weight_law=spec).law == law


# -- bad input: given, expected -----------------------------------------------------------------

BAD = {
    "df 2": (lambda: StudentT(2), ["df=2", "df > 2"]),
    "df nan": (lambda: StudentT(float("nan")), ["df=nan", "df > 2"]),
    "df text": (lambda: StudentT("5"), ["'5'", "df > 2"]),  # type: ignore[arg-type]
    "odd order": (lambda: GivenMoments({3: 1}), ["moment order 3", "expected even orders from 4"]),
    "variance": (lambda: GivenMoments({2: 1}), ["moment order 2", "the variance is 1"]),
    "no number": (lambda: GivenMoments({4: float("nan")}), ["E W^4 is nan", "a finite number"]),
    "infinite": (lambda: GivenMoments({4: float("inf")}), ["E W^4 is inf", "a finite number"]),
    "df inf": (lambda: StudentT(float("inf")), ["df=inf is the normal law", "'gaussian'"]),
    "df inf by name": (lambda: weight_law("student_t:inf"), ["student_t:inf", "'gaussian'"]),
    "a bool": (lambda: GivenMoments({4: True}), ["E W^4 is True", "a finite number"]),
    "a gap": (lambda: GivenMoments({4: 3, 8: 5}), ["E W^8 = 5", "E W^4 = 3", "at least 27"]),
    "a gap, huge": (lambda: GivenMoments({4: 1e200, 8: 5}), ["E W^8 = 5", "at least 10^600"]),
    "Jensen": (lambda: GivenMoments({6: 0.5}), ["E W^6 = 0.5", "E W^2 = 1", "at least 1"]),
    "Hankel": (  # the pairs alone would ask for 5²/2 = 12.5
        lambda: GivenMoments({4: 2, 6: 5, 8: F(129, 10)}),
        ["E W^8 = 12.9", "E W^4 = 2", "E W^6 = 5", "at least 13"],
    ),
    "signs": (lambda: GivenMoments({4: 1, 6: 2}), ["E W^6 = 2", "makes W a sign"]),
    "text": (lambda: GivenMoments({4: "a"}), ["E W^4", "'a'", "number"]),  # type: ignore[dict-item]
    "text order": (
        lambda: GivenMoments({"4": 3}),  # type: ignore[dict-item]
        ["'4'", "even orders"],
    ),
    "a list": (lambda: GivenMoments([3, 15]), ["[3, 15]", "mapping"]),  # type: ignore[arg-type]
    "too small": (lambda: GivenMoments({4: 0.5}), ["E W^4 = 0.5", "at least 1"]),
    "not log-convex": (lambda: GivenMoments({4: 3, 6: 8}), ["E W^6 = 8", "at least 9"]),
    "negative order": (lambda: Gaussian().moment(-2), ["moment order is -2", "0 or more"]),
}


@pytest.mark.parametrize(("make", "said"), BAD.values(), ids=BAD)
def test_bad_laws_get_one_sentence(make, said, unchecked):
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    message = str(caught.value)
    assert all(piece in message for piece in said), message
    assert message.endswith((".", ")"))
    assert "\n" not in message
