"""The HTTP server itself, with bounds: how many may come in, how slowly they may speak, how they are cut off.

uvicorn does the talking. Added here is what it leaves open: connections in all and per source, a deadline for
a request's head, and small send buffers, so that a screen that has stopped reading is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.api.doors import Settings

SEND_BUFFER_BYTES = 1 << 16
UNACKED_MAX_MS = 10_000
"""How long sent bytes may go unacknowledged before the kernel gives the connection up (TCP_USER_TIMEOUT)."""
HEAD_BYTES_MAX = 16 << 10
KEEP_ALIVE_S = 5
CLOSING_S = 3

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 5\r\n"
    b"connection: close\r\ncontent-length: 98\r\n\r\n"
    b'{"title":"Service Unavailable","status":503,"detail":"Too many connections. Close some screens. "}'
)


class Bounds:
    """How many connections there are, and how many there may be."""

    def __init__(self, settings: Settings) -> None:
        """No connections yet."""
        self.all_max = settings.connections_max
        self.source_max = settings.connections_per_source
        self.head_deadline_s = settings.header_deadline_s
        self.of: Counter[str] = Counter()

    def enter(self, source: str) -> bool:
        """One more connection, if there is room for it."""
        if self.of.total() >= self.all_max or self.of[source] >= self.source_max:
            return False
        self.of[source] += 1
        return True

    def leave(self, source: str) -> None:
        """One connection less."""
        self.of[source] -= 1
        if self.of[source] <= 0:
            del self.of[source]


class BoundedProtocol(H11Protocol):
    """One connection within the bounds. It is lent to the app's live stream, to push to and to cut."""

    bounds: Bounds

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn makes it."""
        super().__init__(*args, **kwargs)
        self._source: str | None = None
        self._head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it in, or turn it away at once."""
        super().connection_made(transport)
        source = self.client[0] if self.client else "local"
        if not self.bounds.enter(source):
            transport.write(_FULL)
            transport.close()
            return
        self._source = source
        self.app_state = {**self.app_state, "connection": self}
        wire = transport.get_extra_info("socket")
        if wire is not None and wire.family in {socket.AF_INET, socket.AF_INET6}:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKED_MAX_MS)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out."""
        super().connection_lost(exc)
        self._head_came()
        if self._source is not None:
            self.bounds.leave(self._source)
            self._source = None

    def data_received(self, data: bytes) -> None:
        """Hear bytes; while they do not make up a request's head, its deadline runs."""
        if self._source is None:
            return  # turned away
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait_for_head()
        else:
            self._head_came()

    def can_push(self) -> bool:
        """Whether a piece of the answer may be written without waiting for the other side to read."""
        return not self.flow.write_paused and not self.transport.is_closing()

    def push(self, data: bytes) -> None:
        """Write a piece of the answer that is going out, past the layers of the app."""
        self.transport.write(self.conn.send(h11.Data(data=data)) or b"")

    def cut(self) -> None:
        """End the connection at once, whatever waits in its buffers."""
        self.transport.abort()

    def _wait_for_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.call_later(self.bounds.head_deadline_s, self.transport.abort)

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None


class Server(uvicorn.Server):
    """uvicorn without a hold on the signals: those belong to the service. Cancel `serve()` to end it."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until cancelled or told to exit; the streams are closed and the app is told either way."""
        try:
            await super().serve(sockets)
        except asyncio.CancelledError:
            if self.started:
                await self.shutdown(sockets)
            raise

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def server(
    app: ASGIApp,
    settings: Settings,
    *,
    host: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Server:
    """The web server of an app. Await its `serve()`; set its `should_exit` to end it."""
    bounded = type("BoundedProtocol", (BoundedProtocol,), {"bounds": Bounds(settings)})
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # a source is who connects, never who a header says
        server_header=False,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=CLOSING_S,
        ssl_certfile=certificate,
        ssl_keyfile=str(key) if key else None,
        backlog=128,
    )
    return Server(config)
