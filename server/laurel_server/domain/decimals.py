"""Exact decimals: money, formulas and multipliers never pass through a float."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final

MAX_EXACT: Final = 2**53
"""The largest number of points: Redis scores and JSON numbers are doubles, exact up to here."""

EXACT: Final = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])
"""Holds every sum and product of real amounts. Its methods leave the thread's own context alone."""

ONE: Final = Decimal(1)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GRAIN = Decimal("1e-30")
_DIGITS_BEFORE_POINT = 69  # of what 100 digits hold to 30 decimals


def parse_decimal(text: str) -> Decimal | None:
    """Return the number that `text` writes, exactly; None if it writes no finite number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def product(factors: Iterable[Decimal]) -> Decimal:
    """Return the exact product; 1 of nothing."""
    result = ONE
    for factor in factors:
        result = EXACT.multiply(result, factor)
    return result


def round_down(value: Decimal) -> int:
    """Return the whole number below a `value` of 0 to 2^53.

    A quotient such as 100 / 3 has no exact decimal. It is carried with 100 digits and brought to 30 decimals
    before the cut, so that 100 / 3 x 3 is 100 and not 99.
    """
    return int(EXACT.quantize(value, _GRAIN))


def decimal_text(value: Decimal) -> str:
    """Return `value` as callers read it, to 30 decimals, without exponent or trailing zeros (`2`, `0.01`)."""
    if value.adjusted() > _DIGITS_BEFORE_POINT and value:  # many campaigns at once can multiply so
        return f"{value:f}".partition(".")[0]
    return f"{EXACT.quantize(value, _GRAIN):f}".rstrip("0").rstrip(".")
