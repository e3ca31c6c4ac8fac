from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from laurel_server.domain import cron as cron_moments
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import LAST_MOMENT
from laurel_server.domain.resets import check_cron, named_reset_period, reset_period

WEDNESDAY = datetime(2026, 11, 25, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "starts", "ends"),
    [
        ("0 0 * * 1", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),  # 1 = Monday
        ("0 0 * * 0", "2026-11-22T00:00Z", "2026-11-29T00:00Z"),  # 0 = Sunday
        ("0 0 * * 7", "2026-11-22T00:00Z", "2026-11-29T00:00Z"),
        ("30 12 * * *", "2026-11-25T12:30Z", "2026-11-26T12:30Z"),  # a reset belongs to what it begins
        ("31 12 * * *", "2026-11-24T12:31Z", "2026-11-25T12:31Z"),
        ("*/15 * * * *", "2026-11-25T12:30Z", "2026-11-25T12:45Z"),
        ("0 0 1 */3 *", "2026-10-01T00:00Z", "2027-01-01T00:00Z"),
        ("0 0 29 2 *", "2024-02-29T00:00Z", "2028-02-29T00:00Z"),
    ],
)
def test_the_period_between_two_resets(cron: str, starts: str, ends: str) -> None:
    period = reset_period(cron, WEDNESDAY, UTC)
    assert period.id == starts
    assert period.ends_at is not None
    assert period.ends_at.strftime("%Y-%m-%dT%H:%MZ") == ends
    assert period.contains(WEDNESDAY)
    assert named_reset_period(cron, period.id, UTC) == period


def test_resets_follow_the_program_s_time_zone() -> None:
    assert reset_period("0 0 * * *", WEDNESDAY, ZoneInfo("Europe/Berlin")).id == "2026-11-24T23:00Z"


def test_without_resets_there_is_one_period() -> None:
    assert reset_period("", WEDNESDAY, UTC).id == "all"
    assert named_reset_period("", "all", UTC).id == "all"


@pytest.mark.parametrize("cron", ["", "0 0 * *", "0 0 * * * *", "61 0 * * *", "every day", "0 0 30 2 *"])
def test_what_is_no_cron_expression(cron: str) -> None:
    with pytest.raises(LaurelError) as caught:
        check_cron(cron, "board.reset_cron")
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_FIELD, "board.reset_cron")


@pytest.mark.parametrize(
    ("cron", "period_id"),
    [
        ("", "2026-W48"),
        ("0 0 * * *", "2026-11-23"),
        ("0 0 * * *", "2026-11-23T0:00Z"),
    ],
)
def test_what_is_no_id_of_a_reset_period(cron: str, period_id: str) -> None:
    with pytest.raises(LaurelError) as caught:
        named_reset_period(cron, period_id, UTC)
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_FIELD, "board.period_id")


def test_periods_from_before_the_resets_were_changed_have_their_ids() -> None:
    assert named_reset_period("0 0 * * *", "all", UTC).ends_at is None
    before = named_reset_period("", "2026-11-23T00:00Z", UTC)
    assert before.starts_at == before.ends_at == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("cron", ["* * * * *", "0 0 29 2 *"])
def test_the_last_period_ends_with_the_calendar(cron: str, zone: str) -> None:
    last = named_reset_period(cron, "9999-12-31T23:59Z", ZoneInfo(zone))
    assert last.ends_at == LAST_MOMENT


def test_a_period_is_computed_once_and_not_again_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []

    def counting(*args: object, **options: object) -> CronSim:
        computed.append(args)
        return CronSim(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(cron_moments, "CronSim", counting)
    crons = [f"{minute} {hour} * * *" for hour in range(17) for minute in range(60)]
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    for cron in crons:
        reset_period(cron, midnight - timedelta(seconds=1), UTC)
    computed.clear()
    for second in (-3600, -61, -1):
        for cron in crons:
            assert reset_period(cron, midnight + timedelta(seconds=second), UTC).contains(
                midnight - timedelta(hours=1)
            )
    assert computed == []
    assert reset_period(crons[0], midnight, UTC).id == "2026-11-26T00:00Z"
    assert reset_period(crons[0], midnight - timedelta(seconds=1), UTC).id == "2026-11-25T00:00Z"
    assert len(computed) == 6
