"""The commands of the how-to pages, as they stand there, on a fresh service."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from laurel_server.devstack.binaries import find_envoy
from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl
from tests.e2e.serving import SERVE, Serve, eventually
from tests.e2e.test_readme import find_grpcurl
from tests.kafka import Broker, why_no_broker
from tests.ports import free_port

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
COMMAND = re.compile(r"^\$ (.*?)(?=^\$ |^\{|\Z)", re.MULTILINE | re.DOTALL)
LAUREL = f"{shlex.quote(sys.executable)} -m laurel_server.cli"


def blocks(page: str, language: str = "") -> list[str]:
    """Return the blocks of a page in a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (HOW_TO / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def calls(page: str) -> list[str]:
    """Return the calls of a page with grpcurl."""
    return [command for block in blocks(page, "console") for command in COMMAND.findall(block)]


def run(command: str, serve: Serve, *ends: int) -> str:
    """Run a command of a page with the addresses of a service, and return what it prints."""
    here = command.replace("127.0.0.1:50051", serve.run["grpc"])
    if here.startswith("grpcurl"):
        here = here.replace("grpcurl", shlex.quote(find_grpcurl()), 1)
    here = re.sub(r"^laurel\b", LAUREL, here)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", here],
        env={**os.environ, "LAUREL_DATA_DIR": str(serve.data_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, *ends}, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_boards_are_added_and_changed(start_serve: StartServe) -> None:
    serve = start_serve()
    commands = calls("boards.md")
    assert len(commands) == 4
    printed = [run(command, serve) for command in commands]
    assert '"board_id": "country-monthly"' in printed[0]
    assert '"slots": 12' in printed[1]
    assert '"rank": "1"' in printed[3]
    listed = curl(f"http://{serve.run['http']}/api/v1/admin/boards").json["boards"]
    assert {"country-monthly", "lap-times"} <= {board["boardId"] for board in listed}


def commands_of_the_terminal() -> tuple[list[str], list[str]]:
    """Return those that need nothing but Laurel, and those that need jq."""
    lines = [line.partition("   #")[0] for block in blocks("command-line.md") for line in block.splitlines()]
    return [line for line in lines if "| jq" not in line], [line for line in lines if "| jq" in line]


def test_the_commands_of_the_terminal(start_serve: StartServe) -> None:
    serve = start_serve()
    commands, _ = commands_of_the_terminal()
    assert len(commands) >= 12
    for command in commands:
        (watch if " watch " in command else run)(command, serve)


def watch(command: str, serve: Serve) -> None:
    """Run a command that goes on until Ctrl-C, up to the first that it shows."""
    watching = subprocess.Popen(
        shlex.split(re.sub(r"^laurel\b", LAUREL, command)),
        env={**os.environ, "LAUREL_DATA_DIR": str(serve.data_dir)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("global daily 20")
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=60)
        assert watching.returncode == 130
    finally:
        watching.kill()


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq on PATH")
def test_the_commands_in_scripts(start_serve: StartServe) -> None:
    serve = start_serve()
    _, (top, again) = commands_of_the_terminal()
    run("laurel award ada PURCHASE order_value=1999.00", serve)
    assert run(top, serve) == "1 ada 19\n"
    assert [run(again, serve), run(again, serve)] == ["false\n", "true\n"]


@contextmanager
def envoy(config: Path) -> Iterator[None]:
    """Run the Envoy of the wheel as one of one's own."""
    command = [str(find_envoy().path), "-c", str(config), "--use-dynamic-base-id"]
    with config.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_an_envoy_of_ones_own(start_serve: StartServe, tmp_path: Path) -> None:
    operations, port = free_port(), free_port()
    serve = start_serve(LAUREL_OPERATIONS_PORT=str(operations), LAUREL_HTTP_GATEWAY="1")
    (block,) = blocks("envoy.md", "sh")
    here = (
        block.replace(
            "--server laurel-1.internal:50051 --server laurel-2.internal:50051",
            f"--server {serve.run['grpc']}",
        )
        .replace("laurel-1.internal:9090", f"127.0.0.1:{operations}")
        .replace("/etc/laurel", str(tmp_path))
        .replace("/etc/envoy", str(tmp_path))
    )
    *commands, last = [line for line in here.replace("\\\n", "").splitlines() if line]
    assert [command.split()[:2] for command in commands] == [["laurel", "gateway"]] * 2
    for command in commands:
        run(f"LAUREL_HTTP_PORT={port} {command.replace('laurel gateway', f'{LAUREL} gateway', 1)}", serve)
    assert last == f"envoy -c {tmp_path}/envoy.yaml"

    def answers() -> bool:
        with suppress(subprocess.CalledProcessError):
            return curl(f"http://127.0.0.1:{port}/api/v1/leaderboard/global?period=weekly").status == 200
        return False

    with envoy(tmp_path / "envoy.yaml"):
        eventually(answers, "Laurel answers behind it")
        assert "<title>Laurel</title>" in curl(f"http://127.0.0.1:{port}/").body


@pytest.mark.skipif(bool(why_no_broker()), reason=why_no_broker())
def test_a_program_listens_to_events(start_serve: StartServe, tmp_path: Path) -> None:
    (program,) = blocks("events.md", "python")
    with Broker(tmp_path) as broker:
        serve = start_serve(LAUREL_KAFKA_BOOTSTRAP=broker.bootstrap)
        award = [*SERVE[:-1], "award", "ada", "REVIEW", "--address", serve.run["grpc"]]
        subprocess.run(award, check=True, capture_output=True)
        listening = subprocess.Popen(
            [sys.executable, "-u", "-c", program.replace("127.0.0.1:9092", broker.bootstrap)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert listening.stdout is not None
        heard = listening.stdout.readline().split()
        listening.kill()
        listening.communicate()
    assert heard[1:3] == ["ada", "20"]


@pytest.mark.skipif(
    find_spec("chdb") is None,
    reason="ClickHouse's library is not here; ./scripts/setup dev --analytics installs it",
)
def test_a_trend_is_asked_for(start_serve: StartServe) -> None:
    serve = start_serve(command=[*SERVE, "--analytics"])
    run("laurel award ada PURCHASE order_value=8400", serve)
    (command,) = calls("trends.md")
    recent = datetime.now(UTC) - timedelta(days=7)
    here = command.replace("2026-11-23T00:00:00Z", f"{recent:%Y-%m-%dT00:00:00Z}")
    assert '"value": 84\n' in run(here, serve)
