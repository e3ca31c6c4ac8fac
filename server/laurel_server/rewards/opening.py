"""Opening balances: people and what they have, taken over from another program in bulk."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from laurel_server.domain.awards import AwardCommand, Posting
from laurel_server.domain.clock import Clock
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.openings import ACTION, OPENING_BALANCE
from laurel_server.postgres.errors import RETRYABLE
from laurel_server.postgres.openings import NewPerson
from laurel_server.postgres.pool import LaneConnection, Pool
from laurel_server.postgres.sql import load
from laurel_server.rewards.batch_items import Item
from laurel_server.rewards.ledger_batch import LedgerWriter
from laurel_server.rewards.opening_batch import NewBalance, OpeningWriter
from laurel_server.rewards.rule_book import RuleBook

CALLER: Final = "laurel import"
FAMILY: Final = "import"
ROWS_AT_ONCE: Final = 1000
"""People and balances in one transaction: as many as a batch has numbers for."""

RETRIES: Final = 5
RETRY_SECONDS: Final = 0.01

T = TypeVar("T")


class Opening(NamedTuple):
    """One person with what he has, and the line of the file that says so."""

    line: int
    user_id: str
    points: int
    username: str
    email: str
    country: str
    region: str


class Imported(NamedTuple):
    """What a part of a file did: people who were new, and balances that were not there yet."""

    people: int
    balances: int


class OpeningBalances:
    """Posts opening balances through the ledger's own batches, so that all that holds of an award holds of them.

    `source` names the file by its content: a line of it counts once, however often the file is imported. Boards follow
    by repair, which finds the batches in the outbox.
    """

    def __init__(
        self, pool: Pool, rule_book: RuleBook, writer: LedgerWriter, clock: Clock, source: str
    ) -> None:
        self._pool = pool
        self._rule_book = rule_book
        self._writer = writer
        self._opening_writer = OpeningWriter(rule_book, writer, clock)
        self._clock = clock
        self._source = source

    async def allow(self) -> None:
        """Have the action that opening balances are posted by; it counts on all-time boards alone."""
        known = {config.action for config in await self._rule_book.actions()}
        if ACTION not in known:
            await self._rule_book.put_action(OPENING_BALANCE, CALLER)
        await self._rule_book.current()

    async def run(
        self,
        openings: Iterable[Opening],
        connections: Sequence[LaneConnection],
        progress: Callable[[int], None],
    ) -> Imported:
        """Import all, over these connections at a time; `progress` is told of each part how many lines it had."""
        parts = _parts(iter(openings))

        async def work(connection: LaneConnection) -> Imported:
            done = Imported(0, 0)
            for part in parts:
                imported = await self._import(part, connection)
                done = Imported(done.people + imported.people, done.balances + imported.balances)
                progress(len(part))
            return done

        results = await asyncio.gather(*(work(connection) for connection in connections))
        return Imported(sum(each.people for each in results), sum(each.balances for each in results))

    async def _import(self, part: Sequence[Opening], connection: LaneConnection) -> Imported:
        """Open accounts for those who are new together; give the others theirs as awards are given."""
        balances = [self._balance(each) for each in part]
        opened = await self._opening_writer.write(connection, balances)
        given = await self._give(opened.left, connection) if opened.left else Imported(0, 0)
        return Imported(opened.people + given.people, opened.balances + given.balances)

    async def _give(self, balances: Sequence[NewBalance], connection: LaneConnection) -> Imported:
        columns = [list(column) for column in zip(*(each.person for each in balances), strict=True)]
        people: int = await _retried(
            lambda: self._pool.fetchval(load("users_import"), *columns, self._clock.now())
        )
        items = [each.item for each in balances if each.points]
        if not items:
            return Imported(people, 0)
        batch = await _retried(lambda: self._writer.commit(connection, items))
        refused = next((result for result in batch.results if isinstance(result, Exception)), None)
        if refused is not None:
            raise refused
        return Imported(people, sum(isinstance(result, Posting) for result in batch.results))

    def _balance(self, opening: Opening) -> NewBalance:
        return NewBalance(NewPerson(opening.user_id, *opening[3:]), opening.points, self._item(opening))

    def _item(self, opening: Opening) -> Item:
        request_id = f"{self._source}:{opening.line}"
        body = f"{opening.user_id} {opening.points}".encode()
        command = AwardCommand(
            caller=CALLER,
            request_id=request_id,
            user_id=opening.user_id,
            action=ACTION,
            attributes={"points": str(opening.points)},
            request_hash=hashlib.blake2b(body, digest_size=16).digest(),
        )
        return Item(command, idempotency_key(FAMILY, CALLER, request_id))


async def _retried(work: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, again if it clashed with another one."""
    for _ in range(RETRIES):
        try:
            return await work()
        except RETRYABLE:
            await asyncio.sleep(RETRY_SECONDS)
    return await work()


def _parts(openings: Iterator[Opening]) -> Iterator[list[Opening]]:
    while part := list(islice(openings, ROWS_AT_ONCE)):
        yield part
