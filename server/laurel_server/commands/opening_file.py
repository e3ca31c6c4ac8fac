"""People and opening balances out of a CSV file with a header line."""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.identifiers import is_user_id
from laurel_server.rewards.opening import Opening

_REQUIRED: Final = ("user_id", "points")
_COLUMNS: Final = (*_REQUIRED, "username", "email", "country", "region")
_POINTS = re.compile(r"[0-9]{1,16}")
_COUNTRY = re.compile(r"([A-Z]{2})?")
_REGION = re.compile(r"[A-Za-z0-9_.-]{0,64}")
_USERNAME = re.compile(r"[^\0]{0,100}", re.DOTALL)
_EMAIL = re.compile(r"[^\0]{0,255}", re.DOTALL)
_NO_UTF_8 = re.compile("[\udc80-\udcff]")
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
    """Check every line of a file before anything is imported. OpeningFileError with the line and the column."""
    if not path.is_file():
        raise OpeningFileError("is no regular file: it is read more than once")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = sum(1 for _ in _openings(file))
    except UnicodeDecodeError:
        raise OpeningFileError(f"line {_line_not_in_utf_8(path)}: is not in UTF-8") from None
    return OpeningFile(path, lines, _digest(path))


def _openings(file: Iterator[str]) -> Iterator[Opening]:
    rows = csv.reader(file, strict=True)
    begins = 1
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_header(header)
        width = len(header)
        places = [header.index(name) if name in header else width for name in _COLUMNS]
        begins = rows.line_num + 1
        for row in rows:
            if row and len(row) != width:  # 1,000 without quotes is no 1 that something follows
                raise OpeningFileError(
                    f"line {rows.line_num}: has {len(row)} cells where the header has {width}"
                )
            if row:
                row.append("")  # what a column has that is not there
                yield _opening(rows.line_num, *[row[place].strip() for place in places])
            begins = rows.line_num + 1
    except csv.Error as error:
        raise OpeningFileError(f"line {begins}: is no CSV: {error}") from None


def _check_header(header: Sequence[str]) -> None:
    for name in _COLUMNS:
        if name in _REQUIRED and name not in header:
            raise OpeningFileError(f"has no column {name}; it may have {', '.join(_COLUMNS)}")
        if header.count(name) > 1:
            raise OpeningFileError(f"line 1: has more than one column {name}")


def _opening(
    line: int, user_id: str, points: str, username: str, email: str, country: str, region: str
) -> Opening:
    points, country = points or "0", country.upper()
    if not is_user_id(user_id):
        raise _wrong(line, "user_id", "must be 1 to 64 of A-Z a-z 0-9 _ . : @ -", user_id)
    if not _POINTS.fullmatch(points) or int(points) > MAX_EXACT:
        raise _wrong(line, "points", "must be a whole number from 0 to 2^53", points)
    if not _USERNAME.fullmatch(username):
        raise _wrong(line, "username", "must be up to 100 characters, none of them NUL", username)
    if not _EMAIL.fullmatch(email):
        raise _wrong(line, "email", "must be up to 255 characters, none of them NUL", email)
    if not _COUNTRY.fullmatch(country):
        raise _wrong(line, "country", "must be two letters or empty", country)
    if not _REGION.fullmatch(region):
        raise _wrong(line, "region", "must be up to 64 of A-Z a-z 0-9 _ . -", region)
    return Opening(line, user_id, int(points), username, email, country, region)


def _wrong(line: int, column: str, problem: str, found: str) -> OpeningFileError:
    return OpeningFileError(f"line {line}, column {column}: {problem}, not {found[:40]!r}")


def _line_not_in_utf_8(path: Path) -> int:
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        return next(number for number, line in enumerate(file, start=1) if _NO_UTF_8.search(line))


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=12)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
