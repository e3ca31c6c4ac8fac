"""The clients in Go and TypeScript: their own tests, with a real server."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.serving import Serve
from tests.e2e.typescript_site import needs_node_modules

CLIENTS = Path(__file__).parents[2] / "clients"

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="there is no go on PATH")


def run_tests(client: str, command: Sequence[str], serve: Serve) -> str:
    """Runs the tests of a client in its folder; the server they call is `serve`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    done = subprocess.run(
        command,
        cwd=CLIENTS / client,
        env={**inherited, "LAUREL_ADDRESS": serve.run["grpc"], "LAUREL_GATEWAY": serve.run["http"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_go
@pytest.mark.timeout(600)
def test_the_go_client(laurel: Serve) -> None:
    said = run_tests("go", ["go", "test", "-count=1", "-v", "./laurelclient/"], laurel)
    assert "SKIP" not in said
    assert "--- PASS: TestAWatchTellsOfEveryAward" in said


@needs_go
@pytest.mark.timeout(600)
def test_the_go_example_awards_and_watches(laurel: Serve) -> None:
    arguments = ["-address", laurel.run["grpc"], "-user", "gopher", "-action", "REVIEW"]
    said = run_tests("go", ["go", "run", "./examples/awardandwatch", *arguments], laurel)
    awarded, watched = said.splitlines()
    assert awarded.startswith("gopher gets 20 points")
    assert watched.startswith("rank ")


@needs_go
def test_the_go_client_is_formatted() -> None:
    done = subprocess.run(
        ["gofmt", "-l", "."], cwd=CLIENTS / "go", capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


@needs_node_modules
@pytest.mark.timeout(600)
def test_the_typescript_client(laurel: Serve) -> None:
    said = run_tests("typescript", ["npm", "test", "--silent"], laurel)
    for protocol in ("gRPC", "gRPC-Web"):
        assert f"{protocol}: a watch of a board follows its leader\n" in said, "it was skipped"
    assert "# fail 0" in said
