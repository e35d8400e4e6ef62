"""A headless Chromium, and the server of a page that it visits."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PAGE = Path(__file__).with_name("browser_page.html")
# As the distributions call it; the first is Debian's, without the rest of a desktop.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
# A name that an attacker has bound to this machine, as by DNS rebinding.
REBOUND = "evil.example"


def chromium() -> str:
    """Where it is; tests/interop/run installs it."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise AssertionError(f"none of {', '.join(NAMES)} is installed; tests/interop/run does it")


@contextlib.contextmanager
def visit(directory: Path, url: str) -> Iterator[None]:
    """A browser of its own shows this address, as if a user had typed it."""
    command = [
        chromium(),
        "--headless",
        # Of no use here, where the pages are our own; and root may not run with it.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-popup-blocking",
        "--disable-background-networking",
        "--no-first-run",
        "--no-proxy-server",
        # What a browser itself refuses would not be a test of ours, and other browsers don't.
        "--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessRespectPreflightResults,HttpsUpgrades",
        f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
        f"--user-data-dir={directory}",
        # Keeps it running after the page has loaded.
        "--remote-debugging-port=0",
        url,
    ]
    with (directory.parent / f"{directory.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()


class Pages:
    """Serves the page, under whatever name; use it as a context manager."""

    def __init__(self) -> None:
        self.reports: queue.Queue[list[str]] = queue.Queue()
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target = urlsplit(self.path)
                if target.path == "/redirect":
                    self.send_response(307)
                    self.send_header("Location", parse_qs(target.query)["to"][0])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.answer(PAGE.read_bytes())

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                pages.reports.put(json.loads(self.rfile.read(length)))
                self.answer(b"")

            def answer(self, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_port

    def __enter__(self) -> Pages:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
