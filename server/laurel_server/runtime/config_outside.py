"""What goes on beside the server: its engines, events, notifications, analytics, telemetry."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from laurel_server.runtime.config_part import Part


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
    """How long Kafka may take to answer before it is asked again, in seconds."""

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


class Telemetry(Part):
    """Logs and metrics."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log line that is written."""

    metrics: bool = True
    """Measures calls and stages and shows them at `/metrics`."""
