"""What users are told of all that happens, each thing once, at the webhook or in the log."""

import hmac
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from structlog.testing import capture_logs

from laurel_server.domain.boards import WinnerBonus
from laurel_server.domain.commands import RequestKey
from laurel_server.postgres import notifications
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.events.notifying import SECRET, Hook, Notifying, dispatch, move_clock
from tests.integration.leaderboards.scoring import board, report
from tests.integration.wired import DAY, DAY_CLOSES, command, give, run_job, running, until


async def test_milestones_badges_and_tiers_reach_the_webhook_once_and_signed(
    notifying: Notifying, hook: Hook
) -> None:
    async with notifying() as parts:
        await give(parts, "ada", 5000)
        counts = await dispatch(parts)
        assert counts["sent"] == len(hook.got) > 0
        assert {"POINTS_MILESTONE", "TIER_CHANGED", "BADGE_UNLOCKED", "RANK_MILESTONE"} == set(
            hook.kinds("ada")
        )

        async def rank_badge_told() -> bool:
            await dispatch(parts)
            return "TOP_10" in [each["data"].get("badge_type") for each in hook.got]

        await until(rank_badge_told, "the badge by rank is told too")
        ids = [each["notification_id"] for each in hook.got]
        assert len(ids) == len(set(ids))
    stamp, signature = hook.headers[0]["Laurel-Signature"].split(",")
    expected = hmac.new(SECRET.encode(), stamp[2:].encode() + b"." + hook.bodies[0], sha256).hexdigest()
    assert signature == f"v1={expected}"
    assert hook.headers[0]["Laurel-Notification-Id"] == hook.got[0]["notification_id"]


async def heard_of(parts: Parts, user_id: str) -> None:
    """Wait until a user was told his rank, or it is known what to tell of it."""
    known = "SELECT EXISTS (SELECT FROM told_ranks WHERE user_id = $1)"

    async def is_known() -> bool:
        return bool(await parts.pool.fetchval(known, user_id))

    await until(is_known, "the consumer has heard of the rank")


async def test_moves_are_told_with_the_ranks(notifying: Notifying, hook: Hook) -> None:
    async with notifying() as parts:
        # Together, as they are then heard together: what is told first is where all of them stand.
        await parts.awards.award_batch([command(f"user-{number}", 100 + number) for number in range(7)], None)
        await heard_of(parts, "user-0")
        await move_clock(parts, timedelta(hours=2))
        await give(parts, "user-0", 3)

        async def move_is_told() -> bool:
            await dispatch(parts)
            return "RANK_CHANGED" in hook.kinds("user-0")

        await until(move_is_told, "the move is told")
    told = [each for each in hook.got if each["user_id"] == "user-0" and each["kind"] == "RANK_CHANGED"]
    assert [each["message"] for each in told] == ["You moved up 2 ranks!"]
    assert told[0]["data"] == {"rank": "5", "previous_rank": "7"}


async def test_points_that_expire_soon_are_told_once(notifying: Notifying, hook: Hook) -> None:
    async with notifying() as parts:
        await give(parts, "ada", action="PURCHASE", attributes={"order_value": "5000"})
        await move_clock(parts, timedelta(days=359))
        await run_job(parts, "expire_points")
        await dispatch(parts)
        await dispatch(parts)
    (warning,) = [each for each in hook.got if each["kind"] == "POINTS_EXPIRING"]
    assert warning["message"] == "50 of your points expire on 2027-11-25"
    assert warning["data"]["points"] == "50"


async def test_a_winner_is_told_his_prize_once(notifying: Notifying, hook: Hook) -> None:
    def told() -> list[dict[str, Any]]:
        return [each for each in hook.got if each["kind"] == "PERIOD_WON"]

    async with notifying() as parts:
        await give(parts, "ada", 1234)
        await give(parts, "bob", 30)
        assert parts.clock is not None
        await parts.clock.set(DAY_CLOSES)
        await run_job(parts, "close_periods")

        async def both_told() -> bool:
            await dispatch(parts)
            return {each["user_id"] for each in told()} == {"ada", "bob"}

        await until(both_told, "both winners are told")
        await dispatch(parts)
        prizes = await parts.pool.fetch(
            "SELECT user_id, transaction_id::text FROM reward_transactions JOIN users USING (user_no)"
            " WHERE action = 'DAILY_WINNER'"
        )
    first, second = sorted(told(), key=lambda each: str(each["user_id"]))
    assert first["message"] == f"You came in at rank 1 in {DAY}: 100 points for you!"
    assert first["data"] == {
        "scope": "global",
        "period_id": DAY,
        "rank": "1",
        "score": "1234",
        "bonus_points": "100",
        "transaction_id": dict(map(tuple, prizes))["ada"],
    }
    assert second["message"] == f"You came in at rank 2 in {DAY}: 50 points for you!"


async def test_without_anything_else_that_takes_them_notifications_are_lines_of_the_log(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, events=Events()) as parts:
        await give(parts, "ada", 1000)
        with capture_logs() as lines:

            async def logged() -> bool:
                await dispatch(parts)
                return any(line.get("kind") == "POINTS_MILESTONE" for line in lines)

            await until(logged, "it is in the log")
            await dispatch(parts)
    (milestone,) = [line for line in lines if line.get("kind") == "POINTS_MILESTONE"]
    notification_id = milestone.pop("notification_id")
    assert notification_id.endswith(".milestone")
    assert milestone == {
        "event": "notification",
        "log_level": "info",
        "user_id": "ada",
        "kind": "POINTS_MILESTONE",
        "message": "You have earned 1,000 points!",
    }


async def test_who_wins_again_on_a_board_that_was_created_again_is_told_again(
    notifying: Notifying, hook: Hook
) -> None:
    """The period has the same id, as both boards have a reset at the same moment."""

    def told() -> list[str]:
        return [each["data"]["bonus_points"] for each in hook.got if each["kind"] == "PERIOD_WON"]

    async with notifying() as parts:
        assert parts.clock is not None
        for reset_cron, bonus, end in (
            ("0 0 * * *", 90, DAY_CLOSES),
            ("0 0 * * 3", 40, DAY_CLOSES + timedelta(days=6)),
        ):
            await board(parts, reset_cron=reset_cron, winner_bonuses=(WinnerBonus(1, bonus),))
            answer = await report(parts, "ada", 7)
            assert answer.rank.board.period_id == "2026-11-25T00:00Z"
            await parts.clock.set(end)
            await run_job(parts, "close_periods")
            await parts.boards.delete("race", RequestKey("tests", f"delete {bonus}", b""))

            async def is_told(prize: str = str(bonus)) -> bool:
                await dispatch(parts)
                return prize in told()

            await until(is_told, "the winner is told")
    assert told() == ["90", "40"]


async def test_a_rank_is_told_although_its_notification_could_not_be_kept_at_first(
    notifying: Notifying, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = notifications.add
    failed: list[Any] = []

    async def add_later(*args: Any) -> int:
        if not failed:
            failed.append(args)
            raise ConnectionResetError("the ledger is away")
        return await add(*args)

    monkeypatch.setattr(notifications, "add", add_later)
    async with notifying() as parts:
        await give(parts, "ada", 1000)

        async def is_told() -> bool:
            await dispatch(parts)
            return hook.kinds("ada").count("POINTS_MILESTONE") == 1

        await until(is_told, "it is kept at last")
    assert failed
    assert hook.kinds("ada").count("RANK_MILESTONE") == 1
