"""RankingService: standing and tier of a user."""

from collections.abc import Sequence
from typing import Protocol

from laurel.ranking.v1.ranking_service_pb2 import (
    GetStandingRequest,
    GetStandingResponse,
    GetTierRequest,
    GetTierResponse,
    ListBadgeDefinitionsRequest,
    ListBadgeDefinitionsResponse,
    ListBadgesRequest,
    ListBadgesResponse,
)
from laurel_server.domain.badges import Badge, BadgeDefinition
from laurel_server.domain.ranks import bracket, percentile, top_percent
from laurel_server.domain.tiers import TierStatus
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.badges import write_badge, write_definition
from laurel_server.rpc.convert.boards import read_board, write_place
from laurel_server.rpc.convert.ranking import write_tier_status
from laurel_server.rpc.ports import Boards


class Standing(Protocol):
    """What a user has reached."""

    async def tier(self, user_id: str) -> TierStatus:
        """Return the user's tier and what is missing to the next. USER_NOT_FOUND."""
        ...


class Badges(Protocol):
    """Reads badges."""

    async def of(self, user_id: str) -> Sequence[tuple[Badge, bool]]:
        """Return the badges of a user, the latest first, and whether each counts. USER_NOT_FOUND."""
        ...


class BadgeRules(Protocol):
    """Keeps what badges take."""

    async def badges(self) -> Sequence[BadgeDefinition]:
        """Return all definitions by type."""
        ...

    async def put_badge(self, definition: BadgeDefinition, actor: str) -> BadgeDefinition:
        """Keep a new version and return it. INVALID_FIELD, FORMULA_INVALID."""
        ...


class RankingServicer:
    """Reads what users have reached."""

    service = methods.RANKING

    def __init__(self, boards: Boards, standing: Standing, badges: Badges, badge_rules: BadgeRules) -> None:
        self._boards = boards
        self._standing = standing
        self._badges = badges
        self._badge_rules = badge_rules

    async def GetStanding(self, request: GetStandingRequest, call: CallContext) -> GetStandingResponse:
        """Read a user's place with what it is worth, and his tier."""
        board = await self._boards.find(*read_board(request.board))
        place = await self._boards.place(board, request.user_id)
        response = GetStandingResponse(
            percentile=percentile(place.rank, place.total),
            top_percent=top_percent(place.rank, place.total),
            bracket=bracket(place.rank, place.total),
        )
        write_place(response.rank, place)
        write_tier_status(response.tier, await self._standing.tier(request.user_id))
        for badge, active in await self._badges.of(request.user_id):
            if active:
                write_badge(response.badges.add(), badge, active=True)
        return response

    async def GetTier(self, request: GetTierRequest, call: CallContext) -> GetTierResponse:
        """Read a user's tier."""
        response = GetTierResponse()
        write_tier_status(response.status, await self._standing.tier(request.user_id))
        return response

    async def ListBadges(self, request: ListBadgesRequest, call: CallContext) -> ListBadgesResponse:
        """Read the badges of a user."""
        response = ListBadgesResponse()
        for badge, active in await self._badges.of(request.user_id):
            write_badge(response.badges.add(), badge, active=active)
        return response

    async def ListBadgeDefinitions(
        self, request: ListBadgeDefinitionsRequest, call: CallContext
    ) -> ListBadgeDefinitionsResponse:
        """Read what there is to earn."""
        response = ListBadgeDefinitionsResponse()
        for definition in await self._badge_rules.badges():
            write_definition(response.definitions.add(), definition)
        return response
