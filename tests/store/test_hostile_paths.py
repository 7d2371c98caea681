"""Pipes, devices, long names, locks that are none: one sentence, and nothing waits."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.data import imported, load, vector
from finitewidth.report import Page, Provenance
from finitewidth.store.lock import Lock
from finitewidth.store.records import Reader, Writer

LONG = 300 * "a"
FILES = {
    "a named pipe": "which is a named pipe; expected a regular file",
    "an endless device": "which is a device; expected a regular file",
    "a folder": "which is a folder; expected a regular file",
    "a long name": "which cannot be opened: File name too long",
    "a circle of links": "which cannot be opened: Too many levels of symbolic links",
}


def made(folder: Path, kind: str, ending: str) -> Path:
    """Something that is no file."""
    path = folder / f"{LONG if kind == 'a long name' else 'one'}{ending}"
    if kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "an endless device":
        path.symlink_to("/dev/zero")
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a circle of links":
        path.symlink_to(path)
    return path


def grid(path: object) -> object:
    pytest.importorskip("pydantic")
    return fw.sweep.run(str(path), "unused.sqlite")


def begun(path: object) -> Writer:
    return Writer(str(path), "trial", {})


def page(path: object) -> object:
    empty = Page("t", [], [], Provenance.now(None))
    return empty.html(str(path)) if str(path).endswith(".html") else empty.markdown(str(path))


OPENINGS = {
    "vector": (lambda path: vector(str(path)), ".npy"),
    "data": (lambda path: load(str(path)), ".npz"),
    "function": (lambda path: imported(f"{path}:make", "the model"), ".py"),
    "grid": (grid, ".toml"),
    "record": (Reader, ".sqlite"),
    "new record": (begun, ".sqlite"),
    "lock": (lambda path: Lock(path.with_suffix(""), "sweep"), ".lock"),
    "page": (page, ".html"),
    "markdown": (page, ".md"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("opening", OPENINGS)
def test_what_is_no_file_is_one_sentence(tmp_path: Path, opening: str, kind: str) -> None:
    act, ending = OPENINGS[opening]
    path = made(tmp_path, kind, ending)
    with pytest.raises(ValueError, match=FILES[kind]) as told:
        act(path)
    assert "\n" not in str(told.value)


def test_a_file_beyond_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.npy"
    np.save(path, np.ones(3))
    with path.open("r+b") as file:
        file.truncate(2**43)  # without its blocks
    with pytest.raises(ValueError, match=r"of 8 TiB; expected .* or less"):
        vector(str(path))


@pytest.mark.parametrize("shape", [(10**13,), (2**62, 4), (10**30,), (-3,)])
def test_a_header_that_promises_more_than_there_is(tmp_path: Path, shape: tuple) -> None:
    path = tmp_path / "promise.npy"
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header) - 1) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64))
    with pytest.raises(ValueError, match=r"promise.npy', which"):
        vector(str(path))


def test_an_archive_that_unpacks_beyond_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finitewidth.data import sets

    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, X=np.zeros((10**6, 2)))
    monkeypatch.setattr(sets, "available", lambda: 10**7)
    with pytest.raises(ValueError, match=r"holds an array of 15\.3 MiB; 9\.54 MiB of memory"):
        load(str(path))


def test_a_page_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    for ending in (".html", ".md"):
        if ending == ".html" and find_spec("jinja2") is None:
            continue
        with pytest.raises(RuntimeError, match="cannot be written: No space left on device"):
            page(tmp_path / f"out{ending}")
