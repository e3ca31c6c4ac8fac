"""Keeps the boards equal to the ledger, whatever happens to Redis or to a server between COMMIT and Redis."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import structlog

from laurel_server.domain.boards import BoardKey, BoardMatrix
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.tiers import Tier
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.placing import boards_of, placement_of
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.leaderboards.score_seats import seatings_of_removed, seatings_of_scorers
from laurel_server.leaderboards.seating import seat
from laurel_server.metrics import BOARDS_REBUILT, PROJECTION_REPAIRED
from laurel_server.postgres import outbox, scores, standings
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.standings import Member
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import CANARY
from laurel_server.redis.scripts import script

log = structlog.get_logger()

CONFIRM_SECONDS = 0.2
LEFT_TO_THE_WRITER = timedelta(seconds=1)
"""A batch younger than this is still being projected by the server that committed it."""
FULL_LOOK_EVERY = 5
"""Rounds between two looks at every single board; a loss of all of Redis is seen in every round."""
WRITERS_TURN_SECONDS = 0.25
"""A board without a marker may just have been registered: the award that did so is about to write the marker."""
USERS_AT_ONCE = 500


class Confirmations:
    """Notes in the ledger which batches are on the boards, many at a time and off the reply path.

    A server that dies before it has confirmed only makes repair repeat what is there already.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._carried: set[int] = set()
        self._noted: set[int] = set()
        self._written: set[int] = set()

    @property
    def in_hand(self) -> set[int]:
        """The batches that this server is taking to the boards or has yet to confirm: repair need not look after them.

        Under load that may last; repair would then make more of it.
        """
        return self._carried | self._noted | self._written

    @contextmanager
    def carrying(self, batch_no: int) -> Iterator[None]:
        """Have a batch in hand; one that is not confirmed by the end is left to repair."""
        self._carried.add(batch_no)
        try:
            yield
        finally:
            self._carried.discard(batch_no)

    def confirm(self, batch_no: int) -> None:
        """Note that a batch is on the boards."""
        self._noted.add(batch_no)

    async def run(self) -> None:
        """Write what was noted, every 200 ms, until cancelled."""
        while True:
            await asyncio.sleep(CONFIRM_SECONDS)
            try:
                await self.flush()
            except UNAVAILABLE as away:
                log.warning("confirmations.lost", error=type(away).__name__)
            except Exception:  # a fault must not stop the loop; repair does what was not confirmed
                log.exception("confirmations.failed")

    async def flush(self) -> None:
        """Write what was noted."""
        if not self._noted:
            return
        self._written, self._noted = self._noted, set()
        try:
            await standings.confirm(self._pool, sorted(self._written))
        finally:
            self._written = set()


