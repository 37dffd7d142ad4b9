"""One TCP port on which monitors call; its devices share it, and each hears its own messages.

Whose a message is, is in the message and in the configuration, never in the connection: a gateway speaks for
many monitors, and one monitor may call twice. A message that fits no device, or two, is counted, answered and
put into words, and nobody hears it. Every message is answered as its header asks.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.devices.codecs.hl7_pcd01 import Match, refusal
from monitor.devices.framing import printable
from monitor.devices.links.link import LinkLost, Say, keep_alive, lost, silent
from monitor.devices.links.link import Message as Brought
from monitor.devices.links.mailbox import Mailbox
from monitor.hl7_text import (
    ACCEPTED,
    IN_ERROR,
    MESSAGE_MAX,
    REJECTED,
    Message,
    answer_to,
    is_answered,
    read,
)
from monitor.model import Fault

if TYPE_CHECKING:
    from monitor.devices.links.mllp_framing import BlockReader, HL7StreamWriter

LOOPBACK = "127.0.0.1"
CALLS_MAX = 32
"""Connections at once on one port (threat T20). A new one takes the place of the one quiet for longest."""
STRANGERS_MAX = 16
SAID_MAX = 100
STRANGERS_NAMED = 3
ANSWER_S = 5.0
"""How long a monitor may take to take its answer."""
LATELY_S = 60.0
"""A monitor that has said nothing for so long may be replaced by another one."""
WE = "CHAIRSIDE"


def parse_mllp_url(url: str) -> tuple[str, int]:
    """Address and port of `mllp://:PORT` (this machine only) or `mllp://ADDRESS:PORT`."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "mllp" or port is None or parts.path.strip("/") or parts.query or parts.username:
        raise ValueError(f"{url}: a link of monitors that call is mllp://:PORT or mllp://ADDRESS:PORT")
    return parts.hostname or LOOPBACK, port


