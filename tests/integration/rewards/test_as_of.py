"""Balances as of any instant are those that were told at that instant, whatever has happened since."""

from datetime import datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import Rewards
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import adjust, cancel, capture, entry_id, hold, redeem, release, reverse
from tests.integration.wired import START, gift, give, wrongs

DAY = timedelta(days=1)


class Life:
    """Does one thing after the other to a user, and notes what he then has."""

    def __init__(self, parts: Parts, seed: int) -> None:
        self.parts = parts
        self.random = Random(seed)
        self.told: list[tuple[datetime, Rewards]] = []
        self.done: list[str] = []
        self.awards: list[int] = []

    async def live(self, steps: int) -> None:
        assert self.parts.clock is not None
        for _ in range(steps):
            what = self.random.choice(
                [
                    self.award,
                    self.award,
                    self.spend,
                    self.spend_and_cancel,
                    self.hold,
                    self.undo,
                    self.correct,
                ]
            )
            try:
                await what()
                self.done.append(what.__name__)
            except LaurelError:
                self.done.append(f"{what.__name__} refused")
            if self.random.random() < 0.2:
                await self.parts.jobs.run_due()
            now = self.parts.clock.now()
            self.told.append((now, await self.parts.statement.rewards("ann")))
            await self.parts.clock.advance(self.random.choice([timedelta(seconds=1), DAY / 3, 3 * DAY]))

    async def award(self) -> None:
        assert self.parts.clock is not None
        now = self.parts.clock.now()
        activates_at = self.random.choice([None, now + DAY, now + 5 * DAY])
        action = self.random.choice(["GIVE", "BRIEF"])
        points = self.random.randint(1, 100)
        answer = await give(self.parts, "ann", points, action=action, activates_at=activates_at)
        self.awards.append(answer.entry.transaction_id)

    async def spend(self) -> None:
        await redeem(self.parts, "ann", self.random.randint(1, 60))

    async def spend_and_cancel(self) -> None:
        await cancel(self.parts, await redeem(self.parts, "ann", self.random.randint(1, 60)))

    async def hold(self) -> None:
        held = await hold(
            self.parts, "ann", self.random.randint(1, 40), self.random.choice([DAY / 2, 4 * DAY])
        )
        end = self.random.choice([capture, release, None])
        if end is not None:
            assert self.parts.clock is not None
            self.told.append((self.parts.clock.now(), await self.parts.statement.rewards("ann")))
            await self.parts.clock.advance(timedelta(seconds=10))
            await end(self.parts, held)

    async def undo(self) -> None:
        await reverse(self.parts, self.random.choice(self.awards), self.random.choice([0, 3]))

    async def correct(self) -> None:
        entry_id(await adjust(self.parts, "ann", self.random.choice([-5, 5, 20])))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_as_of_each_moment_of_a_life(parts: Parts, seed: int) -> None:
    await parts.rule_book.put_action(gift("BRIEF", expires_after="P4D"), "tests")
    await give(parts, "ann", 50)
    life = Life(parts, seed)
    await life.live(40)
    assert len({each.removesuffix(" refused") for each in life.done}) > 4
    for moment, rewards in life.told:
        seen = await parts.statement.rewards("ann", moment)
        # The version also counts changes that are no entries, such as holds.
        assert replace(seen, version=rewards.version) == rewards, (moment, life.done)
        assert seen.version <= rewards.version
    assert await wrongs(parts, "ledger") == []
    nothing = await parts.statement.rewards("ann", START - DAY)
    assert (nothing.total_points, nothing.lifetime_points, nothing.held_points) == (0, 0, 0)
