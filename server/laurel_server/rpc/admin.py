"""AdminService."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from laurel.admin.v1.admin_service_pb2 import (
    BatchUpsertUsersRequest,
    BatchUpsertUsersResponse,
    GetServerInfoRequest,
    GetServerInfoResponse,
    GetUserRequest,
    GetUserResponse,
    ListActionConfigsRequest,
    ListActionConfigsResponse,
    ListCampaignsRequest,
    ListCampaignsResponse,
    PutActionConfigRequest,
    PutActionConfigResponse,
    PutCampaignRequest,
    PutCampaignResponse,
    RebuildBoardsRequest,
    RebuildBoardsResponse,
    UpsertUserRequest,
    UpsertUserResponse,
    VerifyIntegrityRequest,
    VerifyIntegrityResponse,
)
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.boards import read_board
from laurel_server.rpc.convert.rules import (
    read_action_config,
    read_campaign,
    write_action_config,
    write_campaign,
)
from laurel_server.rpc.convert.times import write_duration, write_moment
from laurel_server.rpc.convert.users import read_user, write_user
from laurel_server.rpc.paging import PageTokens, page_size, write_page
from laurel_server.rpc.ports import Boards, Maintenance, Profiles, RuleBook

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE: Final = 100


class AdminServicer:
    """Users, rules and the state of the service, for operators."""

    service = methods.ADMIN

    def __init__(
        self, profiles: Profiles, rule_book: RuleBook, boards: Boards, maintenance: Maintenance
    ) -> None:
        self._profiles = profiles
        self._rule_book = rule_book
        self._boards = boards
        self._maintenance = maintenance
        self._action_tokens = PageTokens("ListActionConfigs")
        self._campaign_tokens = PageTokens("ListCampaigns")

    async def UpsertUser(self, request: UpsertUserRequest, call: CallContext) -> UpsertUserResponse:
        """Create or replace one profile."""
        await self._profiles.upsert([read_user(request.user, "user")])
        response = UpsertUserResponse()
        write_user(response.user, await self._profiles.get(request.user.user_id))
        return response

    async def BatchUpsertUsers(
        self, request: BatchUpsertUsersRequest, call: CallContext
    ) -> BatchUpsertUsersResponse:
        """Create or replace many profiles, all or none."""
        users = [read_user(user, f"users[{index}]") for index, user in enumerate(request.users)]
        counts = await self._profiles.upsert(users)
        return BatchUpsertUsersResponse(created=counts.created, updated=counts.updated)

    async def GetUser(self, request: GetUserRequest, call: CallContext) -> GetUserResponse:
        """Read a profile."""
        response = GetUserResponse()
        write_user(response.user, await self._profiles.get(request.user_id))
        return response

    async def PutActionConfig(
        self, request: PutActionConfigRequest, call: CallContext
    ) -> PutActionConfigResponse:
        """Create or replace how an action is rewarded."""
        config = read_action_config(request.config)
        stored = await self._rule_book.put_action(config, request.actor or call.caller)
        response = PutActionConfigResponse()
        write_action_config(response.config, stored)
        return response

    async def ListActionConfigs(
        self, request: ListActionConfigsRequest, call: CallContext
    ) -> ListActionConfigsResponse:
        """Read all action configs by name."""
        after = self._action_tokens.position(request.page_token)
        configs = _following(await self._rule_book.actions(), lambda config: config.action, after)
        response = ListActionConfigsResponse()
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        written = write_page(response.configs, configs[:size], write_action_config)
        if written < len(configs):
            response.next_page_token = self._action_tokens.issue(configs[written - 1].action)
        return response

    async def PutCampaign(self, request: PutCampaignRequest, call: CallContext) -> PutCampaignResponse:
        """Create or replace a campaign."""
        campaign = read_campaign(request.campaign)
        stored = await self._rule_book.put_campaign(campaign, request.actor or call.caller)
        response = PutCampaignResponse()
        write_campaign(response.campaign, stored)
        return response

    async def ListCampaigns(self, request: ListCampaignsRequest, call: CallContext) -> ListCampaignsResponse:
        """Read all campaigns by id."""
        after = self._campaign_tokens.position(request.page_token)
        campaigns = _following(
            await self._rule_book.campaigns(), lambda campaign: campaign.campaign_id, after
        )
        response = ListCampaignsResponse()
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        written = write_page(response.campaigns, campaigns[:size], write_campaign)
        if written < len(campaigns):
            response.next_page_token = self._campaign_tokens.issue(campaigns[written - 1].campaign_id)
        return response

    async def RebuildBoards(self, request: RebuildBoardsRequest, call: CallContext) -> RebuildBoardsResponse:
        """Fill one board, or all, from the ledger anew."""
        board = await self._boards.find(*read_board(request.board)) if request.board.scope else None
        report = await self._maintenance.rebuild(board)
        response = RebuildBoardsResponse(boards=report.boards, members=report.members)
        write_duration(response.took, report.took)
        return response

    async def VerifyIntegrity(
        self, request: VerifyIntegrityRequest, call: CallContext
    ) -> VerifyIntegrityResponse:
        """Compare what must be equal."""
        checks = await self._maintenance.verify(request.scope)
        response = VerifyIntegrityResponse(ok=all(check.ok for check in checks))
        for check in checks:
            response.checks.add(
                name=check.name,
                ok=check.ok,
                checked=check.checked,
                mismatches=check.mismatches,
                detail=check.detail,
            )
        return response

    async def GetServerInfo(self, request: GetServerInfoRequest, call: CallContext) -> GetServerInfoResponse:
        """Read version, engines and settings."""
        info = await self._maintenance.server_info()
        response = GetServerInfoResponse(version=info.version, config=info.config)
        write_moment(response.started_at, info.started_at)
        for engine in info.engines:
            response.engines.add(name=engine.name, version=engine.version, reachable=engine.reachable)
        return response


def _following(items: Sequence[Item], key: Callable[[Item], str], after: str) -> list[Item]:
    """Return the items whose key is beyond `after`, in order of it."""
    return sorted((item for item in items if key(item) > after), key=key)
