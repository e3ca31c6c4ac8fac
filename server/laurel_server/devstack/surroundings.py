"""What the engines see of the outside."""

import os
from pathlib import Path
from typing import Final

# struct sockaddr_un holds 108 bytes; some clients need a few of them for themselves.
_SOCKET_PATH_BYTES: Final = 100
_INHERITED = ("LD_LIBRARY_PATH", "PATH")


def engine_environment() -> dict[str, str]:
    """Returns the environment of an engine; the person's own (PGPORT, LC_ALL...) must not change what it does."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {"LC_ALL": "C", "TZ": "UTC"}


def fits_socket(path: Path) -> bool:
    """Tells whether clients can name a Unix socket at this path; in a DSN a comma separates servers."""
    return len(os.fsencode(path)) < _SOCKET_PATH_BYTES and "," not in str(path)
