"""The review of tiers: everybody is in the tier that his points reach, or has some time left to come back to it."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from laurel_server.domain.clock import Clock
from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.identifiers import transaction_id
from laurel_server.domain.tier_review import ReviewTierCommand
from laurel_server.domain.tiers import DEFAULT_TIERS, TierPolicy, tier_for
from laurel_server.pacing import COMMANDS_AT_ONCE, resting
from laurel_server.postgres import tiers
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.tiers import Reviewed
from laurel_server.rewards.commands import Commands

CALLER = "laurel"
FAMILY = "review-tier"
USERS_AT_ONCE = 500


class TierReview:
    """Reviews tiers. Changes go through the group commit like any other, so that the boards of the tiers follow."""

    def __init__(self, commands: Commands, pool: Pool, clock: Clock, policy: TierPolicy) -> None:
        self._commands = commands
        self._pool = pool
        self._clock = clock
        self._policy = policy

    async def run(self, tell: Callable[[dict[str, int]], None] = lambda _: None) -> dict[str, int]:
        """Review everybody and return the counts: reviewed, promoted, demoted, at_risk. LEDGER_UNAVAILABLE."""
        now = self._clock.now()
        counts = {"reviewed": 0, "promoted": 0, "demoted": 0, "at_risk": 0}
        async with ledger_errors():
            async for users in tiers.scan_tiers(self._pool, USERS_AT_ONCE, DEFAULT_TIERS[1].threshold):
                await self._review(users, now, counts)
                tell(counts)
        return counts

    async def _review(self, users: Sequence[Reviewed], now: datetime, counts: dict[str, int]) -> None:
        start = self._policy.window_start(now)
        earned_before: dict[int, int] = {}
        if start is not None:
            numbers = [user.user_no for user in users]
            earned_before = await tiers.read_windows(self._pool, numbers, transaction_id(start, 0))
        reached = {
            user: tier_for(user.lifetime_points - earned_before.get(user.user_no, 0)) for user in users
        }
        below = [user for user in users if reached[user] < user.tier]
        demoted = [user for user in below if now - (user.at_risk_since or now) >= self._policy.grace]
        promoted = [user for user in users if reached[user] > user.tier]
        safe = [user.user_no for user in users if user not in below and user.at_risk_since is not None]
        kept = [user.user_no for user in below if user not in demoted]
        await tiers.note_risk(self._pool, kept, now)
        counts["promoted"] += await self._move(promoted, now, demotes=False)
        counts["demoted"] += await self._move(demoted, now, demotes=True)
        await tiers.forget_risk(self._pool, [*safe, *(user.user_no for user in demoted)])
        counts["reviewed"] += len(users)
        counts["at_risk"] += len(kept)

    async def _move(self, users: Sequence[Reviewed], now: datetime, *, demotes: bool) -> int:
        moved = 0
        for start in range(0, len(users), COMMANDS_AT_ONCE):
            some = users[start : start + COMMANDS_AT_ONCE]
            async with resting():
                answers = await self._commands.submit_behind(
                    [_command(user, now, demotes=demotes) for user in some], FAMILY
                )
            for answer in answers:
                if isinstance(answer, ChangeAnswer):
                    moved += answer.tier_change is not None and not answer.replayed
                elif not isinstance(answer, LaurelError) or answer.reason is not Reason.USER_NOT_FOUND:
                    raise answer if isinstance(answer, Exception) else TypeError(answer)
        return moved


def _command(user: Reviewed, now: datetime, *, demotes: bool) -> ReviewTierCommand:
    request_id = f"{FAMILY}:{now.isoformat()}:{demotes}:{user.user_id}"
    digest = hashlib.blake2b(request_id.encode(), digest_size=16).digest()
    return ReviewTierCommand(
        caller=CALLER,
        request_id=request_id,
        user_id=user.user_id,
        user_no=user.user_no,
        request_hash=digest,
        demotes=demotes,
    )
