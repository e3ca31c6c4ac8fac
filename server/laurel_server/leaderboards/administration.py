"""Creating, changing and deleting boards while awards go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from laurel_server.domain.board_configs import BoardConfig, BoardKind, board_not_found
from laurel_server.domain.board_owners import BoardOwners
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason, idempotency_conflict, invalid_field
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.resets import reset_period
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.forgetting import forget_board
from laurel_server.leaderboards.reading import rebuilding
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.leaderboards.remains import BoardRemains
from laurel_server.leaderboards.size_caps import SizeCaps
from laurel_server.postgres import boards as board_rows
from laurel_server.postgres import rules as rule_rows
from laurel_server.postgres import scores
from laurel_server.postgres.errors import RETRYABLE, UNAVAILABLE
from laurel_server.postgres.idempotency import KeptAnswer, keep_answer, read_answer
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.postgres.scores import Instance
from laurel_server.rewards.outcomes import StoredRefusal, decode, encode_refusal
from laurel_server.rewards.rule_book import RuleBook

log = structlog.get_logger()

PATIENCE_SECONDS = 2.0
"""How long a change waits for its boards to be filled or cleared away; larger ones are so after the answer."""

Change = Callable[[Connection], Awaitable[None]]


class BoardAdministration:
    """Keeps the configured boards. A change is in force for every batch that opens after its answer."""

    def __init__(
        self,
        pool: Pool,
        rule_book: RuleBook,
        rebuild: Rebuild,
        remains: BoardRemains,
        size_caps: SizeCaps,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._size_caps = size_caps
        self._rule_book = rule_book
        self._rebuild = rebuild
        self._remains = remains
        self._at_work: set[asyncio.Task[None]] = set()

    async def boards(self) -> Sequence[BoardConfig]:
        """Return all boards by id."""
        async with ledger_errors(), self._pool.acquire() as connection:
            return await rule_rows.read_boards(connection)

    async def board(self, board_id: str) -> BoardConfig:
        """Return one board. BOARD_NOT_FOUND."""
        return _named(await self.boards(), board_id)

    async def create(self, config: BoardConfig, request: RequestKey) -> BoardConfig:
        """Add a board. A points board is filled from the ledger; until then reads answer BOARDS_REBUILDING.

        INVALID_FIELD, BOARD_EXISTS; BOARDS_REBUILDING while something is left of a board before, in Redis that is away
        or in the ledger.
        """
        config.validate()
        new = replace(config, is_filled=config.kind is BoardKind.SCORES)

        async def add(connection: Connection) -> None:
            known = await rule_rows.read_boards(connection)
            if any(_collide(each, new) for each in known):
                raise LaurelError(
                    Reason.BOARD_EXISTS,
                    "there is a board with this id, or with this scope and period",
                    metadata={"board": new.board_id},
                )
            before, after = BoardOwners(known), BoardOwners(known).having(new)
            if await board_rows.are_forgotten(connection, new):
                raise BoardsUnavailable("periods of a board before are not cleared away yet")
            await self._remains.drop_for(connection, after)
            await rule_rows.create_board(connection, new)
            family = before.family_of(new.scope, new.period_type)
            if family is not None and family.slots != new.slots:  # its instances are in other keys now
                taken = await board_rows.instances(connection, new)
                await board_rows.note_remains(connection, family.board_no, family.slots, taken)

        await self._drop_ahead()
        await self._forget_ahead(new)
        try:
            await self._once("CreateBoard", request, add)
        except BoardsUnavailable as away:
            raise rebuilding(BoardKey(new.scope, "")) from away
        await self._settle()
        present = {each.board_id: each for each in await self.boards()}
        return present.get(new.board_id, new)  # asked for again after it was deleted: answered as before

    async def update(self, wanted: BoardConfig, fields: Collection[str]) -> BoardConfig:
        """Change these fields of a board. BOARD_NOT_FOUND, INVALID_FIELD for a field that is fixed.

        With another tie policy or another number of slots the board is filled anew. Who is beyond a lower size cap is
        dropped from the present period. With other resets what does not run under them is over now.
        """
        if "slots" in fields:
            await self._drop_ahead()
        async with self._changing() as connection:
            known = _named(await rule_rows.read_boards(connection), wanted.board_id)
            config = known.changed(wanted, fields)
            is_laid_out = (config.tie_policy, config.slots) == (known.tie_policy, known.slots)
            if not is_laid_out:
                config = replace(config, is_filled=False)
            if config.reset_cron != known.reset_cron:
                await self._change_resets(connection, config)
            if config.slots != known.slots:
                await self._lay_out(connection, config, known.slots)
            await rule_rows.update_board(connection, config)
        await self._settle()
        await self._size_caps.hold([wanted.board_id])
        return await self.board(wanted.board_id)

    async def delete(self, board_id: str, request: RequestKey) -> None:
        """Forget a board with all it has; a score board that is created again under its id starts empty.

        What it has goes some at a time once it is gone, also if this server dies. BOARD_NOT_FOUND.
        """

        async def remove(connection: Connection) -> None:
            known = await rule_rows.read_boards(connection)
            config = _named(known, board_id)
            after = BoardOwners(known).without(config)
            await self._remains.leave_to(connection, after)
            await forget_board(connection, config, after)

        await self._once("DeleteBoard", request, remove)
        await self._settle()

    async def _lay_out(self, connection: Connection, config: BoardConfig, slots: int) -> None:
        """Have a board in other keys than those over so many slots. BOARDS_REBUILDING as `create`."""
        owners = BoardOwners(await rule_rows.read_boards(connection)).having(config)
        try:
            await self._remains.drop_for(connection, owners)
        except BoardsUnavailable as away:
            raise rebuilding(BoardKey(config.scope, "")) from away
        instances = await board_rows.instances(connection, config)
        await board_rows.note_remains(connection, config.board_no, slots, instances)

    async def _change_resets(self, connection: Connection, config: BoardConfig) -> None:
        """Have periods of a score board end as its new resets say. INVALID_FIELD if the one that would run is over."""
        now = max(self._clock.now(), self._rule_book.latest_read.closed_through)
        current = reset_period(config.reset_cron, now, self._rule_book.latest_read.zone)
        if await scores.is_over(connection, Instance(config.board_no, current.id)):
            raise invalid_field(
                "board.reset_cron", f"would go on with the period {current.id}, which is over"
            )
        await scores.change_resets(connection, config.board_no, current, now)

    async def close(self) -> None:
        """Leave boards that are being filled, and what remains of others, to the loops of the leading server."""
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Connection]:
        """Begin a transaction beside which no batch is open. LEDGER_UNAVAILABLE if others hold it up for too long."""
        try:
            async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
                # First: who clears away has it for as long as Redis takes, and awards need not wait for that.
                await board_rows.lock_remains(connection)
                await rule_rows.hold_back_batches(connection)
                yield connection
        except RETRYABLE as busy:
            message = "boards are being cleared away; try again"
            raise LaurelError(Reason.LEDGER_UNAVAILABLE, message) from busy

    async def _once(self, family: str, request: RequestKey, change: Change) -> None:
        """Make a change in one transaction unless its request was answered before; a refusal is kept as well."""
        key = idempotency_key(family, request.caller, request.request_id)
        refusal: LaurelError | None = None
        async with self._changing() as connection:
            answered = await read_answer(connection, key)
            if answered is not None:
                _repeat(answered, request)
                return
            outcome = b""
            try:
                async with connection.transaction():
                    await change(connection)
            except LaurelError as error:
                refusal, outcome = error, encode_refusal(error)
            await keep_answer(connection, key, request.request_hash, outcome)
        if refusal is not None:
            raise refusal

    async def _settle(self) -> None:
        """Follow the change in this process, and wait a moment until what is left is gone and new boards are filled."""
        await self._rule_book.current()
        tasks = {asyncio.create_task(self._clear())}
        if not all(config.is_filled for config in self._rule_book.latest_read.boards.values()):
            tasks.add(asyncio.create_task(self._fill()))
        self._at_work |= tasks
        for task in tasks:
            task.add_done_callback(self._at_work.discard)
        await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)

    async def _drop_ahead(self) -> None:
        """Drop keys that are noted while awards go on, so that few are left for when they are held back."""
        await _postponed(self._remains.drop())

    async def _forget_ahead(self, new: BoardConfig) -> None:
        """Forget periods of a board before while awards go on, so that none is left when they are held back."""
        async with ledger_errors():
            if await board_rows.are_forgotten(self._pool, new):
                await _postponed(self._remains.forget_periods())

    async def _clear(self) -> None:
        await _postponed(self._remains.clear())

    async def _fill(self) -> None:
        try:
            await self._rebuild.fill_new()
            await self._rule_book.current()
        except (BoardsUnavailable, LaurelError, *UNAVAILABLE) as away:
            log.warning("boards.fill_postponed", error=f"{type(away).__name__}: {away}")


def _repeat(answered: KeptAnswer, request: RequestKey) -> None:
    """Answer as before: raise the refusal that was given. IDEMPOTENCY_CONFLICT if the body was another one."""
    if answered.request_hash != request.request_hash:
        raise idempotency_conflict(request.request_id)
    stored = decode(answered.outcome) if answered.outcome else None
    if isinstance(stored, StoredRefusal):
        raise stored.error()


def _named(configs: Sequence[BoardConfig], board_id: str) -> BoardConfig:
    for config in configs:
        if config.board_id == board_id:
            return config
    raise board_not_found(board_id)


def _collide(one: BoardConfig, other: BoardConfig) -> bool:
    return one.board_id == other.board_id or (one.scope, one.period_type) == (other.scope, other.period_type)


async def _postponed(clearing: Awaitable[object]) -> None:
    """Clear away; what that needs and is away is waited for by the leading server."""
    try:
        await clearing
    except (BoardsUnavailable, *RETRYABLE, *UNAVAILABLE) as away:
        log.warning("boards.clearing_postponed", error=f"{type(away).__name__}: {away}")
