import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.board_owners import BoardOwners
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.periods import PeriodType

FAMILY = BoardConfig("countries", BoardKind.POINTS, "country:*", PeriodType.WEEKLY, slots=3)
OWN = BoardConfig("us", BoardKind.POINTS, "country:US", PeriodType.WEEKLY)
SCORES = BoardConfig("race", BoardKind.SCORES, "race")
OWNERS = BoardOwners([FAMILY, OWN, SCORES])

US, DE = BoardKey("country:US", "2026-W48"), BoardKey("country:DE", "2026-W48")


@pytest.mark.parametrize(
    ("board", "owner"),
    [
        (US, "us"),
        (DE, "countries"),
        (BoardKey("country:DE", "2026-11"), None),
        (BoardKey("global", "2026-W48"), None),
        (BoardKey("race", "2026-11-25T00:00Z"), "race"),
        (BoardKey("us", "all"), None),  # a points board of that id has no scores
        (BoardKey("other", "all"), None),
    ],
)
def test_an_instance_belongs_to_the_closest_board(board: BoardKey, owner: str | None) -> None:
    found = OWNERS.owner_of(board)
    assert (found and found.board_id) == owner


def test_keys_are_in_use_over_the_slots_of_the_owner() -> None:
    assert [OWNERS.use_keys(US, slots) for slots in (1, 3)] == [True, False]
    assert [OWNERS.use_keys(DE, slots) for slots in (1, 3)] == [False, True]
    assert not OWNERS.use_keys(BoardKey("other", "all"), 1)


def test_a_change_moves_instances_to_others() -> None:
    assert OWNERS.without(OWN).use_keys(US, 3)
    assert OWNERS.without(OWN).having(OWN).use_keys(US, 1)
    assert OWNERS.without(SCORES).owner_of(BoardKey("race", "all")) is None
