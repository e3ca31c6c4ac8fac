"""The gateway as people use it: by curl."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_SECONDS = "60"


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        """The body of an answer in JSON."""
        assert self.headers["content-type"] == "application/json", self
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def reason(self) -> str:
        """The reason of an error of Laurel."""
        infos = [each for each in self.json["details"] if each["@type"].endswith("/google.rpc.ErrorInfo")]
        reason: str = infos[0]["reason"]
        return reason


def curl(url: str, *options: str, data: object = None) -> Answer:
    """Makes a request; `data` makes it a POST, as JSON unless it is a text."""
    body = data if data is None or isinstance(data, str) else json.dumps(data)
    sent = [] if body is None else ["--data-binary", "@-"]
    command = ["curl", "-sS", "-i", "-m", _SECONDS, "-H", "Expect:", *sent, *options, url]
    done = subprocess.run(command, input=str(body or ""), capture_output=True, text=True, check=True)
    head, _, rest = done.stdout.partition("\n\n")
    status, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Answer(int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, rest)


@contextmanager
def events(url: str, *options: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Reads the events of a stream as they come."""
    command = ["curl", "-sS", "-N", "-f", "-m", "60", *options, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield (json.loads(line[6:]) for line in process.stdout if line.startswith("data: "))
        finally:
            process.terminate()
