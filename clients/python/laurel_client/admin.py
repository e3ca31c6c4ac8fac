"""AdminService."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

from laurel.admin.v1.admin_service_pb2 import (
    BatchUpsertUsersRequest,
    BatchUpsertUsersResponse,
    GetServerInfoRequest,
    GetServerInfoResponse,
    GetUserRequest,
    ListActionConfigsRequest,
    ListCampaignsRequest,
    PutActionConfigRequest,
    PutBadgeDefinitionRequest,
    PutCampaignRequest,
    RebuildBoardsRequest,
    RebuildBoardsResponse,
    UpsertUserRequest,
    VerifyIntegrityRequest,
    VerifyIntegrityResponse,
)
from laurel.admin.v1.badges_pb2 import BadgeDefinition
from laurel.admin.v1.rules_pb2 import ActionConfig, Campaign
from laurel.type.v1.board_pb2 import BoardRef
from laurel.type.v1.user_pb2 import User
from laurel_client.boards import Boards
from laurel_client.jobs import Jobs
from laurel_client.people import People
from laurel_client.requests import new_request_id

_OVER_ALL_DATA: Final = 900.0
"""Seconds that a call over all data may take: as long as the server lets it."""


class Admin(People, Boards, Jobs):
    """Users, rules and the state of the service. Every method raises LaurelCallError."""

    async def upsert_user(self, user: User) -> User:
        """Create or replace a profile and return it as stored."""
        return (await self._caller.call(self._stub.UpsertUser, UpsertUserRequest(user=user))).user

    async def batch_upsert_users(self, users: Iterable[User]) -> BatchUpsertUsersResponse:
        """Create or replace 1 to 1,000 profiles, all or none; returns how many were new."""
        return await self._caller.call(self._stub.BatchUpsertUsers, BatchUpsertUsersRequest(users=users))

    async def get_user(self, user_id: str) -> User:
        """Return a profile."""
        return (await self._caller.call(self._stub.GetUser, GetUserRequest(user_id=user_id))).user

    async def put_action_config(self, config: ActionConfig, *, actor: str = "") -> ActionConfig:
        """Create or replace how an action is rewarded, and return it as stored."""
        request = PutActionConfigRequest(config=config, actor=actor)
        return (await self._caller.call(self._stub.PutActionConfig, request)).config

    async def list_action_configs(self) -> AsyncIterator[ActionConfig]:
        """Yield all action configs by name."""
        async for page in self._caller.pages(self._stub.ListActionConfigs, ListActionConfigsRequest()):
            for config in page.configs:
                yield config

    async def put_campaign(self, campaign: Campaign, *, actor: str = "") -> Campaign:
        """Create or replace a campaign, and return it as stored."""
        request = PutCampaignRequest(campaign=campaign, actor=actor)
        return (await self._caller.call(self._stub.PutCampaign, request)).campaign

    async def list_campaigns(self) -> AsyncIterator[Campaign]:
        """Yield all campaigns by id."""
        async for page in self._caller.pages(self._stub.ListCampaigns, ListCampaignsRequest()):
            for campaign in page.campaigns:
                yield campaign

    async def put_badge_definition(self, definition: BadgeDefinition, *, actor: str = "") -> BadgeDefinition:
        """Create or replace a badge, and return it as stored."""
        request = PutBadgeDefinitionRequest(definition=definition, actor=actor)
        return (await self._caller.call(self._stub.PutBadgeDefinition, request)).definition

    async def rebuild_boards(self, board: BoardRef | None = None) -> RebuildBoardsResponse:
        """Fill one board, or all, from the ledger anew. Waits for the end, up to 15 minutes."""
        request = RebuildBoardsRequest(request_id=new_request_id(), board=board)
        return await self._caller.call(self._stub.RebuildBoards, request, _OVER_ALL_DATA)

    async def verify_integrity(self, scope: str = "") -> VerifyIntegrityResponse:
        """Compare what must be equal: in `ledger`, `boards`, or both. Waits for the end, up to 15 minutes."""
        request = VerifyIntegrityRequest(scope=scope)
        return await self._caller.call(self._stub.VerifyIntegrity, request, _OVER_ALL_DATA)

    async def get_server_info(self) -> GetServerInfoResponse:
        """Return version, engines and settings, without secrets."""
        return await self._caller.call(self._stub.GetServerInfo, GetServerInfoRequest())
