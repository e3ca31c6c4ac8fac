"""Runs one Kafka broker out of a directory of jars until SIGTERM or SIGINT: `scripts/kafka_broker.py JARS`.

`scripts/kafka_broker.py JARS --keep-classes` runs it until it answers, and keeps the classes that Java has loaded by
then as an archive among the jars, from which each later one loads them. An archive of another Java is passed over.

The settings and the two lines of output are explained in `scripts/kafka`, which fetches the jars and calls this.
"""

import asyncio
import ctypes
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
CLUSTER: Final = "laurel0000000000000000"  # any 16 bytes in URL-safe base64
JAVA: Final = (
    *("java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
    *("-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
)
ARCHIVE: Final = "classes.jsa"
PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
num.partitions=6
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=8388608
"""
_PR_SET_PDEATHSIG: Final = 1


def main(jars: Path, *, keep_classes: bool = False) -> int:
    """Runs the broker; returns the exit code."""
    logging.disable()  # the client reports every attempt to connect before the broker listens
    if keep_classes:
        return keep(jars)
    return serve([*JAVA, f"-XX:SharedArchiveFile={jars / ARCHIVE}", "-cp", f"{jars}/*"])


def keep(jars: Path) -> int:
    """Runs a broker until it answers, and keeps the classes that it has loaded."""
    part = jars / f"{ARCHIVE}.part"
    part.unlink(missing_ok=True)
    code = serve([*JAVA, f"-XX:ArchiveClassesAtExit={part}", "-cp", f"{jars}/*"], until_ready=True)
    part.touch()  # a Java that keeps none is not asked again
    part.rename(jars / ARCHIVE)
    return code


def serve(java: list[str], *, until_ready: bool = False) -> int:
    """Runs a broker on the port that was asked for; returns its exit code."""
    asked = int(os.environ.get("LAUREL_KAFKA_PORT") or 0)
    with ExitStack() as held:
        port, controller = held.enter_context(free_port(asked)), held.enter_context(free_port())
        home = held.enter_context(directory(asked))
        settings = home / "server.properties"
        settings.write_text(PROPERTIES.format(port=port, controller=controller, data=home / "log"))
        return asyncio.run(run(java, settings, f"127.0.0.1:{port}", until_ready=until_ready))


@contextmanager
def free_port(port: int = 0) -> Iterator[int]:
    """Holds a port by a bound socket that never listens, so that nobody else is given it as a free one."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
        except OSError as taken:
            raise SystemExit(f"kafka: LAUREL_KAFKA_PORT={port} cannot be used: {taken.strerror}") from None
        yield holder.getsockname()[1]


@contextmanager
def directory(port: int) -> Iterator[Path]:
    """Gives the directory of the broker's data, which goes with the broker unless its port was chosen."""
    if port:
        home = Path(os.environ.get("LAUREL_DATA_DIR") or ".laurel").absolute() / f"kafka-{port}"
        home.mkdir(parents=True, exist_ok=True)
        yield home
        return
    home = Path(tempfile.mkdtemp(prefix="laurel-kafka-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def run(java: list[str], settings: Path, bootstrap: str, *, until_ready: bool) -> int:
    """Formats the data directory, starts the broker, says when it answers, and waits for its end or brings it about."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    formatted = settings.with_name("formatted")
    if not formatted.exists():
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER, "-c", str(settings)]
        if code := await ended(await spawn([*java, *tool]), stop):
            return code
        formatted.touch()
    broker = await spawn([*java, "kafka.Kafka", str(settings)])
    ready = asyncio.create_task(announce(bootstrap))
    if until_ready:
        ready.add_done_callback(lambda _: stop.set())
    try:
        return await ended(broker, stop)
    finally:
        ready.cancel()


async def spawn(command: list[str]) -> asyncio.subprocess.Process:
    """Starts a program that is killed when this one dies, however it dies; its output goes to standard error."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
        preexec_fn=die_with,
    )


def die_with() -> None:
    """Asks the kernel to end this process with its parent."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


async def ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> int:
    """Waits for the end of a process, which is asked to stop once the event is set; returns its exit code or 0."""
    exited, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    await asyncio.wait({exited, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if exited.done():
        return exited.result()
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(exited), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await exited
    return 0


async def announce(bootstrap: str) -> None:
    """Says that the broker answers, once it tells a client about itself."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
            with suppress(KafkaError, OSError):
                await client.bootstrap()
                break
            await client.close()
            await asyncio.sleep(0.1)
    await client.close()
    print(json.dumps({"ready": True, "bootstrap": bootstrap}), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), keep_classes="--keep-classes" in sys.argv[2:]))
