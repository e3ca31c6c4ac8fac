"""The language of badge rules: what a user must have reached, as an expression that is true or false."""

import ast
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor
from typing import Final, Self, TypeAlias

from simpleeval import SimpleEval

from laurel_server.domain.decimals import EXACT
from laurel_server.domain.formulas import FUNCTIONS, OPERATORS, Checker

ACCOUNT_NAMES: Final = frozenset(
    {
        "points",
        "member_number",
        "daily_points",
        "weekly_points",
        "monthly_points",
        "quarterly_points",
        "yearly_points",
    }
)
"""What an award may change: lifetime points, and those of the current periods. Members count from 1 as they come."""

BOARD_NAMES: Final = frozenset({"rank", "percentile", "top_percent", "participants"})
"""The standing on the global all-time board; the job `award_badges` looks at it."""

CLOSINGS: Final = ("daily_", "weekly_", "monthly_", "quarterly_", "yearly_")

CLOSING_NAMES: Final = frozenset(closing + name for closing in CLOSINGS for name in BOARD_NAMES)
"""The final standing on the global board of a period, looked at when that is closed: `weekly_rank`."""

NAMES: Final = ACCOUNT_NAMES | BOARD_NAMES | CLOSING_NAMES

_ACTION = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_HAIR: Final = Decimal("1e-20")
"""Less than any two percentages of a board can differ by."""


class Facts:
    """What a rule is applied to: numbers by name, and how often each action was awarded. What is missing is 0."""

    __slots__ = ("counts", "numbers")

    def __init__(self, numbers: Mapping[str, int | Decimal], counts: Mapping[str, int]) -> None:
        self.numbers = numbers
        self.counts = counts


class _Applied(threading.local):
    """The facts of the evaluation under way."""

    facts: Facts

    def __getitem__(self, name: str) -> int | Decimal:
        return self.facts.numbers.get(name, 0)


_APPLIED: Final = _Applied()


def _count(action: str) -> int:
    return _APPLIED.facts.counts.get(action, 0)


_EVALUATOR: Final = SimpleEval(OPERATORS, {**FUNCTIONS, "count": _count}, _APPLIED)


Comparison: TypeAlias = tuple[str, Callable[[int | Decimal, Decimal], bool], Decimal]
"""A fact, an operator and a number."""


@dataclass(frozen=True, slots=True)
class BadgeRule:
    """A checked rule; `names` are the facts that it reads, `actions` those that it counts.

    The language is that of points formulas, over `NAMES` and `count("ACTION")`, and its outcome is a comparison.
    """

    text: str
    names: frozenset[str]
    actions: frozenset[str]
    _expression: ast.expr = field(repr=False, compare=False)
    _comparison: Comparison | None = field(default=None, repr=False, compare=False)

    @classmethod
    def compile(cls, text: str, field: str = "definition.rule") -> Self:
        """Check `text` and prepare it for evaluation. FORMULA_INVALID with what is wrong, and where."""
        checker = _RuleChecker(text, field)
        expression = checker.parse()
        checker.check(expression)
        checker.check_outcome(expression)
        checker.check_moment()
        names, actions = frozenset(checker.names), frozenset(checker.actions)
        return cls(text, names, actions, expression, _comparison(expression))

    def holds(self, facts: Facts) -> bool:
        """Whether the rule is met. A rule that has no value for these facts, as by a division by zero, is not."""
        if self._comparison is not None:  # as most rules are, and ten times as fast
            name, compare, limit = self._comparison
            return compare(facts.numbers.get(name, 0), limit)
        _APPLIED.facts = facts
        try:
            return bool(_EVALUATOR.eval(self.text, self._expression))
        except ArithmeticError:
            return False

    def marks(self) -> frozenset[int] | None:
        """Return the points at which the outcome may change; None where that cannot be told from the text."""
        marks: set[int] = set()
        compared = 0
        for node in ast.walk(self._expression):
            limit = _compared_with(node, "points")
            if limit is not None:
                marks |= {ceil(limit[1]), floor(limit[1]) + 1}
                compared += 1
        read = sum(isinstance(node, ast.Name) and node.id == "points" for node in ast.walk(self._expression))
        return frozenset(marks) if read == compared else None

    @property
    def closing(self) -> str:
        """The kind of period whose close decides, as its names begin: `weekly_`; empty if none does."""
        return next(
            (closing for closing in CLOSINGS for name in BOARD_NAMES if closing + name in self.names), ""
        )

    def reach(self, total: int) -> int:
        """Return down to which rank of a board with `total` users the rule may hold."""
        return max(0, min(total, _reach(self._expression, total, self.closing)))


