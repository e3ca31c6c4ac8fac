"""The OpenAPI document, which scripts/generate_openapi.py makes of the contract."""

from http import HTTPStatus
from importlib import resources

from laurel_server.runtime.operations import Answer


def openapi_page() -> Answer:
    """Return the document as a page."""
    document = resources.files(__package__).joinpath("openapi.json").read_bytes()
    return Answer(HTTPStatus.OK, "application/json", document)
