"""The open alarms of the ward: what each is, who speaks for whom, and when an acknowledgement lapses.

Decides nothing by itself: `move` says what a cue would do, `apply` makes it so. So live and replay are one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from monitor.alerts.alarm import RECURRING_AFTER, RECURRING_WITHIN_MS, ack_until_ms, step
from monitor.alerts.causes import ALONE, together
from monitor.alerts.rules import Rule
from monitor.model import Acked, AlarmMoved, AlarmState, Bed, Cue, Device, Priority, Staff

Key = tuple[Bed, str, Device | None]
"""Which condition of what: the bed, the rule, and for a technical alarm the device."""

OPEN = (AlarmState.ACTIVE, AlarmState.ACKED)

KEPT = 200
"""Of so many alarms that are over it is still known who acknowledged them."""


@dataclass(slots=True)
class Alarm:
    """One alarm that is not CLEAR, as the board holds it."""

    alarm_id: int
    bed: Bed
    rule: Rule
    device: Device | None
    state: AlarmState
    since_ms: int
    moved_at_ms: int
    value: float | None
    limit: float | None
    note: str
    raised_at_ms: int | None = None
    acked_by: Staff | None = None
    acked_at_ms: int | None = None
    recurring: bool = False
    """It has been raised so often of late that it is one alarm, kept in sight (ALM-046)."""

    @property
    def priority(self) -> Priority:
        """The rule's priority."""
        return self.rule.priority

    @property
    def key(self) -> Key:
        """Where the board keeps it."""
        return self.bed, self.rule.name, self.device

    @property
    def ack_until_ms(self) -> int | None:
        """When its acknowledgement lapses if the condition is still there."""
        if self.state is not AlarmState.ACKED or self.acked_at_ms is None:
            return None
        return ack_until_ms(self.priority, self.acked_at_ms, self.rule.condition)

    @property
    def unanswered_high(self) -> bool:
        """Whether it forbids closing the session: a HIGH that nobody has acknowledged."""
        return self.priority is Priority.HIGH and self.state in (AlarmState.ACTIVE, AlarmState.LATCHED)


