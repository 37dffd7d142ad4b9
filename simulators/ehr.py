"""`chairside receive`, also `python -m simulators.ehr`: a receiver of HL7 over MLLP, to try an EHR link with.

It takes messages and answers them, well or badly: each way in which a receiver fails in the field has a name.
It reads frames and headers by itself and shares no code with what it hears.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from monitor import terminal

START, END = b"\x0b", b"\x1c\r"

WAYS = {
    "AA": "takes the message",
    "AE": "says that there is an error in it",
    "AR": "rejects it",
    "CA": "takes it in the words of the enhanced mode",
    "silent": "says nothing",
    "late": "answers after a while",
    "half": "breaks off in the middle of its answer",
    "noise": "answers with what is no HL7",
    "unframed": "answers without a frame",
    "gone": "hangs up instead of answering",
    "other": "answers another message first, then this one",
    "twice": "answers two times",
    "drip": "answers byte by byte",
}

Choose = Callable[[str, int], str]
"""Of the message's MSH-10, and how often it has come, the way in which it is answered."""


def always(way: str) -> Choose:
    """The same for every message."""
    return lambda _control, _times: way


TAKES_ALL = always("AA")


class Receiver:
    """An EHR, as far as a sender can see it. May go down and come up again on its port."""

    def __init__(self, choose: Choose = TAKES_ALL, *, late_s: float = 1.0) -> None:
        """Not up yet; `choose` may be changed at any time."""
        self.choose = choose
        self.heard: list[bytes] = []
        """Every message that came, whatever was answered."""
        self.taken: list[str] = []
        """MSH-10 of those that were answered with AA, in order: what it believes to have."""
        self.calls = 0
        """How often somebody has connected."""
        self.port = 0
        self._late_s = late_s
        self._times: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    @property
    def lines(self) -> int:
        """How many are connected."""
        return len(self._lines)

    async def come_up(self, port: int = 0, host: str = "127.0.0.1", **more: object) -> None:
        """Listen; on the port of before, if there was one. `more` goes to asyncio (`ssl`)."""
        self._server = await asyncio.start_server(
            self._call,
            host,
            port or self.port,
            **more,  # type: ignore[arg-type]
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_down(self) -> None:
        """Take no calls, and hang up on everybody in the middle of whatever they say."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in [*self._lines]:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def until(self, enough: Callable[[], bool], within_s: float = 10.0) -> None:
        """Wait until it has heard enough; TimeoutError if that does not come."""
        async with asyncio.timeout(within_s):
            while not enough():
                self._news.clear()
                await self._news.wait()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        if line is not None:
            self._lines.add(line)
        self.calls += 1
        try:
            while True:
                frame = await reader.readuntil(END)
                message = frame[frame.rfind(START) + 1 : -len(END)]
                self.heard.append(message)
                control = control_of(message)
                self._times[control] += 1
                way = self.choose(control, self._times[control])
                going_on = await self._answer(way, control, writer)
                self._news.set()
                if not going_on:
                    return
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass  # they hung up, or we went down
        finally:
            if line is not None:
                self._lines.discard(line)
            writer.transport.abort()

    async def _answer(self, way: str, control: str, writer: asyncio.StreamWriter) -> bool:
        """Answer in one way; whether the line goes on."""
        code = way if way in {"AA", "AE", "AR", "CA"} else "AA"
        answer = START + acknowledgement(code, control) + END
        if way == "silent":
            return True
        if way == "gone":
            return False
        if way in {"AA", "CA", "late", "other", "twice", "drip"}:
            self.taken.append(control)
        if way == "late":
            await asyncio.sleep(self._late_s)
        pieces = {
            "half": [answer[:20]],
            "noise": [START + b"\x00\xff HTTP/1.1 400 Bad Request" + END],
            "unframed": [acknowledgement("AA", control) + END],
            "other": [START + acknowledgement("AE", f"not-{control}") + END, answer],
            "twice": [answer, answer],
            "drip": [answer[n : n + 1] for n in range(len(answer))],
        }.get(way, [answer])
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if way == "half":
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return way != "half"


def control_of(message: bytes) -> str:
    """MSH-10."""
    fields = message.partition(b"\r")[0].split(b"|")
    return fields[9].decode() if len(fields) > 9 else ""


def acknowledgement(code: str, control: str) -> bytes:
    """An ACK as receivers write it."""
    at = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    said = {"AE": "|an error in the message", "AR": "|not now"}.get(code, "")
    return f"MSH|^~\\&|EHR||||{at}||ACK^R01^ACK|A{control}|P|2.6\rMSA|{code}|{control}{said}\r".encode()


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog='Example: chairside receive --port 2575, and in clinic.toml [ehr] host = "127.0.0.1".')
def receive(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for a free one.")] = 2575,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    answer: Annotated[
        str, typer.Option(help="; ".join(f"{way}: {what}" for way, what in WAYS.items()) + ".")
    ] = "AA",
    keep: Annotated[Path | None, typer.Option(help="A file to add every message to.")] = None,
) -> None:
    """A receiver of HL7 over MLLP, to try an EHR link with: prints every message, answers it."""
    if answer not in WAYS:
        raise typer.BadParameter(f"there is no way {answer!r} to answer; there are {', '.join(WAYS)}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_receive(host, port, answer, keep))


async def _receive(host: str, port: int, answer: str, keep: Path | None) -> None:
    receiver = Receiver(always(answer), late_s=30.0)
    try:
        await receiver.come_up(port, host)
    except OSError as error:
        sys.stderr.write(f"chairside: {host} port {port}: {error.strerror}\n")
        raise typer.Exit(3) from None
    sys.stdout.write(f"listening on {host} port {receiver.port}; it {WAYS[answer]}\n")
    sys.stdout.flush()
    with contextlib.ExitStack() as stack:
        file: BinaryIO | None = stack.enter_context(keep.open("ab")) if keep else None
        while True:
            await receiver.until(lambda: bool(receiver.heard), within_s=float("inf"))
            _show(receiver.heard.pop(0), file)


def _show(message: bytes, file: BinaryIO | None) -> None:
    """A line a segment, and nothing that moves a terminal's cursor."""
    for line in message.decode("utf-8", "replace").split("\r"):
        text = "".join(sign if sign.isprintable() else "?" for sign in line)
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    if file is not None:
        file.write(START + message + END)
        file.flush()


if __name__ == "__main__":
    terminal.run(app, "chairside receive")
