"""Whom a place on the boards can give nothing more, as far as this server knows."""

from collections.abc import Iterable, Iterator
from typing import Final

from laurel_server.domain.achievements import milestone_of_rank
from laurel_server.domain.badge_rules import Facts, standing_facts
from laurel_server.domain.badges import BadgeBook, Unlock
from laurel_server.domain.views import Standings
from laurel_server.known_users import USERS_KNOWN, KnownUsers

Gain = tuple[str, int]
"""A level of a badge, or a milestone under an empty name."""

_NOTHING: Final[frozenset[Gain]] = frozenset()


class Settled(KnownUsers[frozenset[Gain]]):
    """Remembers what users have got for their places, so that the ledger is not asked what is known."""

    def __init__(self, limit: int = USERS_KNOWN) -> None:
        super().__init__(limit)
        self._book: BadgeBook | None = None
        self._same: dict[frozenset[Gain], frozenset[Gain]] = {}

    def unsettled(self, book: BadgeBook, standings: Standings) -> Standings:
        """Return those who may get something for where they stand."""
        if book is not self._book:
            self._book, self._same = book, {}
            self.forget_all()
        total = standings.total
        reach = _reach_of_others(book, total)
        return Standings(
            total,
            {
                user_id: rank
                for user_id, rank in standings.ranks.items()
                if rank <= reach or not _gains(book, rank, total) <= self._got(user_id)
            },
        )

    def note(self, book: BadgeBook, standings: Standings) -> None:
        """Remember that users have got all that their places give."""
        if book is not self._book:
            return
        got = {
            user_id: self._got(user_id) | _gains(book, rank, standings.total)
            for user_id, rank in standings.ranks.items()
        }
        self._keep({user_id: self._same.setdefault(gains, gains) for user_id, gains in got.items()})

    def _got(self, user_id: str) -> frozenset[Gain]:
        return self._known.get(user_id, _NOTHING)


def _gains(book: BadgeBook, rank: int, total: int) -> frozenset[Gain]:
    return frozenset(_gained(book.by_place, rank, total))


def _gained(unlocks: Iterable[Unlock], rank: int, total: int) -> Iterator[Gain]:
    milestone = milestone_of_rank("", rank)
    if milestone is not None:
        yield "", milestone.value
    facts = Facts(standing_facts(rank, total), {})
    for unlock in unlocks:
        if unlock.rule.holds(facts):
            yield unlock.badge_type, unlock.level


def _reach_of_others(book: BadgeBook, total: int) -> int:
    """Return down to which rank there are rules that read more than the place."""
    return max(
        (unlock.rule.reach(total) for unlock in book.by_standing if unlock not in book.by_place), default=0
    )