class Board:
    """All alarms that are not CLEAR, and the last id given."""

    def __init__(
        self, rules: Mapping[str, Rule], explains: Callable[[Alarm, Alarm], bool] | None = None
    ) -> None:
        """An empty board for these rules; `explains(one, other)` tells of causes beyond a rule's family."""
        self._rules = rules
        self._explains = explains or _never
        self._by_key: dict[Key, Alarm] = {}
        self._by_id: dict[int, Alarm] = {}
        self._last_id = 0
        self._acks: dict[int, Acked] = {}
        self._over: dict[int, Acked] = {}
        self._raises: dict[Key, list[int]] = {}
        """When each condition was raised within the last ten minutes."""

    def __iter__(self) -> Iterator[Alarm]:
        """Every open alarm, oldest id first."""
        return iter(list(self._by_id.values()))

    def get(self, alarm_id: int) -> Alarm | None:
        """The open alarm with this id."""
        return self._by_id.get(alarm_id)

    def at(self, bed: Bed, rule: str, device: Device | None = None) -> Alarm | None:
        """The open alarm of this condition."""
        return self._by_key.get((bed, rule, device))

    def of(self, bed: Bed) -> list[Alarm]:
        """The open alarms of one bed."""
        return [a for a in self._by_id.values() if a.bed == bed]

    def move(
        self,
        key: Key,
        cue: Cue,
        at_ms: int,
        *,
        since_ms: int | None = None,
        value: float | None = None,
        limit: float | None = None,
        note: str = "",
    ) -> AlarmMoved | None:
        """What this cue does to the alarm of this condition, or None where it is no news."""
        bed, name, device = key
        rule = self._rules[name]
        alarm = self._by_key.get(key)
        was = alarm.state if alarm else AlarmState.CLEAR
        now = step(was, cue, rule.priority, recurring=alarm is not None and alarm.recurring)
        if now is was:
            return None
        if _raises(was, now) and self._recent(key, at_ms) >= RECURRING_AFTER:
            times = self._recent(key, at_ms) + 1
            note = "; ".join(filter(None, (note, f"recurring, {times} times in 10 min")))
        began_ms = at_ms if since_ms is None else since_ms
        return AlarmMoved(
            at_ms=at_ms,
            alarm_id=alarm.alarm_id if alarm else self._last_id + 1,
            bed=bed,
            rule=name,
            priority=rule.priority,
            was=was,
            now=now,
            cue=cue,
            since_ms=alarm.since_ms if alarm and was is not AlarmState.LATCHED else began_ms,
            value=value if value is not None or alarm is None else alarm.value,
            limit=limit if limit is not None or alarm is None else alarm.limit,
            note=note or (alarm.note if alarm else ""),
            device=device,
        )

    def apply(self, moved: AlarmMoved) -> Alarm | None:
        """Make a move so; the alarm as it is now, or None once it is CLEAR."""
        key = (moved.bed, moved.rule, moved.device)
        self._last_id = max(self._last_id, moved.alarm_id)
        alarm = self._by_key.get(key)
        if moved.now is AlarmState.CLEAR:
            self._clear(moved, alarm)
            return None
        if alarm is None:
            rule = self._rules[moved.rule]
            alarm = Alarm(
                moved.alarm_id, moved.bed, rule, moved.device, moved.now, moved.since_ms, moved.at_ms,
                moved.value, moved.limit, moved.note,
            )  # fmt: skip
            self._by_key[key] = self._by_id[moved.alarm_id] = alarm
        if _raises(moved.was, moved.now):
            alarm.recurring = self._recent(key, moved.at_ms) >= RECURRING_AFTER
            self._raises[key] = [*self._raises[key], moved.at_ms]
        alarm.state, alarm.moved_at_ms, alarm.since_ms = moved.now, moved.at_ms, moved.since_ms
        alarm.note = moved.note
        if moved.cue is not Cue.END:  # what is latched goes on saying what it was raised for
            alarm.value, alarm.limit = moved.value, moved.limit
        if moved.now is AlarmState.ACTIVE:
            self._acks.pop(moved.alarm_id, None)
            alarm.raised_at_ms = moved.at_ms
            alarm.acked_by = alarm.acked_at_ms = None
        elif moved.now is AlarmState.ACKED and (ack := self._acks.get(moved.alarm_id)):
            alarm.acked_by, alarm.acked_at_ms = ack.by, ack.at_ms
        return alarm

    def _clear(self, moved: AlarmMoved, alarm: Alarm | None) -> None:
        if alarm is not None:
            del self._by_key[alarm.key], self._by_id[alarm.alarm_id]
        if ack := self._acks.pop(moved.alarm_id, None):
            self._over[moved.alarm_id] = ack
            while len(self._over) > KEPT:
                del self._over[next(iter(self._over))]

    def acked(self, ack: Acked) -> None:
        """Remember who acknowledged, before the moves that follow from it."""
        for alarm in self.same_cause(ack.alarm_id):
            self._acks[alarm.alarm_id] = ack

    def last_ack(self, alarm_id: int) -> Acked | None:
        """Who acknowledged this alarm last, and when, even where it has ended since (ALM-048)."""
        return self._acks.get(alarm_id) or self._over.get(alarm_id)

    def new_patient(self, bed: Bed) -> None:
        """What was raised of the last patient is not counted against the next."""
        self._raises = {key: times for key, times in self._raises.items() if key[0] != bed or key[2]}

    def _recent(self, key: Key, at_ms: int) -> int:
        """How often a condition has been raised in the last ten minutes; what is older is forgotten."""
        since_ms = at_ms - RECURRING_WITHIN_MS
        recent = [raised_ms for raised_ms in self._raises.get(key, ()) if raised_ms > since_ms]
        self._raises[key] = recent
        return len(recent)

    def gone(self, moved: AlarmMoved) -> None:
        """A move of an alarm that can be none any more; its id is never given again."""
        self._last_id = max(self._last_id, moved.alarm_id)

    def same_cause(self, alarm_id: int) -> list[Alarm]:
        """The alarm with this id and every other of its cause at the bed that is waiting for an answer.

        Who is at the bed has seen them all: one cause, one acknowledgement. Of another family it answers
        what it was paged for as well, and nothing worse than itself.
        """
        alarm = self._by_id.get(alarm_id)
        if alarm is None:
            return []
        same = [*self._kin(alarm), *(a for a in self._group(alarm) if a.priority <= alarm.priority)]
        return [alarm] + [a for a in same if a.state in (AlarmState.ACTIVE, AlarmState.LATCHED)]

    def speaker(self, alarm: Alarm) -> Alarm | None:
        """The worse alarm of the same cause that speaks for this one, or None where it speaks for itself.

        The HIGH rule of a vital speaks for its MEDIUM; of two alike the older speaks, as long as it still
        sounds: what comes after an acknowledgement is a new condition and always sounds (ALM-042).
        """
        for other in self._kin(alarm):
            if other.state in OPEN and other.priority > alarm.priority:
                return other
            same = other.priority == alarm.priority and _raised(other) < _raised(alarm)
            if same and other.state is AlarmState.ACTIVE:
                return other
        for other in self.of(alarm.bed):
            if other.state in OPEN and self._explains(other, alarm):
                return other
        return None

    def pages_for(self, alarm: Alarm, silent: Container[int] = ()) -> Alarm | None:
        """The alarm of another family whose page is this one's, too; None where it has pages of its own.

        The worst that sounds, of two alike the older. One that is `silent` itself, for whatever reason,
        pages for nobody; nor does one that somebody has answered: what comes after that is new (ALM-042).
        Whose family claims that there is no breath or no pulse is left to nobody else's page.
        """
        if any(a.state is AlarmState.ACTIVE and a.rule.condition in ALONE for a in self._kin(alarm)):
            return None
        for other in self.of(alarm.bed):
            if (
                other.state is AlarmState.ACTIVE
                and other.alarm_id not in silent
                and together(other.rule, alarm.rule)
                and (-other.priority, *_raised(other)) < (-alarm.priority, *_raised(alarm))
            ):
                return other
        return None

    def _group(self, alarm: Alarm) -> list[Alarm]:
        """The alarms of other families at the bed that this one's page may be the page for."""
        return [a for a in self.of(alarm.bed) if a is not alarm and together(alarm.rule, a.rule)]

    def _kin(self, alarm: Alarm) -> list[Alarm]:
        return [
            a
            for a in self._by_id.values()
            if a is not alarm
            and a.bed == alarm.bed
            and a.device == alarm.device
            and a.rule.family == alarm.rule.family
        ]


def _raises(was: AlarmState, now: AlarmState) -> bool:
    """Whether this is news of the condition, and not of what somebody has said of it."""
    return now is AlarmState.ACTIVE and was is not AlarmState.ACKED


def _raised(alarm: Alarm) -> tuple[float, int]:
    raised_ms = inf if alarm.raised_at_ms is None else alarm.raised_at_ms
    return raised_ms, alarm.alarm_id


def _never(_one: Alarm, _other: Alarm) -> bool:
    return False
