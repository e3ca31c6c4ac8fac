"""`./scripts/kafka`: a real broker that starts, keeps its data, and leaves nothing behind; and `serve` with it."""

import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from laurel.events.v1.events_pb2 import RewardsEarned
from laurel_client import Laurel
from laurel_server.events.topics import TOPICS
from tests.e2e.conftest import StartServe
from tests.e2e.serving import eventually, is_deserted
from tests.kafka import Broker, why_no_broker
from tests.ports import free_port

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


async def test_serve_makes_the_topics_and_publishes(tmp_path: Path, start_serve: StartServe) -> None:
    with Broker(tmp_path) as broker:
        serve = start_serve(LAUREL_KAFKA_BOOTSTRAP=broker.bootstrap)
        assert serve.run["kafka"] == broker.bootstrap
        consumer = AIOKafkaConsumer(
            "rewards.earned", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
        )
        async with consumer:
            assert set(TOPICS) <= await consumer.topics()
            async with Laurel(serve.run["grpc"]) as laurel:
                answer = await laurel.rewards.award_points("ada", "REVIEW", request_id="r-1")
            record = await consumer.getone()
    assert record.key == b"ada"
    assert RewardsEarned.FromString(record.value).transaction_id == answer.transaction.transaction_id


def test_serve_starts_without_its_kafka(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_KAFKA_BOOTSTRAP=f"127.0.0.1:{free_port()}")
    assert serve.end() == 0
