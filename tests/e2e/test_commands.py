"""The commands beside `serve`, as a person runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from laurel_server import __version__
from laurel_server.postgres import schema
from tests.e2e.serving import Serve


def laurel_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    command = [sys.executable, "-m", "laurel_server.cli", *arguments]
    return subprocess.run(
        command, env={**inherited, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def test_version() -> None:
    done = laurel_command("version")
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")
    assert json.loads(laurel_command("version", "--json").stdout) == {"version": __version__}


def test_help_lists_every_command() -> None:
    done = laurel_command("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("serve", "migrate", "doctor", "award", "watch", "version"))


def test_an_unknown_command_is_refused() -> None:
    done = laurel_command("serv")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_doctor_is_content_with_what_runs(laurel: Serve) -> None:
    address = dict(
        zip(
            ("LAUREL_GRPC_PORT", "LAUREL_HTTP_PORT"),
            map(port_of, (laurel.run["grpc"], laurel.run["http"])),
            strict=True,
        )
    )
    done = laurel_command("doctor", "--json", LAUREL_DATA_DIR=str(laurel.data_dir), **address)
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (0, True)
    found = {finding["subject"]: finding["detail"] for finding in report["findings"]}
    assert found["schema"] == f"the ledger is at {schema.head()}"
    assert "is used by the `laurel serve` of this data directory" in found["ports"]
    assert "clock" in found


def test_doctor_ends_with_1_when_something_is_wrong() -> None:
    done = laurel_command("doctor", LAUREL_GRPC_PORT="70000")
    assert done.returncode == 1
    assert "FAIL  settings     LAUREL_GRPC_PORT" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_migrate_finds_the_ledger_that_runs(laurel: Serve, arguments: tuple[str, ...]) -> None:
    done = laurel_command("migrate", *arguments, LAUREL_DATA_DIR=str(laurel.data_dir))
    assert done.returncode == 0
    assert schema.head() in done.stdout
    as_json = laurel_command("migrate", *arguments, "--json", LAUREL_DATA_DIR=str(laurel.data_dir))
    assert json.loads(as_json.stdout) == {"before": schema.head(), "after": schema.head()}


def test_import_counts_what_is_new_once(laurel: Serve, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("user_id,points,country\nimported-1,10,GB\nimported-2,20,US\n")
    for new in (2, 0):
        done = laurel_command("import", str(file), "--json", LAUREL_DATA_DIR=str(laurel.data_dir))
        counted = json.loads(done.stdout)
        assert (counted["lines"], counted["people"], counted["balances"]) == (2, new, new)
    assert "0 people and 0 balances are new" in (
        laurel_command("import", str(file), LAUREL_DATA_DIR=str(laurel.data_dir)).stdout
    )


def test_migrate_without_a_ledger_says_what_to_do(tmp_path: Path) -> None:
    done = laurel_command("migrate", LAUREL_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("laurel: no ledger: set LAUREL_PG_DSN")


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_migrate_tells_of_a_ledger_that_does_not_answer(arguments: tuple[str, ...]) -> None:
    done = laurel_command(
        "migrate", *arguments, LAUREL_PG_DSN="postgresql://laurel:secret@127.0.0.1:1/ledger"
    )
    assert done.returncode == 1
    assert done.stderr.startswith("laurel: the database does not answer")
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["verify", "import"])
@pytest.mark.parametrize(
    ("address", "code", "told"),
    [
        ("postgresql://laurel:secret@127.0.0.1:1/ledger", 3, "the database does not answer"),
        ("postgresql://laurel:secret", 1, "the DSN is not the address of a PostgreSQL"),
    ],
)
def test_what_works_on_a_ledger_tells_of_one_that_is_not_there(
    tmp_path: Path, command: str, address: str, code: int, told: str
) -> None:
    done = on_ledger(tmp_path, command, address)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["verify", "import"])
def test_what_works_on_a_ledger_asks_for_its_schema(laurel: Serve, tmp_path: Path, command: str) -> None:
    empty = urlsplit(laurel.run["pg_dsn"])._replace(path="/postgres").geturl()
    done = on_ledger(tmp_path, command, empty)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("laurel: the schema is at nothing")


def on_ledger(directory: Path, command: str, address: str) -> subprocess.CompletedProcess[str]:
    (directory / "people.csv").write_text("user_id,points\nimported-3,10\n")
    arguments = [str(directory / "people.csv")] if command == "import" else []
    return laurel_command(
        command, *arguments, LAUREL_PG_DSN=address, LAUREL_REDIS_URL="redis://127.0.0.1:1/0"
    )


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


def test_gateway_prints_the_configuration_for_an_envoy_elsewhere() -> None:
    done = laurel_command("gateway", "--server", "laurel-1:50051", "--server", "[::1]:50052")
    assert done.returncode == 0
    assert '"address": "laurel-1", "port_value": 50051' in done.stdout
    assert '"address": "::1", "port_value": 50052' in done.stdout
    assert laurel_command("gateway", "--server", "nowhere").returncode == 2
