"""Domain objects for tests of conversion, filled so that no two fields are alike."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from google.protobuf.timestamp_pb2 import Timestamp

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.campaigns import AppliedCampaign
from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.explain import Explanation, Recorded, Step
from laurel_server.domain.holdings import Hold, HoldState
from laurel_server.domain.ledger import BoardRank, LedgerEntry, RankState, Rewards
from laurel_server.domain.lots import Debit
from laurel_server.domain.periods import PeriodType, period_at
from laurel_server.domain.points import Breakdown
from laurel_server.domain.tiers import Tier, TierChange
from laurel_server.domain.views import Board, Line, Page

NOW = datetime(2026, 11, 23, 10, 30, 15, 123456, tzinfo=UTC)
WEEK = period_at(PeriodType.WEEKLY, NOW, UTC)
BOARD = Board(BoardKey("country:US", "2026-W48"), WEEK)

ENTRY = LedgerEntry(
    transaction_id=682 << 48 | 1025,
    request_id="r-1",
    user_id="user:1",
    action="PURCHASE",
    points=149,
    base_points=Decimal("99.90"),
    multiplier=Decimal("1.50"),
    order_id="o-1",
    referral_id="f-1",
    reference_id="n-1",
    reason="because",
    created_by="shop",
    transaction_time=NOW,
    occurred_at=NOW - timedelta(hours=1),
    balance_after=1149,
    expires_at=NOW + timedelta(days=365),
    reversed_points=7,
    reverses_transaction_id=682 << 48 | 1,
)
REWARDS = Rewards(
    user_id="user:1",
    total_points=1,
    lifetime_points=2,
    redeemed_points=3,
    expired_points=4,
    held_points=5,
    pending_points=6,
    tier=Tier.GOLD,
    last_reward_at=NOW,
    version=2**47,
)
BREAKDOWN = Breakdown(
    points=149,
    base_points=Decimal("99.90"),
    tier_multiplier=Decimal("1.5"),
    campaigns=(AppliedCampaign("black-friday", Decimal(2)),),
    multiplier=Decimal(3),
    uncapped_points=299,
    capped=True,
    cap="PER_ACTION",
)
ANSWER = AwardAnswer(
    entry=ENTRY,
    rewards=REWARDS,
    breakdown=BREAKDOWN,
    tier_change=TierChange("user:1", Tier.SILVER, Tier.GOLD, NOW),
    ranks=(
        BoardRank(BoardKey("global", "2026-11-23"), 1, 2, 3, 4),
        BoardRank(BoardKey("tier:gold", "all"), 5, 0, 2**53, 8),
    ),
    rank_state=RankState.FRESH,
    replayed=True,
    closed_period_ids=("2026-11-22",),
)
HOLD = Hold(77, "user:1", 9, 8, HoldState.CAPTURED, NOW, NOW + timedelta(minutes=15), "gift", "why")
CHANGED = ChangeAnswer(
    rewards=REWARDS,
    entry=ENTRY,
    hold=HOLD,
    tier_change=ANSWER.tier_change,
    ranks=ANSWER.ranks,
    rank_state=RankState.FRESH,
    replayed=True,
)

EXPLANATION = Explanation(
    Recorded(
        ENTRY,
        {
            "config": 3,
            "attributes": {"order_value": "99.90"},
            "tier": "SILVER",
            "periods": ["2026-11-23", "all"],
        },
        ActionConfig("PURCHASE", points_formula="order_value * 1"),
        (Debit(682 << 48 | 7, 40, None, NOW),),
    ),
    (Step("base", "99.9", "order_value * 1 with order_value = 99.90"),),
    ("points is 149 and must be 299",),
)


def stamp(moment: datetime) -> Timestamp:
    """Return a moment as protobuf makes it."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def line(rank: int) -> Line:
    """Return the line of the user with that rank; lower ranks have more points."""
    return Line(
        rank=rank,
        user_id=f"user:{rank}",
        score=1_000_000 - rank,
        sub_score=rank % 7,
        username=f"Name {rank}",
        avatar_url=f"https://cdn.example/{rank}.png",
        tier=Tier.PLATINUM,
        country="US",
    )


def page(count: int, *, offset: int = 0, total: int = 1000) -> Page:
    """Return `count` lines from `offset` on."""
    ranks = range(offset + 1, offset + count + 1)
    lines, marks = tuple(map(line, ranks)), [f"rank {rank}" for rank in ranks]
    return Page(BOARD, lines, total, NOW, marks, has_more=offset + count < total)
