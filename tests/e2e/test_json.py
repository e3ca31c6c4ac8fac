"""`--json`: every command takes it, and what it prints then is JSON."""

import json
import subprocess
from pathlib import Path

import pytest

from laurel_server.cli import COMMANDS
from laurel_server.devstack.binaries import find_envoy
from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl
from tests.e2e.serving import SERVE, Serve
from tests.e2e.test_commands import laurel_command

PEOPLE = "user_id,points\njson-1,10\n"
PURCHASES = """\
invoice_no,customer_id,invoiced_at,amount,country,kind
j-1,json-2,2024-11-24T12:00:00Z,12.50,GB,PURCHASE
"""

ARGUMENTS = {
    "migrate": ["--check"],
    "doctor": [],
    "gateway": [],
    "award": ["json-3", "REVIEW"],
    "top": [],
    "rank": ["json-3"],
    "watch": ["--updates", "2"],
    "actions": [],
    "rebuild": ["global"],
    "verify": ["--scope", "chain"],
    "jobs": [],
    "bench": ["--seconds", "0.1"],
    "import": ["people.csv"],
    "replay": ["purchases.csv"],
    "version": [],
}
"""What each command is asked; `serve` does not end by itself."""

KEYS = {
    "migrate": {"before", "after"},
    "doctor": {"ok", "findings"},
    "gateway": {"static_resources"},
    "award": {"transaction", "rewards", "ranks"},
    "top": {"entries"},
    "rank": {"rank", "entries"},
    "actions": {"configs"},
    "rebuild": {"boards", "members"},
    "verify": {"ok", "checks"},
    "jobs": {"jobs"},
    "bench": set(),
    "import": {"lines", "people", "balances"},
    "replay": {"events", "awarded"},
    "version": {"version"},
}

COUNTS = {"import": {"lines": 1, "balances": 1}, "replay": {"events": 1, "awarded": 1}}


def beside(serve: Serve, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that finds the server by its data directory."""
    ports = {"LAUREL_GRPC_PORT": port_of(serve.run["grpc"]), "LAUREL_HTTP_PORT": port_of(serve.run["http"])}
    return laurel_command(*arguments, LAUREL_DATA_DIR=str(serve.data_dir), **ports)


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


@pytest.fixture(scope="module")
def awarded(laurel: Serve) -> Serve:
    """The shared server, where there is somebody to ask for who stands high."""
    assert beside(laurel, "award", "json-3", "PURCHASE", "order_value=99999999.00").returncode == 0
    return laurel


def test_every_command_is_asked_here() -> None:
    assert {*ARGUMENTS, "serve"} == set(COMMANDS)
    assert {*KEYS, "watch"} == ARGUMENTS.keys()


@pytest.mark.parametrize("command", KEYS)
def test_a_command_prints_json(awarded: Serve, tmp_path: Path, command: str) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "purchases.csv").write_text(PURCHASES)
    arguments = [str(tmp_path / each) if each.endswith(".csv") else each for each in ARGUMENTS[command]]
    done = beside(awarded, command, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.keys() >= KEYS[command]
    assert told.items() >= COUNTS.get(command, {}).items()


def test_a_watch_prints_a_line_of_json_for_each_change(awarded: Serve) -> None:
    watching = subprocess.Popen(
        [*SERVE[:-1], "watch", "--json", "--updates", "2", "--address", awarded.run["grpc"]],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    first = json.loads(watching.stdout.readline())["top"]
    assert beside(awarded, "award", "json-3", "REFERRAL").returncode == 0
    rest, _ = watching.communicate(timeout=60)
    (second,) = [json.loads(line)["top"] for line in rest.splitlines()]
    assert watching.returncode == 0
    assert "json-3" in {entry["user_id"] for entry in first["entries"]}
    assert first["entries"] != second["entries"]


@pytest.mark.parametrize("command", ["migrate", "verify", "import", "serve"])
def test_what_is_wrong_is_json_too(tmp_path: Path, command: str) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    arguments = [str(tmp_path / "people.csv")] if command == "import" else []
    done = laurel_command(
        command, *arguments, "--json", LAUREL_DATA_DIR=str(tmp_path), LAUREL_PG_DSN="nonsense"
    )
    assert done.returncode != 0
    error = json.loads(done.stdout)["error"]
    assert error["message"]
    assert done.stderr == "" or command == "serve"


def test_serve_tells_programs_what_it_tells_people(start_serve: StartServe) -> None:
    serve = start_serve(ready=False, command=(*SERVE, "--json"), LAUREL_GRPC_PROCESSES="2")
    ready = serve.wait_until_ready()
    assert ready["ready"] is True
    assert (ready["grpc"], ready["http"], ready["data"]) == (
        serve.run["grpc"],
        serve.run["http"],
        str(serve.data_dir),
    )
    assert set(ready["engines"]) == {"postgres", "redis", "clickhouse", "envoy"}
    assert ready["engines"]["clickhouse"] is None
    assert ready["engines"]["postgres"]["version"].startswith("18")
    for page in (ready["web"], ready["admin"]):
        assert curl(page).status == 200
    assert "grpcurl" not in serve.stderr, "what people are told stands in the line"
    assert serve.end() == 0


def test_envoy_takes_the_gateway_as_json(tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    config.write_text(laurel_command("gateway", "--json").stdout)
    envoy = [str(find_envoy().path), "--mode", "validate", "-c", str(config)]
    done = subprocess.run(envoy, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("award", "--json"), "USER"),
        (("top", "--jsn", "--json"), "--jsn"),
        (("serv", "--json"), "serv"),
        (
            ("gateway", "--json", "--print-descriptors"),
            "descriptors are binary; they cannot be printed as JSON",
        ),
        (("gateway", "--json", "--server", "nowhere"), "nowhere is not HOST:PORT"),
    ],
)
def test_wrong_usage_is_json_too(arguments: tuple[str, ...], said: str) -> None:
    done = laurel_command(*arguments)
    assert (done.returncode, done.stderr) == (2, "")
    assert said in json.loads(done.stdout)["error"]["message"]


def test_help_is_for_people() -> None:
    done = laurel_command("top", "--json", "--help")
    assert done.returncode == 0
    assert "Usage: laurel top" in done.stdout
