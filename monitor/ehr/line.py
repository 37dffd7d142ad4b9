"""One line to a receiver of HL7 over MLLP: one message out, its answer back, one at a time.

A connection of which nobody knows how it stands (no answer in time, half a block, noise) is closed and made
anew: an answer that comes too late is never taken for that of another message.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING

from monitor.devices.links.link import LinkLost, keep_alive, lost
from monitor.model import Fault
from monitor.records.hl7_out import Answer, answer_of

if TYPE_CHECKING:
    from monitor.devices.links.mllp_framing import BlockReader, HL7StreamWriter

CONNECT_S = 10.0
ANSWER_S = 10.0
"""How long a receiver may take (MLLP as the field does it: hl7-fhir-export.md 1)."""

ANSWER_MAX = 64 * 1024


class NoAnswer(LinkLost):
    """The receiver is there and has the message; nothing that answers it came back."""


class Line:
    """The connection, made when there is something to say and kept while it does its work."""

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        *,
        connect_s: float = CONNECT_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Nothing is opened yet."""
        self.name = f"the EHR at {host} port {port}"
        self._where = (host, port)
        self._tls = tls
        self._connect_s, self._answer_s = connect_s, answer_s
        self._wire: tuple[BlockReader, HL7StreamWriter] | None = None

    async def ask(self, message: bytes, control: str) -> Answer:
        """Hand over one message; what the receiver says of it.

        LinkLost: it could not be handed over. NoAnswer: it may have been taken, and nobody said so.
        """
        reader, writer = await self.call()
        try:
            writer.writeblock(message)
            async with asyncio.timeout(self._answer_s):
                await writer.drain()
                return await self._answer(reader, control)
        except TimeoutError:
            self.hang_up()
            raise NoAnswer(f"{self.name} does not answer within {self._answer_s:g} s") from None
        except asyncio.IncompleteReadError as end:
            self.hang_up()
            what = "in the middle of its answer" if end.partial else "without an answer"
            raise NoAnswer(f"{self.name} hung up {what}") from None
        except OSError as error:
            self.hang_up()
            raise error if isinstance(error, LinkLost) else lost(self.name, error) from error
        except BaseException:
            self.hang_up()
            raise

    async def call(self) -> tuple[BlockReader, HL7StreamWriter]:
        """The connection, made if there is none; LinkLost."""
        if self._wire is not None:
            return self._wire
        try:
            from monitor.devices.links.mllp_framing import dial
        except ModuleNotFoundError as missing:
            raise LinkLost(f"{self.name} needs the library hl7: pip install 'chairside[hl7]'") from missing
        try:
            async with asyncio.timeout(self._connect_s):
                wire = await dial(*self._where, self._tls, ANSWER_MAX)
        except ssl.SSLError as error:
            raise LinkLost(f"{self.name}: no secure connection: {_plain(error)}") from error
        except ConnectionRefusedError as error:
            raise LinkLost(
                f"{self.name} refuses the connection: is it running, and is this its port?"
            ) from error
        except OSError as error:
            raise lost(self.name, error) from error
        keep_alive(wire[1].get_extra_info("socket"))
        self._wire = wire
        return wire

    def hang_up(self) -> None:
        """Let go of the connection; the next message makes another."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire[1].transport.abort()

    async def close(self) -> None:
        """Say goodbye to the receiver, and let go."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire[1].close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await wire[1].wait_closed()

    async def _answer(self, reader: BlockReader, control: str) -> Answer:
        """The next block that is about this message; those about others came too late, and are let go."""
        from monitor.devices.links.mllp_framing import InvalidBlockError

        while True:
            try:
                said = answer_of(await reader.readblock())
            except (InvalidBlockError, ValueError):
                raise NoAnswer(f"{self.name} answers with what is no block of MLLP") from None
            if isinstance(said, Fault):
                raise NoAnswer(f"{self.name} answers with what cannot be read: {said.reason}")
            if said.control == control:
                return said


def _plain(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or "the handshake failed").replace("_", " ").lower()
