"""Profiles of users."""

from datetime import date

from laurel.type.v1.tier_pb2 import Tier
from laurel.type.v1.user_pb2 import User as UserMessage
from laurel.type.v1.user_pb2 import Visibility
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.ledger import User
from laurel_server.rpc.convert.times import write_moment


def read_user(message: UserMessage, path: str) -> User:
    """Return the profile that a valid `message` asks for; what Laurel sets itself is left out.

    INVALID_FIELD for a day that is not in the calendar; `path` is the place of the message in the request.
    """
    return User(
        user_id=message.user_id,
        username=message.username,
        email=message.email,
        avatar_url=message.avatar_url,
        country=message.country,
        region=message.region,
        timezone=message.timezone,
        segments=tuple(message.segments),
        birth_date=_read_day(message.birth_date, f"{path}.birth_date"),
    )


def write_user(target: UserMessage, user: User) -> None:
    """Fill the empty `target` with a profile."""
    target.user_id = user.user_id
    target.username = user.username
    target.email = user.email
    target.avatar_url = user.avatar_url
    target.tier = Tier.ValueType(user.tier)
    target.country = user.country
    target.region = user.region
    target.timezone = user.timezone
    target.segments.extend(user.segments)
    target.birth_date = user.birth_date.isoformat() if user.birth_date else ""
    target.visibility = Visibility.ValueType(user.visibility)
    write_moment(target.created_at, user.created_at)
    write_moment(target.last_active_at, user.last_active_at)


def _read_day(text: str, path: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise invalid_field(path, "is no day of the calendar") from None
