"""Whom a place on the boards can give nothing more, as far as this server knows."""

from collections.abc import Iterable, Iterator
from typing import Final

from laurel_server.domain.achievements import milestone_of_rank
from laurel_server.domain.badge_rules import Facts, standing_facts
from laurel_server.domain.badges import BadgeBook, Unlock
from laurel_server.domain.views import Standings

Gain = tuple[str, int]
"""A level of a badge, or a milestone under an empty name."""

USERS_KNOWN: Final = 100_000
"""How many users are remembered at most, with some 150 bytes each; those who were looked at longest ago go first."""


class Settled:
    """Remembers what users have got for their places, so that the ledger is not asked what is known."""

    def __init__(self, limit: int = USERS_KNOWN) -> None:
        self._limit = limit
        self._book: BadgeBook | None = None
        self._got: dict[str, frozenset[Gain]] = {}
        self._same: dict[frozenset[Gain], frozenset[Gain]] = {}

    def unsettled(self, book: BadgeBook, standings: Standings) -> Standings:
        """Return those who may get something for where they stand."""
        if book is not self._book:
            self._book, self._got, self._same = book, {}, {}
        total = standings.total
        reach = _reach_of_others(book, total)
        return Standings(
            total,
            {
                user_id: rank
                for user_id, rank in standings.ranks.items()
                if rank <= reach or not _gains(book, rank, total) <= self._got.get(user_id, frozenset())
            },
        )

    def note(self, book: BadgeBook, standings: Standings) -> None:
        """Remember that users have got all that their places give."""
        if book is not self._book:
            return
        for user_id, rank in standings.ranks.items():
            got = self._got.pop(user_id, frozenset()) | _gains(book, rank, standings.total)
            self._got[user_id] = self._same.setdefault(got, got)
        for user_id in list(self._got)[: max(0, len(self._got) - self._limit)]:
            del self._got[user_id]

    def forget(self, user_ids: Iterable[str]) -> None:
        """Remember nothing of users: others may come under their ids."""
        for user_id in user_ids:
            self._got.pop(user_id, None)


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
