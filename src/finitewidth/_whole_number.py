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
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(
            f"{name} is {value!r}, expected a whole number {bounds}; write it as an int."
        )
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name} is {number}, expected a whole number {bounds}.")
    return number
