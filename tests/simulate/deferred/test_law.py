"""The law of a deferred matrix: its entries, drawn as far as asked and then to the end, are iid.

Since `complete` agrees with every answer (test_consistency), iid normal entries after questions
that depend on the answers say that the answers have the law of a stored matrix's. 251 comparisons
at |z| < 6.3 are false alarms with probability below 1e-7. A variance wrong by 9 % or a correlation
of 0.09 is found with near certainty (12.6 standard errors).
"""

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from finitewidth.simulate.deferred import DeferredMatrix, partial
from finitewidth.simulate.deferred.streams import Streams

NETWORKS, SHAPE = 20_000, (4, 5)


def entries() -> np.ndarray:
    """All entries of matrices that were asked adaptively; [networks, entries]."""
    matrix = DeferredMatrix(*SHAPE, seeds=range(NETWORKS), dtype=torch.float64)
    x = torch.tensor([[1.0, 0, 0, 0, 0]]).double().expand(NETWORKS, 1, 5).contiguous()
    y = matrix.right(x)
    u = torch.relu(y) - 0.5
    z = matrix.left(u)
    matrix.descend(u, x, 0.3, momentum=0.5, weight_decay=0.1)
    x = torch.tanh(z) + 0.2
    y = matrix.right(x)
    matrix.left(torch.sin(y) + 0.1)
    return matrix.complete().numpy().reshape(NETWORKS, -1)


def worst(found: np.ndarray) -> float:
    """Largest |z| of means, covariances and fourth moments; infinite if a KS test rejects."""
    count = found.shape[1]
    covariance = found.T @ found / len(found)
    spread = np.sqrt((1 + np.eye(count)) / len(found))
    z = [np.abs((covariance - np.eye(count)) / spread).max()]
    z.append(np.abs(found.mean(axis=0)).max() * math.sqrt(len(found)))
    z.append(np.abs((found**4).mean(axis=0) - 3).max() * math.sqrt(len(found) / 96))
    if min(kstest(found[:, k], "norm").pvalue for k in range(count)) < 1e-9:
        return math.inf
    return float(max(z))


def test_entries_are_iid_normal(unchecked) -> None:
    assert worst(entries()) < 6.3


def test_fresh_numbers_of_another_variance_are_caught(unchecked, monkeypatch) -> None:
    honest = Streams.normal
    monkeypatch.setattr(Streams, "normal", lambda *given: 1.045 * honest(*given))
    assert worst(entries()) > 6.3


def test_a_projection_left_out_is_caught(unchecked, monkeypatch) -> None:
    """(1 − P_U) g replaced by g: what is known of the answer is counted twice."""

    def forgetful(self, side, directions):
        basis, answers = self._bases[1 - side], self._answers[1 - side]
        fresh = self._streams.normal(
            directions.shape[1], basis.values.shape[2], directions.dtype, directions.device
        )
        if basis.count > 0:
            known = partial.inner(directions, answers.values)
            partial.add_combination(fresh, known, basis.values)
        self._bases[side].append(directions)
        self._answers[side].append(fresh)

    monkeypatch.setattr(partial.Partial, "_learn", forgetful)
    assert worst(entries()) > 6.3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_out": 0}, "n_out is 0, expected a whole number of at least 1"),
        ({"n_in": 2.5}, "n_in is 2.5"),
        ({"seeds": 3}, "give a list of one"),
        ({"seeds": []}, "expected one seed for each network"),
        ({"seeds": [-1]}, "whole numbers from 0 on"),
        ({"dtype": torch.float16}, "expected torch.float32 or torch.float64"),
    ],
    ids=str,
)
def test_bad_matrices(arguments, words, unchecked) -> None:
    given = {"n_out": 3, "n_in": 4, "seeds": [1]} | arguments
    with pytest.raises((ValueError, TypeError), match=words):
        DeferredMatrix(given.pop("n_out"), given.pop("n_in"), **given)


def test_bad_rows(unchecked) -> None:
    matrix = DeferredMatrix(3, 4, seeds=[1, 2])
    with pytest.raises(TypeError, match="convert one of them"):
        matrix.right(torch.ones(2, 1, 4).double())
    with pytest.raises(ValueError, match=r"x has shape \(1, 1, 4\), expected \[2, rows, 4\]"):
        matrix.right(torch.ones(1, 1, 4))
    with pytest.raises(ValueError, match="expected as many"):
        matrix.descend(torch.ones(2, 1, 3), torch.ones(2, 2, 4), 0.1)
    with pytest.raises(ValueError, match="rate is nan, expected a finite number"):
        matrix.descend(torch.ones(2, 1, 3), torch.ones(2, 1, 4), math.nan)
    with pytest.raises(ValueError, match=r"in full take .* are free"):
        DeferredMatrix(2**20, 2**20, seeds=[1]).complete()
