"""Fan-out to the screens: a snapshot first, then one message a turn, encoded once for all who listen.

A message leaves the hub as ready bytes; only its `id:` line belongs to one listener. The mark in that line
says for which start of the service and for whom the stream was opened: after a restart, a sign-in or a
sign-out it no longer fits, and the screen gets a fresh snapshot instead of a mix of two.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog
from starlette.responses import Response

from monitor.api.views import shapes, turns
from monitor.model import PageOrdered
from monitor.treatment import Happening

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from monitor.api.ward_view import WardView

RING = 4096
"""Messages kept for resuming: about 40 s of a ward of 20 beds with five readings a second each."""
QUEUE_MAX = 1024
"""Messages that may wait for one listener; they are shared, so this bounds patience rather than memory."""
SEND_DEADLINE_S = 10.0
BEAT_S = 1.0
PAGES_FIRST_S = 0.003
"""So long the screens wait for the pages of their turn: to be on its way takes a page several rounds of the
loop, and to write to twenty screens would come between."""
TURN_LATE_S = 2.5
"""A ward turns at least once a second. Without a turn for so long no beat is sent, for the screens must not
take a frozen ward for a quiet one."""
SIGN_IN_CHECK_S = 2.0
"""How often the sign-ins of open streams are asked for: a stream outlives its sign-in by less than 5 s."""

TOO_SLOW = "too slow"
CLOSING = "the service is closing"

_log = structlog.get_logger(__name__)

_JSON = msgspec.json.Encoder()


class View(Enum):
    """Who is looking: staff see the patient's alias, a paired screen does not."""

    STAFF = "staff"
    DISPLAY = "display"


class Message:
    """What one turn has changed, encoded at most once for each view, and only if somebody listens."""

    __slots__ = ("_display", "_staff", "_turn", "seq")

    def __init__(self, turn: turns.Turn) -> None:
        """One turn's message, not yet encoded."""
        self.seq = turn.seq
        self._turn = turn
        self._staff: bytes | None = None
        self._display: bytes | None = None

    def body(self, view: View) -> bytes:
        """The message without its id line."""
        if view is View.STAFF:
            if self._staff is None:
                self._staff = _event(b"events", self._turn)
            return self._staff
        if self._display is None:
            bare = turns.turn_without_alias(self._turn)
            self._display = self.body(View.STAFF) if bare is self._turn else _event(b"events", bare)
        return self._display


class Connection(Protocol):
    """What the server lends a stream of its connection: a way round the app's layers for ready bytes."""

    def can_push(self) -> bool:
        """Whether bytes may be written now without waiting."""
        ...

    def push(self, data: bytes) -> None:
        """Write one more piece of the answer that is going out."""
        ...

    def cut(self) -> None:
        """End the connection at once, whatever still waits in its buffers."""
        ...


class Listener:
    """One open stream: what still has to go out on it, and whose sign-in keeps it open.

    While the other side reads, `push` writes straight to its connection. Once it does not, the stream's own
    task waits for it in `next`, and the line grows until the listener is let go.
    """

    def __init__(self, view: View, mark: str, sign_in: str, whose: str = "") -> None:
        """`sign_in` is the hash of the token the stream was opened with, `whose` browser it is at."""
        self.view = view
        self.sign_in = sign_in
        self.whose = whose
        self.ended: str | None = None
        self.sending_since: float | None = None
        self.connection: Connection | None = None
        self._mark = b"id: " + mark.encode() + b"-"
        self._waiting: deque[Message | bytes] = deque()
        self._news = asyncio.Event()

    def hear(self, message: Message | bytes) -> None:
        """Put a message in line; a listener whose line is full is let go, and resumes when it is back."""
        if self.ended is not None:
            return
        if len(self._waiting) >= QUEUE_MAX:
            self.end(TOO_SLOW)
            return
        self._waiting.append(message)

    def push(self) -> None:
        """Write what is in line, or wake the stream's task where that would mean waiting."""
        if self.sending_since is not None or not self._waiting:
            return  # the task is at it, and goes on with the line once it is through
        connection = self.connection
        if connection is not None and connection.can_push():
            connection.push(self._take())
        else:
            self._news.set()

    def end(self, why: str) -> None:
        """Close the stream. What still waits is thrown away: the screen resumes or starts afresh."""
        if self.ended is None:
            self.ended = why
            self._waiting.clear()
            self._news.set()
            if self.connection is not None and self.sending_since is not None:
                # A stalled reader never drains its buffers, so a polite close would wait for ever.
                self.connection.cut()

    async def next(self) -> bytes:
        """All that is in line, as bytes for one write; empty once the stream is to be closed."""
        while not self._waiting:
            if self.ended is not None:
                return b""
            self._news.clear()
            await self._news.wait()
        return self._take()

    def _take(self) -> bytes:
        waiting, view = self._waiting, self.view
        parts: list[bytes] = []
        while waiting:
            message = waiting.popleft()
            if isinstance(message, bytes):
                parts.append(message)
            else:
                parts += (self._mark, b"%d\n" % message.seq, message.body(view))
        return b"".join(parts)


