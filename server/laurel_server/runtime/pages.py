"""The pages for browsers, out of `laurel_server/web`: `/` is the live board, `/admin` is for operators.

Plain files, read once at start. What they show comes through the public API, with the caller's own token, so
they need no protection of their own.
"""

from collections.abc import Iterator
from http import HTTPStatus
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from laurel_server.runtime.operations import Answer

_CONTENT_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_ENTRANCES: Final = {"/": "index.html", "/admin": "admin.html"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    # A browser asks again each time: an update shows at once, and the files are small.
    ("Cache-Control", "no-cache"),
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


def load_pages() -> dict[str, Answer]:
    """Return what each path answers."""
    folder = resources.files("laurel_server").joinpath("web")
    files = dict(_files(folder, ""))
    paths = {path: files[name] for path, name in _ENTRANCES.items()}
    return paths | {f"/web/{name}": answer for name, answer in files.items()}


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Answer]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            yield from _files(entry, f"{name}/")
        elif content_type := _CONTENT_TYPES.get(entry.name.rpartition(".")[2]):
            yield name, Answer(HTTPStatus.OK, content_type, entry.read_bytes(), _HEADERS)
