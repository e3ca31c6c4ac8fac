"""As whom an engine runs. PostgreSQL refuses to run as root, and needs an account that has a name."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Final

import msgspec

from laurel_server.devstack import exec_child
from laurel_server.devstack.errors import DevstackError

# In order of choice; `nobody` exists nearly everywhere.
_ACCOUNTS: Final = ("laurel", "nobody")
# See capabilities(7). The first lets a process search and read everything, the second also write; containers
# often have only the second.
_CAP_DAC_READ_SEARCH: Final = 2
_CAP_DAC_OVERRIDE: Final = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """An account to run as (None = the present one), and what helps it to get to its files."""

    account: tuple[int, int] | None = None
    """User and group id."""

    capability: int | None = None
    """The one that is kept, so as to get to programs or data below a closed directory such as root's home."""

    namespace: bool = False
    """Appear as the account in a user namespace, without being it."""

    def __str__(self) -> str:
        if self.account is None:
            return "as the present account"
        name = pwd.getpwuid(self.account[0]).pw_name
        return f"in a user namespace as {name}" if self.namespace else f"as {name}"

    @property
    def owner(self) -> tuple[int, int]:
        """User and group id that must own the engine's files."""
        if self.account is None or self.namespace:
            return os.geteuid(), os.getegid()
        return self.account

    def wrap(
        self,
        command: Sequence[str | Path],
        death_signal: Signals = Signals.SIGKILL,
        reach: Sequence[Path] = (),
    ) -> list[str]:
        """Returns the command line that runs `command` as this identity, no longer than this process lives."""
        spec = {
            "parent": os.getpid(),
            "signal": int(death_signal),
            "account": self.account,
            "capability": self.capability,
            "namespace": self.namespace,
            "reach": [str(directory) for directory in reach],
        }
        python = [sys.executable, "-I", "-S", exec_child.__file__]
        return [*python, msgspec.json.encode(spec).decode(), *map(str, command)]


def choose_identity(program: Path, directory: Path) -> Identity:
    """Returns the least powerful identity that can run `program` and work in `directory`, an engine's own.

    Raises DevstackError if there is none.
    """
    reasons = []
    for identity in _candidates(directory):
        if identity == Identity():
            return identity
        trial = subprocess.run(
            identity.wrap([program, "--version"], reach=[directory.parent]),
            capture_output=True,
            text=True,
            check=False,
        )
        if trial.returncode == 0:
            return identity
        reasons.append(trial.stderr.strip().rpartition("\n")[2])
    raise DevstackError(
        f"no unprivileged account can run {program} on {directory} ({'; '.join(dict.fromkeys(reasons))}). "
        "Run as an ordinary user, move both to where other accounts may go, or use engines of your own: "
        "LAUREL_PG_DSN, LAUREL_REDIS_URL"
    )


def _candidates(directory: Path) -> Iterator[Identity]:
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        yield Identity()
        return
    account = _account_for(directory)
    if os.geteuid() == 0:
        yield Identity(account)
        yield Identity(account, capability=_CAP_DAC_READ_SEARCH)
        yield Identity(account, capability=_CAP_DAC_OVERRIDE)
    yield Identity(account, namespace=True)


def _account_for(directory: Path) -> tuple[int, int]:
    """Returns the account that owns the engine's files already, or else the first that exists."""
    if directory.exists() and (owner := directory.stat().st_uid) != 0 and _has_name(owner):
        return owner, pwd.getpwuid(owner).pw_gid
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise DevstackError(
        f"none of the accounts {', '.join(_ACCOUNTS)} exists, and PostgreSQL cannot run as root; make one"
    )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
