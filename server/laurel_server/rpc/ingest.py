"""RewardsService: awards that come as a stream."""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

from laurel.rewards.v1.rewards_service_pb2 import IngestAwardsResponse
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc import methods
from laurel_server.rpc.award_items import read_message, write_result
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.ports import Awards

CHUNKS_AT_ONCE: Final = 3
"""Chunks of one stream that are made at a time: one is committed, one waits for that, one is gathered."""

FULL_SECONDS: Final = 0.02
"""How long a stream waits before it tries a full queue again: some batches."""


class IngestServicer:
    """Makes awards of streams. `max_in_flight` awards of one stream are read and not answered, at the most.

    `max_chunk` awards go to the ledger together; its queue must be able to hold that many.
    """

    service = methods.REWARDS

    def __init__(self, awards: Awards, max_in_flight: int, max_chunk: int) -> None:
        self._awards = awards
        self._max_in_flight = max_in_flight
        self._max_chunk = max_chunk
        self._open: set[_Ingestion] = set()

    async def IngestAwards(self, request: bytes, call: CallContext) -> None:
        """Make the awards of a stream and answer each of them."""
        ingestion = _Ingestion(self._awards, call, self._max_in_flight, self._max_chunk)
        self._open.add(ingestion)
        try:
            await ingestion.run()
        finally:
            self._open.discard(ingestion)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._open)

    @property
    def in_flight(self) -> int:
        """How many awards of all streams are read and not answered."""
        return sum(ingestion.in_flight for ingestion in self._open)

    def drain(self) -> None:
        """Read no more from any stream; each ends with DRAINING when what it had read is answered."""
        for ingestion in self._open:
            ingestion.stop()


class _Read(NamedTuple):
    """One message that was read, with its position in the stream."""

    position: int
    command: AwardCommand | LaurelError


class _Ingestion:
    """One stream. Awards that arrive while others are made go to the ledger together, without a timer.

    One task reads, some make chunks, and the task of the call writes: gRPC takes one message at a time. What was
    read counts until its answer is written, so that a reader who is slow, or a full ledger, slows the stream down.
    """

    def __init__(self, awards: Awards, call: CallContext, max_in_flight: int, max_chunk: int) -> None:
        self._awards = awards
        self._call = call
        self._max_in_flight = max_in_flight
        self._max_chunk = max_chunk
        self.in_flight = 0
        self._waiting: deque[_Read] = deque()
        self._answers: deque[tuple[int, AwardAnswer | Exception]] = deque()
        self._chunks: set[asyncio.Task[None]] = set()
        self._has_room, self._has_news = asyncio.Event(), asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._has_news.set())
        self._stopped = False

    async def run(self) -> None:
        """Answer everything. DRAINING when the server stops before the end of the stream."""
        try:
            while self.in_flight or not self._reading.done():
                await self._write()
                self._has_news.clear()
                if not self._answers and (self.in_flight or not self._reading.done()):
                    await self._has_news.wait()
            if self._stopped:
                raise LaurelError(Reason.DRAINING, "this server is shutting down; send the rest to another")
            self._reading.result()
        finally:
            self._reading.cancel()
            self._waiting.clear()  # otherwise the end of each chunk would begin another
            for chunk in self._chunks:
                chunk.cancel()  # what was begun is made all the same, as with any call that is given up

    def stop(self) -> None:
        """Read no more."""
        if not self._reading.done():
            self._stopped = True
            self._reading.cancel()

    async def _read(self) -> None:
        for position in count():
            while self.in_flight >= self._max_in_flight:
                self._has_room.clear()
                await self._has_room.wait()
            raw = await self._call.read()
            if raw is None:
                return
            self.in_flight += 1
            self._waiting.append(_Read(position, read_message(raw, self._call.caller)))
            self._make_chunks()

    def _make_chunks(self) -> None:
        while self._waiting and len(self._chunks) < CHUNKS_AT_ONCE:
            size = min(len(self._waiting), self._max_chunk)
            reads = [self._waiting.popleft() for _ in range(size)]
            chunk = asyncio.create_task(self._make(reads))
            chunk.add_done_callback(self._end_chunk)
            self._chunks.add(chunk)

    def _end_chunk(self, chunk: asyncio.Task[None]) -> None:
        self._chunks.discard(chunk)
        self._has_news.set()
        self._make_chunks()

    async def _make(self, chunk: Sequence[_Read]) -> None:
        answers = await self._answers_to([each.command for each in chunk])
        self._answers.extend(zip([each.position for each in chunk], answers, strict=True))

    async def _answers_to(
        self, commands: Sequence[AwardCommand | LaurelError]
    ) -> Sequence[AwardAnswer | Exception]:
        """Make awards; a full queue is waited for, because nothing tells the client of the stream to slow down."""
        while True:
            try:
                return await self._awards.award_batch(commands, self._call.deadline)
            except LaurelError as refusal:
                if refusal.reason is not Reason.OVERLOADED:
                    return [refusal] * len(commands)
            except Exception as fault:  # noqa: BLE001 - whatever it is, each award must get its answer
                return [fault] * len(commands)
            await asyncio.sleep(FULL_SECONDS)

    async def _write(self) -> None:
        while self._answers:
            index, answer = self._answers.popleft()
            response = IngestAwardsResponse()
            response.result.index = index
            write_result(response.result, answer, self._call.request_id)
            await self._call.write(response)
            self.in_flight -= 1
            self._has_room.set()
