"""Writes the example of a gateway's configuration in deploy/envoy: `generate_gateway.py [FILE]`."""

import sys
from pathlib import Path
from typing import Final

from laurel_server.devstack.gateway import GatewayOptions, gateway_config
from laurel_server.devstack.ports import Endpoint

TARGET: Final = Path(__file__).resolve().parent.parent / "deploy" / "envoy" / "envoy.yaml"
EXAMPLE: Final = GatewayOptions(
    listen=Endpoint("0.0.0.0", 8080),  # noqa: S104 - inside of a container
    servers=[Endpoint("laurel", 50051)],
    operations=[Endpoint("laurel", 9090)],
    origins=["http://localhost:3000"],
    exposed=True,
    descriptors=Path("/etc/envoy/descriptors.binpb"),
)

if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET).write_text(gateway_config(EXAMPLE), "utf-8")