compiled = lru_cache(maxsize=1024)(BadgeRule.compile)


def standing_facts(rank: int, total: int, closing: str = "") -> dict[str, int | Decimal]:
    """Return what rules read of a place; of a final one the names begin with `closing`.

    Who is in the top p % by rank <= ceil(total x p / 100) has `top_percent <= p`.

    So `top_percent` is the least p for which that is so, and `percentile` is what is missing to 100.
    """
    above = EXACT.add(EXACT.divide(Decimal(100 * (rank - 1)), Decimal(total)), _HAIR)
    return {
        f"{closing}rank": rank,
        f"{closing}participants": total,
        f"{closing}top_percent": above,
        f"{closing}percentile": EXACT.subtract(Decimal(100), above),
    }


class _RuleChecker(Checker):
    what = "rule"

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text, field)
        self.actions: set[str] = set()

    def check(self, node: ast.AST, position: int = 0, depth: int = 0) -> None:
        if isinstance(node, ast.Name) and node.id not in NAMES:
            raise self.refusal(f"unknown name; there are {', '.join(sorted(NAMES))}", node.col_offset)
        super().check(node, position, depth)

    def check_call(self, call: ast.Call, depth: int) -> None:
        if not isinstance(call.func, ast.Name) or call.func.id != "count":
            super().check_call(call, depth)
            return
        match call.args:
            case [ast.Constant(value=str(action))] if not call.keywords and _ACTION.fullmatch(action):
                self.actions.add(action)
            case _:
                raise self.refusal('count takes one action, as in count("REVIEW")', call.col_offset)

    def check_moment(self) -> None:
        """Refuse a rule of which no moment knows all facts. FORMULA_INVALID."""
        closing_names = self.names & CLOSING_NAMES
        closings = {name.partition("_")[0] for name in closing_names}
        if len(closings) > 1 or (closings and self.names & BOARD_NAMES):
            raise self.refusal(f"{min(closing_names)} cannot be combined with other ranks")

    def check_outcome(self, node: ast.expr) -> None:
        """Refuse an expression that is a number. FORMULA_INVALID."""
        match node:
            case ast.Compare():
                return
            case ast.BoolOp():
                for value in node.values:
                    self.check_outcome(value)
            case ast.UnaryOp(op=ast.Not()):
                self.check_outcome(node.operand)
            case ast.IfExp():
                self.check_outcome(node.body)
                self.check_outcome(node.orelse)
            case _:
                raise self.refusal("must compare, as in points >= 1000", node.col_offset)


_MIRRORED: Final = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq}


def _compared_with(node: ast.AST, name: str) -> tuple[type[ast.cmpop], Decimal] | None:
    """Return operator and number of a comparison `name OP number`, also where it is written the other way round."""
    match node:
        case ast.Compare(left=ast.Name(id=read), ops=[op], comparators=[ast.Constant(value=limit)]):
            return (type(op), Decimal(limit)) if read == name else None  # type: ignore[arg-type]
        case ast.Compare(left=ast.Constant(value=limit), ops=[op], comparators=[ast.Name(id=read)]):
            mirrored = _MIRRORED.get(type(op), type(op))
            return (mirrored, Decimal(limit)) if read == name else None  # type: ignore[arg-type]
        case _:
            return None


def _comparison(node: ast.expr) -> Comparison | None:
    """Return what a rule compares that is nothing but `name OP number`."""
    match node:
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=limit)]):
            return name, OPERATORS[type(op)], Decimal(limit)  # type: ignore[arg-type]
        case _:
            return None


def _reach(node: ast.expr, total: int, closing: str) -> int:
    match node:
        case ast.BoolOp(op=ast.And()):
            return min(_reach(value, total, closing) for value in node.values)
        case ast.BoolOp(op=ast.Or()):
            return max(_reach(value, total, closing) for value in node.values)
        case _:
            return _reach_of_comparison(node, total, closing)


def _reach_of_comparison(node: ast.expr, total: int, closing: str) -> int:
    by_rank = _compared_with(node, f"{closing}rank")
    if by_rank is not None and by_rank[0] in {ast.Lt, ast.LtE, ast.Eq}:
        return floor(by_rank[1])
    by_top = _compared_with(node, f"{closing}top_percent")
    if by_top is not None and by_top[0] in {ast.Lt, ast.LtE}:
        return ceil(by_top[1] * total / 100)
    by_percentile = _compared_with(node, f"{closing}percentile")
    if by_percentile is not None and by_percentile[0] in {ast.Gt, ast.GtE}:
        return ceil((100 - by_percentile[1]) * total / 100)
    return total
