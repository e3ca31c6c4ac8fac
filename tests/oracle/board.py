"""A board by brute force: a list that is sorted whenever somebody asks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy, Traits


class Standing(NamedTuple):
    """What a user has, and when he reached it."""

    score: int
    sub_score: int
    reached: int


class Row(NamedTuple):
    """A line of the list."""

    rank: int
    user_id: str
    score: int
    sub_score: int


@dataclass
class BruteForceBoard:
    """Users with their standings; `hidden` ones take no position."""

    traits: Traits
    standings: dict[str, Standing] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def rows(self, with_user: str = "") -> list[Row]:
        """Return the list, best first; `with_user` is shown though he may be hidden."""
        shown = {u: s for u, s in self.standings.items() if u not in self.hidden or u == with_user}
        ordered = sorted(shown.items(), key=lambda each: (*self._goodness(each[1]), each[1].reached))
        return [
            Row(
                self._rank(standing, list(shown.values()), position),
                user_id,
                standing.score,
                standing.sub_score,
            )
            for position, (user_id, standing) in enumerate(ordered)
        ]

    def row(self, user_id: str) -> Row:
        """Return the line of one user."""
        return next(row for row in self.rows(user_id) if row.user_id == user_id)

    def report(
        self, user_id: str, new: tuple[int, int], operator: ScoreOperator, moment: int, cap: int = 0
    ) -> bool:
        """Do what the operator says, and drop who is beyond the cap; return whether the stored pair changed."""
        stored = self.standings.get(user_id)
        if stored is not None:
            old = (stored.score, stored.sub_score)
            if operator is ScoreOperator.SUM:
                new = (old[0] + new[0], old[1] + new[1])
            elif operator is ScoreOperator.BEST:
                new = max(old, new, key=lambda pair: (self._sign * pair[0], self._sign * pair[1]))
            if new == old:
                return False
        self.standings[user_id] = Standing(*new, moment)
        return user_id not in (self.drop_beyond(cap) if cap else ())

    def drop_beyond(self, cap: int) -> list[str]:
        """Drop the last of those who are listed until no more than `cap` are, and return them."""
        dropped = [row.user_id for row in self.rows()[cap:]]
        for user_id in dropped:
            del self.standings[user_id]
        return dropped

    def needed(self, own: Row, target: Row) -> int:
        """Return the fewest points that bring `own` to the rank of `target`, found by trying."""
        for points in range(1, 10_000):
            better = own.score + self._sign * points
            standing = Standing(better, own.sub_score, 1 << 40)
            others = [s for u, s in self.standings.items() if u != own.user_id and u not in self.hidden]
            position = sum(self._is_before(each, standing) for each in others)
            if self._rank(standing, [*others, standing], position) <= target.rank:
                return points
        raise AssertionError("no number of points is enough")

    @property
    def _sign(self) -> int:
        return 1 if self.traits.sort_order is SortOrder.DESCENDING else -1

    def _goodness(self, standing: Standing) -> tuple[int, int]:
        return -self._sign * standing.score, -self._sign * standing.sub_score

    def _is_before(self, one: Standing, other: Standing) -> bool:
        return (*self._goodness(one), one.reached) < (*self._goodness(other), other.reached)

    def _rank(self, standing: Standing, shown: list[Standing], position: int) -> int:
        better = [self._goodness(each) for each in shown if self._goodness(each) < self._goodness(standing)]
        match self.traits.tie_policy:
            case TiePolicy.EARLIEST_FIRST:
                return position + 1
            case TiePolicy.COMPETITION:
                return len(better) + 1
            case TiePolicy.DENSE:
                return len(set(better)) + 1
