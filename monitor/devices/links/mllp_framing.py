"""MLLP on a socket, by the `hl7` library: the one room that imports it, and only where MLLP is spoken."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from hl7.mllp import HL7StreamProtocol, HL7StreamReader, HL7StreamWriter, InvalidBlockError
from hl7.mllp.streams import START_BLOCK

__all__ = ["BlockReader", "HL7StreamWriter", "InvalidBlockError", "dial", "framed"]


class BlockReader(HL7StreamReader):  # type: ignore[misc]  # the library has no types
    """Reads whole blocks. What stands before the last start of a block belongs to none, and costs none."""

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """As the library's, without the line ends and half blocks some monitors put between two."""
        block: bytes = await super().readuntil(separator)
        return block[max(block.rfind(START_BLOCK), 0) :]


def framed(
    called: Callable[[BlockReader, HL7StreamWriter], None], longest: int
) -> Callable[[], asyncio.Protocol]:
    """A protocol for each caller; no block, and no noise between two, is held beyond `longest` bytes."""

    def protocol() -> asyncio.Protocol:
        loop = asyncio.get_running_loop()
        made: asyncio.Protocol = HL7StreamProtocol(BlockReader(limit=longest, loop=loop), called, loop=loop)
        return made

    return protocol


async def dial(
    host: str, port: int, tls: ssl.SSLContext | None, longest: int
) -> tuple[BlockReader, HL7StreamWriter]:
    """Call somebody; no answer is held beyond `longest` bytes. OSError, as the socket raises it."""
    loop = asyncio.get_running_loop()
    reader = BlockReader(limit=longest, loop=loop)
    protocol = HL7StreamProtocol(reader, loop=loop)
    transport, _ = await loop.create_connection(lambda: protocol, host, port, ssl=tls)
    return reader, HL7StreamWriter(transport, protocol, reader, loop)
