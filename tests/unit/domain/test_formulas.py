from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.formulas import Formula
from tests.unit.domain.refusals import refused


def value(text: str, **attributes: str) -> Decimal:
    return Formula.compile(text).evaluate(attributes)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1.15 * 100", "115"),
        ("0.1 + 0.2", "0.3"),
        ("order_value * 0.01", "1.2345"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("-3 + 5", "2"),
        ("+3 - 1", "2"),
        ("7 / 2", "3.5"),
        ("7 // 2", "3"),
        ("-7 // 2 + 10", "6"),
        ("7 % 3", "1"),
        ("-7 % 3", "2"),
        ("7.5 % 2", "1.5"),
        ("min(3, 1, 2) + max(4, 5)", "6"),
        ("abs(3 - 10)", "7"),
        ("floor(2.9) + ceil(2.1)", "5"),
        ("round(2.5) + round(3.5)", "7"),
        ("round(1.005, 2)", "1.01"),
        ("100 if order_value > 100 else 0", "100"),
        ("100 if order_value > 200 else 50 if order_value >= 123.45 else 0", "50"),
        ("(order_value > 100) * 5", "5"),
        ("order_value > 100", "1"),
        ("3 if 1 < 2 < 3 and not 2 == 3 else 4", "3"),
        ("3 if 1 > 2 or 1 != 1 else 4", "4"),
        ("floor(1 < 2) + abs(1 < 2)", "2"),
        ("  1 +\n\t1 ", "2"),
        ("1e3 + .5 + 1.", "1001.5"),
    ],
)
def test_arithmetic(text: str, result: str) -> None:
    assert value(text, order_value="123.45") == Decimal(result)


NUMBERS = st.decimals(min_value=-(10**6), max_value=10**6, places=3).map(lambda number: f"{number:f}")
ATTRIBUTES = st.fixed_dictionaries({"a": NUMBERS, "b": NUMBERS, "c": NUMBERS})
TERMS = st.recursive(
    st.sampled_from(["a", "b", "c"]) | NUMBERS.map(lambda number: f"({number})"),
    lambda terms: st.one_of(
        st.builds("({} {} {})".format, terms, st.sampled_from("+-*"), terms),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), terms, terms),
        st.builds("abs({})".format, terms),
        st.builds("-{}".format, terms),
        st.builds("({} if {} < {} else {})".format, terms, terms, terms, terms),
    ),
    max_leaves=8,
)


@given(TERMS, ATTRIBUTES)
def test_formulas_agree_with_fractions(text: str, attributes: dict[str, str]) -> None:
    expected = _by_fractions(text, attributes)
    if 0 <= expected <= MAX_EXACT:
        assert Fraction(value(text, **attributes)) == expected
    else:
        with refused(Reason.INVALID_FIELD, "attributes"):
            value(text, **attributes)


@given(NUMBERS, NUMBERS)
def test_quotients_and_remainders_agree_with_fractions(dividend: str, divisor: str) -> None:
    if Fraction(divisor) == 0:
        return
    whole, rest = divmod(Fraction(dividend), Fraction(divisor))
    assert value("abs(a // b)", a=dividend, b=divisor) == abs(whole)
    assert Fraction(value("abs(a % b)", a=dividend, b=divisor)) == abs(rest)
    assert value("(a % b) * b >= 0", a=dividend, b=divisor) == 1  # the sign of the divisor, or zero


@given(NUMBERS, st.integers(0, 3))
def test_rounding_functions_agree_with_fractions(number: str, places: int) -> None:
    scaled = abs(Fraction(number)) * 10**places
    assert value(f"round(abs(a), {places})", a=number) * 10**places == int(scaled + Fraction(1, 2))
    assert value("floor(abs(a)) ", a=number) == int(abs(Fraction(number)))
    assert value("ceil(a) - floor(a)", a=number) == (Fraction(number).denominator != 1)


def _by_fractions(text: str, attributes: dict[str, str]) -> Fraction:
    """Let Python compute the same text, every number in it being a fraction."""
    tokens = text.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").replace("-", " - ").split()
    source = " ".join(f"F('{token}')" if token[0].isdigit() else token for token in tokens)
    names = {name: Fraction(number) for name, number in attributes.items()}
    return Fraction(eval(source, {"F": Fraction, "min": min, "max": max, "abs": abs, **names}))


@pytest.mark.parametrize("number", ["12,5", "", "nan", "inf", "-Infinity", "1_000", "12 "])
def test_an_attribute_that_is_no_number_is_named(number: str) -> None:
    with refused(Reason.INVALID_FIELD, "attributes", attribute="order_value"):
        value("order_value * 0.01", order_value=number)


