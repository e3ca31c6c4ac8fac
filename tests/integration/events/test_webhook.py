"""A webhook that refuses, fails, hangs or talks without an end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from laurel_server.domain.notifications import Notification
from laurel_server.events import sinks
from tests.integration.events.notifying import (
    Hook,
    Notifying,
    dispatch,
    dispatched,
    move_clock,
    mute_all_but_milestones,
)
from tests.integration.wired import give, until


async def test_what_the_webhook_refuses_comes_again_and_is_given_up_in_the_end(
    notifying: Notifying, hook: Hook
) -> None:
    async with notifying() as parts:
        await mute_all_but_milestones(parts, "ada")
        await give(parts, "ada", 1000)
        hook.status = 503
        assert (await dispatch(parts))["failed"] == 1
        assert (await dispatch(parts))["failed"] == 0, "not before it is due again"
        hook.status = 200
        await move_clock(parts, timedelta(seconds=30))
        assert (await dispatch(parts))["sent"] == 1
        await give(parts, "ada", 4000)
        hook.status = 500
        counts = [await dispatch(parts)]
        for _ in range(2):
            await move_clock(parts, timedelta(hours=1))
            counts.append(await dispatch(parts))
        assert [each["given_up"] for each in counts] == [0, 0, 1]


async def test_what_is_too_large_for_the_webhook_is_given_up_at_once(
    notifying: Notifying, hook: Hook
) -> None:
    hook.status = 413
    async with notifying() as parts:
        await mute_all_but_milestones(parts, "ada")
        await give(parts, "ada", 1000)
        await dispatched(parts, "given_up")


async def test_an_answer_without_an_end_keeps_nobody_waiting(notifying: Notifying, hook: Hook) -> None:
    hook.is_endless = True
    async with notifying(patience=0.2) as parts, asyncio.timeout(60):
        for user_id in ("ada", "bob"):
            await mute_all_but_milestones(parts, user_id)
            await give(parts, user_id, 1000)
            await dispatched(parts, "sent")
    assert [each["user_id"] for each in hook.got] == ["ada", "bob"]


async def test_what_one_notification_meets_is_its_own(
    notifying: Notifying, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    json_of = sinks.json_of

    def fault_of_ada(notification: Notification) -> bytes:
        if notification.user_id == "ada":
            raise RuntimeError("a fault of Laurel")
        return json_of(notification)

    async with notifying() as parts:
        for user_id in ("ada", "bob", "cid"):
            await mute_all_but_milestones(parts, user_id)
            await give(parts, user_id, 1000)
        monkeypatch.setattr(sinks, "json_of", fault_of_ada)
        heard: dict[str, int] = {"sent": 0, "failed": 0}

        async def all_are_offered() -> bool:
            counts = await dispatch(parts)
            heard.update({name: number + counts[name] for name, number in heard.items()})
            return sum(heard.values()) == 3

        await until(all_are_offered, "the consumer has made three notifications")
        assert heard == {"sent": 2, "failed": 1}
        monkeypatch.undo()
        await move_clock(parts, timedelta(minutes=2))
        assert (await dispatch(parts))["sent"] == 1
    assert sorted(each["user_id"] for each in hook.got) == ["ada", "bob", "cid"]


async def test_while_it_hangs_what_else_is_done_in_threads_goes_on(notifying: Notifying, hook: Hook) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    hook.released.clear()
    async with notifying(patience=60) as parts:
        await mute_all_but_milestones(parts, "ada")
        await give(parts, "ada", 1000)
        sending = asyncio.create_task(dispatched(parts, "sent"))

        async def it_hangs() -> bool:
            return hook.posts == 1

        await until(it_hangs, "the webhook has got a notification")
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(int) == 0
        assert not sending.done()
        hook.released.set()
        await sending
