"""Use cases that answer as a test tells them, so that what is tested is the transport."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from msgspec import structs

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardRequest, WatchRankRequest
from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsRequest
from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.badges import Badge, BadgeDefinition
from laurel_server.domain.board_configs import BoardConfig, board_not_found
from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.explain import Explanation
from laurel_server.domain.holds import CreateHoldCommand
from laurel_server.domain.ledger import (
    BoardRank,
    ExpiringLot,
    ExpiringPoints,
    LedgerEntry,
    RankState,
    Rewards,
    User,
)
from laurel_server.domain.notifications import Preferences
from laurel_server.domain.people import Order
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.reversals import ReversalRequest
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.domain.spending import RedeemCommand
from laurel_server.domain.tiers import Tier, TierStatus, tier_status
from laurel_server.domain.trends import TrendPoint, TrendQuery
from laurel_server.domain.user_filter import UserFilter
from laurel_server.domain.views import (
    ANY_SCORE,
    Board,
    Check,
    Line,
    Page,
    Place,
    RebuildReport,
    ScoreRange,
    Surrounding,
    Target,
)
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from tests.unit.rpc.samples import ANSWER, BOARD, CHANGED, ENTRY, EXPLANATION, NOW, REWARDS, line

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


class StandInBoards:
    """Has one board on which `members` users stand, `user:1` first."""

    def __init__(self) -> None:
        self.members = 250
        self.period_id = BOARD.key.period_id
        self.pages_read = 0
        self.read_at = NOW
        self.asked: list[tuple[str, PeriodType | None, str]] = []

    async def find(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        return self.resolve(scope, period_type, period_id)

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        self.asked.append((scope, period_type, period_id))
        return Board(BoardKey(scope or "global", period_id or self.period_id), BOARD.period)

    async def page(self, board: Board, after: str, limit: int, scores: ScoreRange = ANY_SCORE) -> Page:
        self.pages_read += 1
        ranks = range(int(after or 0) + 1, self.members + 1)
        lines = tuple(line(rank) for rank in ranks if _is_within(line(rank).score, scores))
        marks = [str(each.rank) for each in lines]
        return Page(board, lines[:limit], self.members, self.read_at, marks, len(lines) > limit)

    async def count(self, _board: Board, scores: ScoreRange) -> int:
        return sum(_is_within(line(rank).score, scores) for rank in range(1, self.members + 1))

    async def place(self, board: Board, user_id: str) -> Place:
        rank = int(user_id.removeprefix("user:")) if user_id.startswith("user:") else 0
        if not rank:
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        if rank > self.members:
            raise LaurelError(Reason.NOT_ON_BOARD, f"{user_id} is not on it", metadata={"user_id": user_id})
        return Place(board, user_id, rank, line(rank).score, self.members)

    async def places(self, _board: Board, user_ids: Sequence[str]) -> tuple[list[Line], list[str]]:
        ranks = {user_id: int(user_id.removeprefix("user:")) for user_id in user_ids}
        missing = [user_id for user_id, rank in ranks.items() if rank > self.members]
        return [line(rank) for rank in sorted(ranks.values()) if rank <= self.members], missing

    async def all_places(self, user_id: str) -> list[Place]:
        boards = (BoardKey("global", "all"), BoardKey("country:US", "2026-W48"))
        return [await self.place(Board(key, BOARD.period), user_id) for key in boards]

    async def surrounding(self, board: Board, user_id: str, range_: int) -> Surrounding:
        place = await self.place(board, user_id)
        first, last = max(1, place.rank - range_), min(self.members, place.rank + range_)
        better = Target(place.rank - 1, 1) if place.rank > 1 else None
        lines = tuple(line(rank) for rank in range(first, last + 1))
        return Surrounding(place, lines, better, better and Target(1, place.rank))


class StandInBadges:
    """Everybody holds one badge that counts and one that has expired."""

    async def of(self, user_id: str) -> list[tuple[Badge, bool]]:
        if user_id == "nobody":
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        past = NOW - timedelta(days=1)
        return [
            (Badge(user_id, "POINTS_1K", 2, NOW, None), True),
            (Badge(user_id, "TOP_10", 1, past, NOW), False),
        ]


class StandInStanding:
    """Everybody is in SILVER, 4,000 points below GOLD."""

    async def tier(self, user_id: str) -> TierStatus:
        if user_id == "nobody":
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        return tier_status(Tier.SILVER, 6_000, NOW, None)


class StandInBoardAdministration:
    """Keeps boards in a dictionary, and what changed."""

    def __init__(self) -> None:
        self.configs: dict[str, BoardConfig] = {}
        self.fields: list[str] = []

    async def boards(self) -> list[BoardConfig]:
        return list(self.configs.values())

    async def board(self, board_id: str) -> BoardConfig:
        if board_id not in self.configs:
            raise board_not_found(board_id)
        return self.configs[board_id]

    async def create(self, config: BoardConfig, _request: RequestKey) -> BoardConfig:
        config.validate()
        self.configs[config.board_id] = config
        return config

    async def update(self, wanted: BoardConfig, fields: Collection[str]) -> BoardConfig:
        self.fields = list(fields)
        self.configs[wanted.board_id] = (await self.board(wanted.board_id)).changed(wanted, fields)
        return self.configs[wanted.board_id]

    async def delete(self, board_id: str, _request: RequestKey) -> None:
        del self.configs[board_id]


class StandInScores:
    """Refuses negative scores, and answers with rank 1 otherwise."""

    def __init__(self) -> None:
        self.commands: list[ScoreCommand] = []

    async def do(self, command: ScoreCommand, _deadline: float | None) -> ScoreAnswer:
        self.commands.append(command)
        if command.pair.score < 0:
            raise LaurelError(Reason.SCORE_OUT_OF_RANGE, "too low")
        rank = BoardRank(BoardKey(command.scope, command.period_id or "all"), 1, 2, command.pair.score, 3)
        return ScoreAnswer(rank, updated=True, replayed=False, rank_state=RankState.FRESH)

    async def do_batch(
        self, commands: Sequence[ScoreCommand | LaurelError], deadline: float | None
    ) -> list[ScoreAnswer | Exception]:
        return [await self._result(command, deadline) for command in commands]

    async def _result(
        self, command: ScoreCommand | LaurelError, deadline: float | None
    ) -> ScoreAnswer | LaurelError:
        if isinstance(command, LaurelError):
            return command
        try:
            return await self.do(command, deadline)
        except LaurelError as error:
            return error


def _is_within(score: int, scores: ScoreRange) -> bool:
    lowest, highest = scores
    return (lowest is None or score >= lowest) and (highest is None or score <= highest)


@dataclass(frozen=True)
class Counts:
    created: int
    updated: int


class StandInProfiles:
    """Keeps users in a dictionary."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}

    async def upsert(self, users: Sequence[User]) -> Counts:
        new = [user for user in users if user.user_id not in self.users]
        self.users |= {user.user_id: replace(user, created_at=NOW) for user in users}
        return Counts(len(new), len(users) - len(new))

    async def get(self, user_id: str) -> User:
        if user_id not in self.users:
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        return self.users[user_id]


