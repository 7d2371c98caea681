"""One sentence where an extra is missing."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed_for(what: str) -> Iterator[None]:
    """Wrap the imports of an extra.

    Parameters
    ----------
    what : str
        A plural that says what cannot be had without them, e.g. ``"figures"``.

    Raises
    ------
    RuntimeError
        If a module is not installed; the sentence says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"{what} need {error.name}, which is not installed; run "
            'pip install "finitewidth[report]".'
        ) from None
