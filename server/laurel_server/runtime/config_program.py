"""The rewards program: its clock, tiers, expiry, jobs, and how the ledger and the boards keep it."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)
from pydantic_settings import SettingsConfigDict

from laurel_server.runtime.config_part import Part


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not in the database, not a name, a directory of it
        raise ValueError("is not the name of an IANA time zone, such as Europe/Berlin") from None
    return name


class Ledger(Part):
    """PostgreSQL and the group commit in front of it."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_LEDGER_")

    pg_dsn: SecretStr | None = Field(None, validation_alias="LAUREL_PG_DSN")
    """`postgresql://` address of the ledger. Unset: `serve` starts a PostgreSQL; the server needs it."""

    lanes: Annotated[int, Field(ge=1, le=16)] = 2
    """Award batches that one process commits at a time, each on its own connection."""

    max_batch: Annotated[int, Field(ge=1, le=1000)] = 256
    """Most awards in one transaction. A batch numbers its entries within 1,024."""

    linger_max_ms: Annotated[float, Field(ge=0, le=100)] = 20
    """Longest wait for company of an award under concurrency, in milliseconds; a lone award never waits."""

    max_waiting: PositiveInt = 4096
    """Awards that may wait for a batch in one process; an award beyond it is refused with OVERLOADED."""

    pool_min: Annotated[int, Field(ge=1, le=200)] = 4
    """Connections that one process keeps open for everything but awards."""

    pool_max: Annotated[int, Field(ge=1, le=200)] = 8
    """Most connections that one process opens for everything but awards."""

    statement_timeout_seconds: PositiveFloat = 10
    """PostgreSQL cancels a statement after this time, in seconds."""

    seal_interval_ms: Annotated[float, Field(ge=50, le=3_600_000)] = 1000
    """Time between two looks for batches to seal into the hash chain, in milliseconds."""

    @model_validator(mode="after")
    def _pool_has_a_range(self) -> Self:
        if self.pool_min > self.pool_max:
            raise ValueError("LAUREL_LEDGER_POOL_MIN must not be above LAUREL_LEDGER_POOL_MAX")
        return self


class Boards(Part):
    """Redis, which holds the order of every board."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_BOARDS_")

    redis_url: SecretStr | None = Field(None, validation_alias="LAUREL_REDIS_URL")
    """`redis://`, `rediss://` or `unix://` address. Unset: `serve` starts a Redis; the server needs it."""

    redis_cluster: bool = Field(default=False, validation_alias="LAUREL_REDIS_CLUSTER")
    """The address is that of a node of a Redis Cluster; the others are learned from it."""

    project_budget_ms: Annotated[float, Field(ge=1, le=10_000)] = 50
    """How long an award waits for its ranks before it answers RANK_STATE_PENDING, in milliseconds."""

    read_timeout_ms: Annotated[float, Field(ge=1, le=60_000)] = 2000
    """How long a read waits for Redis before it is UNAVAILABLE, in milliseconds."""


class Repair(Part):
    """The loop that makes the boards equal to the ledger again after a loss."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_REPAIR_")

    interval_ms: Annotated[float, Field(ge=50, le=60_000)] = 1000
    """Time between two looks at the boards, in milliseconds."""

    chunk: Annotated[int, Field(ge=1, le=2000)] = 400
    """Users that a rebuild sends to a board in Redis in one call, which holds Redis for about 5 us each."""


class Sandbox(Part):
    """A test clock for trying out time; never beside real credentials."""

    enabled: bool = Field(False, validation_alias="LAUREL_SANDBOX")
    """Serves SandboxService."""

    now: AwareDatetime | None = Field(None, validation_alias="LAUREL_SANDBOX_NOW")
    """Where the test clock stands at start, RFC 3339. Unset, or before entries: where it stood before."""


class Program(Part):
    """Rules of time of the rewards program."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_PROGRAM_")

    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"
    """IANA time zone of days, weeks and months: where periods, daily caps and streaks begin and end."""

    grace_seconds: Annotated[float, Field(ge=0, le=7 * 86_400)] = 3600
    """How long after its end a period still takes awards that occurred in it, in seconds."""

    @property
    def grace(self) -> timedelta:
        """`grace_seconds` as a duration."""
        return timedelta(seconds=self.grace_seconds)


class Jobs(Part):
    """What Laurel does by itself."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_JOBS_")

    scheduled: bool = True
    """Runs jobs when they are due. Without it this server still runs those that RunJob asks for."""

    interval_ms: Annotated[float, Field(ge=100, le=60_000)] = 1000
    """Time between two looks for what is due, in milliseconds."""

    partitions_ahead_months: Annotated[int, Field(ge=1, le=60)] = 3
    """For how many months to come the ledger has partitions."""

    request_ids_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long a request_id is known, so that the same request again is answered and not done again, in days."""

    runs_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How long runs of jobs are listed, in days."""

    ranks_days: Annotated[int, Field(ge=8, le=36_500)] = 400
    """How long GetRankHistory tells of a day, in days. A day takes some 25 bytes a user and board; the standings of
    closed periods stay for ever."""

    notifications_days: Annotated[int, Field(ge=7, le=3650)] = 30
    """How long a notification is kept that was sent or given up, in days; no shorter than events stay in the outbox. An
    event that Kafka tells again after that is told to its user again."""


class Expiry(Part):
    """Points that expire."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_EXPIRY_")

    warning_days: tuple[Annotated[int, Field(ge=1, le=366)], ...] = (30, 7, 1)
    """How many days before points expire their owner is notified, once for each, as a JSON list; `[]` = never."""


class Tiers(Part):
    """Which points decide the tier of a user."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_TIERS_")

    policy: Literal["lifetime", "window"] = "lifetime"
    """`lifetime`: points earned ever. `window`: those of the last months, so that a review can demote."""

    window_months: Annotated[int, Field(ge=1, le=120)] = 12
    """With `window`: the current month (UTC) and so many before it count."""

    grace_days: Annotated[int, Field(ge=0, le=366)] = 30
    """With `window`: how long who falls below keeps his tier after a review has seen it, in days."""
