"""Every answer of a deferred matrix is that of one stored matrix: `complete` and replay."""

import pytest
import torch

from finitewidth.simulate.deferred import DeferredMatrix
from tests.simulate.deferred.replay import Replay

# An answer passes through as many projections as there were queries, each with a rounding error of
# a few eps; the replay has its own. 1e-11 is 5e4 eps, for at most a few hundred queries.
BOUND = {torch.float64: 1e-11, torch.float32: 2e-3}


def asked(n_out: int, n_in: int, size: int, dtype=torch.float64) -> Replay:
    return Replay(DeferredMatrix(n_out, n_in, seeds=range(size), dtype=dtype))


def rows(size: int, count: int, n: int, seed: int, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(size, count, n, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def train(replay: Replay, steps: int, dtype, rate=0.05, momentum=0.0, weight_decay=0.0) -> None:
    """Queries that depend on the answers, and steps along them, as in training."""
    matrix = replay.matrix
    x = rows(matrix.size, 3, matrix.n_in, 1, dtype)
    for step in range(steps):
        y = replay.right(x)
        u = torch.tanh(y) + 0.1
        z = replay.left(u)
        replay.descend(u, x, rate, momentum, weight_decay)
        x = torch.relu(z) - 0.3 * x
        x = x / torch.linalg.vector_norm(x, dim=2, keepdim=True) * matrix.n_in**0.5
        if step % 2:  # directions that were never asked about
            fresh = rows(matrix.size, 2, matrix.n_out, 50 + step, dtype)
            replay.descend(fresh, rows(matrix.size, 2, matrix.n_in, 90 + step, dtype), rate)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("how", [{}, {"momentum": 0.9}, {"weight_decay": 0.1},
                                 {"momentum": 0.5, "weight_decay": 0.2}], ids=str)  # fmt: skip
@pytest.mark.parametrize("shape", [(50, 70), (70, 1), (1, 60), (6, 90)], ids=str)
def test_answers_are_those_of_one_matrix(shape, how, dtype) -> None:
    replay = asked(*shape, size=3, dtype=dtype)
    train(replay, 4, dtype, **how)
    assert replay.error() < BOUND[dtype]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_hundreds_of_nearly_repeated_queries(dtype) -> None:
    """Rows that move by 1e-6 (1e-3 in float32) a query, as at a tiny learning rate."""
    replay = asked(400, 300, size=1, dtype=dtype)
    x, u = rows(1, 2, 300, 1, dtype), rows(1, 2, 400, 2, dtype)
    small = 1e-6 if dtype == torch.float64 else 1e-3
    for step in range(120):
        replay.right(x)
        replay.left(u)
        replay.descend(u, x, 1e-4)
        x = x + small * rows(1, 2, 300, 10 + step, dtype)
        u = u + small * rows(1, 2, 400, 500 + step, dtype)
    left, right = replay.matrix.queried
    assert left == 240
    assert right == 240
    (part,) = replay.matrix.state_dict()["parts"]
    for basis in part["state"]["bases"]:
        gram = basis.double() @ basis.double().mT
        eps = torch.finfo(dtype).eps
        # eps for every number of an inner product at the very worst; a basis orthogonalised once
        # is off by 1e-10 here and by 1e-3 in float32.
        assert float((gram - torch.eye(240).double()).abs().amax()) < 100 * eps
    assert replay.error() < BOUND[dtype]


def test_repeated_dependent_and_zero_rows_are_no_directions() -> None:
    replay = asked(20, 30, size=2)
    x = rows(2, 2, 30, 3)
    again = torch.cat([x, x, x[:, :1] + x[:, 1:], torch.zeros(2, 1, 30).double()], dim=1)
    first = replay.right(x)
    answers = replay.right(again)
    assert replay.matrix.queried == (0, 2)
    torch.testing.assert_close(answers[:, 2:4], first, rtol=0, atol=1e-12)
    assert (answers[:, 5] == 0).all()
    assert replay.error() < BOUND[torch.float64]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_side_without_a_direction_left_stays_exact(side) -> None:
    replay = asked(*((7, 40) if side == "left" else (40, 7)), size=2)
    train(replay, 6, torch.float64, momentum=0.5)
    state = replay.matrix.state_dict()["parts"]
    assert {part["kind"] for part in state} == {"stored"}
    assert replay.error() < BOUND[torch.float64]


def test_networks_whose_directions_differ_in_number() -> None:
    replay = asked(30, 40, size=3)
    x = rows(3, 3, 40, 4)
    x[1, 1] = 2 * x[1, 0]
    x[2, 1:] = 0
    replay.right(x)
    train(replay, 3, torch.float64, weight_decay=0.1)
    assert replay.error() < BOUND[torch.float64]
    alone = DeferredMatrix(30, 40, seeds=[1], dtype=torch.float64)
    batch = DeferredMatrix(30, 40, seeds=range(3), dtype=torch.float64)
    assert torch.equal(batch.right(x)[1:2], alone.right(x[1:2]))
    u = rows(3, 2, 30, 5)
    assert torch.equal(batch.left(u)[1:2], alone.left(u[1:2]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_steps_along_mixtures_of_the_rows(dtype) -> None:
    replay = asked(30, 40, size=2, dtype=dtype)
    for step in range(4):
        x, u = rows(2, 3, 40, step, dtype), rows(2, 5, 30, 70 + step, dtype)
        replay.right(x)
        replay.left(u)
        mix = rows(2, 5, 3, 80 + step, dtype)
        replay.descend(u, x, 0.01, momentum=0.9, weight_decay=0.1, mix=mix)
    assert replay.error() < BOUND[dtype]


def test_a_mixture_that_does_not_fit_its_rows_is_refused(unchecked) -> None:
    replay = asked(30, 40, size=2)
    x, u, mix = rows(2, 3, 40, 0), rows(2, 5, 30, 70), rows(2, 5, 3, 80)
    replay.right(x)
    replay.left(u)
    with pytest.raises(ValueError, match=r"mix has shape \(2, 3, 5\), expected \[2, 5, 3\]"):
        replay.matrix.descend(u, x, 0.01, mix=mix.mT)
    with pytest.raises(ValueError, match="mix holds nan or inf"):
        replay.matrix.descend(u, x, 0.01, mix=mix * torch.inf)


def test_rows_are_recognised_by_what_they_hold() -> None:
    replay = asked(30, 40, size=2)
    memory = rows(2, 6, 40, 3)
    memory = memory.reshape(2, 6, 40)
    replay.right(memory[:, :3])
    replay.right(memory[:, 3:])  # as large, in the same memory, elsewhere
    x = rows(2, 3, 40, 4)
    replay.right(x)
    replay.descend(rows(2, 3, 30, 5), x.view(2, 3, 40), 0.1)
    x *= torch.linspace(1, 2, 3)[:, None]
    replay.right(x)  # the same memory, written to
    place = x.data_ptr()
    del x
    fresh = [rows(2, 3, 40, 100 + k) for k in range(8)]  # likely where x was
    for other in sorted(fresh, key=lambda rows: rows.data_ptr() != place):
        replay.right(other)
    replay.right(memory[:, :3].flip(1))
    assert replay.error() < BOUND[torch.float64]


def test_rows_that_are_not_finite_leave_no_trace() -> None:
    x = rows(1, 2, 30, 6)
    bad = torch.cat([x, torch.full((1, 1, 30), torch.nan).double()], dim=1)
    one, two = (DeferredMatrix(20, 30, seeds=[5], dtype=torch.float64) for _ in range(2))
    answers = one.right(bad)
    assert answers[:, 2].isnan().all()
    assert torch.equal(answers[:, :2], two.right(x))
    with pytest.raises(ValueError, match="lower the learning rate"):
        one.descend(rows(1, 3, 20, 7), bad, 0.1)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_rows_far_from_one(scale) -> None:
    replay = asked(20, 30, size=1, dtype=torch.float32)
    x = rows(1, 2, 30, 8, torch.float32) * scale
    answer = replay.right(x)
    replay.left(answer)
    replay.right(x + 0.5 * x.flip(2))
    assert replay.error() < BOUND[torch.float32]


def test_a_run_goes_on_from_its_state(tmp_path) -> None:
    def go_on(matrix):
        x = rows(2, 2, 40, 21)
        found = [matrix.right(x), matrix.left(torch.tanh(matrix.right(x)))]
        matrix.descend(found[0], x, 0.1, 0.9)
        return [*found, matrix.right(rows(2, 3, 40, 22)), matrix.dense()]

    first = asked(30, 40, size=2)
    train(first, 2, torch.float64, momentum=0.9)
    torch.save(first.matrix.state_dict(), tmp_path / "state.pt")
    again = DeferredMatrix(30, 40, seeds=[7, 8], dtype=torch.float64)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for a, b in zip(go_on(first.matrix), go_on(again), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="build the matrices as they were built"):
        DeferredMatrix(30, 41, seeds=[1, 2], dtype=torch.float64).load_state_dict(
            first.matrix.state_dict()
        )


def test_threads_do_not_change_the_numbers() -> None:
    n, threads = 3 * 2**18 + 5, torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            matrix = DeferredMatrix(n, 20, seeds=[3])
            found.append(matrix.right(rows(1, 2, 20, 9, torch.float32)))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*found)
