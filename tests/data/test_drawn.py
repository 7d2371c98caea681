"""Which rows of a data set are used: the same in any order of the file, a share of every class."""

import numpy as np
import pytest

from finitewidth.data import load
from finitewidth.data.drawn import drawn_rows, one_target


def sorted_classes(sizes: tuple[int, ...] = (50, 50, 50)) -> tuple[np.ndarray, np.ndarray]:
    """As iris is: class after class."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = np.random.default_rng(0).standard_normal((len(y), 4)) + y[:, None]
    return X, y


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ((50, 50, 50), 16, {5, 6}),
        ((212, 357), 16, {6, 10}),  # 5.96 and 10.04
        ((5, 500), 16, {1, 15}),  # a rare class is there
        ((10,) * 10, 10, {1}),
    ],
)
def test_every_class_has_its_share(
    sizes: tuple[int, ...], count: int, expected: set[int], one_hot: bool
) -> None:
    X, y = sorted_classes(sizes)
    rows = drawn_rows(X, np.eye(len(sizes))[y] if one_hot else y, count)
    assert len(set(rows.tolist())) == count
    assert set(np.bincount(y[rows], minlength=len(sizes)).tolist()) == expected
    assert len(set(y[:count])) < len(sizes) or sizes[0] < count  # the first rows have not


def test_the_rows_are_the_same_ones_in_any_order_of_the_file() -> None:
    X, y = sorted_classes()
    rows = drawn_rows(X, y, 16)
    order = np.random.default_rng(3).permutation(len(X))
    shuffled = drawn_rows(X[order], y[order], 16)
    np.testing.assert_array_equal(X[order][shuffled], X[rows])
    np.testing.assert_array_equal(y[order][shuffled], y[rows])
    assert not np.array_equal(drawn_rows(X, y, 16, seed=1), rows)


def test_numbers_are_drawn_without_favour() -> None:
    """Each of 40 rows with probability ¼, over 4000 keys: within 4.9 errors of 2·10⁻⁵ a row."""
    X = np.random.default_rng(1).standard_normal((40, 2))
    y = X[:, 0] ** 2
    counts = np.zeros(40)
    for seed in range(4000):
        counts[drawn_rows(X, y, 10, seed)] += 1
    error = (4000 * 0.25 * 0.75) ** 0.5
    assert np.abs(counts - 1000).max() < 5.6 * error  # 40 rows: 1e-6 in all


def test_a_file_says_which_rows_were_drawn(tmp_path) -> None:
    X, y = sorted_classes()
    path = tmp_path / "iris.npz"
    np.savez(path, X=X, y=y)
    found = load(str(path), 16)
    assert found.y is not None
    assert (found.total, len(found.rows), found.drawn) == (150, 16, True)
    np.testing.assert_array_equal(found.X, X[list(found.rows)])
    np.testing.assert_array_equal(found.y, y[list(found.rows)])
    assert set(found.y.tolist()) == {0, 1, 2}
    assert found.in_words == f"16 of 150 inputs of {path}, drawn"
    whole = load(str(path), 150)
    assert (whole.rows, whole.in_words) == ((), f"150 inputs of {path}")
    np.testing.assert_array_equal(whole.X, X)


def test_the_digits_stand_in_no_order_and_the_first_are_taken() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn (demo extra) is absent")
    found = load("digits", 16, "cross_entropy")
    assert found.rows == tuple(range(16))
    assert found.in_words.startswith("the first 16 of 1797 inputs of scikit-learn's digits")


@pytest.mark.parametrize(
    ("y", "part"),
    [
        (np.ones(4), "All 4 targets of this batch are 1."),
        (np.array([[0.0, 1.0]] * 3), "All 3 targets of this batch are [0. 1.]"),
        (np.array([1.0, 2.0]), ""),
        (np.ones(1), ""),
    ],
)
def test_one_target_value_is_named(y: np.ndarray, part: str) -> None:
    found = one_target(y)
    assert found.startswith(part)
    assert bool(found) == bool(part)


def test_training_says_so_too(tmp_path) -> None:
    from finitewidth.data import training_set

    X, y = sorted_classes((4, 40))
    np.savez(tmp_path / "two.npz", X=X, y=y)
    found = training_set(str(tmp_path / "two.npz"), 8)
    assert found.y is not None
    assert set(found.y.tolist()) == {0.0, 1.0}  # the first 8 would hold 4 and 4, the last 8 one
    assert found.description.endswith("two.npz, drawn from 44")
    np.savez(tmp_path / "one.npz", X=X, y=np.ones(44))
    assert training_set(str(tmp_path / "one.npz"), 8).description.endswith("all targets the same")
