"""One HTTP/2 connection that makes calls of one gRPC method, with as little work per call as Python allows.

A call through gRPC's own Python clients costs as much processor time as the server needs to answer it, and on
a small machine that time is missing to the engines behind the server. A call from here costs a fifth of that:
the headers of requests are constant, and of an answer only the frame lengths and the status are looked at. It
knows just the part of RFC 9113 (HTTP/2) and RFC 7541 (HPACK) that a gRPC server uses towards a good client.
"""

import asyncio
from collections import deque
from struct import Struct
from typing import cast

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4

HEAD_BYTES = 9
MAX_FRAME_BYTES = 16_384
LARGEST_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535

_READ_HEAD = Struct(">HBBBI").unpack_from  # length (high, low), kind, flags, stream
_UINT32 = Struct(">I")
_SETTING = Struct(">HI")
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_HEADER_TABLE_SIZE, _INITIAL_WINDOW_SIZE = 1, 4
_LONGEST_TEXT = 126
_POST_HTTP = b"\x83\x86"
_REPEATED_FIELDS = (
    _POST_HTTP + b"\xc1\xc0\xbf\xbe"
)  # the four fields of the first call, out of the server's table


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return one HTTP/2 frame."""
    return len(payload).to_bytes(3) + bytes((kind, flags)) + _UINT32.pack(stream) + payload


class Connection(asyncio.Protocol):
    """Calls of one method. A subclass says what to do with answers.

    `call` only queues; `flush` writes, and is called here when what has arrived is worked off.
    """

    def __init__(self, path: str, authority: str) -> None:
        self._fields = _first_fields(path, authority)
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._out: list[bytes] = []
        self._held: deque[bytes] = deque()
        self._window = DEFAULT_WINDOW
        self._unreported = 0
        self._next_stream = 1

    def on_data(self, stream: int, data: bytes) -> None:
        """Take a piece of an answer."""

    def on_end(self, stream: int, status: str) -> None:
        """Take the end of a call: the number of its gRPC status as text, `reset` or `lost`."""

    def on_lost(self) -> None:
        """Take the end of the connection."""

    def call(self, request: bytes) -> int:
        """Queue a call with a serialized request and return its stream number."""
        stream = self._next_stream
        self._next_stream += 2
        self._out.append(frame(HEADERS, END_HEADERS, stream, self._fields))
        self._fields = _REPEATED_FIELDS
        self._send_data(frame(DATA, END_STREAM, stream, b"\0" + len(request).to_bytes(4) + request))
        return stream

    def flush(self) -> None:
        """Write what is queued."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def close(self) -> None:
        """Drop the connection and every call on it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the preface: no header compression in answers, and windows that never close."""
        self._transport = cast("asyncio.Transport", transport)
        settings = _SETTING.pack(_HEADER_TABLE_SIZE, 0) + _SETTING.pack(_INITIAL_WINDOW_SIZE, LARGEST_WINDOW)
        self._transport.write(
            _PREFACE + frame(SETTINGS, 0, 0, settings) + _window_update(LARGEST_WINDOW - DEFAULT_WINDOW)
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the subclass."""
        del exc
        self._transport = None
        self.on_lost()

    def data_received(self, data: bytes) -> None:
        """Work off the frames that are complete."""
        if self._rest:
            data = self._rest + data
        position, available = 0, len(data)
        while available - position >= HEAD_BYTES:
            high, low, kind, flags, stream = _READ_HEAD(data, position)
            end = position + HEAD_BYTES + (high << 8 | low)
            if end > available:
                break
            self._take(kind, flags, stream, data[position + HEAD_BYTES : end])
            position = end
        self._rest = data[position:]
        self.flush()

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == DATA:
            self._unreported += len(payload)
            if self._unreported > LARGEST_WINDOW // 2:
                self._out.append(_window_update(self._unreported))
                self._unreported = 0
            self.on_data(stream, payload)
        elif kind == HEADERS:
            if flags & END_STREAM:
                self.on_end(stream, _status(payload))
        else:
            self._control(kind, flags, stream, payload)

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind in (SETTINGS, PING) and not flags & ACK:
            self._out.append(frame(kind, ACK, 0, payload if kind == PING else b""))
        elif kind == WINDOW_UPDATE and stream == 0:
            self._window += _UINT32.unpack(payload)[0]
            while self._held and len(self._held[0]) <= self._window:
                self._send_data(self._held.popleft())
        elif kind == RST_STREAM:
            self.on_end(stream, "reset")
        elif kind == GOAWAY:
            self.close()

    def _send_data(self, data: bytes) -> None:
        """Queue a frame, unless the server has no room for it now."""
        if len(data) > MAX_FRAME_BYTES:
            raise ValueError(f"a request of {len(data)} bytes does not fit in one frame")
        if len(data) > self._window:
            self._held.append(data)
            return
        self._window -= len(data) - HEAD_BYTES
        self._out.append(data)


def _first_fields(path: str, authority: str) -> bytes:
    """Return the header fields of the first call, which the server keeps in its table for the others."""
    path_index, authority_index, content_type_index = 4, 1, 31
    return (
        _POST_HTTP
        + _kept_field(path_index, path)
        + _kept_field(authority_index, authority)
        + _kept_field(content_type_index, "application/grpc")
        + b"\x40\x02te"
        + _text("trailers")
    )


def _kept_field(name_index: int, value: str) -> bytes:
    return bytes((0x40 | name_index,)) + _text(value)


def _text(value: str) -> bytes:
    assert len(value) <= _LONGEST_TEXT, "longer ones are encoded differently"
    return bytes((len(value),)) + value.encode()


def _window_update(by: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, 0, _UINT32.pack(by))


def _status(trailers: bytes) -> str:
    if b"grpc-status\x010" in trailers:
        return "0"
    _, name, rest = trailers.partition(b"grpc-status")
    return rest[1 : 1 + rest[0]].decode(errors="replace") if name else "missing"
