"""ClickHouse as a library (chDB), served over ClickHouse's own HTTP interface, so that nobody has to care which it is.

`python -m laurel_server.analytics.embedded DIRECTORY PORT`, with the password in the environment (`PASSWORD`). It is a
process of its own because only one process may open a directory, and because a query takes memory and every core it
can get. It serves what clickhouse-connect sends: statements, parameters, and inserts in any format; one at a time.
"""

import base64
import hmac
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

USER: Final = "laurel"
DATABASE: Final = "laurel"
PASSWORD: Final = "CLICKHOUSE_PASSWORD"  # noqa: S105
"""The variable that holds the password, not the password itself."""
_FORMAT: Final = "TabSeparated"  # ClickHouse's own default over HTTP
_MAX_BODY: Final = 256 << 20
_AUTHENTICATION_FAILED: Final = 516
_UNKNOWN_DATABASE: Final = 81


class Library:
    """The engine. A setting that a statement makes would stay for all, so callers must not SET."""

    def __init__(self, directory: Path) -> None:
        from chdb.session import Session  # noqa: PLC0415 - large, and only here when it was asked for

        self._scratch = directory / "scratch"
        self._scratch.mkdir(parents=True, exist_ok=True)
        for left in self._scratch.iterdir():
            left.unlink()
        self._session = Session(str(directory / "store"))
        self._session.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        self._session.query(f"USE {DATABASE}")
        self._lock = threading.Lock()

    def run(self, statement: str, parameters: dict[str, str], body: bytes) -> bytes:
        """Run a statement and return its result in the format it asks for; a body is the data of an insert."""
        with self._lock:
            if not body:
                result = self._session.query(statement, _FORMAT, params=parameters)
                return bytes(result.bytes() or b"")
            with tempfile.NamedTemporaryFile(dir=self._scratch) as data:
                data.write(body)
                data.flush()
                head, word, form = statement.rpartition("FORMAT")
                self._session.query(f"{head}FROM INFILE '{data.name}' {word}{form}")
                return b""

    def close(self) -> None:
        """Close the directory, once the statement that runs has ended."""
        with self._lock:
            self._session.close()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    library: Library
    authorization: bytes

    def do_GET(self) -> None:
        """Answer `/ping`, and read-only statements in the address."""
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n")
        else:
            self._run()

    def do_POST(self) -> None:
        """Run a statement."""
        self._run()

    def _run(self) -> None:
        body = b"".join(self._body())
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), self.authorization):
            self._refuse(403, _AUTHENTICATION_FAILED, "Authentication failed")
            return
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if query.get("database", DATABASE) != DATABASE:
            self._refuse(404, _UNKNOWN_DATABASE, f"Database {query['database'][:64]} does not exist")
            return
        parameters = {name[6:]: value for name, value in query.items() if name.startswith("param_")}
        try:
            statement, data = _parts(query.get("query", ""), body)
            self._answer(200, self.library.run(statement, parameters, data))
        except Exception as error:  # noqa: BLE001 - whatever the engine has to say is the caller's
            text = str(error)
            found = re.match(r"Code: (\d+)\. DB::Exception: ", text)
            self._refuse(400, int(found[1]) if found else 0, text[found.end() :] if found else text)

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline(64).split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline(64)
            self.rfile.readline(64)
        else:
            yield self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MAX_BODY))

    def _refuse(self, status: int, code: int, text: str) -> None:
        """Answer as a server of ClickHouse does where it refuses."""
        body = f"Code: {code}. DB::Exception: {text}".encode()
        self._answer(status, body, ("X-ClickHouse-Exception-Code", str(code)))

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base class's
        """Say nothing: statements may hold what is nobody's business."""


def _parts(statement: str, body: bytes) -> tuple[str, bytes]:
    """Return the statement, and the data of an insert, which follows it on the next line if both are in the body."""
    if statement:
        return statement, body
    head, _, data = body.partition(b"\n") if body[:7].upper() == b"INSERT " else (body, b"", b"")
    return head.decode(), data


def main(directory: str, port: str) -> None:
    """Serve until SIGTERM."""
    credentials = f"{USER}:{os.environ[PASSWORD]}".encode()
    Handler.library = Library(Path(directory))
    Handler.authorization = b"Basic " + base64.b64encode(credentials)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.daemon_threads = True

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()
    Handler.library.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
