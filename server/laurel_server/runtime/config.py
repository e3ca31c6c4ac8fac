"""Every setting, in one frozen tree that is read from the environment once, at start.

A part is one class; the name of a variable is the part's prefix and the field's name in capitals
(`Grpc.max_message_bytes` is `LAUREL_GRPC_MAX_MESSAGE_BYTES`) unless the field names its own. An empty
variable counts as unset. To add a setting, add a field with a range and a docstring; nothing else has to know
it.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not in the database, not a name, a directory of it
        raise ValueError("is not the name of an IANA time zone, such as Europe/Berlin") from None
    return name


class Part(BaseSettings):
    """One part of the tree; fields are given by name in tests and by variable everywhere else."""

    model_config = SettingsConfigDict(
        env_prefix="LAUREL_",
        allow_inf_nan=False,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # a rejected value may be a secret
        populate_by_name=True,
        use_attribute_docstrings=True,
        validate_default=True,
    )


class Devstack(Part):
    """What `laurel serve` starts and supervises."""

    data_dir: Path = Path(".laurel")
    """Directory of all run-time data; made if missing. Relative to the directory `serve` is started in."""

    pg_bin: Path | None = None
    """Directory with `postgres` and `initdb` to use in place of those of the wheel."""

    start_seconds: Annotated[float, Field(ge=1, le=3600)] = 60
    """How long the server may take to become ready after its start, in seconds."""

    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 10
    """How long the server may go on with running calls after SIGTERM before it is killed, in seconds."""


class Grpc(Part):
    """The gRPC listener."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_GRPC_")

    host: str = "127.0.0.1"
    """Address to listen on. Without credentials only a loopback address is accepted."""

    port: Port = 50051
    """TCP port; 0 = a free one, kept until `serve` ends."""

    processes: Annotated[int, Field(ge=0, le=64)] = 0
    """Server processes that `serve` starts, each for one core; all listen on the port, and the gateway balances over
    them. 0 = one for each core, 4 at most; one alone beside a test clock, which is set in one process."""

    shared_port: Port | None = None
    """TCP port that this process listens on beside its own, together with others; `serve` sets it."""

    max_message_bytes: Annotated[int, Field(ge=65536, le=64 << 20)] = 4 << 20
    """Largest request and response, in bytes."""

    max_concurrent_calls: PositiveInt = 8192
    """Unary calls one process works on at a time; a call beyond it is refused with OVERLOADED."""

    default_deadline_seconds: PositiveFloat = 10
    """Deadline of a unary call whose caller set none, in seconds."""

    max_deadline_seconds: PositiveFloat = 60
    """Longest deadline a caller of a unary call can ask for, in seconds."""

    keepalive_seconds: PositiveFloat = 60
    """A connection that was silent this long is pinged, in seconds."""

    keepalive_timeout_seconds: PositiveFloat = 20
    """A connection that leaves a ping unanswered this long is closed, in seconds."""

    max_connection_age_seconds: NonNegativeFloat = 0
    """Connections are asked to reconnect after this time, so that load spreads, in seconds; 0 = never."""


class Http(Part):
    """The gateway that `laurel serve` starts: REST, server-sent events, gRPC-Web, and gRPC on the same port."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_HTTP_")

    host: str = "127.0.0.1"
    """Address to listen on. Without credentials only a loopback address is accepted."""

    port: Port = 8080
    """TCP port; 0 = a free one, kept until `serve` ends."""

    gateway: bool = True
    """Starts Envoy; 0 leaves it out, and the port then serves what the operations listener does."""

    tls_certificate_file: Path | None = None
    """The gateway's certificate with its chain, in PEM; read at start. Unset: plain HTTP."""

    tls_key_file: Path | None = None
    """The key of the certificate, in PEM."""

    cors_origins: str = "http://localhost:3000"
    """Origins of pages that may call from browsers, separated by commas; `*` = all, `none` = no other's."""

    rate_limit: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Requests a second that the gateway lets through, of all clients together; 0 = all."""

    client_rate_limit: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Requests a second that the gateway lets through of each client, which is an address (of IPv6 its first 64 bits);
    0 = all. For a second a client may send twice as many."""

    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    """Proxies of yours in front of the gateway: so many entries from the end of `x-forwarded-for` are believed, and the
    client is the one before them."""

    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of the gateway that do its work."""

    @property
    def origins(self) -> tuple[str, ...]:
        """`cors_origins` one by one."""
        listed = (origin.strip() for origin in self.cors_origins.split(","))
        return tuple(origin for origin in listed if origin not in {"", "none"})


class Operations(Part):
    """The server's own listener for plain HTTP: `/metrics`, `/healthz`, and what the gateway passes on to it."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_OPERATIONS_")

    host: str = "127.0.0.1"
    """Address to listen on; it asks for no token, so keep it away from strangers."""

    port: Port = 0
    """TCP port; 0 = a free one."""


