"""Technical conditions as timers: what has been missing for as long as its rule allows is raised. Pure.

A condition steps up by having several rules (link-lost-m after 10 s, link-lost after 60 s), each a timer of
its own. It ends at once: a cable that is back in is back in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from monitor.model import Bed, Cue, Device

Key = tuple[Bed, str, Device | None]
"""What is missing where: the bed, the rule's name, and the device where it is about one."""


class GapChange(NamedTuple):
    """A technical rule that moved: HELD when its delay has run, END when its condition is over."""

    key: Key
    cue: Cue
    since_ms: int
    at_ms: int


@dataclass(slots=True)
class _Gap:
    since_ms: int
    due_ms: int | None
    """When it is raised; None once it has been."""


class Gaps:
    """See the module."""

    def __init__(self, delays_ms: Mapping[str, int]) -> None:
        """How long each technical rule lets its condition last, by the rule's name."""
        self._delays_ms = delays_ms
        self._gaps: dict[Key, _Gap] = {}
        self._over: dict[Key, int] = {}

    def set(self, key: Key, since_ms: int | None) -> None:
        """The condition has held since then, or (None) does not hold. Saying it again changes nothing."""
        gap = self._gaps.get(key)
        if since_ms is None:
            if gap is not None:
                del self._gaps[key]
                if gap.due_ms is None:
                    self._over[key] = gap.since_ms
        elif gap is None:
            # Over and back before anybody was told: to the ward it never ended.
            told = self._over.pop(key, None) is not None
            self._gaps[key] = _Gap(since_ms, None if told else since_ms + self._delays_ms[key[1]])
        elif gap.since_ms != since_ms:
            gap.since_ms = since_ms
            if gap.due_ms is not None:
                gap.due_ms = since_ms + self._delays_ms[key[1]]

    def tick(self, now_ms: int) -> list[GapChange]:
        """Let time pass: what has lasted is raised, what is over has ended."""
        changes = [GapChange(key, Cue.END, since_ms, now_ms) for key, since_ms in self._over.items()]
        self._over.clear()
        due = [
            (g.due_ms, key, g) for key, g in self._gaps.items() if g.due_ms is not None and g.due_ms <= now_ms
        ]
        for due_ms, key, gap in sorted(due, key=lambda d: d[0]):
            gap.due_ms = None
            changes.append(GapChange(key, Cue.HELD, gap.since_ms, due_ms))
        return changes

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next."""
        if self._over:
            return 0
        return min((gap.due_ms for gap in self._gaps.values() if gap.due_ms is not None), default=None)

    def standing(self, key: Key) -> bool:
        """Whether this rule is raised there."""
        gap = self._gaps.get(key)
        return gap is not None and gap.due_ms is None

    def restore(self, key: Key, since_ms: int) -> None:
        """Put back what was raised before a restart; `set` then says whether it still holds."""
        self._gaps[key] = _Gap(since_ms, None)
