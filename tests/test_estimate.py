"""`Estimate`: how a number is written with its error, and what it refuses to be."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import finitewidth as fw
from finitewidth.estimate import short_form

FORMS = [
    # value, error, text
    (1.2832, 0.0041, "1.283(4)"),
    (1.28321, 0.0013, "1.2832(13)"),
    (-35.92, 0.41, "-35.9(4)"),
    (-0.003217, 0.00012, "-0.00322(12)"),
    (1.5, 0.00194, "1.5000(19)"),
    (1.5, 0.00196, "1.500(2)"),
    (1.0, 0.096, "1.0(1)"),  # 0.096 rounds to 0.1
    (0.0, 0.5, "0.0(5)"),
    (0.0, 0.0131, "0.000(13)"),
    (123.4, 2.3, "123(2)"),
    (123.4, 12.0, "123(12)"),
    (123.44, 1.2, "123.4(1.2)"),
    (12345.0, 340.0, "12300(300)"),
    (98765.0, 14000.0, "99000(14000)"),
    (1.234e10, 3e6, "1.2340(3)e+10"),
    (-5.5e12, 1.5e6, "-5.5000000(15)e+12"),
    (2.5e-7, 3e-9, "2.50(3)e-07"),
    (1e-5, 1e-3, "0.0000(10)"),  # the error is larger than the value
    (1.234e10, 3e8, "1.23(3)e+10"),
    (9.9996e7, 1e5, "1.0000(10)e+08"),  # the value rounds up to the next power of ten
    (9.9994e7, 1e5, "9.999(10)e+07"),
    (-9.99996e7, 3e3, "-1.00000(3)e+08"),
    (9_999_999.7, 20.0, "1.000000(2)e+07"),
    (9.99996e-5, 1e-8, "0.000100000(10)"),  # … and is plain again from 1e-4 on
    (9.94e-5, 1e-6, "9.94(10)e-05"),
    (99999.7, 20.0, "100000(20)"),
    (1e5, 30.0, "100000(30)"),
    (1e5, 1e5, "100000(100000)"),
    (1e7, 1e5, "1.000(10)e+07"),
    (1.5e15, 2.5e7, "1.50000000(2)e+15"),
    (4e6, 2e7, "0±2e+07"),  # smaller than a unit of its last digit
    (5.3, 0.96, "5(1)"),
    (1e-7, 1e-9, "1.000(10)e-07"),
    (1e-3, 1e-3, "0.0010(10)"),
    (1.0, 1e-20, "1±1e-20"),  # more digits than a double has
    (9.6e-22, 2e-22, "1.0(2)e-21"),
    (1e300, 3e298, "1.00(3)e+300"),
    (0.0, 2.4e-19, "0±2.4e-19"),
    (2.5, 0.0, "2.5"),
    (1 / 3, 0.0, "0.3333333333"),
    (-2e30, 0.0, "-2e+30"),
    (0.0, 0.0, "0"),
]


@pytest.mark.parametrize(("value", "error", "text"), FORMS)
def test_short_form(value, error, text):
    assert short_form(value, error) == text
    assert str(fw.Estimate(value, error, size=10, method="dense")) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 0.9))
def test_short_form_can_be_read_back(value, error):
    """The value to half a unit of its last digit, the error to a quarter of itself."""
    found = re.fullmatch(r"(-?\d+)(?:\.(\d+))?\((\d+)\)", short_form(value, error))
    assert found, short_form(value, error)
    unit = 10.0 ** -len(found[2] or "")
    read = float(found[1] + "." + (found[2] or "0"))
    assert abs(read - value) <= unit / 2 + 1e-9
    assert 0.75 * error <= int(found[3]) * unit <= 1.25 * error


@given(
    st.floats(1.0, 9.999999),
    st.integers(-250, 250),
    st.floats(1.0, 9.999999),
    st.integers(0, 12),
    st.booleans(),
)
def test_value_and_error_end_at_one_place(leading, power, error_leading, smaller, negative):
    """At every size: one or two digits of error, and the value within half a unit of the last."""
    value, error = leading * 10.0**power, error_leading * 10.0 ** (power - smaller)
    text = short_form(-value if negative else value, error)
    found = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?\(([\d.]+)\)(?:e([+-]\d+))?", text)
    if found is None:  # the value is below a unit of the error's last digit
        assert text.startswith("0±")
        assert error > 0.5 * value
        return
    exponent = int(found[5] or 0)
    unit = Fraction(10) ** (exponent - len(found[3] or ""))
    digits = found[4].replace(".", "")
    shown = Fraction(found[4]) if "." in found[4] else int(digits) * unit
    if not found[3] and not found[5]:  # zeros in front of the point that carry no digit
        unit *= 10 ** (len(digits) - len(digits.rstrip("0") or "0"))
        digits = digits.rstrip("0")
    assert len(digits) <= 2
    assert abs(shown - Fraction(error)) <= Fraction(error) * Fraction(27, 100)
    read = Fraction(found[2] + "." + (found[3] or "0")) * Fraction(10) ** exponent
    assert abs(read - Fraction(value)) <= unit * Fraction(51, 100) + Fraction(value) / 10**15
    assert found[1] == ("-" if negative else "")
    if found[5]:
        assert len(found[2]) == 1
        assert 1 <= int(found[2]) <= 9


def test_arrays_are_written_entry_by_entry():
    estimate = fw.Estimate(np.array([[1.5, 2.0]]), np.array([[0.02, 0.0]]), size=5, method="dense")
    assert str(estimate) == "[[1.50(2) 2]]"


def test_what_is_not_trusted_says_so():
    estimate = fw.Estimate(1.5, 0.02, size=5, method="m", trusted=False, note="too few networks.")
    assert str(estimate) == "1.50(2) (not trusted)"
    assert estimate.note == "too few networks."


def test_a_doubt_keeps_the_numbers_and_joins_the_notes():
    trusted = fw.Estimate(1.0, 0.1, 10, "dense", exact=True)
    assert trusted.doubted("") is trusted
    twice = trusted.doubted("One reason.").doubted("Another.")
    assert twice == fw.Estimate(1.0, 0.1, 10, "dense", True, False, "One reason. Another.")


def test_distance_in_standard_errors():
    assert fw.Estimate(1.5, 0.25, size=5, method="m").z(1.0) == 2.0
    both = fw.Estimate(np.array([1.0, 3.0]), np.array([0.5, 0.5]), size=5, method="m")
    np.testing.assert_array_equal(both.z(2.0), [-2.0, 2.0])
    np.testing.assert_array_equal(both.z(np.array([1.0, 1.0])), [0.0, 4.0])


def test_fields():
    estimate = fw.Estimate(1.5, 0.25, size=5, method="m", exact=True)
    assert (estimate.value, estimate.std_error, estimate.size) == (1.5, 0.25, 5)
    assert (estimate.method, estimate.exact, estimate.trusted, estimate.note) == (
        "m",
        True,
        True,
        "",
    )
    with pytest.raises(AttributeError):
        estimate.value = 2.0  # type: ignore[misc]


NAN, INF = float("nan"), float("inf")
BAD = [
    # value, std_error, other fields, what is said
    (NAN, 0.1, {}, "the estimate by 'dense' is not finite (value nan, std_error 0.1)"),
    (1.0, INF, {}, "is not finite (value 1.0, std_error inf)"),
    (-INF, 0.1, {}, "is not finite"),
    (np.array([1.0, NAN]), np.ones(2), {}, "is not finite"),
    (1.0, -0.1, {}, "std_error is -0.1, expected 0 or more."),
    (np.ones(2), np.array([0.1, -0.1]), {}, "expected 0 or more."),
    (np.ones(2), 0.1, {}, "value has shape (2,) and std_error (), expected one shape."),
    (np.ones((2, 1)), np.ones(2), {}, "value has shape (2, 1) and std_error (2,)"),
    (1.0, 0.1, {"trusted": False}, "an estimate that is not trusted needs a note that says why."),
]


@pytest.mark.parametrize(("value", "error", "fields", "said"), BAD)
def test_what_an_estimate_cannot_be(value, error, fields, said):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        fw.Estimate(value, error, size=3, method="dense", **fields)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
