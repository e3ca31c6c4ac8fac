import pytest

from laurel_server.domain.boards import Visibility
from laurel_server.domain.errors import Reason
from laurel_server.domain.tiers import Tier
from laurel_server.domain.user_filter import Text, UserFilter
from tests.unit.domain.refusals import refused


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", UserFilter()),
        ("   ", UserFilter()),
        ("ann", UserFilter(user_id=Text("ann"))),
        ("user:1@shop*", UserFilter(user_id=Text("user:1@shop", is_prefix=True))),
        ("user_id=ann", UserFilter(user_id=Text("ann"))),
        ('username = "Ann B*"', UserFilter(username=Text("Ann B", is_prefix=True))),
        ("email=ann@shop.example", UserFilter(email=Text("ann@shop.example"))),
        ("country=us tier=GOLD", UserFilter(country="US", tier=Tier.GOLD)),
        ("tier=TIER_GOLD AND segment=vip", UserFilter(tier=Tier.GOLD, segment="vip")),
        ("visibility=hidden  region=west", UserFilter(visibility=Visibility.HIDDEN, region="west")),
    ],
)
def test_filters(text: str, wanted: UserFilter) -> None:
    assert UserFilter.parse(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "age=3",
        "tier=COPPER",
        "visibility=1",
        "tier=",
        'username="Ann',
        "country=US country=DE",
        "a b",
        "=x",
        "tier==GOLD",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with refused(Reason.INVALID_FIELD, "filter"):
        UserFilter.parse(text)
