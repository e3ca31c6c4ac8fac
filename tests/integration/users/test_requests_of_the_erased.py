"""Requests about a person who was erased: what is answered again, and what is refused."""

from msgspec.structs import replace

from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.errors import Reason
from laurel_server.domain.reversals import ReverseCommand
from laurel_server.rewards.corrections import REVERSE
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import cancel, capture, hold, key, redeem, refused, release, reverse
from tests.integration.users.orders import order, refusal_of
from tests.integration.wired import entries_of, give


async def test_old_requests_of_all_kinds_are_answered_without_his_id(parts: Parts) -> None:
    bought = await give(parts, "ann", 100)
    spent = await redeem(parts, "ann", 10, request_id="spend")
    held, other = [await hold(parts, "ann", 30, request_id=f"hold {number}") for number in range(2)]

    async def undo_all() -> list[ChangeAnswer]:
        return [
            await cancel(parts, spent, request_id="cancel"),
            await reverse(parts, bought.entry.transaction_id, 5, request_id="reverse"),
            await capture(parts, held, 7, request_id="capture"),
            await release(parts, other, request_id="release"),
        ]

    done = [spent, held, *await undo_all()]
    await parts.people.erase(order("ann"))
    for _ in range(2):  # while nobody has the id, and when somebody has it again
        again = [
            await redeem(parts, "ann", 10, request_id="spend"),
            await hold(parts, "ann", 30, request_id="hold 0"),
            *await undo_all(),
        ]
        for first, second in zip(done, again, strict=True):
            assert (second.replayed, second.ranks) == (True, ())
            assert second.rewards == replace(first.rewards, user_id="")
            assert second.entry == (first.entry and replace(first.entry, user_id=""))
            assert second.hold == (first.hold and first.hold._replace(user_id=""))
        await give(parts, "ann", 5)
    assert await entries_of(parts, "ann") == [5, 5]


async def test_nothing_of_his_can_be_corrected(parts: Parts) -> None:
    given = await give(parts, "ann", 100)
    spent = await redeem(parts, "ann", 10)
    held = await hold(parts, "ann", 30)
    await parts.people.erase(order("ann"))
    await give(parts, "ann", 5)
    with refused(Reason.USER_NOT_FOUND, user_id=""):
        await reverse(parts, given.entry.transaction_id)
    with refused(Reason.USER_NOT_FOUND, user_id=""):
        await cancel(parts, spent)
    with refused(Reason.USER_NOT_FOUND, user_id=""):
        await capture(parts, held)
    with refused(Reason.USER_NOT_FOUND, user_id=""):
        await release(parts, held)
    assert await entries_of(parts, "ann") == [5]


async def test_a_correction_that_was_begun_before_touches_nobody_else(parts: Parts) -> None:
    given = await give(parts, "ann", 100)
    stored = await parts.statement.stored(given.entry.transaction_id)
    await parts.people.erase(order("ann"))
    await give(parts, "ann", 100)
    late = ReverseCommand(
        **key("late")._asdict(),
        user_id="ann",
        user_no=stored.user_no,
        original=stored.entry,
        counted=stored.period_ids,
    )
    assert await refusal_of(parts.awards.carry_out(late, REVERSE, None)) is Reason.USER_NOT_FOUND
    assert await entries_of(parts, "ann") == [100]
