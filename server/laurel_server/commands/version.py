"""`laurel version`."""

import typer

from laurel_server import __version__


def version() -> None:
    """Print the version."""
    typer.echo(__version__)
