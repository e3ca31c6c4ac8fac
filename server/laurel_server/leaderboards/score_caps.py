"""Who is on a board with a size cap, as far as one batch of scores may drop him."""

from heapq import heapify, heappop, heappush
from typing import TypeAlias

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import SortOrder
from laurel_server.domain.scores import Score
from laurel_server.postgres.scores import Seat

_Place: TypeAlias = tuple[int, int, int, Seat]
"""Who stands further down sorts first: score, sub-score and when they were reached, so turned that less is worse."""


class CappedListing:
    """The last ones on one instance, and the users of the batch: none of the others can be the last within it.

    A command makes room for one user at most, or moves one up. So who knows one more of the last than there are
    commands still knows the last one after all of them.
    """

    def __init__(self, config: BoardConfig, count: int) -> None:
        """`count`: how many take a position on the instance."""
        self.count = count
        self._sign = 1 if config.sort_order is SortOrder.DESCENDING else -1
        self._known: dict[Seat, Score] = {}
        self._places: list[_Place] = []
        """Of all who are known, and of some who are not any more, or have another score now."""

    def know(self, known: dict[Seat, Score]) -> None:
        """Know these of those who are counted already."""
        self._known.update(known)
        self._places = [self._place(seat, score) for seat, score in self._known.items()]
        heapify(self._places)

    def put(self, seat: Seat, score: Score) -> None:
        """Have a user stand at a score, who was there before or not."""
        self.count += seat not in self._known
        self._known[seat] = score
        heappush(self._places, self._place(seat, score))

    def remove(self, seat: Seat) -> None:
        """Have a user off, if he is on."""
        self.count -= self._known.pop(seat, None) is not None

    def last(self) -> tuple[Seat, Score]:
        """Return who stands last."""
        while True:
            place = self._places[0]
            score = self._known.get(place[-1])
            if score is not None and self._place(place[-1], score) == place:
                return place[-1], score
            heappop(self._places)

    def _place(self, seat: Seat, score: Score) -> _Place:
        return self._sign * score.pair.score, self._sign * score.pair.sub_score, -score.reached, seat
