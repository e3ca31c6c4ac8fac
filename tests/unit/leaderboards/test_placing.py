import pytest

from laurel_server.domain.boards import BoardKey, BoardMatrix, Membership, Visibility
from laurel_server.domain.tiers import Tier
from laurel_server.leaderboards import placing
from laurel_server.leaderboards.placing import Placing, boards_of, placement_of
from laurel_server.postgres.standings import Member

MATRIX = BoardMatrix()
TOTALS = {"2026-W48": (5, 1), "all": (9, 1)}
AT_HOME = {
    BoardKey(scope, period_id) for scope in ("global", "country:US", "tier:silver") for period_id in TOTALS
}


def member(scopes: tuple[str, ...] | None = None, visibility: Visibility = Visibility.PUBLIC) -> Member:
    membership = Membership("US", "", Tier.SILVER, (), visibility)
    return Member(1, "ann", 7, membership, TOTALS, scopes)


def test_a_member_stands_on_every_board_over_his_totals() -> None:
    assert set(boards_of(member(), MATRIX)) == AT_HOME


def test_a_member_is_taken_off_the_boards_of_tiers_he_had_and_those_he_left() -> None:
    gone = BoardKey("country:GB", "all")

    placement = placement_of(member(), MATRIX, [gone], [Tier.BRONZE, Tier.GOLD, Tier.SILVER])

    assert set(placement.boards) == AT_HOME
    assert set(placement.left) == {gone} | {
        BoardKey(f"tier:{tier}", period_id) for tier in ("bronze", "gold") for period_id in TOTALS
    }


def test_a_board_he_came_back_to_is_not_left() -> None:
    assert BoardKey("country:US", "all") not in placement_of(member(), MATRIX, AT_HOME).left


def test_totals_of_the_past_stay_on_the_boards_they_were_made_on() -> None:
    placement = placement_of(member(scopes=("global", "tier:bronze")), MATRIX)

    assert set(placement.boards) == {
        BoardKey(scope, period_id) for scope in ("global", "tier:bronze") for period_id in TOTALS
    }
    assert placement.left == ()


def test_a_hidden_member_stands_nowhere() -> None:
    assert boards_of(member(visibility=Visibility.HIDDEN), MATRIX) == ()


def test_a_rebuild_asks_for_some_boards_only() -> None:
    wanted = {BoardKey("global", "all"), BoardKey("country:GB", "all")}

    assert Placing(MATRIX, wanted)(member()).boards == (BoardKey("global", "all"),)


def test_a_rebuild_remembers_a_bounded_number_of_memberships(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "MOST_CHOSEN", 3)
    place = Placing(MATRIX, {BoardKey("global", "all")})
    people = [
        Member(n, f"u{n}", 1, Membership("US", "", Tier.BRONZE, (f"s{n}",), Visibility.PUBLIC), TOTALS)
        for n in range(10)
    ]

    assert {place(person).boards for person in people} == {(BoardKey("global", "all"),)}
    assert len(place._chosen) <= 3
