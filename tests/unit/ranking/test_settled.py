"""Whom a place can give nothing more: only who has got all of it, under the rules as they are."""

from laurel_server.domain.badges import BadgeBook, BadgeDefinition
from laurel_server.domain.views import Standings
from laurel_server.ranking.settled import Settled


def book(**rules: str) -> BadgeBook:
    return BadgeBook(BadgeDefinition(name.upper(), rule=rule) for name, rule in rules.items())


TOPS = book(top_10="rank <= 10", top_1_percent="top_percent <= 1", seventh="rank == 7")


def at(rank: int, total: int = 5000) -> Standings:
    return Standings(total, {"ada": rank})


def concerned(settled: Settled, rules: BadgeBook, standings: Standings) -> set[str]:
    return set(settled.unsettled(rules, standings).ranks)


def test_a_place_that_gave_something_gives_it_once() -> None:
    settled = Settled()
    assert concerned(settled, TOPS, at(9)) == {"ada"}
    settled.note(TOPS, at(9))
    assert concerned(settled, TOPS, at(9)) == set()
    assert concerned(settled, TOPS, at(8)) == set()


def test_another_place_may_give_something_else() -> None:
    settled = Settled()
    settled.note(TOPS, at(9)) if concerned(settled, TOPS, at(9)) else None
    assert concerned(settled, TOPS, at(7)) == {"ada"}, "there is a badge for that rank alone"
    assert concerned(settled, TOPS, at(3)) == {"ada"}, "a better milestone"


def test_the_same_rank_gives_more_on_a_larger_board() -> None:
    settled = Settled()
    rules = book(top_1_percent="top_percent <= 1")
    assert concerned(settled, rules, at(2000, 5000)) == set(), "neither a badge nor a milestone"
    assert concerned(settled, rules, at(2000, 500_000)) == {"ada"}


def test_what_is_lost_by_falling_gives_nothing_again() -> None:
    settled = Settled()
    for rank in (3, 60, 3):
        if concerned(settled, TOPS, at(rank)):
            settled.note(TOPS, at(rank))
    assert concerned(settled, TOPS, at(60)) == set()


def test_rules_over_more_than_the_place_are_looked_at_as_far_as_they_reach() -> None:
    settled = Settled()
    rules = book(rich="rank <= 20 and points >= 777", busy='rank <= 30 and count("REVIEW") >= 3')
    for rank in (30, 31):
        if concerned(settled, rules, at(rank)):
            settled.note(rules, at(rank))
    assert concerned(settled, rules, at(30)) == {"ada"}
    assert concerned(settled, rules, at(31)) == set()


def test_other_rules_make_everybody_unsettled() -> None:
    settled = Settled()
    concerned(settled, TOPS, at(9))
    settled.note(TOPS, at(9))
    anew = book(top_10="rank <= 10")
    settled.note(anew, at(9))  # of rules that nobody has looked at with it
    assert concerned(settled, anew, at(9)) == {"ada"}


def test_who_is_forgotten_and_who_is_too_many_are_looked_at_again() -> None:
    settled = Settled(limit=2)
    everyone = Standings(5000, {"ada": 3, "bob": 4, "cy": 5})
    settled.unsettled(TOPS, everyone)
    settled.note(TOPS, everyone)
    assert concerned(settled, TOPS, everyone) == {"ada"}
    settled.forget(["cy", "nobody"])
    assert concerned(settled, TOPS, everyone) == {"ada", "cy"}
    settled.note(TOPS, everyone)
    settled.forget_all()
    assert concerned(settled, TOPS, everyone) == {"ada", "bob", "cy"}
