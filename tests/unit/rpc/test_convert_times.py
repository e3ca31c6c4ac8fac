from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from laurel.admin.v1.rules_pb2 import ActionConfig
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel_server.domain.errors import Reason
from laurel_server.rpc.convert.times import (
    read_duration,
    read_ledger_moment,
    read_moment,
    write_duration,
    write_moment,
)
from tests.unit.domain.refusals import refused

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_a_moment_goes_both_ways(moment: datetime) -> None:
    request = AwardPointsRequest()
    write_moment(request.occurred_at, moment)
    assert read_moment(request, "occurred_at") == moment


@given(MOMENTS)
def test_a_written_moment_is_what_protobuf_writes(moment: datetime) -> None:
    ours, theirs = Timestamp(), Timestamp()
    write_moment(ours, moment)
    theirs.FromDatetime(moment)
    assert ours == theirs


def test_a_moment_is_read_in_utc() -> None:
    request = AwardPointsRequest()
    write_moment(request.occurred_at, datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    moment = read_moment(request, "occurred_at")
    assert moment == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment.tzinfo is UTC


def test_the_epoch_is_a_moment_and_not_unset() -> None:
    request = AwardPointsRequest()
    write_moment(request.occurred_at, datetime(1970, 1, 1, tzinfo=UTC))
    assert request.HasField("occurred_at")
    assert read_moment(request, "occurred_at") == datetime(1970, 1, 1, tzinfo=UTC)


def test_no_moment_stays_unset() -> None:
    request = AwardPointsRequest()
    write_moment(request.occurred_at, None)
    assert not request.HasField("occurred_at")
    assert read_moment(request, "occurred_at") is None


def test_nanoseconds_are_cut_to_microseconds() -> None:
    request = AwardPointsRequest(occurred_at=Timestamp(seconds=1, nanos=999_999_999))
    assert read_moment(request, "occurred_at") == datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    "stamp",
    [
        Timestamp(seconds=253_402_300_800),  # the year 10000
        Timestamp(seconds=-62_135_596_801),  # before the year 1
        Timestamp(seconds=2**63 - 1),
        Timestamp(seconds=-(2**63)),
        Timestamp(nanos=1_000_000_000),
        Timestamp(nanos=-1),
    ],
)
def test_what_is_no_moment_is_refused(stamp: Timestamp) -> None:
    with refused(Reason.INVALID_FIELD, "config.effective_from"):
        read_moment(ActionConfig(effective_from=stamp), "effective_from", parent="config.")


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=UTC),  # PostgreSQL's -infinity, to asyncpg
        datetime.max.replace(tzinfo=UTC),  # its infinity
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(4700, 1, 1, tzinfo=UTC),
    ],
)
def test_what_the_ledger_cannot_hold_is_refused(moment: datetime) -> None:
    config = ActionConfig()
    write_moment(config.effective_from, moment)
    with refused(Reason.INVALID_FIELD, "config.effective_from"):
        read_ledger_moment(config, "effective_from", parent="config.")


def test_what_the_ledger_can_hold_is_read_as_it_is() -> None:
    request = AwardPointsRequest()
    assert read_ledger_moment(request, "activates_at") is None
    write_moment(request.activates_at, datetime(4699, 12, 31, tzinfo=UTC))
    assert read_ledger_moment(request, "activates_at") == datetime(4699, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "span", [timedelta(), timedelta(microseconds=1), timedelta(days=400, microseconds=5)]
)
def test_a_duration_goes_both_ways(span: timedelta) -> None:
    config = ActionConfig()
    write_duration(config.cooldown, span)
    assert read_duration(config, "cooldown") == span


@pytest.mark.parametrize(
    ("seconds", "nanos", "microseconds"),
    [
        (0, 1, 1),
        (0, 999, 1),
        (0, 1000, 1),
        (0, 1001, 2),
        (2, 1, 2_000_001),
        (0, -1, -1),
        (-1, -1000, -1_000_001),
    ],
)
def test_the_shortest_duration_is_not_none_at_all(seconds: int, nanos: int, microseconds: int) -> None:
    config = ActionConfig(cooldown=Duration(seconds=seconds, nanos=nanos))
    assert read_duration(config, "cooldown") == timedelta(microseconds=microseconds)


@pytest.mark.parametrize("duration", [Duration(seconds=2**63 - 1), Duration(nanos=2**31 - 1)])
def test_what_is_no_duration_is_refused(duration: Duration) -> None:
    with refused(Reason.INVALID_FIELD, "config.cooldown"):
        read_duration(ActionConfig(cooldown=duration), "cooldown", parent="config.")
