"""Whether an alarm can be heard where a screen stands, as each screen says of itself. No clock, no I/O."""

from __future__ import annotations

from dataclasses import replace

from monitor.model import SoundSaid, SoundState
from monitor.snapshot import SoundNow

FORGOTTEN_MS = 12 * 3_600_000
"""After so long a browser that is not paired is left out: no sign-in of a person lasts longer."""


class Sounds:
    """What every screen has said last, and when somebody last heard its sounds there (ALM-031, ALM-032)."""

    def __init__(self) -> None:
        """No screen has said anything yet."""
        self._now: dict[str, SoundNow] = {}

    def is_news(self, said: SoundSaid) -> bool:
        """Whether this changes anything: screens repeat themselves, the journal does not."""
        now = self._now.get(said.screen)
        match said.state:
            case None:
                return now is not None
            case SoundState.CHECKED:
                return True
            case SoundState.ON | SoundState.OFF:
                return now is None or (now.on, now.by) != (said.state is SoundState.ON, said.by)

    def said(self, said: SoundSaid) -> None:
        """A screen has said how its sound does; without a state, the sign-in it stood for has ended."""
        if said.state is None:
            self.forget(said.screen)
            return
        before = self._now.get(said.screen)
        now = SoundNow(
            screen=said.screen,
            paired=said.paired,
            on=said.state is not SoundState.OFF,
            by=said.by,
            at_ms=said.at_ms,
            checked_at_ms=before.checked_at_ms if before else None,
            checked_by=before.checked_by if before else None,
        )
        if said.state is SoundState.CHECKED:
            now = replace(now, checked_at_ms=said.at_ms, checked_by=said.by)
        since_ms = said.at_ms - FORGOTTEN_MS
        self._now = {name: each for name, each in self._now.items() if _counts(each, since_ms)}
        self._now[said.screen] = now

    def forget(self, screen: str) -> None:
        """Whatever a screen of this name has said was said by another browser, or is over."""
        self._now.pop(screen, None)

    def of(self, screen: str) -> SoundNow | None:
        """What one screen has said; None for one that has said nothing, or is none any more."""
        return self._now.get(screen)

    def now(self, now_ms: int) -> tuple[SoundNow, ...]:
        """What every screen has said, in the order in which they first did."""
        since_ms = now_ms - FORGOTTEN_MS
        return tuple(each for each in self._now.values() if _counts(each, since_ms))


def _counts(now: SoundNow, since_ms: int) -> bool:
    return now.paired or now.at_ms > since_ms