class Ledger(Part):
    """PostgreSQL and the group commit in front of it."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_LEDGER_")

    pg_dsn: SecretStr | None = Field(None, validation_alias="LAUREL_PG_DSN")
    """`postgresql://` address of the ledger. Unset: `serve` starts a PostgreSQL; the server needs it."""

    lanes: Annotated[int, Field(ge=1, le=16)] = 2
    """Award batches that one process commits at a time, each on its own connection."""

    max_batch: Annotated[int, Field(ge=1, le=1000)] = 256
    """Most awards in one transaction. A batch numbers its entries within 1,024."""

    linger_max_ms: Annotated[float, Field(ge=0, le=100)] = 8
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


class Ingest(Part):
    """Awards that come as streams."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_INGEST_")

    max_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 1024
    """Awards of one stream that are read and not yet answered; then the server reads no more until some are."""


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


class Reads(Part):
    """The reading calls."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_READS_")

    cache_max_age_ms: Annotated[float, Field(ge=0, le=1000)] = 1000
    """A cached top page is at most this old, in milliseconds; 0 = no cache."""

    cache_max_pages: PositiveInt = 1024
    """Pages that one process keeps; the least recently used goes first."""


class Watch(Part):
    """Live streams."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_WATCH_")

    tick_ms: Annotated[float, Field(ge=10, le=10_000)] = 100
    """Changes within this time reach a watcher as one message, in milliseconds."""

    heartbeat_seconds: Annotated[float, Field(ge=1, le=300)] = 15
    """A silent stream gets a heartbeat after this time, in seconds."""

    write_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 30
    """A reader that accepts nothing for this long is ended with READER_TOO_SLOW, in seconds."""

    max_streams: PositiveInt = 20_000
    """Open streams per process; one beyond it is refused with OVERLOADED."""


class Repair(Part):
    """The loop that makes the boards equal to the ledger again after a loss."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_REPAIR_")

    interval_ms: Annotated[float, Field(ge=50, le=60_000)] = 1000
    """Time between two looks at the boards, in milliseconds."""

    chunk: Annotated[int, Field(ge=1, le=2000)] = 200
    """Users that a rebuild sends to Redis in one call, which holds Redis for about 5 us each and board."""


class Events(Part):
    """What happened, for other systems: the outbox, and Kafka where it is configured."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_EVENTS_")

    kafka_bootstrap: str | None = Field(None, validation_alias="LAUREL_KAFKA_BOOTSTRAP")
    """Addresses of brokers, `HOST:PORT[,HOST:PORT...]`. Unset: events stay in the outbox, where SQL reads them."""

    kafka_partitions: PositiveInt = Field(6, validation_alias="LAUREL_KAFKA_PARTITIONS")
    """Partitions of the topics that Laurel makes at start; those that exist stay as they are."""

    kafka_replication: PositiveInt = Field(1, validation_alias="LAUREL_KAFKA_REPLICATION")
    """Replicas of the topics that Laurel makes at start; a cluster of three brokers wants 3."""

    kafka_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = Field(
        10, validation_alias="LAUREL_KAFKA_TIMEOUT_SECONDS"
    )
    """How long Kafka may take to acknowledge before the relay begins again, in seconds."""

    interval_ms: Annotated[float, Field(ge=10, le=60_000)] = 100
    """Pause between two looks at an outbox without news, in milliseconds."""

    ranks_patience_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    """How long an event waits for the boards to follow before it is published without ranks, in seconds."""

    retention_hours: Annotated[float, Field(ge=1, le=24 * 366)] = 168
    """Age at which events leave the outbox, read or not, in hours."""

    retention_bytes: Annotated[int, Field(ge=1 << 20)] = 10 << 30
    """How large the outbox may become before its oldest events leave it, read or not, in bytes: rows as PostgreSQL
    stores them, with their index entries. An award takes about 500."""

    retention_batches: Annotated[int, Field(ge=1000)] = 2_000_000
    """Batches of the ledger whose events stay in the outbox at most, read or not."""

    consumers: Literal["kafka", "outbox", "off"] | None = None
    """Where the consumers of Laurel (badges, notifications, analytics) hear of events: as groups of Kafka, or from the
    outbox; `off`: this server runs none of them. Unset: from Kafka if there is one."""

    @property
    def retention(self) -> timedelta:
        """`retention_hours` as a duration."""
        return timedelta(hours=self.retention_hours)

    @property
    def consumers_source(self) -> Literal["kafka", "outbox", "off"]:
        """`consumers`, decided."""
        return self.consumers or ("outbox" if self.kafka_bootstrap is None else "kafka")

    @model_validator(mode="after")
    def _groups_have_a_kafka(self) -> Self:
        if self.consumers == "kafka" and self.kafka_bootstrap is None:
            raise ValueError("LAUREL_EVENTS_CONSUMERS=kafka needs LAUREL_KAFKA_BOOTSTRAP")
        return self


