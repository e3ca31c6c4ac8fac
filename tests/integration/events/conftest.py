"""A real Kafka broker for all tests of this folder, and one that a test may kill."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from laurel_server.runtime.config_outside import Events, Notifications
from laurel_server.runtime.wiring import Parts
from tests.integration.events.notifying import SECRET, Hook, Notifying
from tests.integration.events.reading import Reader
from tests.integration.wired import running
from tests.kafka import Broker, why_no_broker
from tests.ports import free_port

Connected = Callable[..., AbstractAsyncContextManager[Parts]]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that no test stops."""
    if why_no_broker():
        pytest.skip(why_no_broker())
    with Broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that keeps port and data when it is killed and started again."""
    if why_no_broker():
        pytest.skip(why_no_broker())
    with Broker(tmp_path_factory.mktemp("own-kafka"), free_port()) as broker:
        yield broker


@pytest.fixture
def connected(ledger_dsn: str, redis_url: str) -> Connected:
    """Runs a server that publishes to a broker."""

    @asynccontextmanager
    async def connect(broker: Broker, **settings: Any) -> AsyncIterator[Parts]:
        events = Events(kafka_bootstrap=broker.bootstrap, interval_ms=20, kafka_timeout_seconds=3, **settings)
        async with running(ledger_dsn, redis_url, events=events) as parts:
            yield parts

    return connect


@pytest.fixture
async def reader(broker: Broker) -> AsyncIterator[Reader]:
    """Reads all topics of the shared broker from now on."""
    async with Reader(broker.bootstrap) as reader:
        yield reader


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook."""
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def notifying(ledger_dsn: str, redis_url: str, hook: Hook) -> Notifying:
    """Runs a server that posts to the hook."""

    @asynccontextmanager
    async def run(patience: float = 10, **more: Any) -> AsyncIterator[Parts]:
        settings = Notifications(
            webhook_url=SecretStr(hook.url),
            webhook_key=SecretStr(SECRET),
            webhook_timeout_seconds=patience,
            max_attempts=3,
        )
        more.setdefault("events", Events())
        async with running(ledger_dsn, redis_url, notifications=settings, **more) as parts:
            yield parts

    return run
