import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.boards import BoardKey
from laurel_server.redis.keys import TIE_LENGTH, board_keys, boards_in, signal_of, tie

sequences = st.integers(0, (1 << 48) - 1)

NAMES = {
    BoardKey("global", "all"): "{leaderboard:global}",
    BoardKey("global", "2026-11-23"): "{leaderboard:daily:2026-11-23}",
    BoardKey("global", "2026-W48"): "{leaderboard:weekly:2026-W48}",
    BoardKey("global", "2026-11"): "{leaderboard:monthly:2026-11}",
    BoardKey("global", "2026-Q4"): "{leaderboard:quarterly:2026-Q4}",
    BoardKey("global", "2026"): "{leaderboard:yearly:2026}",
    BoardKey("country:US", "all"): "{leaderboard:country:US}",
    BoardKey("country:US", "2026-W48"): "{leaderboard:country:US:weekly:2026-W48}",
    BoardKey("tier:gold", "2026-W48"): "{leaderboard:tier:gold:weekly:2026-W48}",
}


@pytest.mark.parametrize(("board", "name"), NAMES.items(), ids=NAMES.values())
def test_operators_know_the_names_of_boards(board: BoardKey, name: str) -> None:
    assert board_keys(board).standings == name


@pytest.mark.parametrize("board", NAMES)
def test_the_keys_of_a_board_share_a_slot(board: BoardKey) -> None:
    tags = {name[name.index("{") : name.index("}") + 1] for name in board_keys(board)}

    assert tags == {board_keys(board).standings}
    assert len(set(board_keys(board))) == 3


@given(first=sequences, second=sequences)
def test_among_equals_who_came_first_sorts_last(first: int, second: int) -> None:
    assert (tie(first) > tie(second)) == (first < second)
    assert (tie(first) == tie(second)) == (first == second)


@given(reached=sequences)
def test_a_tie_has_one_length_and_no_character_that_sorts_by_locale(reached: int) -> None:
    assert len(tie(reached)) == TIE_LENGTH
    assert tie(reached).isascii()


@given(boards=st.lists(st.sampled_from(list(NAMES)), min_size=1))
def test_a_signal_names_the_boards_that_changed(boards: list[BoardKey]) -> None:
    assert boards_in(signal_of(boards)) == boards


def test_a_signal_names_the_boards_that_changed_and_may_name_none() -> None:
    boards = [BoardKey("global", "all"), BoardKey("country:US", "2026-W48")]
    assert boards_in(signal_of(boards)) == boards
    assert boards_in(signal_of([])) == []
