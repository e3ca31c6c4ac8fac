"""What `laurel serve --demo` plays: people who buy and review as long as Laurel runs, to have something to see."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Final

from laurel_client import AwardPointsRequest, Laurel, LaurelCallError, User, award
from laurel_server.commands.advice import advice_on

_PEOPLE: Final = {
    "amara": ("Amara Obi", "NG"),
    "bruno": ("Bruno Costa", "BR"),
    "chiara": ("Chiara Riva", "IT"),
    "dmitri": ("Dmitri Volkov", "BG"),
    "elif": ("Elif Demir", "TR"),
    "freya": ("Freya Lund", "DK"),
    "gareth": ("Gareth Pryce", "GB"),
    "hana": ("Hana Sato", "JP"),
    "imani": ("Imani Brooks", "US"),
    "jonas": ("Jonas Keller", "DE"),
    "kavya": ("Kavya Rao", "IN"),
    "lucia": ("Lucia Vega", "ES"),
    "mateo": ("Mateo Rojas", "CL"),
    "nadia": ("Nadia Haddad", "MA"),
    "oskar": ("Oskar Nowak", "PL"),
    "priya": ("Priya Menon", "IN"),
    "quinn": ("Quinn Walsh", "IE"),
    "rosa": ("Rosa Lindqvist", "SE"),
    "sami": ("Sami Laine", "FI"),
    "tess": ("Tess van Dam", "NL"),
    "umar": ("Umar Farooq", "GB"),
    "vera": ("Vera Horak", "CZ"),
    "wes": ("Wes Tanaka", "US"),
    "yara": ("Yara Nasser", "US"),
}
_FIRST_POINTS: Final = 52_000
"""What the first of them begins with: from there they reach over all tiers."""

_FALL: Final = 0.87
"""Each begins with this part of what the one before has."""

_AWARDS_A_SECOND: Final = 1.5
_USUAL_ORDER: Final = 2_000
"""The median of `order_value`; few orders are a lot larger."""

_SPREAD: Final = 1.1
_REVIEWS: Final = 0.2
"""The part of the awards that are for reviews."""


async def play(place: str, token: str, report: Callable[[str], None]) -> None:
    """Make awards at the server until cancelled. A refusal is reported when it is another one than before."""
    refusal = ""
    async with Laurel(place, token=token, timeout=10) as laurel:
        begun = False
        while True:
            try:
                if begun:
                    await laurel.rewards.batch_award_points([_next_award()])
                else:
                    await _begin(laurel)
                begun = True
            except LaurelCallError as error:
                if str(error) != refusal:
                    refusal = str(error)
                    report(f"demo: {refusal}; {advice_on(error, place)}")
            await asyncio.sleep(random.expovariate(_AWARDS_A_SECOND))


async def _begin(laurel: Laurel) -> None:
    """Bring the people in, each with a first order; on the same data a second time this changes nothing."""
    users = [
        User(user_id=_id(key), username=name, country=country) for key, (name, country) in _PEOPLE.items()
    ]
    await laurel.admin.batch_upsert_users(users)
    await laurel.rewards.batch_award_points(_first_orders())


def _first_orders() -> list[AwardPointsRequest]:
    points = [int(_FIRST_POINTS * _FALL**place) for place in range(len(_PEOPLE))]
    return [
        award(_id(key), "PURCHASE", _order(each), request_id=f"demo-first-order-{key}")
        for key, each in zip(_PEOPLE, points, strict=True)
    ]


def _next_award() -> AwardPointsRequest:
    user_id = _id(random.choice(list(_PEOPLE)))  # noqa: S311 - it is play
    if random.random() < _REVIEWS:  # noqa: S311
        return award(user_id, "REVIEW")
    return award(user_id, "PURCHASE", _order(_USUAL_ORDER * random.lognormvariate(0, _SPREAD) / 100))


def _order(points: float) -> Mapping[str, str]:
    """Return the attributes of an order that is worth so many points, before the tier's multiplier."""
    return {"order_value": f"{100 * points:.2f}"}


def _id(key: str) -> str:
    """Return a user id that no real user is likely to have."""
    return f"demo:{key}"
