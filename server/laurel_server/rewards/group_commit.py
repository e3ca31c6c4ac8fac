"""Group commit: awards that arrive together are made durable together.

Awards wait in one bounded queue. Lanes take batches from it, each over its own connection: a lone award is taken at
once; under concurrency a lane waits a moment for company, because a batch of 30 costs hardly more than one of 3. While
a batch goes to the boards, its lane commits the next one.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic, perf_counter
from typing import Any, Generic, Protocol, TypeVar

import structlog
from msgspec import Struct

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.metrics import AWARD_BATCH_SIZE, AWARD_STAGE_SECONDS, AWARDS_WAITING
from laurel_server.postgres.errors import RETRYABLE, UNAVAILABLE
from laurel_server.postgres.pool import LaneConnection

log = structlog.get_logger()

RETRIES = 3
"""How often a batch that was rolled back whole is run again before its items are run one by one."""

LINGER_PER_AWARD = 0.00025
"""Seconds that a lane waits for company, for each award in play.

A batch costs as much as five awards, however small it is. Under load the transport hands calls over only as fast as the
batches leave it time: with a shorter wait the server settles at batches of 8 and 0.6 of the throughput.
"""

ALONE = 2
"""Awards in play up to which nobody waits: the one that came, and the one before it."""

SECOND_LANE_FROM = 32
"""Awards that must wait before another lane starts beside a busy one; fewer are better off in the next batch."""

HELD_UP_SECONDS = 0.1
"""A batch that takes longer waits for somebody, as for a user whom another server has locked: others go past it."""


Item = TypeVar("Item")
Batch = TypeVar("Batch")
Item_contra = TypeVar("Item_contra", contravariant=True)
Batch_co = TypeVar("Batch_co", covariant=True)


class BatchWriter(Protocol[Item_contra, Batch_co]):
    """Commits the items of a batch in one transaction."""

    async def commit(self, connection: LaneConnection, items: Sequence[Item_contra]) -> Batch_co:
        """Make the items durable. Raises one of `postgres.errors.RETRYABLE` or `UNAVAILABLE` if nothing happened."""
        ...


class Ticket:
    """The awards of one call and its place to wait; resolved when all of them are answered."""

    __slots__ = ("_left", "count", "done", "results")

    def __init__(self, count: int) -> None:
        self.results: list[object] = [None] * count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = self.count = count

    def resolve(self, index: int, result: object) -> None:
        """Answer one award of the call."""
        self.results[index] = result
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)


class Waiting(Struct, Generic[Item], frozen=True):
    """An award in the queue. `deadline` is a moment of `time.monotonic()`, None: none."""

    item: Item
    ticket: Ticket
    index: int
    deadline: float | None
    since: float

    def answer(self, result: object) -> None:
        """Give the caller the result."""
        self.ticket.resolve(self.index, result)


@dataclass(slots=True)
class GroupCommit(Generic[Item, Batch]):
    """The queue and its lanes. `finish` takes a committed batch to the boards and answers its callers."""

    connect: Callable[[], Awaitable[LaneConnection]]
    writer: BatchWriter[Item, Batch]
    finish: Callable[[Batch, Sequence[Waiting[Item]]], Coroutine[None, None, None]]
    lanes: int
    max_batch: int
    max_waiting: int
    linger_max: float
    _queue: deque[Waiting[Item]] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _finishing: set[asyncio.Task[None]] = field(default_factory=set)
    _committing: "set[Lane[Item, Batch]]" = field(default_factory=set)
    _in_play: float = 0.0
    _unanswered: int = 0
    _gathering: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closing: bool = False

    def start(self) -> None:
        """Start the lanes; their connections are made with the first batch."""
        self._tasks = [
            asyncio.create_task(Lane(self).run(), name=f"award lane {n}") for n in range(self.lanes)
        ]

    async def submit(self, items: Sequence[Item], deadline: float | None) -> list[object]:
        """Queue the awards and return their results in order. OVERLOADED with RetryInfo when the queue is full.

        Up to `max_batch` of them are made in their order, and in one batch; beyond that lanes may overtake each other.
        Cancelling the caller does not take its awards back.
        """
        self.check_room(len(items))
        if self._closing:
            raise LaurelError(Reason.DRAINING, "this server is shutting down")
        ticket, now = Ticket(len(items)), perf_counter()
        self._unanswered += len(items)
        self._queue.extend(Waiting(item, ticket, index, deadline, now) for index, item in enumerate(items))
        self._arrived.set()
        try:
            await ticket.done
        finally:
            self._unanswered -= len(items)
        return ticket.results

    def check_room(self, count: int) -> None:
        """Raise OVERLOADED with RetryInfo if so many awards would not fit into the queue."""
        if len(self._queue) + count > self.max_waiting:
            raise overloaded()

    async def close(self) -> None:
        """Finish what is queued, then stop. New awards are refused from now on."""
        self._closing = True
        self._arrived.set()
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*self._finishing)

    async def next_batch(self, lane: "Lane[Item, Batch]") -> list[Waiting[Item]] | None:
        """Wait for awards and return those of the next batch; None: the queue is closed and done.

        One lane gathers at a time, so that two do not share out what makes one good batch.
        """
        async with self._gathering:
            while not self._may_take():
                if self._closing and not self._queue:
                    return None
                self._arrived.clear()
                await self._arrived.wait()
            await self._linger()
            batch = self._take()
            self._committing.add(lane)
            self._in_play = 0.7 * self._in_play + 0.3 * len(batch)
            return batch

    def _may_take(self) -> bool:
        waiting = len(self._queue)
        return waiting > 0 and (not self._committing or waiting >= SECOND_LANE_FROM)

    async def _linger(self) -> None:
        """Wait for company if there is concurrency: longer the more there is, not at all for a lone award."""
        in_play = max(self._unanswered, len(self._queue) + self._in_play)
        if in_play <= ALONE or len(self._queue) >= self.max_batch or self._queue[0].ticket.count > 1:
            return
        await asyncio.sleep(min(self.linger_max, LINGER_PER_AWARD * in_play))

    def _take(self) -> list[Waiting[Item]]:
        """Return the awards of the next batch. A call that does not fit any more waits for the next: none is split."""
        batch: list[Waiting[Item]] = []
        now = monotonic()
        while self._queue and (room := self.max_batch - len(batch)) > 0:
            if batch and self._queue[0].index == 0 and self._queue[0].ticket.count > room:
                break
            waiting = self._queue.popleft()
            if waiting.deadline is not None and waiting.deadline <= now:
                waiting.answer(TimeoutError("the deadline passed before the award was begun"))
            else:
                batch.append(waiting)
        AWARDS_WAITING.set(len(self._queue))
        return batch

    def pass_by(self, lane: "Lane[Item, Batch]") -> None:
        """Note that a lane is free, or held up; another one may have waited for that."""
        self._committing.discard(lane)
        self._arrived.set()

    def hand_over(self, committed: Batch, batch: Sequence[Waiting[Item]]) -> None:
        """Let a committed batch go to the boards while the lane goes on."""
        task = asyncio.create_task(self._finish(committed, batch))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finish(self, committed: Batch, batch: Sequence[Waiting[Item]]) -> None:
        """Finish a batch. Whatever fault there is in that, each of its callers gets an answer."""
        try:
            await self.finish(committed, batch)
        except Exception as fault:  # what is committed stays, and a retry is told so
            log.exception("ledger.batch_unanswered", awards=len(batch))
            for waiting in batch:
                if waiting.ticket.results[waiting.index] is None:
                    waiting.answer(fault)


def overloaded() -> LaurelError:
    """Return the refusal of an award for which there is no room; nothing was done."""
    return LaurelError(
        Reason.OVERLOADED, "too many awards are waiting; try again", retry_after=timedelta(milliseconds=200)
    )


class Lane(Generic[Item, Batch]):
    """Commits batch after batch over one connection, which it makes anew when it breaks."""

    def __init__(self, group: GroupCommit[Item, Batch]) -> None:
        self._group = group
        self._connection: LaneConnection | None = None

    async def run(self) -> None:
        """Work until the queue is closed."""
        later = asyncio.get_running_loop().call_later
        while (batch := await self._group.next_batch(self)) is not None:
            held_up = later(HELD_UP_SECONDS, self._group.pass_by, self)
            try:
                await self._commit(batch)
            finally:
                held_up.cancel()
                self._group.pass_by(self)
        if self._connection is not None:
            await self._connection.close()

    async def _commit(self, batch: Sequence[Waiting[Item]]) -> None:
        if not batch:  # every deadline had passed
            return
        started = perf_counter()
        for waiting in batch:
            AWARD_STAGE_SECONDS.queue.observe(started - waiting.since)
        AWARD_BATCH_SIZE.observe(len(batch))
        try:
            committed = await self._with_retries([waiting.item for waiting in batch])
        except UNAVAILABLE as lost:
            self._lose(batch, lost)
        except Exception as fault:  # noqa: BLE001 - whatever it is, each award must get its answer
            if self._connection is None or self._connection.is_closed():
                self._lose(batch, fault)
            else:
                await self._one_by_one(batch, fault)
        else:
            AWARD_STAGE_SECONDS.commit.observe(perf_counter() - started)
            self._group.hand_over(committed, batch)

    async def _with_retries(self, items: Sequence[Item]) -> Batch:
        for attempt in range(RETRIES):
            try:
                return await self._group.writer.commit(await self._connected(), items)
            except RETRYABLE as clash:
                log.info("ledger.batch_rolled_back", error=type(clash).__name__, attempt=attempt)
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - jitter
        return await self._group.writer.commit(await self._connected(), items)

    async def _one_by_one(self, batch: Sequence[Waiting[Item]], fault: Exception) -> None:
        """Find the award that broke the batch, so that its neighbours do not suffer for it."""
        log.error("ledger.batch_failed", awards=len(batch), exc_info=fault)
        if len(batch) == 1:
            batch[0].answer(_busy() if isinstance(fault, RETRYABLE) else fault)
            return
        for waiting in batch:
            await self._commit([waiting])

    async def _connected(self) -> LaneConnection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._group.connect()
        return self._connection

    def _lose(self, batch: Sequence[Waiting[Item]], lost: Exception) -> None:
        """Give the connection up and tell the callers to come again; what was committed they will be told then."""
        log.warning("ledger.unavailable", error=f"{type(lost).__name__}: {lost}", awards=len(batch))
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        answer_all(batch, LaurelError(Reason.LEDGER_UNAVAILABLE, "the ledger cannot be reached; try again"))


def _busy() -> LaurelError:
    """Return the refusal of an award whose rows somebody else has held through all retries; nothing was done."""
    return LaurelError(Reason.LEDGER_UNAVAILABLE, "somebody else writes what this is about; try again")


def answer_all(batch: Sequence[Waiting[Any]], result: object) -> None:
    """Give every caller of the batch the same result."""
    for waiting in batch:
        waiting.answer(result)
