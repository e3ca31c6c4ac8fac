"""Scores between rows and domain objects."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

import asyncpg
import orjson

from laurel_server.domain.boards import BoardKey, SortOrder, Visibility
from laurel_server.domain.periods import Period
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import Score
from laurel_server.postgres.pool import Connection, Pool, Session
from laurel_server.postgres.sql import load


class Instance(NamedTuple):
    """An instance of a score board, by the number of its board."""

    board_no: int
    period_id: str


class Seat(NamedTuple):
    """What one user has on one instance."""

    instance: Instance
    user_no: int


class Scorer(NamedTuple):
    """A user with what he has on a score board; the version is that of the row or of the user, whichever is newer.

    `visibility`: PUBLIC if he takes a position; on a frozen instance as it was then.
    """

    board: BoardKey
    user_no: int
    user_id: str
    visibility: Visibility
    score: Score


async def register(
    connection: Connection, periods: Mapping[Instance, Period], board_ids: Mapping[int, str]
) -> set[Instance]:
    """Register instances before their first member and return those that were not there; `board_ids` by number."""
    ordered = sorted(periods)
    rows = await connection.fetch(
        load("scores_register"),
        [board_ids[instance.board_no] for instance in ordered],
        [instance.board_no for instance in ordered],
        [instance.period_id for instance in ordered],
        [periods[instance].starts_at for instance in ordered],
        [periods[instance].ends_at for instance in ordered],
    )
    return {Instance(row["board_no"], row["period_id"]) for row in rows}


async def lock(connection: Connection, instances: Collection[Instance]) -> None:
    """Let no other batch decide who is on these instances before this transaction ends."""
    await connection.execute(load("scores_lock"), *_columns(instances))


async def read(connection: Connection, seats: Sequence[Seat]) -> dict[Seat, Score]:
    """Return what users have."""
    numbers = [seat.user_no for seat in seats]
    rows = await connection.fetch(load("scores_read"), *_columns(seat.instance for seat in seats), numbers)
    return {_seat(row): _score(row) for row in rows}


async def read_last(
    connection: Connection, wanted: Mapping[Instance, tuple[SortOrder, int]]
) -> list[tuple[Seat, str, Score, int]]:
    """Return so many of the last who take a position on each instance, with their ids and how many do there."""
    signs = [1 if order is SortOrder.DESCENDING else -1 for order, _ in wanted.values()]
    rows = await connection.fetch(
        load("scores_last"), *_columns(wanted), signs, [at_most for _, at_most in wanted.values()]
    )
    return [(_seat(row), row["user_id"], _score(row), row["listed"]) for row in rows]


async def trim(
    connection: Connection, instance: Instance, max_entries: int, order: SortOrder
) -> list[tuple[str, int]]:
    """Drop those for whom a size cap leaves no room on a locked instance; return their ids and their rows' versions."""
    sign = 1 if order is SortOrder.DESCENDING else -1
    rows = await connection.fetch(load("scores_trim"), *instance, max_entries, sign)
    return [(row["user_id"], row["version"]) for row in rows]


Off: TypeAlias = Mapping[tuple[BoardKey, str], int]
"""Who is off which score board, by user id, as of which version."""


async def dropped(pool: Pool, off: Off) -> Off:
    """Return as of which versions users are off who were not locked when they were dropped. The drop is committed.

    While he had a score, somebody may have read it together with a newer version of the user, and takes that to the
    board. Nobody reads it any more now: as of the present version of the user he is off, whoever comes when.
    """
    rows = await pool.fetch(
        load("scores_dropped"),
        [board.scope for board, _ in off],
        [board.period_id for board, _ in off],
        [user_id for _, user_id in off],
        list(off.values()),
    )
    newer = {(BoardKey(row["board_id"], row["period_id"]), row["user_id"]): row["version"] for row in rows}
    return {**off, **newer}


async def draw_batch(connection: Connection) -> int:
    """Return a number above those of all batches that were opened before."""
    batch_no: int = await connection.fetchval(load("outbox_draw"))
    return batch_no


async def note_removal(
    connection: Connection, batch_no: int, board: BoardKey, off: Mapping[str, int], now: datetime
) -> None:
    """Note who was taken off a score board, by id, as of which version."""
    events = [removal_event(user_id, board, version, now) for user_id, version in off.items()]
    await connection.execute(load("outbox_note_left"), batch_no, orjson.dumps(events).decode())


def update_event(user_id: str, board: BoardKey, now: datetime) -> dict[str, object]:
    """Return the event of a score that a user has got."""
    return {"type": "score.updated", "user_id": user_id, **board._asdict(), "recorded_at": now}


