"""GetTrends: from a question to one statement, and from its rows to points."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

import structlog

from laurel_server.analytics.engine import AWAY, Engine
from laurel_server.analytics.statements import statement
from laurel_server.analytics.store import Store
from laurel_server.domain.boards import ScopeKind, parse_scope
from laurel_server.domain.clock import EPOCH
from laurel_server.domain.errors import LaurelError, Reason, invalid_field, user_not_found
from laurel_server.domain.trends import (
    Granularity,
    Measured,
    Metric,
    TrendPoint,
    TrendQuery,
    filled,
    starts,
)
from laurel_server.postgres.facts import number_of, read_expiring
from laurel_server.postgres.outbox import last_batch
from laurel_server.postgres.pool import Pool, ledger_errors

log = structlog.get_logger()

CATCH_UP_SECONDS: Final = 2.0
"""How long a trend waits for what was committed before it was asked for."""
CATCH_UP_STEPS: Final = 40

BEFORE_ALL: Final = -1

_BUCKETS: Final = {
    Granularity.HOUR: "toStartOfInterval({0}, INTERVAL 1 HOUR, {{zone:String}})",
    Granularity.DAY: "toStartOfDay({0}, {{zone:String}})",
    Granularity.WEEK: "toMonday({0}, {{zone:String}})",
    Granularity.MONTH: "toStartOfMonth({0}, {{zone:String}})",
}


class _Form(NamedTuple):
    """How a metric is asked for: the statement, the column of time, the aggregate, and what splits it into series."""

    statement: str
    time: str
    value: str = ""
    series: str = "''"


_FORMS: Final[Mapping[Metric, _Form]] = {
    Metric.POINTS: _Form("trend_entries", "occurred_at", "sum(points)", "action"),
    Metric.AWARDS: _Form("trend_entries", "occurred_at", "count()", "action"),
    Metric.ACTIVE_USERS: _Form("trend_entries", "occurred_at", "uniqExact(user_no)", "action"),
    Metric.RANK: _Form("trend_rank", "time"),
    Metric.TIER_MIX: _Form("trend_tier_mix", "changed_at"),
    Metric.LIABILITY: _Form("trend_liability", "recorded_at"),
}
_PENDING: Final = _Form("trend_pending", "change.1")


class Heard(Protocol):
    """What tells how far ClickHouse has followed."""

    async def caught_up(self, batch_no: int, seconds: float) -> bool:
        """Wait until all events up to a batch of the ledger are written; False: not within so many seconds."""
        ...


class Trends:
    """Answers questions."""

    def __init__(self, engine: Engine, pool: Pool, heard: Heard) -> None:
        self._engine = engine
        self._pool = pool
        self._heard = heard
        self._store = Store(engine)
        self._is_filled = False

    async def trend(self, query: TrendQuery) -> list[TrendPoint]:
        """Return the points, by time and series.

        INVALID_FIELD, USER_NOT_FOUND; ANALYTICS_DISABLED when ClickHouse is away.
        """
        begins = starts(query)
        user_no = await self._number(query.user_id) if query.user_id else 0
        questions = [_question(query, _FORMS[query.metric], user_no)]
        is_split_liability = query.metric is Metric.LIABILITY and query.by_series
        if is_split_liability:
            questions.append(_question(query, _PENDING, user_no))
        await self._catch_up()
        rows = [row for text, parameters in questions for row in await self._rows(text, parameters)]
        points = filled(query, begins, _measured(rows))
        return points + await self._will_expire(query) if is_split_liability else points

    async def _number(self, user_id: str) -> int:
        async with ledger_errors():
            number = await number_of(self._pool, user_id)
        if number is None:
            raise user_not_found(user_id)
        return number

    async def _rows(self, text: str, parameters: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        try:
            return await self._engine.query(text, **parameters)
        except AWAY as away:
            self._is_filled = False
            log.warning("trends.failed", error=str(away)[:300])
            raise _disabled("ClickHouse does not answer") from away

    async def _will_expire(self, query: TrendQuery) -> list[TrendPoint]:
        months = await read_expiring(self._pool, query.to_time, str(query.zone))
        return [TrendPoint(month, "EXPIRING", points) for month, points in months]

    async def _catch_up(self) -> None:
        """Let an award that was answered before the question be in the answer, if that does not take long.

        ANALYTICS_DISABLED while the history of the ledger is written for the first time.
        """
        async with ledger_errors():
            asked_at = await last_batch(self._pool)
        for _ in range(CATCH_UP_STEPS):
            if await self._filled():
                async with ledger_errors():
                    await self._heard.caught_up(asked_at, CATCH_UP_SECONDS)
                return
            await asyncio.sleep(CATCH_UP_SECONDS / CATCH_UP_STEPS)
        raise _disabled("the history is being written to ClickHouse, or ClickHouse does not answer")

    async def _filled(self) -> bool:
        if not self._is_filled:
            with suppress(*AWAY):
                self._is_filled = await self._store.is_filled()
        return self._is_filled


def _disabled(why: str) -> LaurelError:
    return LaurelError(Reason.ANALYTICS_DISABLED, why)


def _question(query: TrendQuery, form: _Form, user_no: int) -> tuple[str, dict[str, object]]:
    filters, parameters = _filters(query, user_no)
    text = statement(form.statement).format(
        bucket=_BUCKETS[query.granularity].format(form.time),
        value=form.value,
        series=form.series if query.by_series else "''",
        filters=" ".join(f"AND {each}" for each in filters),
    )
    bounds = {
        "from": _micros(query.from_time),
        "to": _micros(query.to_time),
        "zone": str(query.zone),
    }
    return text, {**bounds, **parameters}


def _filters(query: TrendQuery, user_no: int) -> tuple[list[str], dict[str, object]]:
    """Return the conditions of a question and their parameters. INVALID_FIELD for what the metric cannot tell apart."""
    filters: list[str] = []
    parameters: dict[str, object] = {}
    if query.user_id:
        filters.append("user_no = {user:Int64}")
        parameters["user"] = user_no
    if query.metric is Metric.RANK:
        filters += ["scope = {scope:String}", "period_id = {period:String}"]
        parameters |= {"scope": query.scope, "period": query.period_id}
    elif query.scope != ScopeKind.GLOBAL:
        _filter_scope(query, filters, parameters)
    if query.action:
        if query.metric in {Metric.RANK, Metric.TIER_MIX}:
            raise invalid_field("action", f"does not go with the metric {query.metric}")
        filters.append("action = {action:String}")
        parameters["action"] = query.action
    return filters, parameters


_SCOPES: Final = {
    ScopeKind.COUNTRY: "country = {scope:String}",
    ScopeKind.REGION: "region = {scope:String}",
    ScopeKind.TIER: "tier = upper({scope:String})",
    ScopeKind.SEGMENT: "has(segments, {scope:String})",
}


def _filter_scope(query: TrendQuery, filters: list[str], parameters: dict[str, object]) -> None:
    scope = parse_scope(query.scope)
    if scope.kind not in _SCOPES or query.metric is Metric.TIER_MIX:
        raise invalid_field("board.scope", f"cannot be told apart by the metric {query.metric}")
    filters.append(_SCOPES[scope.kind])
    parameters["scope"] = scope.value


def _micros(moment: datetime) -> int:
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _measured(rows: Sequence[Sequence[Any]]) -> Iterable[Measured]:
    for start, series, value in rows:
        begin = None if start == BEFORE_ALL else datetime.fromtimestamp(start, UTC)
        yield Measured(begin, series, value)
