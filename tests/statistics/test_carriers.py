"""How many numbers carry an average, by hand."""

import numpy as np

from finitewidth.statistics.carriers import effective_number, from_sums


def test_effective_numbers():
    terms = np.array([[1.0, 0.0, 1.0, 1.0, 1e200], [1.0, 0.0, 0.0, 3.0, -1e200]])
    found = effective_number(terms)
    np.testing.assert_allclose(found, [2, 2, 1, 1.6, 2])


def test_the_same_from_sums() -> None:
    values = np.array([1.0, 2.0, 3.0, 0.0])
    expected = float(effective_number(values**2))
    assert np.isclose(from_sums((values**2).sum(), (values**4).sum(), 4), expected, rtol=1e-14)
    assert from_sums(0.0, 0.0, 4) == float(effective_number(np.zeros(4))) == 4.0
