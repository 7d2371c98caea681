"""The check of every whole number that a caller gives."""

from operator import index


def whole_number(value: object, name: str, least: int, most: int | None = None) -> int:
    """`value` as an int from `least` to `most`.

    Parameters
    ----------
    value : int
        Anything that is an integer by ``operator.index`` (bool excluded).
    name : str
        How to call it in the error, e.g. ``"width of hidden layer 3"``.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is out of range.
    """
    if most is None or (most >= 10**20 and not _is_above(value, most)):
        bounds = f"of at least {least}"
    else:
        bounds = f"from {least} to {most if most < 10**20 else f'{most:.0e}'}"
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(
            f"{name} is {value!r}, expected a whole number {bounds}; write it as an int."
        )
    if number < least or (most is not None and number > most):
        large = abs(number) >= 10**30
        shown = f"a number of {len(str(abs(number)))} digits" if large else str(number)
        raise ValueError(f"{name} is {shown}, expected a whole number {bounds}.")
    return number


def _is_above(value: object, most: int) -> bool:
    """Whether the bound above is what matters; it is not worth a word to who gave 0."""
    return isinstance(value, int) and value > most
