"""The server process: `python -m laurel_server.runtime.server`, configured by LAUREL_* variables."""

import gc
import sys


def main() -> int:
    """Run the process; the exit code is 1 if it could not start, with the reason on standard error."""
    gc.disable()  # modules are no garbage, and looking for some among them takes a quarter of the time to load them
    from laurel_server.runtime import serving  # noqa: PLC0415 - see above

    gc.enable()
    return serving.main()


if __name__ == "__main__":
    sys.exit(main())
