"""Points formulas: arithmetic over the attributes of an award, in exact decimals."""

import ast
import operator
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, Final, Self

from simpleeval import SimpleEval

from laurel_server.domain.decimals import EXACT, MAX_EXACT, ONE, parse_decimal
from laurel_server.domain.errors import LaurelError, Reason, invalid_field

MAX_LENGTH: Final = 500
"""Characters in a formula."""

_MAX_DEPTH = 100  # far below what would outgrow the interpreter's stack at evaluation
_MAX_PLACES = 30


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked expression; `names` are the attributes it may read.

    The language is Python's: + - * / // %, parentheses, comparisons, `and`, `or`, `not`, `a if test else b`
    and the functions min, max, abs, floor, ceil and round (halves up). A comparison counts as 1 or 0.
    """

    text: str
    names: frozenset[str]
    _expression: ast.expr = field(repr=False, compare=False)

    @classmethod
    def compile(cls, text: str, field: str = "config.points_formula") -> Self:
        """Check `text` and prepare it for evaluation. FORMULA_INVALID with what is wrong, and where."""
        checker = Checker(text, field)
        expression = checker.parse()
        checker.check(expression)
        return cls(text, frozenset(checker.names), expression)

    def evaluate(self, attributes: Mapping[str, str]) -> Decimal:
        """Return the exact value, from 0 to 2^53. INVALID_FIELD `attributes` where there is none.

        That is: an attribute is missing or no number, a division by zero, a result out of range.
        Attributes in a branch that is not taken are not read.
        """
        _ATTRIBUTES.values = attributes
        try:
            result = EXACT.plus(_EVALUATOR.eval(self.text, self._expression))
        except ArithmeticError:
            raise invalid_field("attributes", f"{self.text} has no value for these attributes") from None
        if not 0 <= result <= MAX_EXACT:
            raise invalid_field("attributes", f"{self.text} leads out of the range of 0 to 2^53")
        return result


class _Attributes(threading.local):
    """The names of the evaluation under way, read as decimals when the formula gets to them."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> Decimal:
        text = self.values.get(name)
        if text is None:
            raise invalid_field("attributes", f"attribute {name} is missing", attribute=name)
        number = parse_decimal(text)
        if number is None:
            raise invalid_field("attributes", f"attribute {name} is not a number", attribute=name)
        return number


def _modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Take the sign of the divisor, like Python's integers and unlike its decimals."""
    rest = EXACT.remainder(dividend, divisor)
    return EXACT.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


def _floor_divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    return EXACT.divide_int(EXACT.subtract(dividend, _modulo(dividend, divisor)), divisor)


def _floor(value: Decimal) -> Decimal:
    return Decimal(value).to_integral_value(ROUND_FLOOR)


def _ceil(value: Decimal) -> Decimal:
    return Decimal(value).to_integral_value(ROUND_CEILING)


def _round(value: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    if places not in range(_MAX_PLACES + 1):
        raise ArithmeticError
    return Decimal(value).quantize(ONE.scaleb(-int(places)), ROUND_HALF_UP, EXACT)


OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: EXACT.add,
    ast.Sub: EXACT.subtract,
    ast.Mult: EXACT.multiply,
    ast.Div: EXACT.divide,
    ast.FloorDiv: _floor_divide,
    ast.Mod: _modulo,
    ast.UAdd: EXACT.plus,
    ast.USub: EXACT.minus,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": EXACT.abs,
    "floor": _floor,
    "ceil": _ceil,
    "round": _round,
}
_ARGUMENTS = {"min": (2, MAX_LENGTH), "max": (2, MAX_LENGTH), "round": (1, 2)}  # the others take one

_ATTRIBUTES = _Attributes()
_EVALUATOR = SimpleEval(OPERATORS, FUNCTIONS, _ATTRIBUTES)


class Checker:
    """Admits the formula language and nothing else, and turns its literals into decimals."""

    what = "formula"

    def __init__(self, text: str, field: str) -> None:
        self.text = re.sub(r"\s", " ", text.strip())  # one line, so that a column is a position
        self._field = field
        self.names: set[str] = set()

    def parse(self) -> ast.expr:
        """Return the expression. FORMULA_INVALID."""
        if len(self.text) > MAX_LENGTH:
            raise self.refusal(f"must be at most {MAX_LENGTH} characters")
        if not self.text.isascii():
            raise self.refusal("must be ASCII")
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            raise self.refusal("is no expression", (error.offset or len(self.text) + 1) - 1) from None
        except (MemoryError, RecursionError, ValueError):
            raise self.refusal("cannot be parsed") from None

    def check(self, node: ast.AST, position: int = 0, depth: int = 0) -> None:
        """Refuse what is not part of the language. FORMULA_INVALID."""
        position = getattr(node, "col_offset", position)  # an operator has none: take its operation's
        if depth > _MAX_DEPTH:
            raise self.refusal("is nested too deeply", position)
        match node:
            case ast.Constant():
                node.value = self._literal(node)  # type: ignore[assignment]
            case ast.Name():
                self.names.add(node.id)
            case ast.Call():
                self.check_call(node, depth)
            case ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
                for child in ast.iter_child_nodes(node):
                    self.check(child, position, depth + 1)
            case _ if type(node) not in OPERATORS and not isinstance(node, ast.boolop):
                raise self.refusal(f"{type(node).__name__} is not part of the language", position)

    def check_call(self, call: ast.Call, depth: int) -> None:
        """Refuse functions that there are not. FORMULA_INVALID."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name not in FUNCTIONS:
            raise self.refusal(f"unknown function; there are {', '.join(FUNCTIONS)}", call.col_offset)
        fewest, most = _ARGUMENTS.get(name, (1, 1))
        if call.keywords or not fewest <= len(call.args) <= most:
            raise self.refusal(f"wrong arguments for {name}", call.col_offset)
        for argument in call.args:
            self.check(argument, depth=depth + 1)

    def _literal(self, constant: ast.Constant) -> Decimal:
        source = self.text[constant.col_offset : constant.end_col_offset]
        number = parse_decimal(source)
        if number is None:
            raise self.refusal(f"{source} is not a decimal number", constant.col_offset)
        return number

    def refusal(self, problem: str, position: int = 0) -> LaurelError:
        """Return FORMULA_INVALID with what is wrong, and where."""
        return LaurelError(
            Reason.FORMULA_INVALID,
            f"{self.what}: {problem} (at character {position + 1})",
            metadata={
                "field": self._field,
                "formula": self.text[:MAX_LENGTH],
                "position": str(position),
            },
            field=self._field,
        )
