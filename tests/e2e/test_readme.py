"""What the README says is what happens: its calls are run in order on a fresh service and print what it shows."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.serving import Serve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ADDRESS = "127.0.0.1:50051"

CONSOLE = re.compile(
    r"^```console\n\$ (?P<command>(?:.*\n)*?.*)\n(?P<output>\{\n(?:.*\n)*?)```$", re.MULTILINE
)
PYTHON = re.compile(
    r"^```python\n(?P<program>(?:.*\n)*?)```\n\n```text\n(?P<output>(?:.*\n)*?)```$", re.MULTILINE
)

VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\b\d{17,19}\b"), "ID"),
    (re.compile(r'"\d{4}-(\d\d-\d\d|W\d\d|\d\d)"'), "PERIOD"),
    (re.compile(r'"version": "\d+"'), "VERSION"),
)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A service on an empty data directory, as the README asks for."""
    serve = Serve(tmp_path_factory.mktemp("readme") / "laurel", LAUREL_GRPC_PROCESSES="0")
    try:
        serve.wait_until_ready()
        yield serve
    finally:
        serve.discard()


def test_the_calls_with_grpcurl(fresh: Serve) -> None:
    grpcurl = find_grpcurl()
    calls = list(CONSOLE.finditer(README))
    assert len(calls) == 5
    for call in calls:
        command = call["command"].replace(ADDRESS, fresh.run["grpc"]).replace("grpcurl", f"'{grpcurl}'", 1)
        assert_prints(["bash", "-c", command], call["output"])


def test_the_calls_with_the_python_client(fresh: Serve) -> None:
    (block,) = PYTHON.finditer(README)
    program = block["program"].replace(ADDRESS, fresh.run["grpc"])
    assert_prints([sys.executable, "-c", program], block["output"])


def test_the_python_calls_print_the_same_the_second_time(fresh: Serve) -> None:
    test_the_calls_with_the_python_client(fresh)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        pytest.param("a\n...\nc\n", "a\nb\nb\nc\n", True, id="lines left out"),
        pytest.param("a\n...\nc\n", "a\nb\nd\n", False, id="another end"),
        pytest.param('"2026-W48"\n', '"2027-W01"\n', True, id="another week"),
        pytest.param('"points": "19"\n', '"points": "20"\n', False, id="another number"),
    ],
)
def test_the_comparison_sees_differences(shown: str, printed: str, *, same: bool) -> None:
    assert bool(pattern_of(shown).fullmatch(normal(printed))) is same


def find_grpcurl() -> str:
    """Returns the program of ./scripts/tools or of PATH; skips where there is none."""
    own = ROOT / ".tools" / "bin" / "grpcurl"
    found = str(own) if own.exists() else shutil.which("grpcurl")
    if found is None:
        pytest.skip("grpcurl is neither in .tools/bin (./scripts/tools builds it, with Go) nor on PATH")
    return found


def assert_prints(command: list[str], shown: str) -> None:
    """Runs the command and compares what it prints with what is shown."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert pattern_of(shown).fullmatch(normal(done.stdout)), f"shown:\n{shown}\nprinted:\n{done.stdout}"


def normal(text: str) -> str:
    """Returns the text without what differs from run to run."""
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def pattern_of(shown: str) -> re.Pattern[str]:
    """Returns what matches the shown text; a line of `...` stands for any lines."""
    lines = [
        "(?:.*\n)*?" if line.strip() == "..." else re.escape(f"{line}\n")
        for line in normal(shown).splitlines()
    ]
    return re.compile("".join(lines))
