from datetime import UTC, date, datetime
from typing import Any, Final

import pytest

from laurel.type.v1 import tier_pb2, user_pb2
from laurel_server.domain.boards import Visibility
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier
from laurel_server.rpc.convert.users import read_user, write_user
from tests.unit.domain.refusals import refused
from tests.unit.rpc.samples import stamp

JOINED = datetime(2026, 1, 2, tzinfo=UTC)
SEEN = datetime(2026, 11, 23, tzinfo=UTC)
PROFILE: Final[dict[str, Any]] = {
    "user_id": "user:1",
    "username": "Ada",
    "email": "ada@example.com",
    "avatar_url": "https://cdn.example/ada.png",
    "country": "GB",
    "region": "london",
    "timezone": "Europe/London",
}
MESSAGE = user_pb2.User(
    **PROFILE,
    segments=["vip", "beta"],
    birth_date="1815-12-10",
    tier=tier_pb2.TIER_GOLD,
    visibility=user_pb2.VISIBILITY_HIDDEN,
    created_at=stamp(JOINED),
    last_active_at=stamp(SEEN),
)


def test_a_profile_is_read_without_what_laurel_sets_itself() -> None:
    assert read_user(MESSAGE, "user") == User(
        **PROFILE,
        segments=("vip", "beta"),
        birth_date=date(1815, 12, 10),
    )


def test_a_profile_is_written_whole() -> None:
    target = user_pb2.User()
    user = User(
        **PROFILE,
        segments=("vip", "beta"),
        birth_date=date(1815, 12, 10),
        tier=Tier.GOLD,
        visibility=Visibility.HIDDEN,
        created_at=JOINED,
        last_active_at=SEEN,
    )
    write_user(target, user)
    assert target == MESSAGE


def test_a_profile_of_an_id_alone() -> None:
    target = user_pb2.User()
    write_user(target, read_user(user_pb2.User(user_id="u"), "user"))
    assert target == user_pb2.User(
        user_id="u", tier=tier_pb2.TIER_BRONZE, visibility=user_pb2.VISIBILITY_PUBLIC
    )


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01"])
def test_a_day_that_is_not_in_the_calendar_is_refused(day: str) -> None:
    with refused(Reason.INVALID_FIELD, "users[3].birth_date"):
        read_user(user_pb2.User(user_id="u", birth_date=day), "users[3]")


@pytest.mark.parametrize("visibility", Visibility)
def test_visibilities_have_the_numbers_of_the_contract(visibility: Visibility) -> None:
    number = user_pb2.Visibility.ValueType(visibility)
    assert user_pb2.Visibility.Name(number) == f"VISIBILITY_{visibility.name}"


@pytest.mark.parametrize("tier", Tier)
def test_tiers_have_the_numbers_of_the_contract(tier: Tier) -> None:
    assert tier_pb2.Tier.Name(tier_pb2.Tier.ValueType(tier)) == f"TIER_{tier.name}"
