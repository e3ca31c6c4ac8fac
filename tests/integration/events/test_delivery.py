"""Delivery of notifications to several sinks, one of which has a fault."""

from collections.abc import Sequence
from datetime import UTC, timedelta

from laurel_server.domain.ledger import User
from laurel_server.domain.notifications import Kind, Notification
from laurel_server.events.delivery import Delivered, Delivery
from laurel_server.events.sinks import Refusal
from laurel_server.postgres import notifications
from laurel_server.runtime.wiring import Parts
from tests.integration.events.notifying import move_clock
from tests.integration.wired import START


class FaultySink:
    """Keeps what it gets, unless it has a fault."""

    def __init__(self, name: str, *, is_faulty: bool = False) -> None:
        self.name = name
        self.is_faulty = is_faulty
        self.got: list[str] = []

    async def send(self, notifications: Sequence[Notification]) -> Sequence[Refusal | None]:
        if self.is_faulty:
            raise RuntimeError("a fault of Laurel")
        self.got += [each.id for each in notifications]
        return [None] * len(notifications)

    async def close(self) -> None:
        pass


async def test_a_fault_of_one_sink_brings_nothing_to_the_others_again(parts: Parts) -> None:
    await parts.profiles.upsert([User("ada")])
    due = [(Notification(f"n-{n}", "ada", Kind.BADGE_UNLOCKED, "", {}, START), START) for n in range(3)]
    async with parts.pool.acquire() as connection:
        await notifications.add(connection, due)
    sound, faulty = FaultySink("sound"), FaultySink("faulty", is_faulty=True)
    delivery = Delivery(parts.pool, [sound, faulty], parts.business_clock, UTC, max_attempts=3)
    assert await delivery.deliver() == Delivered(failed=3)
    await move_clock(parts, timedelta(minutes=2))
    faulty.is_faulty = False
    assert await delivery.deliver() == Delivered(sent=3)
    assert sorted(sound.got) == sorted(faulty.got) == ["n-0", "n-1", "n-2"]


class SlowSink(FaultySink):
    """Takes a minute to take nothing."""

    def __init__(self, parts: Parts) -> None:
        super().__init__("slow")
        self._parts = parts

    async def send(self, notifications: Sequence[Notification]) -> Sequence[Refusal | None]:
        await move_clock(self._parts, timedelta(minutes=1))
        return [Refusal("is away")] * len(notifications)


async def test_the_pause_after_a_failure_begins_when_it_has_failed(parts: Parts) -> None:
    await parts.profiles.upsert([User("ada")])
    async with parts.pool.acquire() as connection:
        await notifications.add(
            connection, [(Notification("n", "ada", Kind.BADGE_UNLOCKED, "", {}, START), START)]
        )
    delivery = Delivery(parts.pool, [SlowSink(parts)], parts.business_clock, UTC, max_attempts=3)
    assert await delivery.deliver() == Delivered(failed=1)
    assert await delivery.deliver() == Delivered(), "it is not due yet"