def removal_event(user_id: str, board: BoardKey, version: int, now: datetime) -> dict[str, object]:
    """Return the event of a score that was taken, of which repair knows who is on a board no longer."""
    taken = {"type": "score.removed", "version": version, "left": [tuple(board)]}
    return update_event(user_id, board, now) | taken


async def write(
    connection: Connection,
    batch_no: int,
    removed: Sequence[Seat],
    kept: Sequence[tuple[Seat, Score]],
    user_nos: Collection[int],
    events: str,
) -> None:
    """Write what a batch changed."""
    await connection.execute(
        load("scores_write"),
        *_columns(seat.instance for seat in removed),
        [seat.user_no for seat in removed],
        *_columns(seat.instance for seat, _ in kept),
        [seat.user_no for seat, _ in kept],
        [score.pair.score for _, score in kept],
        [score.pair.sub_score for _, score in kept],
        [score.reached for _, score in kept],
        [score.version for _, score in kept],
        [orjson.dumps(dict(score.metadata)).decode() for _, score in kept],
        batch_no,
        sorted(user_nos),
        events,
    )


async def note_change(
    connection: Connection,
    batch_no: int,
    user_nos: Sequence[int],
    version: int,
    events: Sequence[Mapping[str, object]],
) -> None:
    """Note that users take other positions as of a version; the events tell of it unless the batch has some."""
    told = orjson.dumps(events).decode()
    await connection.execute(load("scores_note_change"), batch_no, list(user_nos), version, told)


async def delete_of_user(connection: Connection, user_no: int) -> None:
    """Delete all that a user has on score boards."""
    await connection.execute(load("scores_delete_of_user"), user_no)


async def of_users(connection: Session, user_nos: Collection[int]) -> list[Scorer]:
    """Return all that users have on score boards but those that are archived."""
    return [_scorer(row) for row in await connection.fetch(load("scores_of_users"), list(user_nos))]


async def of_user(session: Session, user_id: str) -> list[Scorer]:
    """Return all that a user has on score boards, archived ones too."""
    return [_scorer(row) for row in await session.fetch(load("scores_of_user"), user_id)]


async def on_boards(
    pool: Pool, boards: Sequence[BoardKey], user_nos: Collection[int]
) -> list[tuple[BoardKey, str]]:
    """Return the ids of those users who have a score on instances of score boards, each with the instance."""
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    rows = await pool.fetch(load("scores_on_boards"), scopes, period_ids, list(user_nos))
    return [(BoardKey(row["board_id"], row["period_id"]), row["user_id"]) for row in rows]


async def instances(pool: Pool) -> list[BoardKey]:
    """Return all instances of score boards that have ever had a member, but those that are archived."""
    return [BoardKey(*row) for row in await pool.fetch(load("scores_instances"))]


async def freeze(pool: Pool, instance: Instance, after: int, limit: int) -> int:
    """Note for ever who sees the next users by number; return the last number, 0: there are none left.

    Their rows are locked meanwhile.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(load("scores_freeze_lock"), *instance, after, limit)
        user_nos = [row["user_no"] for row in rows]
        if user_nos:
            await connection.execute(load("scores_freeze"), *instance, user_nos)
    return user_nos[-1] if user_nos else 0


async def change_resets(connection: Connection, board_no: int, current: Period, now: datetime) -> None:
    """Have the periods of a board end as its new resets say, under which `current` runs."""
    await connection.execute(load("scores_change_resets"), board_no, current.id, current.ends_at, now)


async def is_over(connection: Connection, instance: Instance) -> bool:
    """Return whether an instance takes no scores any more."""
    over: bool = await connection.fetchval(load("scores_is_over"), *instance)
    return over


async def scan(pool: Pool, board: BoardKey, chunk: int) -> AsyncIterator[list[Scorer]]:
    """Yield all who have a score on an instance, in chunks by number."""
    after = 0
    while rows := await pool.fetch(load("scores_scan"), *board, after, chunk):
        yield [_scorer(row) for row in rows]
        after = rows[-1]["user_no"]


def _columns(instances: Iterable[Instance]) -> tuple[list[int], list[str]]:
    listed = list(instances)
    return [each.board_no for each in listed], [each.period_id for each in listed]


def _seat(row: asyncpg.Record) -> Seat:
    return Seat(Instance(row["board_no"], row["period_id"]), row["user_no"])


def _score(row: asyncpg.Record) -> Score:
    pair = Pair(row["score"], row["sub_score"])
    return Score(pair, row["reached"], row["version"], orjson.loads(row["metadata"]))


def _scorer(row: asyncpg.Record) -> Scorer:
    board = BoardKey(row["board_id"], row["period_id"])
    return Scorer(board, row["user_no"], row["user_id"], Visibility(row["visibility"]), _score(row))
