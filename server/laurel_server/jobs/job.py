"""A job: what it is called, when it is due, and what it does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from laurel_server.metrics import JOB_COUNTS

Counts: TypeAlias = Mapping[str, int]
"""What a run has done, by name."""


class Progress(Protocol):
    """Tells how far a run has come: `progress(closed=2)`; shown in the metrics."""

    def __call__(self, **counts: int) -> None:
        """Set the counts so far."""
        ...


class Queue(Enum):
    """Where a job that is due waits for its turn: of each queue one runs at a time, in the order of the jobs."""

    PROMPT = "prompt"  # soon done, and waits for no other queue: what others build on
    PATIENT = "patient"  # may take an hour, and lets the prompt ones go first
    CALM = "calm"  # may take a night, because it pauses all the time; lets the prompt ones go first, too
    OUTWARD = "outward"  # waits for other systems, which must hold up nothing here


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `schedule` has the five fields of cron, by the program's time zone; days of the week by name (`mon`)."""

    name: str
    description: str
    schedule: str
    run: Callable[[Progress], Awaitable[Counts]]
    queue: Queue = Queue.PATIENT
    begins_on_time: bool = False
    """Whether a new ledger waits for the first moment of the schedule; otherwise what never ran is due at once."""


def progress_of(job: str) -> Progress:
    """Return what a run of the job tells its progress to."""

    def progress(**counts: int) -> None:
        for name, count in counts.items():
            JOB_COUNTS.labels(job, name).set(count)

    return progress
