"""What the tests of led cuffs share: a decoder on its cable, and the real host beside a simulated device."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from monitor.devices.driver import Decoder, Polled
from monitor.model import Cuff, Said
from simulators.twin import SerialTwin


class Led(Decoder, Polled, Protocol):
    """The decoder of a device that must be asked."""


class Host:
    """A decoder on its cable and a device that answers from a table; time goes on when it is told to."""

    step_ms = 100

    def __init__(self, decoder: Led, answers: Mapping[bytes, bytes], silent: Collection[bytes] = ()) -> None:
        """`silent` are bytes that are sent, and are no command to be counted."""
        self.decoder = decoder
        self.answers = dict(answers)
        self.stream = b""
        """What the device says by itself, at every step; meanwhile it answers nothing."""
        self.sent: list[tuple[int, bytes]] = []
        self.now_ms = 1_000_000
        self._silent = frozenset(silent)

    def runs(self, seconds: float) -> list[Said]:
        """Let time pass; everything that is said meanwhile."""
        said: list[Said] = []
        for _ in range(round(seconds * 1_000 / self.step_ms)):
            self.decoder.tick(self.now_ms)
            while command := self.decoder.to_send():
                self.sent.append((self.now_ms, command))
                said += self.decoder.feed(b"" if self.stream else self.answers.get(command, b""))
            said += self.decoder.feed(self.stream)
            self.now_ms += self.step_ms
        return said

    def commands(self) -> list[bytes]:
        """What has been sent since the last call."""
        sent, self.sent = self.sent, []
        return [command for _, command in sent if command not in self._silent]


def cuffs_of(said: list[Said]) -> list[Cuff]:
    """The readings, good and failed."""
    return [one for one in said if isinstance(one, Cuff)]


def whys(said: list[Said]) -> list[str | None]:
    """Why each reading has no numbers, or is doubted."""
    return [one.why for one in cuffs_of(said)]


def beside(
    twin: SerialTwin, host: Led, from_ms: int, to_ms: int, step_ms: int = 100
) -> list[tuple[int, Said]]:
    """The real host and a simulated device on one line; what is said, and when."""
    heard: list[tuple[int, Said]] = []
    for t_ms in range(from_ms, to_ms, step_ms):
        host.tick(t_ms)
        command = host.to_send()
        answer = twin.tick(t_ms) + (twin.hear(command, t_ms) if command else b"")
        heard += [(t_ms, said) for said in host.feed(answer)]
    return heard
