"""What operators do with people beyond their profiles: find, hide, erase."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from msgspec.structs import replace

from laurel_server.domain.accounts import Account
from laurel_server.domain.boards import Visibility
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import idempotency_conflict, user_not_found
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Measure, Order
from laurel_server.domain.user_filter import UserFilter
from laurel_server.leaderboards.placement import Placement
from laurel_server.postgres import ledger, notifications, people
from laurel_server.postgres.errors import RETRYABLE
from laurel_server.postgres.ledger import Answer
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.postgres.standings import Erased
from laurel_server.rewards.batch_items import BATCH_NUMBERS
from laurel_server.users.moves import Moved, Moves

RETRIES = 5
"""How often a measure that was rolled back is taken again."""

Change = Callable[[Connection, int, Account], Awaitable[Moved]]
"""Changes the locked account in the batch of that number, and returns where its user goes."""


class People:
    """Lists people, and takes measures that are counted once, whatever is retried with the same request_id."""

    def __init__(
        self, pool: Pool, clock: Clock, moves: Moves, faces_changed: Callable[[Sequence[str]], None]
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._moves = moves
        self._faces_changed = faces_changed

    async def find(self, wanted: UserFilter, after: str, limit: int) -> Sequence[User]:
        """Return up to `limit` people by id, those after `after`; erased ones are in no list."""
        async with ledger_errors():
            return await people.list_users(self._pool, wanted, after, limit)

    async def set_visibility(self, order: Order, visibility: Visibility) -> bool:
        """Set who sees a user on boards; True: the request had been answered before. USER_NOT_FOUND.

        His points and their order stay, so that showing him again brings back the places he would have.
        """

        async def change(connection: Connection, batch_no: int, account: Account) -> Moved:
            await people.write_visibility(connection, account.user_no, visibility)
            moved = await self._moves.write(
                connection, batch_no, [(account, replace(account, visibility=visibility))]
            )
            await self._note(connection, account, Measure.SET_VISIBILITY, visibility.name, order)
            return moved

        return await self._once(order, change)

    async def erase(self, order: Order) -> bool:
        """Erase a person for good; True: the request had been answered before. USER_NOT_FOUND.

        His entries stay under his number, so that sums and proofs hold. His id is free for another person.
        """

        async def change(connection: Connection, batch_no: int, account: Account) -> Moved:
            left = [*self._moves.boards_of(account), *await people.leave_past(connection, account.user_no)]
            now, version = self._clock.now(), batch_no * BATCH_NUMBERS
            seatings = await self._moves.remove_scores(connection, account, version)
            await people.erase(connection, account.user_no, now)
            await notifications.forget(connection, account.user_id, account.user_no)
            scored = Erased(account.user_id, version, list(seatings))
            erased = Erased(account.user_id, version, left)
            await people.note_erasure(connection, batch_no, account.user_no, erased, scored, now)
            await self._note(connection, account, Measure.ERASE, "", order)
            placement = Placement(account.user_id, version, {}, (), left)
            return Moved(batch_no, [placement], seatings=seatings)

        return await self._once(order, change)

    async def _note(
        self, connection: Connection, account: Account, measure: Measure, detail: str, order: Order
    ) -> None:
        await people.note_measure(connection, account.user_no, measure, detail, order, self._clock.now())

    async def _once(self, order: Order, change: Change) -> bool:
        """Commit a change unless its request was answered before, and take it to the boards."""
        moved = await self._commit(order, change)
        self._faces_changed([order.user_id])
        if moved is None:
            return True
        await self._moves.project(moved)
        return False

    async def _commit(self, order: Order, change: Change) -> Moved | None:
        """Write in one transaction; it is run again when somebody else answers the same request meanwhile."""
        for _ in range(RETRIES):
            with suppress(*RETRYABLE):
                return await self._try_commit(order, change)
        return await self._try_commit(order, change)

    async def _try_commit(self, order: Order, change: Change) -> Moved | None:
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            opened = await ledger.open_batch(connection, [order.user_id], [order.key])
            answered = opened.answers.get(order.key)
            if answered is not None:
                if answered.request_hash != order.request_hash:
                    raise idempotency_conflict(order.request_id)
                return None
            account = opened.accounts.get(order.user_id)
            if account is None:
                raise user_not_found(order.user_id)
            moved = await change(connection, opened.batch_no, account)
            answer = Answer(order.key, order.request_hash, b"")
            await ledger.keep_answers(connection, [answer])
            return moved
