"""`./scripts/kafka`: a real broker that starts, keeps its data, and leaves nothing behind."""

import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.e2e.serving import eventually, is_deserted
from tests.kafka import Broker, free_port, why_no_broker

pytestmark = pytest.mark.skipif(bool(why_no_broker()), reason=why_no_broker())


async def test_a_killed_broker_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    port = free_port()
    with Broker(tmp_path, port) as broker:
        assert broker.bootstrap == f"127.0.0.1:{port}"
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as producer:
            await producer.send_and_wait("kept", b"before")
        broker.signal(signal.SIGKILL)
    eventually(lambda: is_deserted(tmp_path), "the broker dies with its script")
    with Broker(tmp_path, port) as broker:
        consumer = AIOKafkaConsumer("kept", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            assert (await consumer.getone()).value == b"before"


def test_sigterm_ends_it_and_all_of_it(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        assert broker.stop() == 0
    eventually(lambda: is_deserted(tmp_path), "its processes end")
    assert list(tmp_path.glob("kafka-*")) == [], "a free port keeps no data"
