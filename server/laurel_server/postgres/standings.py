"""Where the ledger says that users stand: what boards are filled from and repaired by."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import asyncpg
import orjson

from laurel_server.domain.boards import BoardKey, Membership, Visibility
from laurel_server.domain.ranks import Pair
from laurel_server.domain.tiers import Tier
from laurel_server.domain.views import Unlisted
from laurel_server.postgres.pool import Pool, Session
from laurel_server.postgres.sql import load

BATCHES_AT_ONCE = 50
"""Batches read at a time; those of an import have a thousand users each."""


class FaceRow(NamedTuple):
    """What boards show of a user."""

    user_id: str
    username: str
    avatar_url: str
    tier: Tier
    country: str
    badges: tuple[str, ...]


class Member(NamedTuple):
    """A user with what decides his boards, and his totals by period: (score, reached).

    `scopes` are those in which he had totals of the past; None: he has them as he belongs now.
    """

    user_no: int
    user_id: str
    version: int
    membership: Membership
    totals: dict[str, tuple[int, int]]
    scopes: tuple[str, ...] | None = None


class Erased(NamedTuple):
    """Boards that the holder of an id has left for good; who has the id since then has a newer version."""

    user_id: str
    version: int
    left: Sequence[BoardKey]


class Batch(NamedTuple):
    """A committed batch: whose boards it moved, and boards that users have left, by user number.

    `removed` are users who were taken off score boards. `tiers` are those that users had before, by user id, where the
    batch changed them.
    """

    batch_no: int
    user_nos: Sequence[int]
    left: dict[int, list[BoardKey]]
    erased: Sequence[Erased]
    removed: Sequence[Erased]
    tiers: Mapping[str, set[Tier]]


async def is_registered(pool: Pool, board: BoardKey) -> bool:
    """Return whether the board instance has ever had a member."""
    registered: bool = await pool.fetchval(load("standings_registered"), *board)
    return registered


async def is_archived(pool: Pool, board: BoardKey) -> bool:
    """Return whether the board instance is archived, and so not kept in Redis."""
    archived: bool = await pool.fetchval(load("standings_archived"), *board)
    return archived


async def registered_boards(pool: Session) -> list[BoardKey]:
    """Return all board instances that have ever had a member and belong in Redis: not those that are archived."""
    return [BoardKey(*row) for row in await pool.fetch(load("standings_boards"))]


async def read_faces(pool: Pool, user_ids: Collection[str], now: datetime) -> list[FaceRow]:
    """Return what boards show of those users who are known; badges are those that count at `now`."""
    return [
        FaceRow(
            row["user_id"],
            row["username"],
            row["avatar_url"],
            Tier(row["tier"]),
            row["country"],
            tuple(row["badges"]),
        )
        for row in await pool.fetch(load("standings_faces"), list(user_ids), now)
    ]


async def read_members(pool: Session, user_nos: Collection[int]) -> list[Member]:
    """Return the users with those numbers."""
    return [_member(row) for row in await pool.fetch(load("standings_members"), list(user_nos))]


async def read_past(
    pool: Pool,
    user_nos: Collection[int],
    since_batch: int,
    moved_nos: Collection[int] = (),
    moved_ids: Collection[str] = (),
) -> list[Member]:
    """Return what those users have in periods that are over, as far as batches from `since_batch` on changed it.

    Of those who moved, whom their numbers or ids name, all they have is returned.
    """
    rows = await pool.fetch(
        load("standings_past"), list(user_nos), since_batch, list(moved_nos), list(moved_ids)
    )
    return [_past_member(row) for row in rows]


async def read_member(pool: Pool, user_id: str) -> Member | None:
    """Return the user with that id, None if he is unknown."""
    row = await pool.fetchrow(load("standings_member"), user_id)
    return None if row is None else _member(row)


async def shadows_among(pool: Pool, user_ids: Sequence[str]) -> set[str]:
    """Return the ids of those who are shadow users."""
    return {row["user_id"] for row in await pool.fetch(load("standings_shadows"), list(user_ids))}


async def past_shadows(pool: Pool, board: BoardKey, user_ids: Sequence[str]) -> list[Unlisted]:
    """Return what those of some users have on a board who were shadow users when it was frozen."""
    rows = await pool.fetch(load("standings_past_shadows"), *board, list(user_ids))
    return [Unlisted(row["user_id"], Pair(row["score"], row["sub_score"]), row["reached"]) for row in rows]


async def last_number(pool: Pool) -> int:
    """Return the highest number of a user."""
    number: int = await pool.fetchval(load("users_last_number"))
    return number


async def scan_open_totals(pool: Pool, chunk: int) -> AsyncIterator[list[Member]]:
    """Yield all users with open totals, in chunks by number."""
    after = 0
    while rows := await pool.fetch(load("standings_scan_open"), after, chunk):
        yield [_member(row) for row in rows]
        after = rows[-1]["user_no"]


async def scan_period(pool: Pool, chunk: int, period_id: str) -> AsyncIterator[list[Member]]:
    """Yield all users with a total kept of a period that is over, in chunks by number."""
    after = 0
    while rows := await pool.fetch(load("standings_scan_period"), after, chunk, period_id):
        yield [_past_member(row) for row in rows]
        after = rows[-1]["user_no"]


async def scan_board(pool: Pool, chunk: int, board: BoardKey) -> AsyncIterator[list[Member]]:
    """Yield all members of a frozen board, in chunks by number."""
    after = 0
    while rows := await pool.fetch(load("standings_scan_board"), after, chunk, *board):
        yield [_past_member(row) for row in rows]
        after = rows[-1]["user_no"]


async def unprojected(pool: Pool, older_than: timedelta, but: Collection[int] = ()) -> list[Batch]:
    """Return the oldest batches that nobody has said to be on the boards, `but` those."""
    rows = await pool.fetch(load("outbox_unprojected"), older_than, BATCHES_AT_ONCE, list(but))
    return await _batches(rows)


async def count_unprojected(pool: Pool, until: int) -> int:
    """Return how many batches up to that number nobody has said to be on the boards."""
    number: int = await pool.fetchval(load("outbox_count_unprojected"), until)
    return number


async def batches_since(pool: Pool, batch_no: int) -> list[Batch]:
    """Return the next batches after that number."""
    return await _batches(await pool.fetch(load("outbox_since"), batch_no, BATCHES_AT_ONCE))


async def replay_start(pool: Pool, batch_no: int) -> int:
    """Return after which batch to replay on boards that may hold nothing newer than `batch_no`."""
    number: int = await pool.fetchval(load("outbox_replay_start"), batch_no)
    return number


async def reaches_back(pool: Pool, batch_no: int) -> bool:
    """Return whether the outbox still has all that came after a batch: old rows are removed."""
    reaches: bool = await pool.fetchval(load("outbox_reaches_back"), batch_no)
    return reaches


async def confirm(pool: Pool, batch_nos: Collection[int]) -> None:
    """Note that batches are on the boards."""
    await pool.execute(load("outbox_confirm"), list(batch_nos))


async def watermark(pool: Pool) -> int:
    """Return the number up to which every batch is on the boards."""
    number: int = await pool.fetchval(load("outbox_watermark"))
    return number


def _member(row: Iterable[Any]) -> Member:
    user_no, user_id, country, region, segments, visibility, tier, version, totals = row
    membership = _membership(country, region, tier, tuple(segments), visibility)
    return Member(user_no, user_id, version, membership, orjson.loads(totals))


def _past_member(row: Iterable[Any]) -> Member:
    *now, scopes = row
    return _member(now)._replace(scopes=tuple(scopes))


# Most users share theirs, and boards are looked up by it: the same object is found the faster.
@lru_cache(maxsize=16_384)
def _membership(
    country: str, region: str, tier: int, segments: tuple[str, ...], visibility: int
) -> Membership:
    return Membership(country, region, Tier(tier), segments, Visibility(visibility))


async def _batches(rows: Sequence[asyncpg.Record]) -> list[Batch]:
    batches = []
    for row in rows:
        batches.append(_batch(row))
        await asyncio.sleep(0)  # the events of a large batch take some milliseconds
    return batches


def _batch(row: asyncpg.Record) -> Batch:
    left: dict[int, list[BoardKey]] = {}
    erased: list[Erased] = []
    removed: list[Erased] = []
    tiers: dict[str, set[Tier]] = {}
    for event in orjson.loads(row["events"]):
        if event["type"] == "user.moved":
            left[event["user_no"]] = _boards(event)
        elif event["type"] == "score.removed":
            removed.append(Erased(event["user_id"], event["version"], _boards(event)))
        elif event["type"] == "user.erased":
            erased.append(Erased(event["user_id"], event["version"], _boards(event)))
        elif tier := _tier_left(event):
            tiers.setdefault(event["user_id"], set()).add(Tier[tier])
    return Batch(row["batch_no"], row["user_nos"], left, erased, removed, tiers)


def _tier_left(event: Mapping[str, Any]) -> str:
    """Return the tier on whose boards an event found a user who is in another one since; empty if there is none."""
    if event["type"] == "tier.changed":
        return str(event["from_tier"])
    if event["type"] == "rewards.earned" and event["points"] == event["lifetime_points"]:
        return ""  # he had nothing before, and was on no board
    before = event.get("tier_before", "")
    return str(before) if before != event.get("tier", "") else ""


def _boards(event: Mapping[str, Any]) -> list[BoardKey]:
    return [BoardKey(*board) for board in event["left"]]
