"""What a link is, and what a technician reads when one is lost. The same three verbs over every cable."""

from __future__ import annotations

import errno
import socket
import termios
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

Say = Callable[[str], None]
"""Where a link puts the one sentence it has to say beside its bytes: a log, a terminal, a test."""


class Link(Protocol):
    """A cable as three verbs. One task reads; anybody may write or close."""

    async def read(self) -> bytes:
        """The next bytes, as soon as there are any; b"" once the other side has gone, and ever after."""
        ...

    async def write(self, data: bytes) -> None:
        """Hand these bytes over; raises `LinkLost` if there is nobody to take them."""
        ...

    async def close(self) -> None:
        """Let go of the cable. May be called twice."""
        ...


@runtime_checkable
class Pouring(Protocol):
    """What a cable on the event loop can do besides: bring a chunk without waking a task for it."""

    async def pour(self, into: Callable[[bytes], None]) -> None:
        """Hand every chunk on in the call that brought it, until the other side has gone; instead of `read`.

        What `into` raises ends the pouring and is raised here.
        """
        ...


class MessageLink(Protocol):
    """A subscription as three verbs: whole messages instead of bytes."""

    why: str
    """Why it ended, once it has."""

    async def messages(self) -> list[Message]:
        """What has come since the last call, at least one; [] once the broker has gone, and ever after."""
        ...

    async def pour(self, into: Callable[[Message], None]) -> None:
        """Hand each message on in the call that brought it, until the broker has gone; instead of `messages`.

        What `into` raises ends the pouring and is raised here.
        """
        ...

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand one message over, never retained; raises `LinkLost` if there is nobody to take it."""
        ...

    async def close(self) -> None:
        """Give the subscription up. May be called twice."""
        ...


Message = tuple[str, bytes, bool]
"""Topic, payload, and whether it was retained: a retained value is as old as it likes."""


class LinkLost(OSError):  # noqa: N818  it says what happened, and is an OSError to those who ask
    """The other side is gone or was never there. The text is one sentence for a technician."""


def silent(_: str) -> None:
    """Somebody who does not listen: the default `Say`."""


def lost(where: str, error: BaseException) -> LinkLost:
    """What every backend's own exception comes down to, said once and in words."""
    if isinstance(error, LinkLost):
        return error
    cause = _root(error)
    if isinstance(cause, socket.gaierror):
        return LinkLost(f"{where}: no machine of that name is known; check the spelling or use its address")
    if isinstance(cause, TimeoutError):
        return LinkLost(f"{where} does not answer: is it switched on and on the network?")
    number = _number(cause)
    if number is None:
        return LinkLost(f"{where}: {_plain(error)}")
    return LinkLost(f"{where} {_BY_NUMBER.get(number) or f'failed: {_plain(error)}'}")


def keep_alive(plug: Any) -> None:
    """Notice another machine that lost its power: after 4 s of silence it is asked, four times in 4 s."""
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 8_000)


_ABSENT = "is not there: is the cable plugged in?"
TAKEN = "is in use by another program"
"""How a `LinkLost` ends that says so: the port is locked by whoever reads it."""
_REFUSED_US = "cannot be opened, permission denied: add the user of the service to the group dialout"
_GONE = "is gone: the cable was pulled or the adapter was switched off"
_UNREACHABLE = "cannot be reached: is the network cable plugged in, and is the address right?"
_NO_PORT = "is not a serial port, or one that does not take these line settings"

_BY_NUMBER = {
    errno.ENOENT: _ABSENT,
    errno.ENODEV: _ABSENT,
    errno.ENXIO: _ABSENT,
    errno.EACCES: _REFUSED_US,
    errno.EPERM: _REFUSED_US,
    errno.EBUSY: TAKEN,
    errno.EAGAIN: TAKEN,
    errno.EIO: _GONE,
    errno.EPIPE: _GONE,
    errno.ECONNRESET: _GONE,
    errno.EBADF: _GONE,
    errno.ENOTTY: _NO_PORT,
    errno.EINVAL: _NO_PORT,
    errno.ECONNREFUSED: "refuses the connection: is the serial server on, and is this its port number?",
    errno.EHOSTUNREACH: _UNREACHABLE,
    errno.ENETUNREACH: _UNREACHABLE,
    errno.ETIMEDOUT: "does not answer: is it switched on and on the network?",
    errno.EMFILE: "cannot be opened: the service has no file descriptors left",
}


def _root(error: BaseException) -> BaseException:
    # Libraries raise their own exception while handling the kernel's and drop its number on the way.
    seen = error
    while not isinstance(seen, TimeoutError) and _number(seen) is None:
        before = seen.__cause__ or seen.__context__
        if before is None:
            return error
        seen = before
    return seen


def _number(error: BaseException) -> int | None:
    if isinstance(error, termios.error):  # the one exception of the kernel that is no OSError
        return int(error.args[0])
    return error.errno if isinstance(error, OSError) else None


def _plain(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