def test_a_missing_attribute_is_named() -> None:
    with refused(Reason.INVALID_FIELD, "attributes", attribute="order_value"):
        value("order_value * 0.01", quantity="3")


def test_attributes_of_the_branch_not_taken_are_not_read() -> None:
    formula = "a if a > 1 else b"
    assert value(formula, a="5") == 5
    with refused(Reason.INVALID_FIELD, "attributes", attribute="b"):
        value(formula, a="0")


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("1 / x", "0"),
        ("1 // x", "0"),
        ("1 % x", "0.000"),
        ("0 / x", "0"),
        ("0 - x", "0.001"),
        ("x", "9007199254740993"),
        ("x * x * x * x", "1e999"),
        ("x // 0.1", "1e300"),
        ("x % 0.1", "1e300"),
        ("round(x, 2)", "1e300"),
        ("round(1.5, x)", "0.5"),
        ("round(1.5, x)", "-1"),
        ("round(1.5, x)", "31"),
    ],
)
def test_what_has_no_value_or_one_out_of_range_is_refused(text: str, x: str) -> None:
    with refused(Reason.INVALID_FIELD, "attributes"):
        value(text, x=x)


def test_the_range_includes_its_ends() -> None:
    assert value("x", x="9007199254740992") == MAX_EXACT
    assert value("0 * x", x="-5") == 0
    assert not value("0 * x", x="-5").is_signed()


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("1 +", 3),
        ("1 + )", 4),
        ("2 ** 3", 0),
        ("5 + a ** 3", 4),
        ("1 << 3", 0),
        ("~1", 0),
        ("x = 1", 2),
        ("'5'", 0),
        ("5 + f'{a}'", 4),
        ("5 + None", 4),
        ("5 + True", 4),
        ("1 + 1_000", 4),
        ("1 + 0x10", 4),
        ("1 + 2j", 4),
        ("1 + 1e9999", 4),
        ("order.value", 0),
        ("1 + a[0]", 4),
        ("[1, 2]", 0),
        ("(1, 2)", 0),
        ("lambda: 1", 0),
        ("(x := 1)", 1),
        ("1 + pow(2, 3)", 4),
        ("__import__('os')", 0),
        ("a.b()", 0),
        ("min(1)", 0),
        ("max()", 0),
        ("max(1)", 0),
        ("1 + floor(1, 2)", 4),
        ("round(1, 2, 3)", 0),
        ("round(1.5, places=1)", 0),
        ("min(*a)", 0),
        ("1 + min(*a, 2)", 8),
        ("a in b", 0),
        ("a is b", 0),
        ("[a for a in b]", 0),
        ("await a", 0),
        ("import os", 0),
        ("gr\u00f6\u00dfe * 2", 0),
    ],
)
def test_what_is_not_the_language_is_refused_with_its_place(text: str, position: int) -> None:
    with refused(Reason.FORMULA_INVALID, "config.points_formula", formula=text, position=str(position)):
        Formula.compile(text)


@pytest.mark.parametrize(
    "text", ["1 +\x00 1", "(" * 250 + "1" + ")" * 249, "-" * 499 + "1", "-" * 150 + "1", "a" + "+a" * 249]
)
def test_what_the_parser_or_the_stack_could_not_bear_is_refused(text: str) -> None:
    with refused(Reason.FORMULA_INVALID, "config.points_formula"):
        Formula.compile(text)


def test_the_deepest_formula_still_evaluates() -> None:
    assert value("a" + " + a" * 100, a="1") == 101


def test_500_characters_are_enough() -> None:
    assert value("1 +" + " " * 496 + "1") == 2
    with refused(Reason.FORMULA_INVALID, "rule"):
        Formula.compile("1 +" + " " * 497 + "1", "rule")


def test_a_formula_knows_the_attributes_it_may_read() -> None:
    assert Formula.compile("min(a, 3) if b > 1 else a * c").names == {"a", "b", "c"}


def test_formulas_are_compared_by_their_text() -> None:
    assert Formula.compile("a + 1") == Formula.compile("a + 1") != Formula.compile("a + 2")


def test_messages_show_no_text_of_the_interpreter() -> None:
    with pytest.raises(LaurelError) as caught:
        Formula.compile("1 + )")
    assert caught.value.message == "formula: is no expression (at character 5)"


class Interrupted(dict[str, str]):
    """Attributes during whose reading another thread evaluates the formula over others."""

    def get(self, key: str, default: Any = None) -> Any:
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(Formula.compile("x + x").evaluate, {"x": "50"}).result() == 100
        return super().get(key, default)


def test_threads_do_not_see_the_attributes_of_each_other() -> None:
    assert Formula.compile("x + x").evaluate(Interrupted(x="1")) == 2
