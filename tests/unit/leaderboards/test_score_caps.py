"""Who is last on a board with a size cap, against a list that is sorted each time."""

import random

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import SortOrder
from laurel_server.domain.ranks import Pair
from laurel_server.domain.scores import Score
from laurel_server.leaderboards.score_caps import CappedListing
from laurel_server.postgres.scores import Instance, Seat

RACE = Instance(7, "all")


@pytest.mark.parametrize("order", SortOrder)
@pytest.mark.parametrize("seed", range(5))
def test_the_last_one_is_who_a_sorted_list_has_last(order: SortOrder, seed: int) -> None:
    dice, sign = random.Random(seed), 1 if order is SortOrder.DESCENDING else -1
    scores = {
        Seat(RACE, number): Score(Pair(dice.randint(0, 5), dice.randint(0, 2)), number, 1, {})
        for number in range(40)
    }

    def sorted_seats() -> list[Seat]:
        return sorted(
            scores,
            key=lambda seat: (
                sign * scores[seat].pair.score,
                sign * scores[seat].pair.sub_score,
                -scores[seat].reached,
            ),
        )

    commands = 20
    listing = CappedListing(BoardConfig("race", BoardKind.SCORES, "race", sort_order=order), len(scores))
    listing.know({seat: scores[seat] for seat in sorted_seats()[: commands + 1]})
    for moment in range(100, 100 + commands):
        assert listing.count == len(scores)
        last, score = listing.last()
        assert (last, score) == (sorted_seats()[0], scores[last])
        what = dice.choice(("drop", "put", "move"))
        if what == "drop":
            listing.remove(last)
            listing.remove(last)  # twice is no harm
            del scores[last]
        else:
            seat = Seat(RACE, moment) if what == "put" else last
            scores[seat] = Score(Pair(dice.randint(0, 5), dice.randint(0, 2)), moment, 1, {})
            listing.put(seat, scores[seat])
