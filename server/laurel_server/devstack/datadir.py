"""What lies where in the data directory."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from laurel_server.devstack.errors import DevstackError


class Passwords(msgspec.Struct, frozen=True):
    """The passwords of the embedded engines; made once, at random, and kept for the user alone."""

    postgres_superuser: str
    postgres: str
    redis: str


@dataclass(frozen=True, slots=True)
class DataDir:
    """An existing, writable data directory."""

    root: Path

    @property
    def run_file(self) -> Path:
        """Where everything listens, for programs that want to connect."""
        return self.root / "run.json"

    @property
    def owner_lock(self) -> Path:
        """Held by the supervisor."""
        return self.root / "serve.lock"

    def lock(self, name: str) -> Path:
        """Returns the lock that a child and all its children hold."""
        return self.root / "locks" / name

    def log(self, name: str) -> Path:
        """Returns the log file of a child."""
        return self.root / "logs" / f"{name}.log"

    def engine(self, name: str) -> Path:
        """Returns the directory of an engine, which the engine's account owns."""
        return self.root / name

    def passwords(self) -> Passwords:
        """Returns the passwords, making them at the first call."""
        file = self.root / "secrets.json"
        if not file.exists():
            made = Passwords(*(secrets.token_urlsafe(24) for _ in Passwords.__struct_fields__))
            write_private(file, msgspec.json.encode(made))
        return msgspec.json.decode(file.read_bytes(), type=Passwords)


def open_data_dir(path: Path) -> DataDir:
    """Makes the directory if it is missing; raises DevstackError if it cannot be worked in.

    A directory made here by root can be passed through by the account of the engines, but not listed.
    """
    root = path.absolute()
    try:
        root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        root = root.resolve()
        for name in ("locks", "logs"):
            (root / name).mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return DataDir(root)
    except OSError as error:
        raise DevstackError(
            f"cannot work in {root}: {error.strerror}; choose a directory with LAUREL_DATA_DIR"
        ) from error


def own_directory(directory: Path, owner: tuple[int, int]) -> None:
    """Makes a directory for its owner alone; what is in it changes hands with it."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if (directory.stat().st_uid, directory.stat().st_gid) == owner:
        return
    for parent, directories, files in os.walk(directory):
        for name in (*directories, *files):
            os.chown(Path(parent, name), *owner, follow_symlinks=False)
    os.chown(directory, *owner)  # last, so that a change that was interrupted is taken up again


def write_private(file: Path, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Replaces a file in one step by one that only its owner can read."""
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            if owner is not None:
                os.fchown(descriptor, *owner)
            stream.flush()
            os.fsync(descriptor)
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
