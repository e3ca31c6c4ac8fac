"""Requests about a person who was erased: what is answered again, and what is refused."""

from msgspec.structs import replace

from laurel_server.domain.errors import Reason
from laurel_server.domain.reversals import ReverseCommand
from laurel_server.rewards.corrections import REVERSE
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import cancel, capture, hold, key, redeem, refused, reverse
from tests.integration.users.orders import order, refusal_of
from tests.integration.wired import entries_of, give


async def test_old_requests_of_all_kinds_are_answered_without_his_id(parts: Parts) -> None:
    await give(parts, "ann", 100)
    spent = await redeem(parts, "ann", 10, request_id="spend")
    held = await hold(parts, "ann", 30, request_id="hold")
    await parts.people.erase(order("ann"))
    for _ in range(2):  # while nobody has the id, and when somebody has it again
        for kept, again in (
            (spent, await redeem(parts, "ann", 10, request_id="spend")),
            (held, await hold(parts, "ann", 30, request_id="hold")),
        ):
            assert (again.replayed, again.rewards) == (True, replace(kept.rewards, user_id=""))
            assert again.hold is None or again.hold.user_id == ""
        await give(parts, "ann", 5)


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
    with refused(Reason.HOLD_NOT_FOUND):
        await capture(parts, held)
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
