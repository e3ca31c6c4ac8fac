"""Where notifications go: a log, a webhook, the topic `notifications.send`."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

import orjson
import structlog
import urllib3
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.events.v1.notifications_pb2 import NotificationsSend
from laurel_server.domain.notifications import Notification
from laurel_server.events.kafka import AWAY, KafkaProducer
from laurel_server.events.topics import NOTIFICATIONS_SEND, Record

log = structlog.get_logger()

SIGNATURE: Final = "Laurel-Signature"
ID: Final = "Laurel-Notification-Id"
SIDE_BY_SIDE: Final = 8
"""Posts that wait for the webhook at a time."""

_OK: Final = range(200, 300)
_TOO_LARGE: Final = 413
_ANSWER_BYTES: Final = 64 << 10
"""Answers are of no interest beyond their status; the connection of a longer one is closed."""

_AWAY: Final = (urllib3.exceptions.HTTPError, OSError, ValueError)
"""What a post raises while the address is away, or is none."""


class Refusal(NamedTuple):
    """Why a sink did not take a notification. `for_good`: it never will."""

    error: str
    for_good: bool = False


class Sink(Protocol):
    """Takes notifications. `name` says in the ledger what it has taken: it has no comma, and stays."""

    name: str

    async def send(self, notifications: Sequence[Notification]) -> Sequence[Refusal | None]:
        """Hand some over, and return of each why it was not taken; the same ones may come again."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class LogSink:
    """Writes notifications to the log, where nothing else takes them."""

    name = "log"

    async def send(self, notifications: Sequence[Notification]) -> Sequence[Refusal | None]:
        """Write a line for each."""
        for notification in notifications:
            log.info(
                "notification",
                notification_id=notification.id,
                user_id=notification.user_id,
                kind=notification.kind.value,
                message=notification.message,
            )
        return [None] * len(notifications)

    async def close(self) -> None:
        """Nothing is open."""


class WebhookSink:
    """Posts notifications as JSON to an address, signed: see `signature`. Answers from 200 to 299 take one."""

    name = "webhook"

    def __init__(self, url: str, secret: bytes, timeout: float) -> None:
        self._url = url
        self._secret = secret
        self._timeout = timeout
        self._http = urllib3.PoolManager(maxsize=SIDE_BY_SIDE, retries=False, timeout=timeout)
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, "webhook")  # while it hangs others have theirs

    async def send(self, notifications: Sequence[Notification]) -> Sequence[Refusal | None]:
        """Post each, some side by side. What one of them meets is its own."""
        run = asyncio.get_running_loop().run_in_executor
        posts = [run(self._threads, self._post, notification) for notification in notifications]
        return [_refusal(answer) for answer in await asyncio.gather(*posts, return_exceptions=True)]

    def _post(self, notification: Notification) -> int:
        """Return the status of the answer."""
        body = json_of(notification)
        headers = {
            "Content-Type": "application/json",
            ID: notification.id,
            SIGNATURE: signature(self._secret, int(time.time()), body),
        }
        answer = self._http.request(
            "POST", self._url, body=body, headers=headers, redirect=False, preload_content=False
        )
        _read(answer, time.monotonic() + self._timeout)
        return answer.status

    async def close(self) -> None:
        """Close connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._http.clear()


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> None:
    """Read an answer, so that its connection can be used again, unless it is long, or endless."""
    left = _ANSWER_BYTES
    with suppress(*_AWAY):
        while left > 0 and time.monotonic() < deadline:
            some = answer.read1(left)
            if not some:
                answer.release_conn()
                return
            left -= len(some)
    answer.close()


def _refusal(answer: int | BaseException) -> Refusal | None:
    """Return why the webhook did not take what it answered, with a status or not at all."""
    if isinstance(answer, BaseException):
        if not isinstance(answer, _AWAY):
            log.error("notifications.failed", sink=WebhookSink.name, exc_info=answer)
        return Refusal(f"webhook: {type(answer).__name__}")
    if answer in _OK:
        return None
    return Refusal(f"webhook: status {answer}", for_good=answer == _TOO_LARGE)


class KafkaSink:
    """Publishes notifications to their topic. `patience` (seconds) bounds the wait for all of it."""

    name = "kafka"

    def __init__(self, producer: KafkaProducer, patience: float) -> None:
        self._producer = producer
        self._patience = patience

    async def send(self, notifications: Sequence[Notification]) -> Sequence[Refusal | None]:
        """Publish all of them together; while Kafka is away the other sinks need not wait for it."""
        records = [_record(notification) for notification in notifications]
        try:
            async with asyncio.timeout(self._patience):
                refused = await self._producer.publish(records)
        except AWAY as away:  # TimeoutError is one of them
            await self._producer.close()
            return [Refusal(f"Kafka: {type(away).__name__}")] * len(notifications)
        too_large = {record.id for record in refused}
        return [
            Refusal("Kafka: too large", for_good=True) if notification.id in too_large else None
            for notification in notifications
        ]

    async def close(self) -> None:
        """Close the connection."""
        await self._producer.close()


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """Return `t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY`, so that nobody can forge it or send it again later."""
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def json_of(notification: Notification) -> bytes:
    """Return what a webhook gets."""
    return orjson.dumps(
        {
            "notification_id": notification.id,
            "user_id": notification.user_id,
            "kind": notification.kind.value,
            "message": notification.message,
            "data": notification.data,
            "created_at": notification.created_at,
        }
    )


def _record(notification: Notification) -> Record:
    created_at = Timestamp()
    created_at.FromDatetime(notification.created_at)
    message = NotificationsSend(
        event_id=notification.id,
        user_id=notification.user_id,
        kind=notification.kind.value,
        message=notification.message,
        data=notification.data,
        created_at=created_at,
    )
    moment = notification.created_at.isoformat()
    return Record(
        NOTIFICATIONS_SEND, notification.id, notification.user_id, moment, message.SerializeToString()
    )
