from dataclasses import replace
from datetime import timedelta

import pytest

from laurel.admin.v1 import rules_pb2
from laurel.admin.v1.admin_service_pb2 import (
    BatchUpsertUsersRequest,
    GetServerInfoRequest,
    GetUserRequest,
    ListActionConfigsRequest,
    ListCampaignsRequest,
    PutActionConfigRequest,
    PutCampaignRequest,
    RebuildBoardsRequest,
    UpsertUserRequest,
    VerifyIntegrityRequest,
)
from laurel.type.v1 import board_pb2, tier_pb2
from laurel.type.v1.user_pb2 import User
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import NOW, stamp


def config(name: str, **fields: object) -> PutActionConfigRequest:
    message = rules_pb2.ActionConfig(action=name, base_points="10", active=True)
    return PutActionConfigRequest(config=message, **fields)  # type: ignore[arg-type]


def campaign(name: str) -> PutCampaignRequest:
    return PutCampaignRequest(
        campaign=rules_pb2.Campaign(campaign_id=name, multiplier="1.5", active=True), actor="ops"
    )


async def test_a_profile_is_put_and_read(served: Served) -> None:
    profile = User(user_id="u", username="Ada", country="GB", tier=tier_pb2.TIER_DIAMOND)
    put = await served.admin.UpsertUser(UpsertUserRequest(user=profile))
    assert (put.user.username, put.user.created_at) == ("Ada", stamp(NOW))
    assert put.user.tier == tier_pb2.TIER_BRONZE
    got = await served.admin.GetUser(GetUserRequest(user_id="u"))
    assert got.user == put.user


async def test_an_unknown_user(served: Served) -> None:
    with refused(Reason.USER_NOT_FOUND):
        await served.admin.GetUser(GetUserRequest(user_id="u"))


async def test_many_profiles(served: Served) -> None:
    await served.admin.UpsertUser(UpsertUserRequest(user=User(user_id="u")))
    users = [User(user_id="u"), User(user_id="v"), User(user_id="w")]
    response = await served.admin.BatchUpsertUsers(BatchUpsertUsersRequest(users=users))
    assert (response.created, response.updated) == (2, 1)


@pytest.mark.parametrize(
    ("users", "field"),
    [
        ([User(user_id="u"), User(user_id="v", birth_date="2026-02-30")], "users[1].birth_date"),
        ([User(user_id="u", country="usa")], "users[0].country"),
    ],
)
async def test_one_wrong_profile_refuses_all(served: Served, users: list[User], field: str) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.BatchUpsertUsers(BatchUpsertUsersRequest(users=users))
    assert refusal.fields.keys() == {field}
    assert served.profiles.users == {}


async def test_action_configs_are_put_and_listed_by_name(served: Served) -> None:
    put = await served.admin.PutActionConfig(config("REVIEW", actor="ops"))
    assert (put.config.action, put.config.version) == ("REVIEW", 1)
    await served.admin.PutActionConfig(config("PURCHASE"))
    listed = await served.admin.ListActionConfigs(ListActionConfigsRequest())
    assert [each.action for each in listed.configs] == ["PURCHASE", "REVIEW"]
    assert listed.next_page_token == ""
    assert served.rule_book.actors == ["ops", "anonymous"]


async def test_campaigns_are_put_and_listed_by_id(served: Served) -> None:
    put = await served.admin.PutCampaign(campaign("summer"))
    assert put.campaign.multiplier == "1.5"
    await served.admin.PutCampaign(campaign("autumn"))
    listed = await served.admin.ListCampaigns(ListCampaignsRequest())
    assert [each.campaign_id for each in listed.campaigns] == ["autumn", "summer"]


async def test_lists_come_in_pages(served: Served) -> None:
    for letter in "DBACE":
        await served.admin.PutActionConfig(config(letter))
        await served.admin.PutCampaign(campaign(letter))
    actions = await served.admin.ListActionConfigs(ListActionConfigsRequest(page_size=3))
    campaigns = await served.admin.ListCampaigns(ListCampaignsRequest(page_size=3))
    more_actions = await served.admin.ListActionConfigs(
        ListActionConfigsRequest(page_size=3, page_token=actions.next_page_token)
    )
    more_campaigns = await served.admin.ListCampaigns(
        ListCampaignsRequest(page_size=3, page_token=campaigns.next_page_token)
    )
    assert [each.action for each in (*actions.configs, *more_actions.configs)] == list("ABCDE")
    assert [each.campaign_id for each in (*campaigns.campaigns, *more_campaigns.campaigns)] == list("ABCDE")
    assert more_actions.next_page_token == more_campaigns.next_page_token == ""
    with refused(Reason.PAGE_TOKEN_INVALID):
        await served.admin.ListCampaigns(ListCampaignsRequest(page_token=actions.next_page_token))


async def test_without_a_scope_all_boards_are_rebuilt(served: Served) -> None:
    response = await served.admin.RebuildBoards(RebuildBoardsRequest(request_id="r"))
    assert served.maintenance.rebuilt == [None]
    assert (response.boards, response.members) == (1, 250)
    assert response.took.ToTimedelta() == timedelta(seconds=1.5)


async def test_one_board_is_rebuilt(served: Served) -> None:
    board = board_pb2.BoardRef(scope="tier:gold", period=board_pb2.PERIOD_WEEKLY)
    await served.admin.RebuildBoards(RebuildBoardsRequest(request_id="r", board=board))
    assert served.maintenance.rebuilt == [BoardKey("tier:gold", "2026-W48")]


async def test_integrity_holds_if_every_check_does(served: Served) -> None:
    response = await served.admin.VerifyIntegrity(VerifyIntegrityRequest(scope="ledger"))
    (check,) = response.checks
    assert response.ok
    assert (check.name, check.ok, check.checked, check.detail) == (
        "balances_equal_entries",
        True,
        10,
        "ledger",
    )
    served.maintenance.checks += [replace(served.maintenance.checks[0], ok=False, mismatches=3)]
    assert not (await served.admin.VerifyIntegrity(VerifyIntegrityRequest())).ok


async def test_an_unknown_scope_is_refused(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.VerifyIntegrity(VerifyIntegrityRequest(scope="moon"))
    assert refusal.fields.keys() == {"scope"}


async def test_server_info(served: Served) -> None:
    response = await served.admin.GetServerInfo(GetServerInfoRequest())
    assert (response.version, response.started_at) == ("1.2.3", stamp(NOW))
    (engine,) = response.engines
    assert (engine.name, engine.version, engine.reachable) == ("redis", "6.2.5", True)
    assert response.config == {"grpc.port": "50051"}
