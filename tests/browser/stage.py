"""A stage for the dashboard: serves its files as the service does, and plays scripted wire messages to it.

It stands in for the whole service in the tests of single screens: what is sent is said by the test, what the
browser asks for is kept to be looked at, and no answer is made up that the test has not put there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

DASHBOARD = Path(__file__).parents[2] / "monitor" / "dashboard"

Json = Mapping[str, Any]
Answer = tuple[int, Any]


def import_map_hash(page: str) -> str:
    """The CSP source of the one inline script: the import map."""
    found = re.search(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    assert found is not None, "index.html has an import map"
    return "sha256-" + base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()


def policy() -> str:
    """The content security policy the service sends (faults-and-threats, T07)."""
    page = (DASHBOARD / "index.html").read_text()
    return (
        f"default-src 'none'; script-src 'self' '{import_map_hash(page)}'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    )


@dataclass(frozen=True)
class Asked:
    """One request of the browser that was not for a file."""

    method: str
    path: str
    body: Any


@dataclass
class Stage:
    """What is played, and what was asked. `scene()` gives the snapshot a new stream begins with."""

    scene: Callable[[], Json]
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    streams: int = 0
    """How many live streams are open now."""
    opened: int = 0
    """How many have been opened in all."""
    seq: int = 0
    refuse_streams: bool = False
    silent: bool = False
    """True: no beat but those the test sends."""
    held: dict[tuple[str, str], threading.Event] = field(default_factory=dict)
    """What is answered only once the test lets it be."""

    def __post_init__(self) -> None:
        """Start serving on a port of the machine's choice."""
        self._lines: list[queue.Queue[bytes | None]] = []
        self._lock = threading.Lock()
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        self._closed = threading.Event()
        threading.Thread(target=self._beats, daemon=True).start()

    def close(self) -> None:
        """Close every stream and stop serving."""
        self._closed.set()
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    # What is played.

    def play(self, *changes: Json, at_ms: int = 0) -> None:
        """Send changes to all who listen, as one message; the first listener is waited for."""
        self.waits_until(lambda: self.opened > 0)
        with self._lock:
            self.seq += 1
            data = {"seq": self.seq, "at_ms": at_ms, "changes": list(changes)}
            self._send(_event("events", data, f"stage.0-{self.seq}"))

    def beat(self, at_ms: int, *, seq: int | None = None) -> None:
        """Send the second's beat."""
        with self._lock:
            self._send(_event("beat", {"at_ms": at_ms, "seq": self.seq if seq is None else seq}))

    def _beats(self) -> None:
        began, began_ms = time.monotonic(), self.scene()["server"]["at_ms"]
        while not self._closed.wait(1.0):
            if not self.silent:
                self.beat(began_ms + int((time.monotonic() - began) * 1000))

    def raw(self, kind: str, data: Json) -> None:
        """Send any event."""
        with self._lock:
            self._send(_event(kind, data))

    def cut(self) -> None:
        """Close every open stream, as a restarting service does."""
        with self._lock:
            self._send(None)

    def _send(self, message: bytes | None) -> None:
        for line in self._lines:
            line.put(message)

    def hear(self) -> queue.Queue[bytes | None]:
        """A new listener's line; the snapshot is first in it."""
        line: queue.Queue[bytes | None] = queue.Queue()
        with self._lock:
            line.put(_event("snapshot", self.scene(), f"stage.0-{self.seq}"))
            self._lines.append(line)
            self.streams += 1
            self.opened += 1
        with self._news:
            self._news.notify_all()
        return line

    def left(self, line: queue.Queue[bytes | None]) -> None:
        """A listener has gone."""
        with self._lock:
            self._lines.remove(line)
            self.streams -= 1

    # What was asked.

    def waits_until(self, true: Callable[[], bool], *, timeout_s: float = 10) -> None:
        """Wait for something that the browser does to the streams."""
        with self._news:
            assert self._news.wait_for(true, timeout_s), "it did not happen"

    def note(self, asked: Asked) -> Answer:
        """Keep what the browser asked, and give the scripted answer."""
        with self._news:
            self.asked.append(asked)
            self._news.notify_all()
        path = asked.path.split("?")[0]
        if (asked.method, path) in self.held:
            self.held[asked.method, path].wait(10)
        return (
            self.answers.get((asked.method, path)) or self.answers.get((asked.method, "*")) or (404, _missing)
        )

    def waits_for(self, method: str, path: str, *, timeout_s: float = 10) -> Asked:
        """The newest request of this kind, waited for."""

        def found() -> Asked | None:
            return next(
                (a for a in reversed(self.asked) if (a.method, a.path.split("?")[0]) == (method, path)), None
            )

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, timeout_s), (
                f"nobody asked {method} {path}"
            )
            newest = found()
        assert newest is not None
        return newest


_missing = {"title": "Not Found", "status": 404, "detail": "There is nothing at this address."}


def _event(kind: str, data: Json, mark: str | None = None) -> bytes:
    head = f"id: {mark}\n" if mark else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def _handler(stage: Stage) -> type[BaseHTTPRequestHandler]:  # noqa: C901  one short method a verb of HTTP
    csp = policy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet at once: else each of a hundred files waits 40 ms to be acknowledged.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing: the test says what matters."""

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/api/v1/live":
                self._live()
            elif path.startswith("/api/"):
                self._answer("GET")
            else:
                self._file(unquote(path))

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PUT(self) -> None:
            self._answer("PUT")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            status, data = stage.note(Asked(method, self.path.removeprefix("/api/v1"), body))
            kind = "application/json" if status < HTTPStatus.BAD_REQUEST else "application/problem+json"
            self._write(status, kind, json.dumps(data).encode())

        def _file(self, path: str) -> None:
            wanted = (DASHBOARD / path.lstrip("/")).resolve()
            is_file = wanted.is_relative_to(DASHBOARD) and wanted.is_file()
            found = wanted if is_file else DASHBOARD / "index.html"
            kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
            self._write(HTTPStatus.OK, kind, found.read_bytes())

        def _write(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", csp)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def _live(self) -> None:
            if stage.refuse_streams:
                self._write(HTTPStatus.UNAUTHORIZED, "application/problem+json", b"{}")
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            line = stage.hear()
            try:
                # A comment now and then finds out that nobody reads any more.
                while True:
                    try:
                        message = line.get(timeout=0.25)
                    except queue.Empty:
                        message = b":\n\n"
                    if message is None:
                        return
                    self.wfile.write(message)
                    self.wfile.flush()
            except OSError:
                return
            finally:
                stage.left(line)

    return Handler
