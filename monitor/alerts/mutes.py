"""May this alarm sound or page now, and if not, why not. Questions asked before a signal, never states."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.alerts.rules import RULES
from monitor.model import Bed, Paused, PauseKind, Priority, Vital

LONGEST_MS = {PauseKind.AUDIO: 120_000, PauseKind.ALARM: 180_000}
"""How long a pause may last (alarms.md 5, inactivation states). What is off has no end of its own."""

OFF = frozenset({PauseKind.AUDIO_OFF, PauseKind.ALARM_OFF})
DARK = frozenset({PauseKind.ALARM, PauseKind.ALARM_OFF})
"""Those that take the light as well as the sound."""

REMINDED_MS = 300_000
"""What is off reminds people of itself so often (ALM-051)."""

JUDGED = frozenset(rule.vital for rule in RULES if rule.vital is not None)
"""The vitals that have rules: a pause of any other would look like one and hold nothing back."""

PULSES = (Vital.PULSE_SPO2, Vital.PULSE_NIBP)


def covers(pause: Paused, bed: Bed, vital: Vital | None, now_ms: int) -> bool:
    """Whether a pause runs for this bed and this vital; a pause without a vital covers the whole bed."""
    runs = pause.until_ms is None or now_ms < pause.until_ms
    return pause.bed == bed and runs and pause.vital in (None, vital)


def silencer(pauses: Iterable[Paused], bed: Bed, vital: Vital | None, now_ms: int) -> Paused | None:
    """The pause for which an alarm makes no sound now, or None where it may sound.

    Of several the one that takes the light, too.
    """
    found = [pause for pause in pauses if covers(pause, bed, vital, now_ms)]
    return next((pause for pause in found if pause.kind in DARK), found[0] if found else None)


def why_unpaged(
    pauses: Iterable[Paused], bed: Bed, vital: Vital | None, priority: Priority, now_ms: int
) -> str | None:
    """Why an alarm orders no page now, or None where it may.

    Audio paused or off never holds a page back; alarm paused holds back all but HIGH, alarm off every one
    (alarms.md 5).
    """
    holds = {PauseKind.ALARM_OFF} if priority is Priority.HIGH else {PauseKind.ALARM, PauseKind.ALARM_OFF}
    for pause in pauses:
        if pause.kind in holds and covers(pause, bed, vital, now_ms):
            return f"{pause.kind.value} by {pause.by}"
    return None


def ended_by_new_high(pauses: Iterable[Paused], bed: Bed, vital: Vital | None, now_ms: int) -> list[Paused]:
    """The audio pauses that a new HIGH ends: it always sounds (ALM-042)."""
    return [p for p in pauses if p.kind is PauseKind.AUDIO and covers(p, bed, vital, now_ms)]


def refusal(pause: Paused) -> str | None:
    """Why this pause may not be had, in words, or None."""
    name = pause.kind.value.capitalize()
    if (length := _length(pause, name)) is not None:
        return length
    if pause.kind is not PauseKind.AUDIO and not pause.why.strip():
        return f"{name} needs a reason."
    if pause.kind is PauseKind.ALARM_OFF and pause.vital is None:
        return "Say which vital's alarms are off: there is no switch for all of them."
    if pause.vital in PULSES:
        return "There is no alarm on the pulse itself: it counts as the heart rate. Pause hr."
    if pause.vital is not None and pause.vital not in JUDGED:
        return f"There is no alarm on {pause.vital.label} that could be paused."
    return None


def _length(pause: Paused, name: str) -> str | None:
    if pause.kind in OFF:
        return None if pause.until_ms is None else f"{name} has no end of its own."
    if pause.until_ms is None or pause.until_ms <= pause.at_ms:
        return "A pause needs an end that lies ahead."
    longest_ms = LONGEST_MS[pause.kind]
    if pause.until_ms - pause.at_ms > longest_ms:
        return f"{name} lasts at most {longest_ms // 1000} s."
    return None
