"""A connection to ClickHouse, for coroutines."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

A = TypeVar("A")


class RefusedByClickHouse(Exception):
    """ClickHouse, or the library that talks to it, did not do what it was asked."""


AWAY: Final = (RefusedByClickHouse, OSError, TimeoutError)
"""ClickHouse cannot be reached, or refused."""


class Engine:
    """Runs one statement at a time, each in a thread; connects with the first and anew after an error.

    `url`: `http[s]://USER:PASSWORD@HOST:PORT/DATABASE`; the database must exist.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._client: Client | None = None
        self._turn = asyncio.Lock()

    async def query(self, statement: str, **parameters: object) -> Sequence[Sequence[Any]]:
        """Return the rows of a SELECT. Raises one of AWAY."""
        result = await self._run(lambda client: client.query(statement, parameters=parameters))
        rows: Sequence[Sequence[Any]] = result.result_rows
        return rows

    async def command(self, statement: str) -> None:
        """Run a statement that returns nothing. Raises one of AWAY."""
        await self._run(lambda client: client.command(statement))

    async def insert(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows; `columns` are names and types, so that the table need not be asked. Raises one of AWAY."""
        names, types = list(columns), list(columns.values())
        if rows:
            await self._run(
                lambda client: client.insert(table, rows, column_names=names, column_type_names=types)
            )

    async def close(self) -> None:
        """Close the connection."""
        async with self._turn:
            client, self._client = self._client, None
            if client is not None:
                await asyncio.to_thread(client.close)

    async def _run(self, work: "Callable[[Client], A]") -> A:
        async with self._turn:
            return await asyncio.to_thread(self._do, work)

    def _do(self, work: "Callable[[Client], A]") -> A:
        from clickhouse_connect.driver.exceptions import ClickHouseError  # noqa: PLC0415 - see `_connect`

        try:
            if self._client is None:
                self._client = self._connect()
            return work(self._client)
        except (ClickHouseError, *AWAY) as away:
            client, self._client = self._client, None
            if client is not None:
                client.close()
            if isinstance(away, ClickHouseError):
                raise RefusedByClickHouse(str(away)) from away
            raise

    def _connect(self) -> "Client":
        import clickhouse_connect  # noqa: PLC0415 - takes long, and few have a ClickHouse

        return clickhouse_connect.get_client(
            dsn=self._url,
            compress=False,
            connect_timeout=5,
            send_receive_timeout=self._timeout,
            autogenerate_session_id=False,
            query_retries=0,
        )
