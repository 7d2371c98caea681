"""A reader that has enough, as in ``finitewidth law … | head``: nothing is wrong."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def pipe_may_close() -> Iterator[None]:
    """Write what is printed inside; a pipe that nobody reads any more ends it quietly."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        _discard()
        if not isinstance(error, BrokenPipeError):  # a full disk
            raise
    except SystemExit as stop:  # rich's answer to a closed pipe
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        _discard()


def _discard() -> None:
    """What is still held, and written when the interpreter ends, goes nowhere."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
