"""May this alarm sound or page now, and if not, why not. Questions asked before a signal, never states."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.alerts.rules import RULES
from monitor.model import Bed, Paused, PauseKind, Priority, Vital

LONGEST_MS = {PauseKind.AUDIO: 120_000, PauseKind.ALARM: 180_000}
"""How long a pause may last (alarms.md 5, inactivation states)."""


JUDGED = frozenset(rule.vital for rule in RULES if rule.vital is not None)
"""The vitals that have rules: a pause of any other would look like one and hold nothing back."""

PULSES = (Vital.PULSE_SPO2, Vital.PULSE_NIBP)


def covers(pause: Paused, bed: Bed, vital: Vital | None, now_ms: int) -> bool:
    """Whether a pause runs for this bed and this vital; a pause without a vital covers the whole bed."""
    return pause.bed == bed and now_ms < pause.until_ms and pause.vital in (None, vital)


def silencer(pauses: Iterable[Paused], bed: Bed, vital: Vital | None, now_ms: int) -> Paused | None:
    """The pause for which an alarm makes no sound now, or None where it may sound."""
    return next((pause for pause in pauses if covers(pause, bed, vital, now_ms)), None)


def why_unpaged(
    pauses: Iterable[Paused], bed: Bed, vital: Vital | None, priority: Priority, now_ms: int
) -> str | None:
    """Why an alarm orders no page now, or None where it may.

    Audio paused never holds a page back; alarm paused holds back all but HIGH (alarms.md 5).
    """
    if priority is Priority.HIGH:
        return None
    for pause in pauses:
        if pause.kind is PauseKind.ALARM and covers(pause, bed, vital, now_ms):
            return f"{pause.kind.value} by {pause.by}"
    return None


def ended_by_new_high(pauses: Iterable[Paused], bed: Bed, vital: Vital | None, now_ms: int) -> list[Paused]:
    """The audio pauses that a new HIGH ends: it always sounds (ALM-042)."""
    return [p for p in pauses if p.kind is PauseKind.AUDIO and covers(p, bed, vital, now_ms)]


def refusal(pause: Paused) -> str | None:
    """Why this pause may not be had, in words, or None."""
    asked_ms, longest_ms = pause.until_ms - pause.at_ms, LONGEST_MS[pause.kind]
    if asked_ms <= 0:
        return "A pause needs an end that lies ahead."
    if asked_ms > longest_ms:
        return f"{pause.kind.value.capitalize()} lasts at most {longest_ms // 1000} s."
    if pause.kind is PauseKind.ALARM and not pause.why.strip():
        return "Alarm paused needs a reason."
    if pause.vital in PULSES:
        return "There is no alarm on the pulse itself: it counts as the heart rate. Pause hr."
    if pause.vital is not None and pause.vital not in JUDGED:
        return f"There is no alarm on {pause.vital.label} that could be paused."
    return None
