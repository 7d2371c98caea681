"""Files as finitewidth 0.1.0 wrote them: what stands in them is still read, and continued.

The two dumps beside this file were made from such files by ``sqlite3``'s ``.dump``, with the
numbers of the format and its version before it; they are never written anew.
"""

import sqlite3
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from finitewidth.store.records import Reader, Writer

SWEEPS = all(find_spec(name) is not None for name in ("distributed", "pydantic", "xarray"))


def restored(path: Path, dump: str) -> Path:
    """A database from a dump."""
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / dump).read_text(encoding="utf-8"))
    connection.close()
    return path


def test_a_file_of_records(tmp_path: Path) -> None:
    path = restored(tmp_path / "run.sqlite", "records.sql")
    identity = {"net": [3, 4], "rate": 0.1, "name": "é"}
    inputs = np.arange(6.0).reshape(2, 3)
    with Reader(path) as reader:
        assert reader.damaged() == []
        assert reader.series() == ["", "cell 5"]
        np.testing.assert_array_equal(reader.experiment.arrays["inputs"], inputs)
        first, second, third = reader.records()
        expected = np.array([[1.5, -0.0], [np.nan, 5e-324]])
        assert first.arrays["kernel"].tobytes() == expected.tobytes()
        assert first.arrays["count"].tolist() == [0, 2**62]
        assert first.note == {"inputs": 3}
        assert second.arrays["kernel"].tolist() == [[2.5]]
        assert (third.step, third.session) == (2, 2)  # the one that replaced another
        assert third.arrays["kernel"].tolist() == [[4.5]]
    with Writer(path, "trial", identity, {"inputs": inputs}) as writer:
        assert not writer.is_new
        writer.append(3, {"kernel": 1.0})
    with Reader(path) as reader:
        assert reader.steps() == [0, 1, 2, 3]


@pytest.mark.skipif(not SWEEPS, reason="the sweep extra is not installed")
def test_a_store_of_a_sweep(tmp_path: Path) -> None:
    import finitewidth as fw
    from finitewidth.sweep import store

    path = restored(tmp_path / "s.sqlite", "sweep.sql")
    found = fw.sweep.open(path)
    assert found.kernel_mean.values.tolist() == [3.5, 3.5034012499000324]
    assert found.kernel_mean_std_error.values.tolist() == [0.0, 0.029974919702123317]
    assert found.networks.values.tolist() == [0, 4096]
    assert found.complete.values.tolist() == [True, True]
    writer = store.Writer(path, {})
    assert writer.messages == [], "every checksum is right"
    writer.close()
    with store.Reader(path) as reader:
        assert [chunk.sound for chunk in reader.chunks()] == [True, True]
        assert [session.closed for session in reader.sessions()] == [True, True]
