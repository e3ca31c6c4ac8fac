"""Use cases of AdminService that keep in memory what they are told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.badges import BadgeDefinition
from laurel_server.domain.board_configs import BoardConfig, board_not_found
from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import (
    User,
)
from laurel_server.domain.notifications import Preferences
from laurel_server.domain.people import Order
from laurel_server.domain.user_filter import UserFilter
from laurel_server.domain.views import (
    Board,
    Check,
    RebuildReport,
)
from tests.unit.rpc.samples import NOW


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
