"""Who was told of his rank lately: he is not asked for again before it is time."""

from datetime import UTC, datetime, timedelta

from laurel_server.domain.notifications import ToldRank
from laurel_server.events.told import LatelyTold

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_who_was_told_is_left_alone_until_it_is_time() -> None:
    lately = LatelyTold(HOUR)
    assert lately.others(["ada", "bob"], NOON) == ["ada", "bob"]
    lately.note({"ada": ToldRank(4, NOON)})
    assert lately.others(["ada", "bob"], NOON + HOUR - timedelta(seconds=1)) == ["bob"]
    assert lately.others(["ada", "bob"], NOON + HOUR) == ["ada", "bob"]


def test_with_no_interval_everybody_may_be_told_at_once() -> None:
    lately = LatelyTold(timedelta())
    lately.note({"ada": ToldRank(4, NOON)})
    assert lately.others(["ada"], NOON) == ["ada"]


def test_nothing_is_known_of_who_is_forgotten_and_of_the_first_of_too_many() -> None:
    lately = LatelyTold(HOUR, limit=2)
    lately.note({name: ToldRank(4, NOON) for name in ("ada", "bob")})
    lately.note({name: ToldRank(4, NOON) for name in ("ada", "cy")})
    assert lately.others(["ada", "bob", "cy"], NOON) == ["bob"], "ada was told again"
    lately.forget(["cy"])
    assert lately.others(["ada", "cy"], NOON) == ["cy"]
    lately.forget_all()
    assert lately.others(["ada", "cy"], NOON) == ["ada", "cy"]
