from dataclasses import FrozenInstanceError

import pytest

from laurel_server.domain.boards import Membership, Visibility
from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier


def test_the_membership_of_a_user_follows_from_his_profile() -> None:
    ann = User(
        "ann", country="US", region="West", tier=Tier.GOLD, segments=("vip",), visibility=Visibility.SHADOW
    )
    assert ann.membership == Membership("US", "West", Tier.GOLD, ("vip",), Visibility.SHADOW)


def test_a_new_user_is_public_bronze_and_from_nowhere() -> None:
    assert User("ann").membership == Membership("", "", Tier.BRONZE, (), Visibility.PUBLIC)


def test_facts_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        User("ann").country = "DE"  # type: ignore[misc]
