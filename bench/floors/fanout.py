"""A bare grpc.aio server that sends the same bytes to every stream: `python -m bench.floors.fanout`.

`SetAnswer` keeps the message. `Watch` sends it at once and then at every tick; a stream that is slower than
the ticks skips some, as Laurel's do. `Tick` makes so many ticks a second for so many milliseconds.
"""

import asyncio

import grpc
import uvloop

from bench.floors.serving import serve


class Fanout:
    """The methods."""

    def __init__(self) -> None:
        self._message = b""
        self._tick = 0
        self._ticked = asyncio.Event()

    async def set_answer(self, request: bytes, context: object) -> bytes:
        """Keep what is sent."""
        del context
        self._message = request
        return b""

    async def watch(self, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        """Send a message for each tick that the reader has time for."""
        del request
        while True:
            sent = self._tick
            await context.write(self._message)
            while sent == self._tick:
                await self._ticked.wait()

    async def tick(self, request: bytes, context: object) -> bytes:
        """Wake all streams again and again."""
        del context
        rate, milliseconds = map(float, request.split())
        end = asyncio.get_running_loop().time() + milliseconds / 1000
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(1 / rate)
            self._tick += 1
            self._ticked.set()
            self._ticked.clear()
        return b""


async def main() -> None:
    """Serve."""
    fanout = Fanout()
    await serve(
        {
            "SetAnswer": grpc.unary_unary_rpc_method_handler(fanout.set_answer),
            "Watch": grpc.unary_stream_rpc_method_handler(fanout.watch),
            "Tick": grpc.unary_unary_rpc_method_handler(fanout.tick),
        }
    )


if __name__ == "__main__":
    uvloop.run(main())
