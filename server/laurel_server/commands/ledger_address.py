"""Which ledger a command works on."""

from laurel_server.devstack.datadir import DataDir
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.locks import is_held
from laurel_server.devstack.runfile import RunFile, read_run_file
from laurel_server.runtime.config import Settings


def ledger_dsn(settings: Settings) -> str:
    """Returns LAUREL_PG_DSN, or the address of the `laurel serve` that runs on the data directory.

    Raises DevstackError if there is neither.
    """
    if settings.ledger.pg_dsn is not None:
        return settings.ledger.pg_dsn.get_secret_value()
    stack = running_stack(settings)
    if stack is None:
        raise DevstackError(
            "no ledger: set LAUREL_PG_DSN, or start `laurel serve` with the same LAUREL_DATA_DIR"
        )
    return stack.pg_dsn


def running_stack(settings: Settings) -> RunFile | None:
    """Returns where the `laurel serve` of the data directory listens, or None if none is running."""
    data = DataDir(settings.devstack.data_dir.absolute())
    return read_run_file(data.run_file) if is_held(data.owner_lock) else None
