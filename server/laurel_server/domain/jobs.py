"""Jobs as operators see them: what runs by itself, and how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple


class JobState(IntEnum):
    """How far a run has come; the numbers are those of the contract."""

    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job. Times are of the business clock; `counts` says what was done, by name."""

    run_id: int
    job: str
    state: JobState
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    error: str


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job, when it is due next (business clock, at or before now: it is about to run) and its last runs.

    `schedule` is in the form of cron: minute, hour, day of month, month, day of week, by the program's time zone.
    """

    job: str
    description: str
    schedule: str
    next_run_at: datetime
    last_run: JobRun | None


class RunRequest(NamedTuple):
    """An operator's wish to run a job: the idempotency key, the digest of the request, and its `request_id`."""

    key: bytes
    request_hash: bytes
    request_id: str
