"""Use cases of RewardsService that answer as a test tells them."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import structs

from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.explain import Explanation
from laurel_server.domain.holds import CreateHoldCommand
from laurel_server.domain.ledger import (
    ExpiringLot,
    ExpiringPoints,
    LedgerEntry,
    Rewards,
)
from laurel_server.domain.reversals import ReversalRequest
from laurel_server.domain.spending import RedeemCommand
from tests.unit.rpc.samples import ANSWER, CHANGED, ENTRY, EXPLANATION, NOW, REWARDS

Award = Callable[[AwardCommand, float | None], Awaitable[AwardAnswer]]


async def sample_award(command: AwardCommand, _deadline: float | None) -> AwardAnswer:
    """Answer with the sample, for the user that was asked for."""
    return structs.replace(
        ANSWER, entry=structs.replace(ENTRY, user_id=command.user_id, request_id=command.request_id)
    )


class StandInAwards:
    """Makes awards by calling `make`, and remembers the commands."""

    def __init__(self) -> None:
        self.make: Award = sample_award
        self.commands: list[AwardCommand] = []
        self.deadlines: list[float | None] = []

    async def award(self, command: AwardCommand, deadline: float | None) -> AwardAnswer:
        self.commands.append(command)
        self.deadlines.append(deadline)
        return await self.make(command, deadline)

    async def award_batch(
        self, commands: Sequence[AwardCommand | LaurelError], deadline: float | None
    ) -> list[AwardAnswer | Exception]:
        return [await self._result(command, deadline) for command in commands]

    async def _result(
        self, command: AwardCommand | LaurelError, deadline: float | None
    ) -> AwardAnswer | Exception:
        if isinstance(command, LaurelError):
            return command
        try:
            return await self.award(command, deadline)
        except Exception as error:  # noqa: BLE001 - a result of its item
            return error


class StandInStatement:
    """Has entries with the ids from 1 to `count`."""

    def __init__(self) -> None:
        self.count = 0
        self.reason = "because"
        self.asked: list[tuple[object, ...]] = []

    async def rewards(self, user_id: str, as_of: datetime | None = None) -> Rewards:
        self.asked.append((user_id, as_of))
        return structs.replace(REWARDS, user_id=user_id)

    async def rewards_of(self, user_ids: Collection[str]) -> dict[str, Rewards]:
        known = [user_id for user_id in user_ids if user_id != "nobody"]
        return {user_id: structs.replace(REWARDS, user_id=user_id) for user_id in reversed(known)}

    async def expiring(self, user_id: str, within: timedelta | None) -> ExpiringPoints:
        self.asked.append((user_id, within))
        return ExpiringPoints([ExpiringLot(ENTRY.transaction_id, 7, NOW)], 9)

    async def transaction(self, transaction_id: int) -> LedgerEntry:
        return structs.replace(ENTRY, transaction_id=transaction_id)

    async def transactions(
        self,
        user_id: str,
        actions: Sequence[str],
        from_time: datetime | None,
        to_time: datetime | None,
        before: int | None,
        limit: int,
    ) -> list[LedgerEntry]:
        self.asked.append((user_id, actions, from_time, to_time))
        newest = (self.count + 1 if before is None else before) - 1
        ids = range(newest, max(0, newest - limit), -1)
        return [structs.replace(ENTRY, transaction_id=number, reason=self.reason) for number in ids]


class _StandInChanges:
    """Answers with the sample, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.deadlines: list[float | None] = []

    def _answer(self, asked: object, deadline: float | None) -> ChangeAnswer:
        self.asked.append(asked)
        self.deadlines.append(deadline)
        return CHANGED


class StandInSpending(_StandInChanges):
    """Spends nothing."""

    async def redeem(self, command: RedeemCommand, deadline: float | None) -> ChangeAnswer:
        return self._answer(command, deadline)

    async def cancel(
        self, request: RequestKey, transaction_id: str, reason: str, deadline: float | None
    ) -> ChangeAnswer:
        return self._answer((request.caller, request.request_id, transaction_id, reason), deadline)


class StandInHolds(_StandInChanges):
    """Holds nothing."""

    async def create(self, command: CreateHoldCommand, deadline: float | None) -> ChangeAnswer:
        return self._answer(command, deadline)

    async def capture(
        self, request: RequestKey, hold_id: str, points: int, deadline: float | None
    ) -> ChangeAnswer:
        return self._answer((request.caller, request.request_id, hold_id, points), deadline)

    async def release(self, request: RequestKey, hold_id: str, deadline: float | None) -> ChangeAnswer:
        return self._answer((request.caller, request.request_id, hold_id), deadline)


class StandInCorrections(_StandInChanges):
    """Corrects nothing."""

    async def reverse(
        self, request: RequestKey, asked: ReversalRequest, deadline: float | None
    ) -> ChangeAnswer:
        return self._answer((request.request_id, asked), deadline)

    async def adjust(self, command: AdjustCommand, deadline: float | None) -> ChangeAnswer:
        return self._answer(command, deadline)


class StandInExplaining:
    """Explains any entry as the sample."""

    async def explain(self, transaction_id: int) -> Explanation:
        return replace(
            EXPLANATION,
            recorded=replace(
                EXPLANATION.recorded,
                entry=structs.replace(ENTRY, transaction_id=transaction_id, user_id="user:1"),
            ),
        )
