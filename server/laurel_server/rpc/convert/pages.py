"""Pages of a board, serialized: kept and sent as they are, whoever asks."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardResponse
from laurel_server.domain.views import Line, Page
from laurel_server.rpc.convert.boards import write_board, write_line
from laurel_server.rpc.convert.times import write_moment
from laurel_server.rpc.paging import MAX_PAGE_BYTES
from laurel_server.rpc.wire import length_delimited, true_flag

_ENTRIES = GetLeaderboardResponse.ENTRIES_FIELD_NUMBER
_USER_ENTRY = GetLeaderboardResponse.USER_ENTRY_FIELD_NUMBER
_IS_CURRENT_USER = true_flag(LeaderboardEntry.IS_CURRENT_USER_FIELD_NUMBER)


class _Span(NamedTuple):
    """Where an entry lies in the body: the whole field, and its content."""

    start: int
    content: int
    end: int


@dataclass(frozen=True, slots=True)
class SerializedPage:
    """A GetLeaderboardResponse for nobody in particular; other forms of it are spliced, not parsed."""

    body: bytes
    seconds_left: float
    """From its reading to the end of its period: 0 where that was over, infinite where it never is."""

    _spans: dict[str, _Span]

    def lists(self, user_id: str) -> bool:
        """Whether the user is on the page."""
        return user_id in self._spans

    def seen_by(self, user_id: str) -> bytes:
        """Return the page for a user who is on it: marked in the list, and repeated as `user_entry`."""
        start, content, end = self._spans[user_id]
        own = self.body[content:end] + _IS_CURRENT_USER
        listed = length_delimited(_ENTRIES, own)
        return self.body[:start] + listed + self.body[end:] + length_delimited(_USER_ENTRY, own)

    def with_user_entry(self, line: Line) -> bytes:
        """Return the page for a user who is not on it but on the board."""
        return self.body + length_delimited(_USER_ENTRY, _serialized(line) + _IS_CURRENT_USER)


def serialize_page(page: Page, token_after: Callable[[str], str]) -> SerializedPage:
    """Return the page; `token_after` makes the token of the next one by the mark of the last line.

    A page that would outgrow a message ends early.
    """
    spans: dict[str, _Span] = {}
    fields: list[bytes] = []
    size = 0
    for line in page.lines:
        content = _serialized(line)
        field = length_delimited(_ENTRIES, content)
        spans[line.user_id] = _Span(size, size + len(field) - len(content), size + len(field))
        fields.append(field)
        size += len(field)
        if size >= MAX_PAGE_BYTES:
            break
    has_more = page.has_more or len(fields) < len(page.lines)
    rest = _without_entries(page, token_after(page.marks[len(fields) - 1]) if fields and has_more else "")
    return SerializedPage(b"".join((*fields, rest)), _seconds_left(page), spans)


def _seconds_left(page: Page) -> float:
    ends_at = page.board.period.ends_at
    return inf if ends_at is None else max(0.0, (ends_at - page.read_at).total_seconds())


def _without_entries(page: Page, next_page_token: str) -> bytes:
    response = GetLeaderboardResponse(total_participants=page.total, next_page_token=next_page_token)
    write_moment(response.last_updated, page.read_at)
    write_moment(response.starts_at, page.board.period.starts_at)
    write_moment(response.ends_at, page.board.period.ends_at)
    write_board(response.board, page.board.key)
    return response.SerializeToString()


def _serialized(line: Line) -> bytes:
    entry = LeaderboardEntry()
    write_line(entry, line)
    return entry.SerializeToString()