class Notifications(Part):
    """What users are told, and by which way."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_NOTIFY_")

    webhook_url: SecretStr | None = None
    """Address that notifications are posted to as JSON. Unset, and without Kafka: they go to the log."""

    webhook_key: SecretStr | None = None
    """Key of the signatures of what is posted; needed with `LAUREL_NOTIFY_WEBHOOK_URL`."""

    webhook_timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = 10
    """How long the address may take to answer, in seconds."""

    max_attempts: Annotated[int, Field(ge=1, le=100)] = 12
    """After this many failed attempts, which lie 30 s to an hour apart, a notification is given up."""

    rank_every_minutes: Annotated[float, Field(ge=0, le=7 * 1440)] = 60
    """A user is told of moves on the global all-time board this often at most, in minutes; of milestones at once."""

    @model_validator(mode="after")
    def _posts_are_signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_key is None:
            raise ValueError("LAUREL_NOTIFY_WEBHOOK_URL needs LAUREL_NOTIFY_WEBHOOK_KEY")
        return self


class Analytics(Part):
    """ClickHouse, which keeps history and tells trends."""

    clickhouse_url: SecretStr | None = None
    """`http[s]://USER:PASSWORD@HOST:PORT/DATABASE` of a ClickHouse. Unset: no trends, but with `serve --analytics`."""

    clickhouse_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 20
    """How long ClickHouse may take to answer, in seconds."""


class Auth(Part):
    """Who may call: tokens with callers and scopes. Unset: everybody, and then on loopback addresses only."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_AUTH_")

    tokens: SecretStr | None = None
    """`{"TOKEN": {"caller": "shop", "scopes": ["read", "write", "admin"]}}`, or the path of a file with that."""

    tokens_file: Path | None = None
    """The path of such a file, where variables may be seen by others."""


class Jwt(Part):
    """JSON Web Tokens that the gateway trades for one of the tokens. All four belong together."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_JWT_")

    jwks_file: Path | None = None
    """File with the issuer's public keys, a JSON Web Key Set; read at start."""

    issuer: str = ""
    """The `iss` that a JWT must have."""

    audience: str = ""
    """The `aud` that a JWT must have."""

    token: SecretStr | None = None
    """The one of LAUREL_AUTH_TOKENS with which holders of a good JWT call."""


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


class Telemetry(Part):
    """Logs and metrics."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log line that is written."""

    metrics: bool = True
    """Measures calls and stages and shows them at `/metrics`."""


class Settings(BaseModel):
    """The whole tree."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    devstack: Devstack = Field(default_factory=Devstack)
    grpc: Grpc = Field(default_factory=Grpc)
    http: Http = Field(default_factory=Http)
    operations: Operations = Field(default_factory=Operations)
    ledger: Ledger = Field(default_factory=Ledger)
    ingest: Ingest = Field(default_factory=Ingest)
    boards: Boards = Field(default_factory=Boards)
    reads: Reads = Field(default_factory=Reads)
    watch: Watch = Field(default_factory=Watch)
    repair: Repair = Field(default_factory=Repair)
    events: Events = Field(default_factory=Events)
    notifications: Notifications = Field(default_factory=Notifications)
    analytics: Analytics = Field(default_factory=Analytics)
    auth: Auth = Field(default_factory=Auth)
    jwt: Jwt = Field(default_factory=Jwt)
    sandbox: Sandbox = Field(default_factory=Sandbox)
    tiers: Tiers = Field(default_factory=Tiers)
    program: Program = Field(default_factory=Program)
    jobs: Jobs = Field(default_factory=Jobs)
    expiry: Expiry = Field(default_factory=Expiry)
    telemetry: Telemetry = Field(default_factory=Telemetry)
