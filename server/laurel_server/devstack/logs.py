"""The log files of the children: bounded, and shown when something does not start."""

import os
from pathlib import Path
from typing import Final

LIMIT_BYTES: Final = 16 << 20
_TAIL_BYTES = 64 << 10


def open_log(path: Path) -> int:
    """Returns a descriptor to append to the file, for a child to inherit; only its owner can read it."""
    bound(path)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def bound(path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
    """Moves the file's content to `NAME.log.1` once it is longer than the limit.

    Writers append, so the file can be emptied below them; what they write in that instant may be lost.
    """
    if not path.exists() or path.stat().st_size <= limit_bytes:
        return
    old = path.with_name(f"{path.name}.1")
    old.unlink(missing_ok=True)
    with path.open("rb+") as log, os.fdopen(os.open(old, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as copy:
        log.seek(-limit_bytes, os.SEEK_END)
        copy.write(log.read())
        log.truncate(0)


def size(path: Path) -> int:
    """Returns the length of the file, 0 if there is none: where the next line will begin."""
    return path.stat().st_size if path.exists() else 0


def tail(path: Path, start: int = 0, lines: int = 15) -> str:
    """Returns the last lines that were written after the offset `start`, indented."""
    with path.open("rb") as log:
        log.seek(max(start, size(path) - _TAIL_BYTES))
        text = log.read().decode("utf-8", "replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
