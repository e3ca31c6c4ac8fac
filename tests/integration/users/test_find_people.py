"""Finding people by filters, page by page."""

import pytest

from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier
from laurel_server.domain.user_filter import UserFilter
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import give


@pytest.fixture
async def people(parts: Parts) -> Parts:
    await parts.profiles.upsert(
        [
            User("user:b", username="Bob", email="Bob@shop.example", country="DE", region="west"),
            User("user:a", username="ann lee", country="US", segments=("vip", "new")),
            User("user:C", username="Anna", email="anna@shop.example", country="US"),
        ]
    )
    await give(parts, "zoe", 5000)
    return parts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["user:C", "user:a", "user:b", "zoe"]),
        ("user:*", ["user:C", "user:a", "user:b"]),
        ("user_id=user:a", ["user:a"]),
        ("user", []),
        ("username=ANN*", ["user:C", "user:a"]),
        ('username="Ann Lee"', ["user:a"]),
        ("username=*", ["user:C", "user:a", "user:b"]),
        ("email=bob@SHOP.example", ["user:b"]),
        ("country=US segment=vip", ["user:a"]),
        ("tier=SILVER", ["zoe"]),
        ("visibility=PUBLIC region=west", ["user:b"]),
        ("visibility=HIDDEN", []),
    ],
)
async def test_by_filter(people: Parts, text: str, found: list[str]) -> None:
    users = await people.people.find(UserFilter.parse(text), "", 100)
    assert [user.user_id for user in users] == found


async def test_page_by_page(people: Parts) -> None:
    walked: list[str] = []
    while users := await people.people.find(UserFilter(), walked[-1] if walked else "", 3):
        walked += [user.user_id for user in users]
    assert walked == ["user:C", "user:a", "user:b", "zoe"]


async def test_with_tier_and_profile(people: Parts) -> None:
    (zoe,) = await people.people.find(UserFilter.parse("zoe"), "", 10)
    assert zoe == await people.profiles.get("zoe")
    assert zoe.tier is Tier.SILVER
