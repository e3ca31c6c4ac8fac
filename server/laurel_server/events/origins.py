"""From records back to the events they were made of: for those that Kafka will never take, which is rare."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias

from laurel_server.events.messages import mover_of, records_of, update_id
from laurel_server.events.outbox import UNREADABLE, OutboxEvent
from laurel_server.events.topics import LEADERBOARD_UPDATED

Origins: TypeAlias = dict[tuple[str, str], OutboxEvent]
"""Events by topic and id of the records that are made of them."""


def origins_of(events: Sequence[OutboxEvent]) -> Origins:
    """Return the origins of all records of these events. An entry may have several events, even of one type."""
    origins: Origins = {}
    for event in events:
        with suppress(*UNREADABLE):
            origins.update(((record.topic, record.id), event) for record in records_of(event, None))
            if mover_of(event):
                origins[LEADERBOARD_UPDATED, update_id(event)] = event
    return origins
