import os
from pathlib import Path

import pytest

from laurel_server.devstack import logs


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def write(log: Path, text: str) -> None:
    descriptor = logs.open_log(log)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def test_a_log_goes_on_at_its_end(log: Path) -> None:
    write(log, "one\n")
    write(log, "two\n")
    assert log.read_text() == "one\ntwo\n"


def test_the_tail_is_of_this_run(log: Path) -> None:
    write(log, "before\n")
    start = logs.size(log)
    write(log, "".join(f"line {number}\n" for number in range(30)))
    assert logs.tail(log, start, lines=2) == "    line 28\n    line 29"
    assert "before" not in logs.tail(log, start, lines=100)


def test_the_tail_survives_bytes_that_are_no_text(log: Path) -> None:
    log.write_bytes(b"\xff\xfe\n")
    assert logs.tail(log).strip() == "\ufffd\ufffd"


def test_a_long_log_moves_aside_below_its_writer(log: Path) -> None:
    writer = logs.open_log(log)
    os.write(writer, b"a" * 90 + b"b" * 20)
    logs.bound(log, limit_bytes=100)
    os.write(writer, b"new")
    os.close(writer)
    assert log.read_text() == "new"
    assert log.with_name("server.log.1").read_text() == "a" * 80 + "b" * 20


def test_a_short_log_stays(log: Path) -> None:
    write(log, "short")
    logs.bound(log, limit_bytes=100)
    assert [entry.name for entry in log.parent.iterdir()] == ["server.log"]


def test_there_need_be_no_log(log: Path) -> None:
    logs.bound(log)
    assert logs.size(log) == 0
