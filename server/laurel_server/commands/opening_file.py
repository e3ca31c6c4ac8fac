"""People and opening balances out of a CSV file with a header line."""

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.identifiers import check_user_id
from laurel_server.rewards.opening import Opening

_REQUIRED: Final = ("user_id", "points")
_COLUMNS: Final = (*_REQUIRED, "username", "email", "country", "region")
_POINTS = re.compile(r"[0-9]{1,16}")
_COUNTRY = re.compile(r"([A-Z]{2})?")
_CHUNK: Final = 1 << 20


class OpeningFileError(Exception):
    """The file does not hold what it should; the message says where."""


class OpeningFile(NamedTuple):
    """A file that was checked: how many lines it has, and the digest of its content."""

    path: Path
    lines: int
    digest: str

    def openings(self) -> Iterator[Opening]:
        """Read the lines."""
        with self.path.open(newline="", encoding="utf-8-sig") as file:
            yield from _openings(file)


def read_openings(path: Path) -> OpeningFile:
    """Check every line of a file before anything is imported. OpeningFileError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = sum(1 for _ in _openings(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise OpeningFileError(f"is no CSV file in UTF-8: {error}") from None
    return OpeningFile(path, lines, _digest(path))


def _openings(file: Iterator[str]) -> Iterator[Opening]:
    rows = csv.reader(file, strict=True)
    header = next(rows, [])
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise OpeningFileError(f"has no column {missing[0]}; it may have {', '.join(_COLUMNS)}")
    width = len(header)
    places = [header.index(name) if name in header else width for name in _COLUMNS]
    for row in rows:
        if row:
            # A column that is not there is empty.
            cells = [*row[:width], *[""] * max(1, width + 1 - len(row))]
            yield _opening(rows.line_num, *[cells[place].strip() for place in places])


def _opening(
    line: int, user_id: str, points: str, username: str, email: str, country: str, region: str
) -> Opening:
    points, country = points or "0", country.upper()
    try:
        check_user_id(user_id)
    except LaurelError as error:
        raise OpeningFileError(f"has no user_id in line {line}: it {error.message}") from None
    if not _POINTS.fullmatch(points) or int(points) > MAX_EXACT:
        raise OpeningFileError(f"has no whole number of points in line {line}: {points[:40]!r}")
    if not _COUNTRY.fullmatch(country):
        raise OpeningFileError(f"has no country of two letters in line {line}: {country[:40]!r}")
    return Opening(line, user_id, int(points), username, email, country, region)


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=12)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
