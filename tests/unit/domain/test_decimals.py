from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.decimals import EXACT, MAX_EXACT, decimal_text, parse_decimal, product, round_down


@pytest.mark.parametrize("text", ["0", "1.15", "-3", "+3", ".5", "5.", "1e3", "1E-3", "007"])
def test_numbers(text: str) -> None:
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "nan", "NaN", "inf", "-Infinity", "1_000", "1,5", "0x10", "\u0661", "e5", ".", "1e9999"],
)
def test_what_is_no_number(text: str) -> None:
    assert parse_decimal(text) is None


def test_a_product_is_exact() -> None:
    assert product([Decimal("1.1"), Decimal("1.1"), Decimal("0.001")]) == Decimal("0.00121")
    assert product([]) == 1


@pytest.mark.parametrize(
    ("value", "whole"), [("0", 0), ("0.99999", 0), ("1", 1), ("114.999999999", 114), ("115.000", 115)]
)
def test_rounding_is_down(value: str, whole: int) -> None:
    assert round_down(Decimal(value)) == whole


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_dividing_and_multiplying_by_the_same_number_loses_no_point(points: int, divisor: int) -> None:
    quotient = EXACT.divide(Decimal(points), Decimal(divisor))
    assert round_down(EXACT.multiply(quotient, Decimal(divisor))) == points


@given(st.integers(0, MAX_EXACT))
def test_whole_numbers_stay_as_they_are(points: int) -> None:
    assert round_down(Decimal(points)) == points
    assert decimal_text(Decimal(points)) == str(points)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2.0", "2"),
        ("0.010", "0.01"),
        ("0", "0"),
        ("0.00", "0"),
        ("100", "100"),
        ("1e3", "1000"),
        ("-1.50", "-1.5"),
        ("1e69", "1" + "0" * 69),
        ("12e69", "12" + "0" * 69),
        ("0e99", "0"),
    ],
)
def test_decimals_are_written_without_exponent_and_trailing_zeros(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


def test_an_endless_quotient_is_written_to_30_decimals() -> None:
    assert decimal_text(EXACT.divide(Decimal(1), Decimal(3))) == "0." + "3" * 30


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=6))
def test_a_written_decimal_reads_back_as_itself(value: Decimal) -> None:
    assert parse_decimal(decimal_text(value)) == value
