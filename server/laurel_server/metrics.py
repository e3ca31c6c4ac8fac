"""Prometheus metrics of the layers below the transport.

Labels are resolved here, once: a look-up would cost 1 us a call.
"""

from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class AwardStages(NamedTuple):
    """Time an award spends in each stage, in seconds."""

    queue: Histogram
    commit: Histogram
    project: Histogram


_award_stage = Histogram(
    "laurel_award_stage_seconds", "Time an award spends in each stage.", ["stage"], buckets=SECONDS
)
AWARD_STAGE_SECONDS = AwardStages(*(_award_stage.labels(stage) for stage in AwardStages._fields))

AWARD_BATCH_SIZE = Histogram(
    "laurel_award_batch_size", "Awards in one transaction.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
)
AWARDS_WAITING = Gauge("laurel_awards_waiting", "Awards that wait for a transaction.")
AWARDS_PENDING_RANKS = Counter(
    "laurel_awards_rank_pending_total", "Awards answered before the boards had followed."
)
PROJECTION_REPAIRED = Counter(
    "laurel_projection_repaired_batches_total", "Batches that repair took to the boards."
)
BOARDS_REBUILT = Counter("laurel_boards_rebuilt_total", "Boards filled anew after a loss.")
BOARDS_FILL_MEMBERS = Counter("laurel_boards_fill_members_total", "Members that fills have sent to boards.")
BOARDS_FILL_PROGRESS = Gauge(
    "laurel_boards_fill_progress",
    "How much of the ledger the last fill of points boards on this server has read, 0 to 1.",
)

JOB_RUNS = Counter("laurel_job_runs_total", "Runs of jobs that have ended.", ["job", "state"])
JOB_SECONDS = Histogram(
    "laurel_job_seconds", "Time a run of a job takes.", ["job"], buckets=(*SECONDS, 30, 60, 300, 900, 3600)
)
JOB_LAST_SUCCESS = Gauge(
    "laurel_job_last_success_timestamp_seconds",
    "When a job last succeeded, on this server or before it started on any, in seconds since 1970.",
    ["job"],
)
JOB_COUNTS = Gauge(
    "laurel_job_progress", "What the run of a job has done so far, or did when it ended.", ["job", "count"]
)
EVENTS_PUBLISHED = Counter("laurel_events_published_total", "Events that Kafka has acknowledged.", ["topic"])
EVENTS_PUBLISH_FAILURES = Counter(
    "laurel_events_publish_failures_total", "Rounds of the relay that Kafka did not take; they are run again."
)
EVENTS_LAG_SECONDS = Gauge(
    "laurel_events_lag_seconds",
    "Age of the oldest batch that a reader of the outbox has not read.",
    ["reader"],
)
EVENTS_LAG_BATCHES = Gauge(
    "laurel_events_lag_batches", "Batches that a reader of the outbox has not read, at most.", ["reader"]
)
EVENTS_SET_ASIDE = Counter(
    "laurel_events_set_aside_total", "Events that a reader could not handle and has put aside.", ["reader"]
)
EVENTS_CONSUMED = Counter(
    "laurel_events_consumed_total", "Events that a consumer of Laurel has dealt with.", ["consumer"]
)
CONSUMER_LAG = Gauge(
    "laurel_consumer_lag_records",
    "Records of Kafka that wait for this server as a member of a consumer group.",
    ["group"],
)
NOTIFICATIONS_MADE = Counter("laurel_notifications_made_total", "Notifications that users are to be told.")
NOTIFICATIONS_SENT = Counter(
    "laurel_notifications_sent_total",
    "Attempts to send notifications, by how they ended: sent, failed, given_up.",
    ["outcome"],
)
EVENTS_OUTBOX_BYTES = Gauge(
    "laurel_events_outbox_bytes",
    "Rows of the outbox with their index entries, in bytes: what LAUREL_EVENTS_RETENTION_BYTES bounds.",
)
EVENTS_OUTBOX_DISK_BYTES = Gauge(
    "laurel_events_outbox_disk_bytes",
    "Files of the outbox, in bytes: its rows, and room that removed ones have left for those to come.",
)
EVENTS_TRIMMED = Counter("laurel_events_trimmed_total", "Rows of the outbox removed by age, number or size.")
EVENTS_LOST = Counter(
    "laurel_events_lost_total",
    "Rows of the outbox removed by age, number or size before some reader had read them.",
)
CHAIN_SEALED = Gauge("laurel_chain_sealed_batch", "Number of the last batch of the ledger that is sealed.")
