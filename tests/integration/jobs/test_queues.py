"""Which jobs wait for which, in one server and among several."""

import asyncio
from datetime import timedelta

from laurel_server.domain.clock import SandboxClock
from laurel_server.jobs.job import Queue
from tests.integration.jobs.working import HOURLY, NOON, Work, asked, server, until


async def test_jobs_that_are_due_together_run_one_of_each_queue_at_a_time_in_order(ledger_dsn: str) -> None:
    running: set[str] = set()
    together: list[set[str]] = []
    prompt_may_end, outward_may_end, all_ran = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def take_time(name: str) -> None:
        running.add(name)
        together.append(set(running))
        if name == "close":
            await prompt_may_end.wait()
        elif name == "tell":
            await outward_may_end.wait()
        else:
            await asyncio.sleep(0)
        running.discard(name)
        if len(together) == 6:
            all_ran.set()

    work = Work(do=take_time)
    jobs = (
        work.job("partitions", queue=Queue.PROMPT),
        work.job("close", queue=Queue.PROMPT),
        work.job("snapshot", queue=Queue.PROMPT),
        work.job("badges"),
        work.job("verify"),
        work.job("tell", queue=Queue.OUTWARD),
    )
    async with server(ledger_dsn, SandboxClock(NOON), *jobs) as one:
        loop = asyncio.create_task(one.runner.run())
        await until(lambda: {"close", "tell"} <= running)
        assert work.done == ["partitions"]  # those that may take long wait, whatever the outer world does
        prompt_may_end.set()
        await until(lambda: "verify" in work.done)
        assert work.done == ["partitions", "close", "snapshot", "badges", "verify"]
        outward_may_end.set()
        await asyncio.wait_for(all_ran.wait(), 60)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    assert max(map(len, together)) == 2


async def test_a_prompt_job_does_not_wait_for_one_that_takes_long(ledger_dsn: str) -> None:
    may_end = asyncio.Event()

    async def take_time(name: str) -> None:
        if name == "verify":
            await may_end.wait()

    work, clock = Work(do=take_time), SandboxClock(NOON)
    async with server(ledger_dsn, clock, work.job("close", HOURLY, Queue.PROMPT), work.job("verify")) as one:
        loop = asyncio.create_task(one.runner.run())
        await until(lambda: work.done == ["close"])
        clock.advance(timedelta(hours=1))
        await until(lambda: work.done == ["close", "close"])
        may_end.set()
        await until(lambda: work.done[-1] == "verify")
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_a_prompt_job_waits_for_the_one_before_it_whoever_runs_that(ledger_dsn: str) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def note(name: str) -> None:
        if name == "note":
            entered.set()
            await may_end.wait()

    work, clock = Work(do=note), SandboxClock(NOON)
    jobs = (work.job("note", queue=Queue.PROMPT), work.job("close", queue=Queue.PROMPT), work.job("expire"))
    async with server(ledger_dsn, clock, *jobs) as one, server(ledger_dsn, clock, *jobs) as other:
        first = asyncio.create_task(one.runner.run_due())
        await entered.wait()
        beside = asyncio.create_task(one.runner.run())
        elsewhere = asyncio.create_task(other.runner.run())
        await until(lambda: work.done == ["expire"])  # which they come to after the others
        may_end.set()
        await first
        assert work.done == ["expire", "note", "close"]
        for loop in (beside, elsewhere):
            loop.cancel()
        await asyncio.gather(beside, elsewhere, return_exceptions=True)


async def test_a_prompt_job_does_not_wait_for_one_that_has_failed(ledger_dsn: str) -> None:
    async def fail(name: str) -> None:
        if name == "note":
            raise ValueError(name)

    work = Work(do=fail)
    jobs = (work.job("note", queue=Queue.PROMPT), work.job("close", queue=Queue.PROMPT))
    async with server(ledger_dsn, SandboxClock(NOON), *jobs) as one:
        await one.runner.run_due()
        assert work.done == ["close"]


async def test_a_calm_job_holds_up_nothing(ledger_dsn: str) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def take_time(name: str) -> None:
        if name == "verify":
            entered.set()
            await may_end.wait()

    work, clock = Work(do=take_time), SandboxClock(NOON)
    jobs = (work.job("verify", queue=Queue.CALM), work.job("expire", HOURLY))
    async with server(ledger_dsn, clock, *jobs) as one:
        loop = asyncio.create_task(one.runner.run())
        await entered.wait()
        await until(lambda: work.done == ["expire"])
        clock.advance(timedelta(hours=1))
        await until(lambda: work.done == ["expire", "expire"])
        may_end.set()
        await until(lambda: work.done[-1] == "verify")
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_a_job_that_somebody_asked_for_does_not_hold_up_its_queue(ledger_dsn: str) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def take_time(name: str) -> None:
        if name == "verify":
            entered.set()
            await may_end.wait()

    work = Work(do=take_time)
    async with server(ledger_dsn, SandboxClock(NOON), work.job("verify"), work.job("expire")) as one:
        by_hand = asyncio.create_task(one.runner.run_now("verify", asked(1)))
        await entered.wait()
        loop = asyncio.create_task(one.runner.run())
        await until(lambda: work.done == ["expire"])
        may_end.set()
        await by_hand
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
