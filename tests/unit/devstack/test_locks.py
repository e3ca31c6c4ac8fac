import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest

from laurel_server.devstack import locks
from laurel_server.devstack.errors import DevstackError


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def hold(lock: Path, command: str) -> subprocess.Popen[bytes]:
    """Start a shell that inherits the lock, and return when it has come to `echo`."""
    descriptor = asyncio.run(locks.claim(lock, 0))
    shell = subprocess.Popen(["sh", "-c", command], pass_fds=[descriptor], stdout=subprocess.PIPE)
    os.close(descriptor)
    assert shell.stdout is not None
    with shell.stdout as output:
        output.readline()
    return shell


def test_a_lock_is_held_by_whoever_inherits_it(lock: Path) -> None:
    holder = hold(lock, "echo; exec sleep 60")
    assert locks.holders(lock) == {holder.pid}
    assert locks.is_held(lock)
    holder.kill()
    holder.wait()
    assert not locks.is_held(lock)


def test_a_reader_of_the_file_does_not_hold_it(lock: Path) -> None:
    os.close(asyncio.run(locks.claim(lock, 0)))
    with lock.open() as file, subprocess.Popen(["sleep", "60"], stdin=file) as reader:
        assert locks.holders(lock) == set()
        assert not locks.is_held(lock)
        reader.kill()


def test_a_claim_waits_for_a_holder_that_ends(lock: Path) -> None:
    holder = hold(lock, "echo; sleep 0.1")
    os.close(asyncio.run(locks.claim(lock, 60)))
    assert holder.wait() == 0


def test_a_claim_kills_a_holder_after_its_grace(lock: Path) -> None:
    holder = hold(lock, "trap '' TERM INT; echo; exec sleep 60")
    started = time.monotonic()
    os.close(asyncio.run(locks.claim(lock, 0.05)))
    assert holder.wait() == -9
    assert time.monotonic() - started < 30


def test_a_claim_finds_children_of_a_dead_holder(lock: Path) -> None:
    holder = hold(lock, "sleep 60 & echo; wait")
    holder.kill()
    holder.wait()
    assert len(locks.holders(lock)) == 1
    os.close(asyncio.run(locks.claim(lock, 0.05)))
    assert locks.holders(lock) == set()


def test_there_is_one_owner(lock: Path) -> None:
    with (
        locks.sole_owner(lock, Path("/data")),
        pytest.raises(DevstackError, match=rf"/data is in use .*\(process {os.getpid()}\).*LAUREL_DATA_DIR"),
        locks.sole_owner(lock, Path("/data")),
    ):
        pass
    with locks.sole_owner(lock, Path("/data")):
        assert lock.read_text() == str(os.getpid())
