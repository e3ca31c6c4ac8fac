from datetime import timedelta

import pytest

from laurel.admin.v1.admin_service_pb2 import PutBadgeDefinitionRequest
from laurel.admin.v1.badges_pb2 import BadgeDefinition
from laurel.ranking.v1.ranking_service_pb2 import (
    GetStandingRequest,
    GetTierRequest,
    ListBadgeDefinitionsRequest,
    ListBadgesRequest,
)
from laurel.type.v1 import board_pb2, tier_pb2
from laurel_server.domain.errors import Reason
from laurel_server.domain.periods import PeriodType
from tests.integration.rpc.harness import Served, refused


async def test_a_tier_names_what_is_missing_to_the_next(served: Served) -> None:
    status = (await served.ranking.GetTier(GetTierRequest(user_id="user:1"))).status
    assert (status.tier, status.next_tier) == (tier_pb2.TIER_SILVER, tier_pb2.TIER_GOLD)
    assert (status.qualifying_points, status.points_to_next) == (6_000, 4_000)
    assert status.multiplier == "1.5"
    assert status.HasField("tier_since")
    assert not status.HasField("reviewed_at")


async def test_the_tier_of_an_unknown_user_is_not_found(served: Served) -> None:
    with refused(Reason.USER_NOT_FOUND):
        await served.ranking.GetTier(GetTierRequest(user_id="nobody"))


@pytest.mark.parametrize(
    ("rank", "total", "bracket"),
    [
        (1, 1, "TOP_1_PERCENT"),
        (3, 250, "TOP_1_PERCENT"),  # ceil(2.5)
        (4, 250, "TOP_5_PERCENT"),
        (13, 250, "TOP_5_PERCENT"),  # ceil(12.5)
        (14, 250, "TOP_10_PERCENT"),
        (25, 250, "TOP_10_PERCENT"),
        (26, 250, ""),
    ],
)
async def test_a_standing_has_place_bracket_and_tier(
    served: Served, rank: int, total: int, bracket: str
) -> None:
    served.boards.members = total
    board = board_pb2.BoardRef(period=board_pb2.PERIOD_WEEKLY)
    standing = await served.ranking.GetStanding(GetStandingRequest(user_id=f"user:{rank}", board=board))
    assert (standing.rank.rank, standing.rank.previous_rank, standing.rank.total) == (rank, rank, total)
    assert standing.bracket == bracket
    assert standing.percentile + standing.top_percent == pytest.approx(100)
    assert standing.tier.tier == tier_pb2.TIER_SILVER
    assert served.boards.asked == [("", PeriodType.WEEKLY, "")]


async def test_who_is_not_on_the_board_has_no_standing(served: Served) -> None:
    with refused(Reason.NOT_ON_BOARD):
        await served.ranking.GetStanding(GetStandingRequest(user_id="user:251"))


async def test_badges_of_a_user_with_those_that_have_expired(served: Served) -> None:
    badges = (await served.ranking.ListBadges(ListBadgesRequest(user_id="ann"))).badges
    assert [(badge.user_id, badge.badge_type, badge.level, badge.active) for badge in badges] == [
        ("ann", "POINTS_1K", 2, True),
        ("ann", "TOP_10", 1, False),
    ]
    assert [badge.HasField("expires_at") for badge in badges] == [False, True]
    standing = await served.ranking.GetStanding(GetStandingRequest(user_id="user:1"))
    assert [badge.badge_type for badge in standing.badges] == ["POINTS_1K"]


async def test_badges_of_an_unknown_user_are_not_found(served: Served) -> None:
    with refused(Reason.USER_NOT_FOUND):
        await served.ranking.ListBadges(ListBadgesRequest(user_id="nobody"))


async def test_a_definition_is_put_and_listed(served: Served) -> None:
    definition = BadgeDefinition(
        badge_type="CRITIC",
        display_name="Critic",
        description="Says what he thinks.",
        rule='points >= 777 and count("REVIEW") >= 3',
        level_rules=['count("REVIEW") >= 30'],
        active=True,
    )
    definition.valid_for.FromTimedelta(timedelta(days=365))
    request = PutBadgeDefinitionRequest(definition=definition, actor="eve")

    stored = (await served.admin.PutBadgeDefinition(request)).definition

    assert served.rule_book.actors == ["eve"]
    assert stored.version == 1
    definition.version = 1
    assert stored == definition
    assert list((await served.ranking.ListBadgeDefinitions(ListBadgeDefinitionsRequest())).definitions) == [
        definition
    ]


async def test_a_definition_without_a_name_is_refused(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.PutBadgeDefinition(
            PutBadgeDefinitionRequest(definition=BadgeDefinition(rule="points > 1"))
        )
    assert set(refusal.fields) == {"definition.badge_type"}