class Repair:
    """The loop of the leading server; the others stand by. `interval` is in seconds."""

    def __init__(
        self,
        pool: Pool,
        leadership: Leadership,
        redis: RedisConnection,
        projection: Projection,
        rebuild: Rebuild,
        catalogue: Catalogue,
        confirmations: Confirmations,
        interval: float,
    ) -> None:
        self._pool = pool
        self._leadership = leadership
        self._redis = redis
        self._projection = projection
        self._rebuild = rebuild
        self._catalogue = catalogue
        self._confirmations = confirmations
        self._interval = interval
        self._wake = asyncio.Event()
        self._round = 0
        self._canary = 0
        self._trusted = 0
        """The connection on which the canary was written last: nothing is lost while it lasts."""

    def wake(self) -> None:
        """Look at once: somebody has met a board that lost its marker."""
        self._round = 0
        self._wake.set()

    async def run(self) -> None:
        """Repair until cancelled."""
        while True:
            try:
                if await self._leadership.held():
                    await self.repair()
            except (BoardsUnavailable, RedisUnavailable, LaurelError, *UNAVAILABLE) as away:
                log.warning("repair.postponed", error=f"{type(away).__name__}: {away}")
            except Exception:  # without this loop no loss would ever be noticed again
                log.exception("repair.failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._interval)
            self._wake.clear()

    async def repair(self) -> None:
        """Make the boards equal to the ledger once."""
        canaries = await self._read_canaries()
        canary, connection = _oldest(canaries.values()), self._redis.connections
        if canary is None or canary > await outbox.last_batch(self._pool):
            await self._start_over()
        else:
            # A Redis that was restarted or replaced may lack the writes of its last seconds without a lower canary.
            doubtful = connection != self._trusted or canary < self._canary
            if doubtful or self._round % FULL_LOOK_EVERY == 0:
                await self._rebuild_lost()
            if doubtful:
                await self._catch_up(canary)
        await self._replay_unconfirmed()
        if not all(config.is_filled for config in self._catalogue.boards.values()):
            await self._rebuild.fill_new()
        self._round += 1
        await self._advance(canaries, connection)

    async def _start_over(self) -> None:
        """Fill all boards: Redis is empty, older than any canary, or of another ledger."""
        report = await self._rebuild.start_over()
        if report.boards:
            log.warning("boards.lost", boards=report.boards, members=report.members)
        BOARDS_REBUILT.inc(report.boards)

    async def _rebuild_lost(self) -> None:
        if not await self._rebuild.lost():
            return
        await asyncio.sleep(WRITERS_TURN_SECONDS)
        report = await self._rebuild.run_lost()
        if report.boards:
            log.warning("boards.lost", boards=report.boards, members=report.members)
        BOARDS_REBUILT.inc(report.boards)

    async def _catch_up(self, canary: int) -> None:
        """Bring to the boards what came after the canary; all of it anew if the outbox does not reach back so far."""
        if await standings.reaches_back(self._pool, canary):
            await self._replay_since(canary)
        else:
            await self._start_over()

    async def _replay_since(self, canary: int) -> None:
        position = await standings.replay_start(self._pool, canary)
        while batches := await standings.batches_since(self._pool, position):
            await self._replay(batches)
            position = batches[-1].batch_no

    async def _replay_unconfirmed(self) -> None:
        while missing := await standings.unprojected(
            self._pool, LEFT_TO_THE_WRITER, self._confirmations.in_hand
        ):
            await self._replay(missing)
            await standings.confirm(self._pool, [batch.batch_no for batch in missing])

    async def _replay(self, batches: Sequence[standings.Batch]) -> None:
        """Put the users of the batches where they stand now; what is there already is not touched."""
        user_nos = sorted({user_no for batch in batches for user_no in batch.user_nos})
        left: dict[int, set[BoardKey]] = {}
        tiers: dict[str, set[Tier]] = {}
        for batch in batches:
            for user_no, boards in batch.left.items():
                left.setdefault(user_no, set()).update(boards)
            for user_id, before in batch.tiers.items():
                tiers.setdefault(user_id, set()).update(before)
        for start in range(0, len(user_nos), USERS_AT_ONCE):
            await self._place(user_nos[start : start + USERS_AT_ONCE], left, tiers, batches[0].batch_no)
        erased = [Placement(*each[:2], {}, (), each.left) for batch in batches for each in batch.erased]
        await self._projection.load(erased, tell=True)
        await self._place_scores(user_nos, [each for batch in batches for each in batch.removed])
        PROJECTION_REPAIRED.inc(len(batches))
        log.info("boards.repaired", batches=len(batches), users=len(user_nos))

    async def _place(
        self,
        user_nos: Sequence[int],
        left: dict[int, set[BoardKey]],
        tiers: dict[str, set[Tier]],
        since: int,
    ) -> None:
        # One after the other: a total that moves to the past between the reads is in both.
        members = await standings.read_members(self._pool, user_nos)
        past = await standings.read_past(self._pool, user_nos, since, left, tiers)
        matrix, kept = self._catalogue.matrix, _boards_kept(past, self._catalogue.matrix)
        placements = [
            placement_of(
                member,
                matrix,
                left.get(member.user_no, set()) - kept.get(member.user_no, set()),
                tiers.get(member.user_id, ()),
            )
            for member in members
        ]
        await self._projection.load(placements, tell=True)
        await self._projection.load([placement_of(member, matrix) for member in past], tell=True)

    async def _place_scores(self, user_nos: Sequence[int], removed: Sequence[standings.Erased]) -> None:
        off = {(board, each.user_id): each.version for each in removed for board in each.left}
        if off:
            removed = [
                standings.Erased(user_id, version, [board])
                for (board, user_id), version in (await scores.dropped(self._pool, off)).items()
            ]
        gone = seatings_of_removed(removed, self._catalogue)
        await seat(self._redis, gone, ranked=False, tell=True)
        for start in range(0, len(user_nos), USERS_AT_ONCE):
            scorers = await scores.of_users(self._pool, user_nos[start : start + USERS_AT_ONCE])
            seatings = seatings_of_scorers(scorers, self._catalogue)
            await seat(self._redis, seatings, ranked=False, tell=True)

    async def _read_canaries(self) -> dict[str, int | None]:
        """Return the canary of every server of Redis; one that forgets or goes back has lost a part of the boards."""
        names = await self._redis.node_keys(CANARY)
        replies = await asyncio.gather(*(self._redis.call("GET", name) for name in names))
        return {
            name: int(reply) if reply is not None and reply.isdigit() else None
            for name, reply in zip(names, replies, strict=True)
        }

    async def _advance(self, canaries: Mapping[str, int | None], connection: int) -> None:
        """Move the canaries on, unless Redis has been lost since they were read: then the next round must see that."""
        watermark = await standings.watermark(self._pool)
        if self._redis.connections != connection:
            return
        advanced = await asyncio.gather(
            *(
                script("advance").run(self._redis, (name,), "" if read is None else read, watermark)
                for name, read in canaries.items()
            )
        )
        if all(advanced):
            self._canary, self._trusted = watermark, connection


def _boards_kept(past: Iterable[Member], matrix: BoardMatrix) -> dict[int, set[BoardKey]]:
    """Return the boards of the past that users are on for ever, by number: who had left one came back in time."""
    kept: dict[int, set[BoardKey]] = {}
    for member in past:
        kept.setdefault(member.user_no, set()).update(boards_of(member, matrix))
    return kept


def _oldest(canaries: Iterable[int | None]) -> int | None:
    """Return the lowest canary; None if one is missing."""
    lowest: int | None = None
    for canary in canaries:
        if canary is None:
            return None
        lowest = canary if lowest is None else min(lowest, canary)
    return lowest
