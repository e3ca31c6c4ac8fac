"""Where notifications go: a log, a webhook, the topic `notifications.send`."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import Final, Protocol

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
_OK: Final = range(200, 300)


class NotSent(Exception):
    """A sink did not take a notification; it may be tried again."""


class Sink(Protocol):
    """Takes notifications."""

    async def send(self, notification: Notification) -> None:
        """Hand one over; the same one may come again. NotSent."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class LogSink:
    """Writes notifications to the log, where nothing else takes them."""

    async def send(self, notification: Notification) -> None:
        """Write one line."""
        log.info(
            "notification",
            notification_id=notification.id,
            user_id=notification.user_id,
            kind=notification.kind.value,
            message=notification.message,
        )

    async def close(self) -> None:
        """Nothing is open."""


class WebhookSink:
    """Posts notifications as JSON to an address, signed: see `signature`. Answers from 200 to 299 take one."""

    def __init__(self, url: str, secret: bytes, timeout: float) -> None:
        self._url = url
        self._secret = secret
        self._http = urllib3.PoolManager(maxsize=8, retries=False, timeout=timeout)

    async def send(self, notification: Notification) -> None:
        """Post one."""
        try:
            status = await asyncio.to_thread(self._post, notification)
        except urllib3.exceptions.HTTPError as error:
            raise NotSent(f"webhook: {type(error).__name__}") from error
        if status not in _OK:
            raise NotSent(f"webhook: status {status}")

    def _post(self, notification: Notification) -> int:
        body = json_of(notification)
        headers = {
            "Content-Type": "application/json",
            ID: notification.id,
            SIGNATURE: signature(self._secret, int(time.time()), body),
        }
        return self._http.request("POST", self._url, body=body, headers=headers, redirect=False).status

    async def close(self) -> None:
        """Close connections."""
        self._http.clear()


class KafkaSink:
    """Publishes notifications to their topic."""

    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer

    async def send(self, notification: Notification) -> None:
        """Publish one."""
        try:
            refused = await self._producer.publish([_record(notification)])
        except AWAY as away:
            raise NotSent(f"Kafka: {type(away).__name__}") from away
        if refused:
            raise NotSent("Kafka: too large")

    async def close(self) -> None:
        """Close the connection."""
        await self._producer.close()


class AllSinks:
    """Hands each notification to every sink; it counts as taken when all took it."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    async def send(self, notification: Notification) -> None:
        """Hand one to all."""
        for sink in self._sinks:
            await sink.send(notification)

    async def close(self) -> None:
        """Close all."""
        for sink in self._sinks:
            await sink.close()


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
