"""Timestamps and durations."""

from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from laurel_server.domain.clock import EPOCH, checked_moment
from laurel_server.domain.errors import invalid_field

_NANOS_PER_SECOND = 1_000_000_000
_SECONDS_PER_DAY = 86_400
_MICROSECOND = timedelta(microseconds=1)


def read_moment(message: Message, name: str, *, parent: str = "") -> datetime | None:
    """Return the timestamp in the field `name`, in UTC and cut to microseconds; None if it is unset.

    INVALID_FIELD outside of the years 1 to 9999, named below the field `parent`.
    """
    if not message.HasField(name):
        return None
    stamp: Timestamp = getattr(message, name)
    try:
        return EPOCH + _span(stamp, least_nanos=0)
    except (OverflowError, ValueError):
        raise invalid_field(parent + name, "is no moment between the years 1 and 9999") from None


def read_ledger_moment(message: Message, name: str, *, parent: str = "") -> datetime | None:
    """Return what `read_moment` does, of a moment that the ledger can hold. INVALID_FIELD before 1970 or from 4700 on.

    What is stored must not be read by `read_moment` alone: the first and the last moment of the calendar would come
    back from PostgreSQL as its infinite ones, which no other moment can be compared with.
    """
    moment = read_moment(message, name, parent=parent)
    return None if moment is None else checked_moment(moment, field=parent + name)


def read_duration(message: Message, name: str, *, parent: str = "") -> timedelta:
    """Return the duration in the field `name`, zero if it is unset. INVALID_FIELD.

    Nanoseconds are rounded away from zero to microseconds: zero often means that nothing is set.
    """
    duration: Duration = getattr(message, name)
    try:
        span = _span(duration)
        return span + _MICROSECOND * _sign(duration.nanos) if duration.nanos % 1000 else span
    except (OverflowError, ValueError):
        raise invalid_field(parent + name, "is no duration below 10,000 years") from None


def write_moment(target: Timestamp, moment: datetime | None) -> None:
    """Set `target`, a field of some message; leave it unset for None."""
    if moment is not None:
        since = moment - EPOCH
        target.seconds = since.days * _SECONDS_PER_DAY + since.seconds
        target.nanos = since.microseconds * 1000


def write_duration(target: Duration, span: timedelta) -> None:
    """Set `target`, a field of some message."""
    target.FromTimedelta(span)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _span(value: Timestamp | Duration, least_nanos: int = 1 - _NANOS_PER_SECOND) -> timedelta:
    """Return seconds and nanoseconds as one span. ValueError for nanoseconds that are none, OverflowError."""
    if not least_nanos <= value.nanos < _NANOS_PER_SECOND:
        raise ValueError(value.nanos)
    return timedelta(seconds=value.seconds, microseconds=int(value.nanos / 1000))
