"""How whole numbers are typed: ``256`` and ``1e6`` but not ``2.5``; one converter for all."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from sys import float_info
from typing import Annotated, Any

from cyclopts import Parameter, Token


def whole_number(text: str) -> int:
    """A whole number as it is typed: ``256``, ``1_000`` or ``1e6``.

    Raises
    ------
    ValueError
        For anything else: fractions, inf, nan, and what no double holds.
    """
    try:
        number = Decimal(text)
        whole = number.is_finite() and (not number or number.adjusted() <= float_info.max_10_exp)
        value = int(number) if whole else 0
    except InvalidOperation:
        whole, value, number = False, 0, Decimal(0)
    if not whole or value != number or abs(value) > float_info.max:
        raise ValueError(f"{text!r}, expected a whole number such as 256 or 1e6.")
    return value


def _one(type_: Any, tokens: Sequence[Token]) -> int:
    return whole_number(tokens[0].value)


def _several(type_: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    return tuple(whole_number(part) for part in tokens[0].value.split(","))


Whole = Annotated[int, Parameter(converter=_one, n_tokens=1, allow_leading_hyphen=True)]
Wholes = Annotated[tuple[int, ...], Parameter(converter=_several, n_tokens=1)]
