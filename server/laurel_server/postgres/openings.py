"""The statements that write people and their opening balances. All run inside one transaction of a lane."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.chain import batch_digest, canonical_entry
from laurel_server.postgres.columns import columns
from laurel_server.postgres.ledger import Answer, PostedEntry
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.sql import load


class NewPerson(NamedTuple):
    """A person to make known, if he is not."""

    user_id: str
    username: str
    email: str
    country: str
    region: str


class BadgeOfSet(NamedTuple):
    """A badge, and the number of the set of badges that it belongs to."""

    set_no: int
    badge_type: str
    level: int
    expires_at: datetime | None


class OpenedBatch(NamedTuple):
    """The number of a batch, and the version of the rules that it goes by."""

    batch_no: int
    rules_version: int


class Written(NamedTuple):
    """The balances of a batch: entries and answers in one order, with each user's tier and set of badges."""

    posted: Sequence[PostedEntry]
    answers: Sequence[Answer]
    tiers: Sequence[int]
    badge_sets: Sequence[int]
    badges: Sequence[BadgeOfSet]
    events: str


async def add_people(connection: Connection, people: Sequence[NewPerson], now: datetime) -> dict[str, int]:
    """Make those known who are not, without accounts, and return their numbers by id; others stay as they are."""
    rows = await connection.fetch(load("openings_add_people"), *columns(people, 5), now)
    return {row["user_id"]: row["user_no"] for row in rows}


async def add_empty_accounts(connection: Connection, user_nos: Sequence[int]) -> None:
    """Give people accounts with nothing in them."""
    await connection.execute(load("openings_add_empty"), user_nos)


async def open_batch(connection: Connection) -> OpenedBatch:
    """Draw the number of a batch; its people must have been added, as others lock theirs before they draw."""
    row = await connection.fetchrow(load("openings_open_batch"))
    assert row is not None  # noqa: S101 - the rules have one row
    return OpenedBatch(*row)


async def write_balances(connection: Connection, batch_no: int, written: Written, now: datetime) -> None:
    """Write the accounts of new people with all that a batch of awards would write, in one statement."""
    entries = [each.entry for each in written.posted]
    user_nos = [each.user_no for each in written.posted]
    digest = batch_digest([canonical_entry(each.entry, each.user_no, each.inputs) for each in written.posted])
    await connection.execute(
        load("openings_write"),
        user_nos,
        [entry.points for entry in entries],
        [entry.request_id for entry in entries],
        [each.inputs for each in written.posted],
        *columns(written.answers, 3),
        written.tiers,
        written.badge_sets,
        *columns(written.badges, 4),
        entries[0].transaction_id,
        entries[0].action,
        entries[0].created_by,
        batch_no,
        digest,
        written.events,
        now,
    )
