"""One sentence where an extra is missing."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed_for(what: str, extra: str) -> Iterator[None]:
    """Wrap the imports of an extra.

    Parameters
    ----------
    what : str
        A plural that says what cannot be had without them, e.g. ``"figures"``.
    extra : str
        Its name, e.g. ``"report"``.

    Raises
    ------
    RuntimeError
        If a module is not installed; the sentence says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("finitewidth"):
            raise
        raise RuntimeError(
            f"{what} need {error.name}, which is not installed; run "
            f'pip install "finitewidth[{extra}]".'
        ) from None
