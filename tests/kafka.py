"""A real Kafka broker for tests, by `./scripts/kafka`."""

import json
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

ROOT = Path(__file__).parents[1]


def why_no_broker() -> str:
    """Return why tests that need a broker are skipped here, or nothing."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            return f"Apache Kafka needs {program}, which is not on PATH"
    if not list((ROOT / ".tools").glob("kafka-*/kafka-server-*.jar")):
        return "Apache Kafka is not here; ./scripts/kafka --fetch gets it"
    return ""


_BATCH: Final = struct.Struct(">qiibIhiqqqhii")
"""The head of a batch of records: base offset, length of what follows, ..., and at last how many records there are."""

_LENGTH_ENDS: Final = 12


class Batch(NamedTuple):
    """What a producer has sent at once, as the broker keeps it; `size` in bytes."""

    producer_id: int
    producer_epoch: int
    base_sequence: int
    size: int


class Broker:
    """A broker that runs within a `with` block; with a port of its own its data stays in `directory`."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._directory = directory
        self._port = port

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "LAUREL_KAFKA_PORT": str(self._port),
            "LAUREL_DATA_DIR": str(self._directory),
        }
        with (self._directory / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(
                [ROOT / "scripts" / "kafka"], env=environment, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self._directory / "kafka.log").read_text()
        ready = json.loads(line)
        assert ready["ready"] is True
        self.bootstrap: str = ready["bootstrap"]
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def batches(self, topic: str) -> list[Batch]:
        """Return what is in the log of a topic, partition by partition, of a broker with a port of its own."""
        logs = (self._directory / f"kafka-{self._port}" / "log").glob(f"{topic}-*/*.log")
        return [batch for log in sorted(logs) for batch in _batches(log.read_bytes())]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the script, and wait for its end after SIGKILL."""
        self._process.send_signal(number)
        if number is signal.SIGKILL:
            self.stop()

    def stop(self) -> int:
        """Stop it the way it likes best and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code


def _batches(log: bytes) -> Iterator[Batch]:
    begin = 0
    while begin < len(log):
        _, length, *_, producer_id, epoch, sequence, _ = _BATCH.unpack_from(log, begin)
        size = _LENGTH_ENDS + length
        yield Batch(producer_id, epoch, sequence, size)
        begin += size