class MllpLink(Mailbox):
    """What one device hears on a port: whole messages, and the addresses they came from."""

    def __init__(self, port: Port, name: str, match: Match) -> None:
        """Belong to `port`, which brings what fits `match`. Nothing is heard before `open`."""
        super().__init__()
        self.name = name
        self.match = match
        self._port = port
        self._ended = True
        self._owner: _Identity | None = None
        self._brought_at: float | None = None
        self._calls: set[_Call] = set()

    async def open(self) -> MllpLink:
        """Begin to hear; raises `LinkLost` if the port is not open."""
        if not self._port.listening:
            raise LinkLost(f"{self._port.name} is not open")
        self._ended, self.why = False, ""
        return self

    async def publish(self, topic: str, payload: bytes) -> None:
        """Nothing: a monitor that calls is answered, and told nothing else."""
        raise LinkLost(f"nothing can be sent to a monitor that calls ({topic}: {len(payload)} bytes)")

    async def close(self) -> None:
        """Hear no more. The port stays open for the others."""
        self.end("closed")

    def bring(self, message: Brought, identity: _Identity, call: _Call) -> bool:
        """One message for this device: called by the port. False: nobody is there to read it."""
        if self._ended:
            return False
        known = self._owner if self._lately() else None
        self._owner = identity.after(known)
        self._brought_at = asyncio.get_running_loop().time()
        self._calls = {one for one in self._calls if one.open} | {call}
        return self.put(message)

    def is_taken(self, identity: _Identity) -> bool:
        """Whether another monitor has been speaking here lately, and nothing tells the two apart."""
        named = self.match.sender is not None or self.match.device_id is not None
        return not named and self._owner is not None and self._lately() and self._owner.differs(identity)

    def seen(self) -> str:
        """What can be said of a silence here, for a technician."""
        others = self._port.seen()
        if self._brought_at is None:
            return others
        if any(call.open for call in self._calls):
            own = (
                "the monitor is connected and sends nothing: is a patient admitted, and sending switched on?"
            )
        else:
            own = "the monitor has hung up and has not called again: is it on, and on the network?"
        return f"{own} ({others})" if self._port.is_troubled else own

    def _lately(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._brought_at is not None and now - self._brought_at < self._port.lately_s


class Port:
    """One address on which monitors call. `listen` takes it; `link` gives a device its ear."""

    def __init__(
        self,
        address: tuple[str, int],
        now_ms: Callable[[], int],
        say: Say = silent,
        *,
        calls_max: int = CALLS_MAX,
        lately_s: float = LATELY_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Nothing is open before `listen`. `now_ms` is the time that answers carry."""
        self.address = address
        self.lately_s = lately_s
        self.counts: Counter[str] = Counter()
        """Messages and calls that came to nothing, by reason."""
        self._now_ms = now_ms
        self._say = say
        self._calls_max = calls_max
        self._answer_s = answer_s
        self._said: set[str] = set()
        self._links: list[MllpLink] = []
        self._calls: dict[_Call, asyncio.Task[None]] = {}
        self._server: asyncio.AbstractServer | None = None
        self._called = False
        self._turned_away: dict[str, None] = {}
        self._strangers: dict[str, None] = {}

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.address[0]} port {self.address[1]}"

    @property
    def listening(self) -> bool:
        """Whether it is open."""
        return self._server is not None

    @property
    def is_troubled(self) -> bool:
        """Whether somebody has called here who is nobody's."""
        return bool(self._strangers or self._turned_away)

    def link(self, device: str, match: Match) -> MllpLink:
        """The ear of one device; it hears from its `open` on."""
        made = MllpLink(self, device, match)
        self._links.append(made)
        return made

    async def listen(self) -> None:
        """Take the port, or raise `LinkLost` with the reason."""
        try:
            from monitor.devices.links.mllp_framing import framed
        except ModuleNotFoundError as missing:
            raise LinkLost(
                f"{self.name}: monitors that call need the library hl7: pip install 'chairside[hl7]'"
            ) from missing
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(framed(self._answer_call, MESSAGE_MAX), *self.address)
        except OSError as error:
            raise _not_had(self.name, error) from error
        self.address = (self.address[0], self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Hang up on everybody, and give the port back."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for link in self._links:
            link.end(f"{self.name} was closed by us")
        tasks = [*self._calls.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def seen(self) -> str:
        """What can be said of this port where nothing has come of it, for a technician."""
        if self._strangers:
            named = "; ".join([*self._strangers][:STRANGERS_NAMED])
            return f"a monitor calls {self.name}, but its messages are no device's here: {named}"
        if self._turned_away:
            named = ", ".join([*self._turned_away][:STRANGERS_NAMED])
            return (
                f"{named} called {self.name} and was turned away: no device here has this address in `from`"
            )
        if self._called:
            return f"a monitor has called {self.name}, but no message has come"
        only = " (open for this machine only)" if self.address[0] in {LOOPBACK, "::1", "localhost"} else ""
        return f"nobody has called {self.name}{only} yet"

    # One call, from its beginning to its end.

    def _answer_call(self, reader: BlockReader, writer: HL7StreamWriter) -> None:
        peer = _plain_address(writer.get_extra_info("peername"))
        if not self._may_call(peer):
            if len(self._turned_away) < STRANGERS_MAX:
                self._turned_away[peer] = None
            self._count("calls from addresses that are in no `from`")
            self._once(f"{peer} called {self.name} and was turned away: its address is in no `from`")
            writer.close()
            return
        if len(self._calls) >= self._calls_max:
            quiet = min(self._calls, key=lambda call: call.heard_at)
            self._count("calls that gave way to newer ones")
            self._calls.pop(quiet).cancel()
        keep_alive(writer.get_extra_info("socket"))
        self._called = True
        call = _Call(peer, reader, writer, asyncio.get_running_loop().time())
        self._calls[call] = asyncio.create_task(self._talk(call), name=f"a call from {peer}")

    def _may_call(self, peer: str) -> bool:
        return any(not link.match.peers or peer in link.match.peers for link in self._links)

    async def _talk(self, call: _Call) -> None:
        """Hear and answer, block by block, until they hang up."""
        try:
            while (block := await self._block(call)) is not None:
                call.heard_at = asyncio.get_running_loop().time()
                if answer := self._take(block, call):
                    call.writer.writeblock(answer)
                    async with asyncio.timeout(self._answer_s):
                        await call.writer.drain()
                # Whoever sends without a pause must not keep the others waiting.
                await asyncio.sleep(0)
        except TimeoutError:
            self._count("calls that did not take their answers")
        except OSError:
            pass  # they are gone
        finally:
            call.open = False
            self._calls.pop(call, None)
            call.writer.close()

    async def _block(self, call: _Call) -> bytes | None:
        """The next block, or None when they have hung up."""
        from monitor.devices.links.mllp_framing import InvalidBlockError

        while True:
            try:
                block: bytes = await call.reader.readblock()
            except asyncio.IncompleteReadError as end:
                if end.partial.strip(b"\r\n\0"):
                    self._count("blocks without their end")
                return None
            except InvalidBlockError:
                self._count("blocks without a start")
            except ValueError:
                self._count("blocks that were too long")
                self._once(f"{self.name}: messages of more than {MESSAGE_MAX} bytes are dropped")
            else:
                return block
            await asyncio.sleep(0)

    # One message.

    def _take(self, block: bytes, call: _Call) -> bytes | None:
        """Hand a message to its device; the answer to it, if one is wanted."""
        message = read(block)
        if isinstance(message, Fault):
            self._count(message.reason)
            return None  # nothing in it says whom to answer, and about what
        code, why = self._deliver(message, block, call)
        if why:
            self._count(why)
        if not is_answered(message, code):
            return None
        at = datetime.fromtimestamp(self._now_ms() / 1_000, UTC).strftime("%Y%m%d%H%M%S+0000")
        return answer_to(message, code, at, sender=WE, text=why)

    def _deliver(self, message: Message, block: bytes, call: _Call) -> tuple[str, str]:
        if wrong := refusal(message):
            return wrong
        identity = _Identity.of(message)
        fit = [link for link in self._links if link.match.fits(message, call.peer)]
        if len(fit) != 1:
            return self._estrange(identity, call, fit)
        (link,) = fit
        if link.is_taken(identity):
            why = f"another monitor speaks for {link.name}: tell them apart by sender or device_id"
            self._once(f"{self.name}: {identity.words(call.peer)}: {why}")
            return REJECTED, why
        if not link.bring((call.peer, block, False), identity, call):
            return IN_ERROR, "it could not be read just now"
        return ACCEPTED, ""

    def _estrange(self, identity: _Identity, call: _Call, fit: Sequence[MllpLink]) -> tuple[str, str]:
        """A message of no device, or of two: remembered by who sent it."""
        names = " and ".join(link.name for link in fit)
        why = f"it fits {len(fit)} devices" if fit else "it fits no device"
        words = identity.words(call.peer) + (f", which is both {names}" if fit else "")
        if words not in self._strangers and len(self._strangers) < STRANGERS_MAX:
            self._strangers[words] = None
            self._say(f"{self.name}: a message is nobody's, for {why}: {words}")
        return REJECTED, why

    def _count(self, what: str) -> None:
        # Some reasons quote the message, and whoever calls may write what they like.
        self.counts[what if what in self.counts or len(self.counts) < SAID_MAX else "others"] += 1

    def _once(self, text: str) -> None:
        if text not in self._said and len(self._said) < SAID_MAX:
            self._said.add(text)
            self._say(text)


@dataclass(eq=False, slots=True)
class _Call:
    """One connection."""

    peer: str
    reader: BlockReader
    writer: HL7StreamWriter
    heard_at: float
    open: bool = True


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who a message says it is from: what a technician copies into the options. No patient's data."""

    sender: tuple[str, ...]
    device: tuple[str, ...]
    location: tuple[str, ...]

    @classmethod
    def of(cls, message: Message) -> _Identity:
        """Read it."""
        return cls(message.sender(), next(iter(message.equipment()), ()), message.location())

    def differs(self, other: _Identity) -> bool:
        """Whether these are two monitors for certain."""
        pairs = ((self.sender, other.sender), (self.device, other.device))
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)

    def after(self, known: _Identity | None) -> _Identity:
        """The same monitor, with what was known of it where a message that came damaged says nothing."""
        if known is None or known.differs(self):
            return self
        return _Identity(self.sender or known.sender, self.device or known.device, self.location)

    def words(self, peer: str) -> str:
        """The same for people."""
        said = [f"from {peer}"]
        for what, names in (("sender", self.sender), ("device_id", self.device)):
            if names:
                said.append(f"{what} {' or '.join(dict.fromkeys(names))}")
        if any(self.location):
            said.append(f"location {'^'.join(self.location)}")
        return printable(", ".join(said), 200)


def _plain_address(peername: object) -> str:
    """An address as `from` has it: a machine of the old internet is not called by its new name."""
    if not isinstance(peername, tuple) or not peername:
        return ""
    try:
        address = ipaddress.ip_address(str(peername[0]).partition("%")[0])
    except ValueError:
        return str(peername[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _not_had(name: str, error: OSError) -> LinkLost:
    """Why the port cannot be opened."""
    if error.errno == errno.EADDRINUSE:
        return LinkLost(f"{name} is in use by another program: set another one in the link")
    if error.errno == errno.EADDRNOTAVAIL:
        return LinkLost(f"{name}: this machine has no such address; mllp://0.0.0.0:PORT means all it has")
    if error.errno == errno.EACCES:
        return LinkLost(f"{name} cannot be opened: below 1024 only the administrator may; use 2575")
    return lost(name, error)


def port_for(ports: Sequence[Port], url: str) -> Port:
    """The port a device's link means; ValueError if there is none."""
    address = parse_mllp_url(url)
    for port in ports:
        if port.address == address:
            return port
    raise ValueError(f"{url}: there is no such port")
