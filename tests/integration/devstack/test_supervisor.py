"""What the supervisor does with processes that live, die and hang; small shells here."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from laurel_server.devstack import supervisor as supervision
from laurel_server.devstack.datadir import open_data_dir
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.reaper import Reaper
from laurel_server.devstack.service import Launch, StopStep
from laurel_server.devstack.supervisor import Supervisor

SERVE = "touch ready; exec sleep 60"


@dataclass
class Shell:
    """A service that is ready when its script has made the file `ready`."""

    directory: Path
    script: str = SERVE
    name: str = "shell"
    ready_seconds: float = 60
    leftover_seconds: float = 0.1
    stop_steps: tuple[StopStep, ...] = (StopStep(signal.SIGTERM, 60), StopStep(signal.SIGKILL, 60))
    starts: list[float] = field(default_factory=list)

    async def prepare(self) -> Launch:
        (self.directory / "ready").unlink(missing_ok=True)
        self.starts.append(asyncio.get_running_loop().time())
        return Launch(["/bin/sh", "-c", self.script], dict(os.environ), signal.SIGKILL, cwd=self.directory)

    async def probe(self) -> None:
        if not (self.directory / "ready").exists():
            raise ConnectionError("no file yet")


@dataclass
class Rig:
    """A supervisor and what it has said."""

    supervisor: Supervisor
    said: list[str]
    hurry: asyncio.Event

    def pid(self) -> int:
        return self.supervisor.processes[0].pid


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    said: list[str] = []
    async with Reaper() as reaper:
        rig = Rig(Supervisor(open_data_dir(tmp_path / "data"), reaper, said.append), said, asyncio.Event())
        yield rig
        rig.hurry.set()
        await rig.supervisor.stop(rig.hurry)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - processes set no events
            await asyncio.sleep(0.005)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_start_returns_when_the_service_answers(rig: Rig, tmp_path: Path) -> None:
    await rig.supervisor.start(Shell(tmp_path))
    assert (tmp_path / "ready").exists()
    assert not is_gone(rig.pid())


@pytest.mark.parametrize("code", [0, 1])
async def test_a_process_that_ends_is_started_again(rig: Rig, tmp_path: Path, code: int) -> None:
    await rig.supervisor.start(
        Shell(tmp_path, f"trap 'exit {code}' TERM; touch ready; while :; do sleep 0.01; done")
    )
    changes: list[int] = []
    rig.supervisor.changed = lambda: changes.append(rig.pid())
    old = rig.pid()
    os.kill(old, signal.SIGTERM)
    await until(lambda: changes)
    assert changes == [rig.pid()] != [old]
    assert is_gone(old)
    assert rig.said[0] == f"shell ended (exit code {code}); starting it again"


async def test_one_that_keeps_dying_waits_longer_each_time(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "_FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(supervision, "_LAST_PAUSE_SECONDS", 0.4)
    service = Shell(tmp_path)
    await rig.supervisor.start(service)
    service.script = "exit 3"
    os.kill(rig.pid(), signal.SIGKILL)
    await until(lambda: len(service.starts) == 6)
    gaps = [later - earlier for earlier, later in zip(service.starts[1:], service.starts[2:], strict=False)]
    assert gaps[0] >= 0.1
    assert gaps[1] >= 0.2
    assert all(gap >= 0.4 for gap in gaps[2:])


async def test_a_service_is_back_when_it_stops_dying(rig: Rig, tmp_path: Path) -> None:
    service = Shell(tmp_path)
    await rig.supervisor.start(service)
    service.script = "exit 3"
    os.kill(rig.pid(), signal.SIGKILL)
    await until(lambda: any("exit code 3" in line for line in rig.said))
    service.script = SERVE
    await until(lambda: any("is back" in line for line in rig.said))
    assert not is_gone(rig.pid())


async def test_a_failed_start_shows_what_the_process_said_last(rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(
        DevstackError, match=r"(?s)shell ended \(exit code 4\) before it was ready.*because of me"
    ):
        await rig.supervisor.start(Shell(tmp_path, "echo because of me >&2; exit 4"))


async def test_a_start_that_takes_too_long_is_killed(rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match=r"not ready within 0.1 s: no file yet"):
        await rig.supervisor.start(Shell(tmp_path, "sleep 60", ready_seconds=0.1))
    assert is_gone(rig.pid())


async def test_a_wrong_password_is_not_tried_for_ever(rig: Rig, tmp_path: Path) -> None:
    class Locked(Shell):
        async def probe(self) -> None:
            raise PermissionError("no such user")

    with pytest.raises(DevstackError, match=r"secrets.json does not fit: no such user"):
        await rig.supervisor.start(Locked(tmp_path))


async def test_any_failure_of_a_probe_means_not_ready(rig: Rig, tmp_path: Path) -> None:
    class Odd(Shell):
        async def probe(self) -> None:
            if len(self.starts) == 1:
                self.starts.append(0)
                raise RuntimeError("cannot switch state")

    await rig.supervisor.start(Odd(tmp_path))


async def test_stop_is_gentle_first(rig: Rig, tmp_path: Path) -> None:
    await rig.supervisor.start(
        Shell(tmp_path, "trap 'touch gentle; exit' TERM; touch ready; while :; do sleep 0.01; done")
    )
    await rig.supervisor.stop(rig.hurry)
    assert (tmp_path / "gentle").exists()


async def test_stop_uses_force_where_it_must(rig: Rig, tmp_path: Path) -> None:
    service = Shell(tmp_path, "trap '' TERM; touch ready; while :; do sleep 0.01; done")
    service.stop_steps = (StopStep(signal.SIGTERM, 0.05), StopStep(signal.SIGKILL, 60))
    await rig.supervisor.start(service)
    await rig.supervisor.stop(rig.hurry)
    assert is_gone(rig.pid())


async def test_stop_can_be_hurried_while_it_waits(rig: Rig, tmp_path: Path) -> None:
    service = Shell(tmp_path, "trap '' TERM; touch ready; while :; do sleep 0.01; done")
    service.stop_steps = (StopStep(signal.SIGTERM, 600), StopStep(signal.SIGKILL, 60))
    await rig.supervisor.start(service)
    stopping = asyncio.create_task(rig.supervisor.stop(rig.hurry))
    await asyncio.sleep(0)
    rig.hurry.set()
    await asyncio.wait_for(stopping, 60)
    assert is_gone(rig.pid())


async def test_stop_leaves_nothing_of_a_group(rig: Rig, tmp_path: Path) -> None:
    await rig.supervisor.start(Shell(tmp_path, "setsid sleep 61 & echo $! > child; touch ready; wait"))
    child = int((tmp_path / "child").read_text())
    os.kill(rig.pid(), signal.SIGKILL)
    await until(lambda: any("is back" in line for line in rig.said))
    assert is_gone(child)
    child = int((tmp_path / "child").read_text())
    await rig.supervisor.stop(rig.hurry)
    assert is_gone(child)


async def test_a_cancelled_command_leaves_nothing(tmp_path: Path) -> None:
    async with Reaper() as reaper:
        with (tmp_path / "output").open("wb") as output:
            work = reaper.run(
                ["/bin/sh", "-c", f"sleep 62 & echo $! > {tmp_path}/child; wait"], output=output, env={}
            )
            running = asyncio.create_task(work)
            await until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    assert is_gone(int((tmp_path / "child").read_text()))