class Hub:
    """Who is listening, what they have been told, and what was told lately."""

    def __init__(self, start: str, now_ms: Callable[[], int]) -> None:
        """`start` marks this run of the service (letters and digits); `now_ms` is the service's clock."""
        self.start = start
        self.seq = 0
        self.dropped = 0
        self._now_ms = now_ms
        self._ring: deque[Message] = deque(maxlen=RING)
        self._listeners: set[Listener] = set()
        self._told: turns.Told | None = None
        self._turned_at = float("-inf")
        self._pushing = False
        self._closing = False

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    def publish(self, events: Sequence[Happening], ward: WardView, after_seq: int | None = None) -> None:
        """Tell what one turn has changed. Call it after every turn, a silent one too: beats depend on it.

        `after_seq` is the journal's last number before this turn; None where the turn is not in it (yet).
        """
        self._turned_at = asyncio.get_running_loop().time()
        if self._told is None:
            self._told = turns.Told(ward.snapshot())
            for event in events:
                self._told.alarms.pop(getattr(event, "alarm_id", 0), None)
        now_ms = self._now_ms()
        changes = turns.changes(events, ward, self._told, now_ms, after_seq)
        if not changes:
            return
        self.seq += 1
        message = Message(turns.Turn(self.seq, now_ms, changes))
        self._ring.append(message)
        pages = any(isinstance(event, PageOrdered) for event in events)
        self._tell(message, PAGES_FIRST_S if pages else 0)

    def mark(self, whose: str) -> str:
        """The mark of a stream: this start of the service, and whom it is for (not readable from it)."""
        return f"{self.start}.{hashlib.sha256(whose.encode()).hexdigest()[:8]}"

    def open(
        self,
        view: View,
        mark: str,
        sign_in: str,
        last_event_id: str | None,
        snapshot: Callable[[], shapes.LiveSnapshot],
        whose: str = "",
    ) -> Listener:
        """A new stream: what was missed since `last_event_id` if that is still known, else a snapshot.

        Nothing here waits, so nothing can fall between the snapshot and the first message after it. Once the
        service is closing, the stream has ended before it began: a screen that was just hung up on comes back
        at once, and would hold the web server up.
        """
        listener = Listener(view, mark, sign_in, whose)
        if self._closing:
            listener.end(CLOSING)
            return listener
        missed = self._missed(mark, last_event_id)
        if missed is None:
            first = _event(b"snapshot", snapshot())
            listener.hear(f"id: {mark}-{self.seq}\n".encode() + first)
        else:
            for message in missed:
                listener.hear(message)
        if self._turning():
            listener.hear(self._beat())
        self._listeners.add(listener)
        return listener

    def watches(self, name: str) -> bool:
        """Whether a browser of this person's own has an open stream that is being read."""
        return any(each.whose == name and each.ended is None for each in self._listeners)

    def leave(self, listener: Listener) -> None:
        """The stream is closed."""
        self._listeners.discard(listener)

    def end_sign_in(self, sign_in: str) -> None:
        """Close every stream that was opened with this sign-in."""
        for listener in [each for each in self._listeners if each.sign_in == sign_in]:
            listener.end("signed out")

    def close(self) -> None:
        """Close every stream: the service is going down."""
        self._closing = True
        for listener in list(self._listeners):
            listener.end(CLOSING)

    async def beats(self) -> None:
        """Beat once a second for ever, while the ward turns; let go of those who do not read."""
        while True:
            self.let_go_of_the_slow(asyncio.get_running_loop().time())
            if self._turning():
                self._tell(self._beat())
            await asyncio.sleep(BEAT_S)

    def let_go_of_the_slow(self, loop_s: float) -> None:
        """Close the streams on which one write has been stuck for longer than the deadline."""
        for listener in list(self._listeners):
            since = listener.sending_since
            if since is not None and loop_s - since > SEND_DEADLINE_S:
                listener.end(TOO_SLOW)
                self._drop(listener)

    async def watch_sign_ins(self, still_good: Callable[[Sequence[str]], Awaitable[set[str]]]) -> None:
        """Every two seconds, close the streams whose sign-in has ended."""
        while True:
            await asyncio.sleep(SIGN_IN_CHECK_S)
            asked = {listener.sign_in for listener in self._listeners}
            try:
                good = await still_good(sorted(asked))
            except Exception:  # noqa: BLE001  whatever the accounts' own kind of error is
                # Nobody is cut off from the alarms because the accounts cannot be read just now.
                _log.exception("the sign-ins of open streams cannot be checked")
                continue
            for gone in asked - good:
                self.end_sign_in(gone)

    def _tell(self, message: Message | bytes, wait_s: float = 0) -> None:
        for listener in list(self._listeners):
            listener.hear(message)
            if listener.ended == TOO_SLOW:
                self._drop(listener)
        if not self._pushing:
            # Not now: the turn has pages to send first.
            self._pushing = True
            asyncio.get_running_loop().call_later(wait_s, self._push)

    def _push(self) -> None:
        self._pushing = False
        for listener in self._listeners:
            try:
                listener.push()
            except Exception:  # noqa: BLE001  one broken connection must not keep the others from hearing
                _log.exception("a stream could not be written to")
                listener.end("could not be written to")

    def _drop(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        self.dropped += 1

    def _turning(self) -> bool:
        return asyncio.get_running_loop().time() - self._turned_at <= TURN_LATE_S

    def _beat(self) -> bytes:
        return _event(b"beat", turns.Beat(self._now_ms(), self.seq))

    def _missed(self, mark: str, last_event_id: str | None) -> list[Message] | None:
        """The messages after the one named, or None where they cannot all be given."""
        if last_event_id is None:
            return None
        said_mark, _, said_seq = last_event_id.rpartition("-")
        if said_mark != mark or not said_seq.isascii() or not said_seq.isdecimal() or len(said_seq) > 15:
            return None
        seq = int(said_seq)
        count = self.seq - seq
        if not 0 <= count <= min(len(self._ring), QUEUE_MAX // 2):
            return None
        return list(islice(reversed(self._ring), count))[::-1]


class LiveStream(Response):
    """The answer to GET /live: server-sent events for as long as the listener is let to listen."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, listener: Listener) -> None:
        """A stream of `hub` on which `listener` has been opened."""
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the listener hears until it ends or the other side has gone."""
        listener, loop = self._listener, asyncio.get_running_loop()
        gone = asyncio.create_task(_until_gone(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            listener.connection = scope.get("state", {}).get("connection")
            while data := await listener.next():
                listener.sending_since = loop.time()
                await send({"type": "http.response.body", "body": data, "more_body": True})
                listener.sending_since = None
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self._hub.leave(listener)


async def _until_gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end("the screen has gone")


def _event(kind: bytes, data: msgspec.Struct) -> bytes:
    # JSON has no line breaks of its own, so one data line is enough.
    return b"event: " + kind + b"\ndata: " + _JSON.encode(data) + b"\n\n"
