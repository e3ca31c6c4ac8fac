"""Faces of people on boards: kept in memory, read together."""

import asyncio
from collections.abc import Collection
from datetime import datetime

import pytest

from laurel_server.domain.clock import SystemClock
from laurel_server.leaderboards import profile_cache
from laurel_server.leaderboards.profile_cache import ProfileCache
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.standings import FaceRow, read_faces
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import give


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What was asked of the ledger, one element a statement."""
    asked: list[set[str]] = []

    async def noted(pool: Pool, user_ids: Collection[str], now: datetime) -> list[FaceRow]:
        asked.append(set(user_ids))
        return await read_faces(pool, user_ids, now)

    monkeypatch.setattr(profile_cache, "read_faces", noted)
    return asked


async def test_who_asks_at_the_same_time_asks_together_and_gets_what_is_his(
    parts: Parts, reads: list[set[str]]
) -> None:
    for user_id in ("ann", "bob"):
        await give(parts, user_id)
    cache = ProfileCache(parts.pool, SystemClock())
    answers = await asyncio.gather(
        cache.faces(["ann"]), cache.faces(["bob", "nobody"]), cache.faces(["ann", "bob"])
    )
    assert [set(answer) for answer in answers] == [{"ann"}, {"bob"}, {"ann", "bob"}]
    assert reads == [{"ann", "bob", "nobody"}]
    assert set(await cache.faces(["ann", "bob"])) == {"ann", "bob"}
    cache.forget(["bob"])
    await cache.faces(["ann", "bob"])
    assert reads[1:] == [{"bob"}]


async def test_what_is_asked_for_again_stays_when_there_is_no_room(
    parts: Parts, reads: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_cache, "MAX_FACES", 4)
    users = [f"user-{number}" for number in range(5)]
    for user_id in users:
        await give(parts, user_id)
    cache = ProfileCache(parts.pool, SystemClock())
    for user_id in users:
        await cache.faces([user_id])
        await cache.faces([users[0]])
    assert reads == [{user_id} for user_id in users]
    await cache.faces([users[1]])
    assert reads[-1] == {users[1]}
    assert len(reads) == 6


async def test_a_caller_that_gives_up_takes_nothing_from_the_others(parts: Parts) -> None:
    await give(parts, "ann")
    cache = ProfileCache(parts.pool, SystemClock())
    hasty, patient = asyncio.create_task(cache.faces(["ann"])), asyncio.create_task(cache.faces(["ann"]))
    await asyncio.sleep(0)
    hasty.cancel()
    assert set(await patient) == {"ann"}
