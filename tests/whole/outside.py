"""What stands outside a clinic and hears what leaves it: a web address, a mail server, a broker's subscriber.

Each keeps everything it is sent, byte by byte; a mail is kept as its reader would see it, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage

import aiomqtt


@dataclass
class Ear:
    """One who listens at a port of its own; `heard` are the messages, whole."""

    port: int = 0
    heard: list[str] = field(default_factory=list)

    async def web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request with 200."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sizes = [line.split(":")[1] for line in head.lower().split("\r\n") if "content-length:" in line]
            body = (await reader.readexactly(int(sizes[0]) if sizes else 0)).decode()
            if not head.startswith("HEAD "):
                self.heard.append(head + body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n")
            writer.write(b"" if head.startswith("HEAD ") else b"{}")
            await writer.drain()

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take every mail."""
        writer.write(b"220 outside\r\n")
        while line := (await reader.readline()).decode():
            self.heard.append(line)
            if line.upper().startswith("DATA"):
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                self.heard.append(raw.decode("utf-8", "replace"))
                self.heard.append(_as_read(raw))
            writer.write(b"221 bye\r\n" if line.upper().startswith("QUIT") else b"250 outside\r\n")
            await writer.drain()

    def subscribes(self, topic: str, payload: bytes) -> None:
        """Keep one message of a broker."""
        self.heard.append(f"{topic} {payload.decode('utf-8', 'replace')}")

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.heard)


def _as_read(raw: bytes) -> str:
    """The headers and the text of a mail, out of whatever it was packed in."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *map(str, parts)])


@contextlib.asynccontextmanager
async def listening(kind: str) -> AsyncIterator[Ear]:
    """An ear for "web" or "mail", listening."""
    ear = Ear()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await (ear.web if kind == "web" else ear.mail)(reader, writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ear.port = server.sockets[0].getsockname()[1]
    try:
        yield ear
    finally:
        server.close()


@contextlib.asynccontextmanager
async def subscribed(port: int, *topics: str) -> AsyncIterator[Ear]:
    """An ear at these topics of a broker."""
    ear = Ear(port)
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic in topics:
            await client.subscribe(topic)

        async def listen() -> None:
            async for message in client.messages:
                payload = message.payload
                ear.subscribes(str(message.topic), payload if isinstance(payload, bytes) else b"")

        listens = asyncio.create_task(listen())
        try:
            yield ear
        finally:
            listens.cancel()
            await asyncio.gather(listens, return_exceptions=True)