class StandInRuleBook:
    """Keeps rules in dictionaries, and who put them."""

    def __init__(self) -> None:
        self.configs: dict[str, ActionConfig] = {}
        self.campaigns_by_id: dict[str, Campaign] = {}
        self.definitions: dict[str, BadgeDefinition] = {}
        self.actors: list[str] = []

    async def put_action(self, config: ActionConfig, actor: str) -> ActionConfig:
        self.actors.append(actor)
        self.configs[config.action] = replace(config, version=len(self.actors))
        return self.configs[config.action]

    async def actions(self) -> list[ActionConfig]:
        return list(self.configs.values())

    async def put_campaign(self, campaign: Campaign, actor: str) -> Campaign:
        self.actors.append(actor)
        self.campaigns_by_id[campaign.campaign_id] = campaign
        return campaign

    async def campaigns(self) -> list[Campaign]:
        return list(self.campaigns_by_id.values())

    async def put_badge(self, definition: BadgeDefinition, actor: str) -> BadgeDefinition:
        self.actors.append(actor)
        self.definitions[definition.badge_type] = replace(definition, version=len(self.actors))
        return self.definitions[definition.badge_type]

    async def badges(self) -> list[BadgeDefinition]:
        return list(self.definitions.values())


@dataclass(frozen=True)
class StandInEngine:
    name: str
    version: str
    reachable: bool


