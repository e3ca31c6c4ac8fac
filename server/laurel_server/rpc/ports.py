"""What the servicers need from the layers below: the use cases, by what they do and not by where they live.

Each raises LaurelError for a refusal and LEDGER_UNAVAILABLE or BOARDS_REBUILDING where an engine is missing.
A deadline is a moment of `time.monotonic()`, None for none.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.explain import Explanation
from laurel_server.domain.ledger import ExpiringPoints, LedgerEntry, Rewards, User
from laurel_server.domain.periods import PeriodType
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
)


class Awards(Protocol):
    """Makes awards."""

    async def award(self, command: AwardCommand, deadline: float | None) -> AwardAnswer:
        """Make one award. TimeoutError if the deadline passes before it has begun."""
        ...

    async def award_batch(
        self, commands: Sequence[AwardCommand | LaurelError], deadline: float | None
    ) -> Sequence[AwardAnswer | Exception]:
        """Make many; one result each, in order. A LaurelError in place of a command is its own result."""
        ...


class Statement(Protocol):
    """Reads the ledger."""

    async def rewards(self, user_id: str, as_of: datetime | None = None) -> Rewards:
        """Return a user's balances, now or after all that was recorded up to `as_of`. USER_NOT_FOUND."""
        ...

    async def rewards_of(self, user_ids: Collection[str]) -> Mapping[str, Rewards]:
        """Return the balances of those who are known, by user id, all of one moment."""
        ...

    async def expiring(self, user_id: str, within: timedelta | None) -> ExpiringPoints:
        """Return what the user loses within that time, or ever (None). USER_NOT_FOUND."""
        ...

    async def transaction(self, transaction_id: int) -> LedgerEntry:
        """Return one entry. TRANSACTION_NOT_FOUND."""
        ...

    async def transactions(
        self,
        user_id: str,
        actions: Sequence[str],
        from_time: datetime | None,
        to_time: datetime | None,
        before: int | None,
        limit: int,
    ) -> Sequence[LedgerEntry]:
        """Return up to `limit` entries with ids below `before`, newest first. USER_NOT_FOUND."""
        ...


class Explaining(Protocol):
    """Computes entries again."""

    async def explain(self, transaction_id: int) -> Explanation:
        """Return why an entry has the points it has. TRANSACTION_NOT_FOUND."""
        ...


class Boards(Protocol):
    """Reads the boards."""

    async def find(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return what `resolve` does, also of a board that another server has just created."""
        ...

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return the board instance that is meant now. INVALID_FIELD, BOARD_NOT_FOUND, PERIOD_NOT_FOUND."""
        ...

    async def page(self, board: Board, after: str, limit: int, scores: ScoreRange = ANY_SCORE) -> Page:
        """Return `limit` lines with these scores, behind the mark `after` or from the best on, with profiles."""
        ...

    async def count(self, board: Board, scores: ScoreRange) -> int:
        """Return how many users have these scores."""
        ...

    async def place(self, board: Board, user_id: str) -> Place:
        """Return where a user stands. USER_NOT_FOUND, NOT_ON_BOARD."""
        ...

    async def places(self, board: Board, user_ids: Sequence[str]) -> tuple[Sequence[Line], Sequence[str]]:
        """Return the lines of those on the board, best first, and the ids of the others in given order."""
        ...

    async def all_places(self, user_id: str) -> Sequence[Place]:
        """Return the user's place on every current board that lists him. USER_NOT_FOUND."""
        ...

    async def surrounding(self, board: Board, user_id: str, range_: int) -> Surrounding:
        """Return the user's line with `range_` lines on both sides. USER_NOT_FOUND, NOT_ON_BOARD."""
        ...


class UpsertCounts(Protocol):
    """What a bulk of profiles did."""

    @property
    def created(self) -> int:
        """Users that were new."""
        ...

    @property
    def updated(self) -> int:
        """Users that were known."""
        ...


class Profiles(Protocol):
    """Keeps profiles of users."""

    async def upsert(self, users: Sequence[User]) -> UpsertCounts:
        """Create or replace all or none."""
        ...

    async def get(self, user_id: str) -> User:
        """Return a profile. USER_NOT_FOUND."""
        ...


class RuleBook(Protocol):
    """Keeps the rules of awards."""

    async def put_action(self, config: ActionConfig, actor: str) -> ActionConfig:
        """Keep a new version and return it. INVALID_FIELD, FORMULA_INVALID."""
        ...

    async def actions(self) -> Sequence[ActionConfig]:
        """Return all, in any order."""
        ...

    async def put_campaign(self, campaign: Campaign, actor: str) -> Campaign:
        """Keep a new version and return it. INVALID_FIELD."""
        ...

    async def campaigns(self) -> Sequence[Campaign]:
        """Return all, in any order."""
        ...


class Engine(Protocol):
    """An engine in use."""

    @property
    def name(self) -> str:
        """`postgresql` or `redis`."""
        ...

    @property
    def version(self) -> str:
        """Its version, "" if it did not answer."""
        ...

    @property
    def reachable(self) -> bool:
        """Whether it answered just now."""
        ...


class ServerInfo(Protocol):
    """The state of the process."""

    @property
    def version(self) -> str:
        """Of Laurel."""
        ...

    @property
    def started_at(self) -> datetime:
        """When the process started."""
        ...

    @property
    def engines(self) -> Sequence[Engine]:
        """What it is connected to."""
        ...

    @property
    def config(self) -> Mapping[str, str]:
        """Every setting, secrets masked."""
        ...


class Maintenance(Protocol):
    """Repairs and examines."""

    async def rebuild(self, board: Board | None) -> RebuildReport:
        """Fill one board, or all, from the ledger anew while awards go on."""
        ...

    async def verify(self, scope: str) -> Sequence[Check]:
        """Compare what must be equal in `ledger` or `boards`, "" for both."""
        ...

    async def server_info(self) -> ServerInfo:
        """Return version, engines and settings."""
        ...


class SandboxClock(Protocol):
    """The business time, which tests may set."""

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        ...

    def now(self) -> datetime:
        """Return the time."""
        ...

    async def set(self, now: datetime) -> None:
        """Stop at `now`, over restarts too; what is due is done before this returns. INVALID_FIELD."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Stop at the present time plus `by`, as `set` does. INVALID_FIELD."""
        ...
