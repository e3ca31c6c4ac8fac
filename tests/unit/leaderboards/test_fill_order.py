"""Users who wait for a call come out once each, a call at most as large as asked for, with places near each other."""

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards import fill_order
from laurel_server.leaderboards.fill_call import FillCall
from laurel_server.leaderboards.fill_order import PARTS, FillOrder
from laurel_server.leaderboards.placement import Placement

ALL, OTHER = BoardKey("global", "all_time"), BoardKey("country:US", "all_time")


def placements(scores: Sequence[int], *boards: BoardKey) -> list[Placement]:
    return [
        Placement(f"user-{number}", 1, {"all_time": (score, number + 1)}, boards)
        for number, score in enumerate(scores)
    ]


def standings(call: FillCall) -> list[list[int]]:
    """Return the scores of each board of a call."""
    return [listed[::2] for _, listed, _ in msgspec.msgpack.decode(call.encode())]


def users(calls: Sequence[FillCall]) -> Counter[tuple[BoardKey, str]]:
    return Counter(
        (board, user_id)
        for call in calls
        for board, (named, _, _) in zip(call.boards, msgspec.msgpack.decode(call.encode()), strict=True)
        for user_id in named
    )


@pytest.mark.parametrize("one_board", [False, True])
@pytest.mark.parametrize("at_once", [2, 10, 64])
def test_everybody_comes_once(at_once: int, one_board: bool) -> None:
    draw, order = random.Random(at_once), FillOrder(at_once, one_board=one_board)
    calls: list[FillCall] = []
    some = placements([draw.randint(1, 500) for _ in range(PARTS * at_once)], ALL)
    some += placements([5] * 30, OTHER)
    for start in range(0, len(some), 50):
        calls += order.add(some[start : start + 50])
    calls += order.rest()

    assert users(calls) == Counter((board, each.user_id) for each in some for board in each.boards)
    assert all(sum(map(len, standings(call))) <= at_once for call in calls)
    assert not one_board or all(len(call.boards) == 1 for call in calls)
    assert not list(order.rest())


def test_a_call_holds_places_near_each_other() -> None:
    draw, order = random.Random(1), FillOrder(10, one_board=False)
    scores = [draw.randint(1, 1_000_000) for _ in range(PARTS * 40)]
    calls = [*order.add(placements(scores, ALL)), *order.rest()]

    spread = sorted(listed[-1] - listed[0] for call in calls for listed in standings(call))
    assert all(listed == sorted(listed) for call in calls for listed in standings(call))
    assert spread[len(spread) // 2] < 1_000_000 / PARTS * 4  # in the order of their numbers: 800,000


def test_equal_scores_are_parted_by_who_had_them_first() -> None:
    order = FillOrder(10, one_board=False)
    calls = [*order.add(placements([7] * PARTS * 20, ALL)), *order.rest()]

    assert max(sum(map(len, standings(call))) for call in calls) == 10


def test_small_boards_share_a_call() -> None:
    order = FillOrder(100, one_board=False)
    boards = [BoardKey(f"country:{number:02}", "all_time") for number in range(30)]
    calls = [*order.add([each for board in boards for each in placements([1, 2], board)]), *order.rest()]

    assert [len(call.boards) for call in calls] == [30]


def test_many_small_boards_do_not_wait_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fill_order, "MOST_WAITING", 500)
    order = FillOrder(100, one_board=False)
    some = [
        each
        for number in range(900)
        for each in placements([1, 2], BoardKey(f"segment:{number}", "all_time"))
    ]
    early = [call for start in range(0, len(some), 50) for call in order.add(some[start : start + 50])]
    late = list(order.rest())

    assert sum(users(late).values()) <= 500
    assert users([*early, *late]) == Counter((each.boards[0], each.user_id) for each in some)
