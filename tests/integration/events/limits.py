"""How large the records of a topic may be."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.integration.wired import until
from tests.kafka import Broker


async def limit_size(broker: Broker, topic: str, size: int) -> None:
    """Let the broker take no batch of a topic that is larger, in bytes."""
    values = {"max.message.bytes": str(size)}
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=values)])

        async def is_limited() -> bool:
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            ((*_, configs),) = answer.resources
            return values.items() <= {config[0]: config[1] for config in configs}.items()

        await until(is_limited, "the topic has its limit")
    finally:
        await admin.close()
