"""What every request passes before a route sees it: whom it is meant for, where it comes from, how big it is.

And what every answer carries: a content security policy, no caching, nothing framed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.api.problems import Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_IMPORT_MAP = re.compile(rb'<script type="importmap">([^<]*)</script>')

_log = structlog.get_logger(__name__)


def content_security_policy(index_html: bytes) -> str:
    """Nothing but our own files. The import map is an inline script, so its hash is named (T07)."""
    digests = (hashlib.sha256(found).digest() for found in _IMPORT_MAP.findall(index_html))
    maps = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self'{maps}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


class Guard:
    """The outermost layer of the app."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        cookies: Iterable[str],
        policy: str,
        tls: bool,
        body_bytes_max: int,
        body_deadline_s: float,
        answered: Callable[[str, str, int], None],
    ) -> None:
        """`hosts` are the names answered to, `cookies` those that make a request somebody's."""
        self._app = app
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)
        self._cookies = tuple(cookies)
        self._bytes_max = body_bytes_max
        self._deadline_s = body_deadline_s
        self._answered = answered
        self._tls = tls
        self._always = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
        ]
        if tls:
            self._always.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *self._headers_for(message["headers"])]
                self._count(scope, message["status"])
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, await self._with_body(scope, receive), send_guarded)
        except Problem as problem:
            await problem.answer()(scope, receive, send_guarded)
        except Exception:
            # The ward goes on whatever a route has done wrong; the inside of it is for our log only.
            _log.exception("a route has failed", method=scope["method"], route=route_of(scope))
            if started:
                raise
            await Problem(500).answer()(scope, receive, send_guarded)

    def _headers_for(self, given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        if any(name.lower() == b"cache-control" for name, _ in given):
            return self._always
        return [*self._always, (b"cache-control", b"no-store")]

    def _count(self, scope: Scope, status: int) -> None:
        self._answered(scope["method"], route_of(scope), status)

    def _check(self, scope: Scope) -> None:
        headers = _headers(scope)
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            raise Problem(421, "This service does not answer to that name. Add it to the hosts it knows.")
        bearer = headers.get("authorization", "").lower().startswith("bearer ")
        cookie = any(f"{name}=" in headers.get("cookie", "") for name in self._cookies)
        if bearer and cookie:
            raise Problem(400, "Send a token or a cookie, not both.")
        if scope["method"] not in SAFE and not bearer:
            self._same_origin(headers, host)

    def _same_origin(self, headers: dict[str, str], host: str) -> None:
        """Only our own pages may change anything (T06). On a plain LAN there is no Sec-Fetch-Site."""
        origin = urlsplit(headers.get("origin", ""))
        schemes = {"https"} if self._tls else {"http", "https"}
        if origin.scheme not in schemes or origin.netloc.lower() != host.lower():
            raise Problem(403, "This came from another page than Chairside's own.")
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Problem(403, "This came from another page than Chairside's own.")

    async def _with_body(self, scope: Scope, receive: Receive) -> Receive:
        """The request with its body read, within bounds of size and time (T20)."""
        headers = _headers(scope)
        length = headers.get("content-length", "0")
        if length == "0" and "transfer-encoding" not in headers:
            return receive
        if int(length) > self._bytes_max:
            raise Problem(413, headers={"Connection": "close"})
        if headers.get("content-encoding", "identity") != "identity":
            raise Problem(415, headers={"Connection": "close"})
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem(415, headers={"Connection": "close"})
        try:
            async with asyncio.timeout(self._deadline_s):
                body = await self._read(receive)
        except TimeoutError:
            raise Problem(408, headers={"Connection": "close"}) from None
        return _replayed(body, receive)

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(400)
            body += message.get("body", b"")
            if len(body) > self._bytes_max:
                raise Problem(413, headers={"Connection": "close"})
            if not message.get("more_body", False):
                return bytes(body)


def route_of(scope: Scope) -> str:
    """The route's pattern, never the path itself: what is in a path may be somebody's."""
    return getattr(scope.get("route"), "path", "unknown")


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _name_of(host: str) -> str:
    """The name in a Host header, without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
