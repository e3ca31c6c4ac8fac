"""The load generator: gRPC calls over plain sockets, cheap enough to share a machine with the server."""