@dataclass(frozen=True)
class Info:
    version: str = "1.2.3"
    started_at: datetime = NOW
    engines: Sequence[StandInEngine] = (StandInEngine("redis", "6.2.5", True),)
    config: Mapping[str, str] = field(default_factory=lambda: {"grpc.port": "50051"})


class StandInPeople:
    """Finds ten people, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def find(self, wanted: UserFilter, after: str, limit: int) -> list[User]:
        self.asked.append((wanted, after, limit))
        return [User(f"u{number}") for number in range(10) if f"u{number}" > after][:limit]

    async def set_visibility(self, order: Order, visibility: Visibility) -> bool:
        self.asked.append((order, visibility))
        return False

    async def erase(self, order: Order) -> bool:
        self.asked.append((order,))
        return True


class StandInMaintenance:
    """Remembers what it was asked to rebuild."""

    def __init__(self) -> None:
        self.rebuilt: list[BoardKey | None] = []
        self.checks = [Check("balances_equal_entries", True, 10, 0, "")]

    async def rebuild(self, board: Board | None) -> RebuildReport:
        self.rebuilt.append(board.key if board else None)
        return RebuildReport(1, 250, timedelta(seconds=1.5))

    async def verify(self, scope: str) -> list[Check]:
        return [replace(check, detail=scope) for check in self.checks]

    async def server_info(self) -> Info:
        return Info()


class StandInClock:
    """A sandbox clock in memory."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    @property
    def frozen(self) -> bool:
        return self.at is not None

    def now(self) -> datetime:
        return self.at or datetime.now(UTC)

    async def set(self, now: datetime) -> None:
        self.at = now

    async def advance(self, by: timedelta) -> None:
        self.at = self.now() + by


Watch = Callable[[CallContext], Awaitable[None]]


class StandInAchievements:
    """Says nothing."""

    service = methods.RANKING

    async def WatchAchievements(self, _request: WatchAchievementsRequest, call: CallContext) -> None:  # noqa: N802
        await call.write(b"")


class StandInWatches:
    """Streams what a test tells it to."""

    service = methods.LEADERBOARDS

    def __init__(self) -> None:
        self.run: Watch = self._end_at_once

    async def WatchRank(self, _request: WatchRankRequest, call: CallContext) -> None:  # noqa: N802
        await self.run(call)

    async def WatchLeaderboard(  # noqa: N802
        self, _request: WatchLeaderboardRequest, call: CallContext
    ) -> None:
        await self.run(call)

    async def _end_at_once(self, _call: CallContext) -> None:
        return


class StandInTrends:
    """Remembers what was asked and answers with `points`."""

    def __init__(self) -> None:
        self.asked: list[TrendQuery] = []
        self.points: list[TrendPoint] = []

    async def trend(self, query: TrendQuery) -> list[TrendPoint]:
        self.asked.append(query)
        return self.points


class StandInPreferences:
    """Keeps the preferences of whoever is not `nobody`."""

    def __init__(self) -> None:
        self.kept: dict[str, Preferences] = {}

    async def read(self, user_id: str) -> Preferences:
        self._require(user_id)
        return self.kept.get(user_id, Preferences())

    async def write(self, user_id: str, preferences: Preferences) -> None:
        self._require(user_id)
        self.kept[user_id] = preferences

    def _require(self, user_id: str) -> None:
        if user_id == "nobody":
            raise LaurelError(Reason.USER_NOT_FOUND, "no such user", metadata={"user_id": user_id})
