"""A web site of another origin that uses the TypeScript client as it is, without a bundler."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "clients" / "typescript"
NODE_MODULES = FOLDER / "node_modules"
PACKAGES = ("@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-web")

needs_node_modules = pytest.mark.skipif(
    shutil.which("npm") is None or not NODE_MODULES.exists(),
    reason="no npm on PATH, or ./scripts/tools has not run",
)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def site(directory: Path) -> Iterator[str]:
    """Serve the client from `directory` and give the origin; its page has the import map that Node would not need."""
    compiler = NODE_MODULES / "typescript" / "bin" / "tsc"
    # Types are checked by the client's own tests.
    command: list[str | Path] = ["node", compiler, "--noCheck", "--outDir", directory / "dist"]
    subprocess.run(command, cwd=FOLDER, check=True, timeout=200)
    (directory / "node_modules").symlink_to(NODE_MODULES)
    imports = json.dumps({"imports": _imports()})
    page = f'<!doctype html><title>Elsewhere</title><script type="importmap">{imports}</script>'
    (directory / "index.html").write_text(page)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(directory)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _imports() -> dict[str, str]:
    """Return where a browser finds the packages by the names that the client imports."""
    found = {}
    for package in PACKAGES:
        exports = json.loads((NODE_MODULES / package / "package.json").read_bytes())["exports"]
        for name, paths in exports.items():
            place = f"/node_modules/{package}/{paths['import'].removeprefix('./')}"
            found[f"{package}{name.removeprefix('.')}"] = place
    return found
