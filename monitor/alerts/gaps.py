"""Technical conditions: what is missing, and for how long. Each row is raised once its delay has run. Pure.

A condition steps up by having several rows (link-lost-m after 10 s, link-lost after 60 s). It ends at once:
a cable that is back in is back in.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.alerts.rules import RULES, Rule
from monitor.model import Cue


class GapChange(NamedTuple):
    """A technical rule that moved: HELD when its delay has run, END when its condition is over."""

    where: Hashable
    rule: int
    cue: Cue
    since_ms: int
    at_ms: int


@dataclass(slots=True)
class _Gap:
    since_ms: int
    waits: dict[int, int]
    """Rules whose delay runs: when each is due."""
    raised: set[int] = field(default_factory=set)


class Gaps:
    """See the module. `where` is whatever a condition belongs to: a device, a bed, the clinic."""

    def __init__(self, delays_ms: Mapping[str, int]) -> None:
        """Each technical rule's delay, by its name."""
        self._rows: dict[str, list[tuple[int, Rule, int]]] = {}
        for place, rule in enumerate(RULES):
            if rule.technical:
                self._rows.setdefault(rule.condition, []).append((place, rule, delays_ms[rule.name]))
        self._gaps: dict[tuple[str, Hashable], _Gap] = {}
        self._changes: list[GapChange] = []

    def set(
        self,
        at_ms: int,
        condition: str,
        where: Hashable,
        since_ms: int | None,
        *,
        in_session: bool | None = None,
    ) -> None:
        """The condition holds since then, or (None) does not hold. Saying the same again changes nothing."""
        self.tick(at_ms)
        key = condition, where
        gap = self._gaps.get(key)
        if since_ms is None:
            if gap is not None:
                del self._gaps[key]
                self._end(where, gap, gap.raised, at_ms)
            return
        due = {
            place: since_ms + delay_ms
            for place, rule, delay_ms in self._rows[condition]
            if rule.in_session is None or rule.in_session == in_session
        }
        if gap is None:
            gap = self._gaps[key] = _Gap(since_ms, due)
        else:
            # A session that opens or closes meanwhile changes which rows the condition has.
            self._end(where, gap, gap.raised - due.keys(), at_ms)
            gap.since_ms, gap.raised = since_ms, gap.raised & due.keys()
            gap.waits = {place: due_ms for place, due_ms in due.items() if place not in gap.raised}
        self._raise(key, gap, at_ms)

    def tick(self, now_ms: int) -> None:
        """Let time pass: what has lasted for its delay is raised."""
        for key, gap in self._gaps.items():
            self._raise(key, gap, now_ms)

    def due_ms(self) -> int | None:
        """When `tick` wants to be called next."""
        return min((due for gap in self._gaps.values() for due in gap.waits.values()), default=None)

    def take_changes(self) -> list[GapChange]:
        """What has moved since the last time, in order."""
        changes, self._changes = self._changes, []
        return changes

    def standing(self, rule: int, where: Hashable) -> bool:
        """Whether this rule is raised there."""
        gap = self._gaps.get((RULES[rule].condition, where))
        return gap is not None and rule in gap.raised

    def restore(self, rule: int, where: Hashable, since_ms: int) -> None:
        """Put back a rule that was raised before a restart; `set` then says whether it still holds."""
        gap = self._gaps.setdefault((RULES[rule].condition, where), _Gap(since_ms, {}))
        gap.raised.add(rule)

    def _raise(self, key: tuple[str, Hashable], gap: _Gap, now_ms: int) -> None:
        due = sorted((due_ms, rule) for rule, due_ms in gap.waits.items() if due_ms <= now_ms)
        for due_ms, rule in due:
            del gap.waits[rule]
            gap.raised.add(rule)
            self._changes.append(GapChange(key[1], rule, Cue.HELD, gap.since_ms, max(due_ms, gap.since_ms)))

    def _end(self, where: Hashable, gap: _Gap, rules: Iterable[int], at_ms: int) -> None:
        for rule in sorted(rules):
            self._changes.append(GapChange(where, rule, Cue.END, gap.since_ms, at_ms))
