"""The life of one alarm, as one table. No clock, no I/O.

An alarm is in one of five states, and each turn one of six cues is true of it. Cues are levels, not edges:
they say what *is*, and the table says whether that is news; so a restart heals itself.

ONSET      in breach, the delay or the repeat still running
HELD       it has run, or there is none: a severe band sounds from CLEAR in one tick
END        past the hysteresis band for 5 s (ALM-045)
ACK        somebody is at the bed
LAPSE      the acknowledgement is too old, or the condition has become worse (ALM-044)
DISCHARGE  the session is closed; refused before it gets here while a HIGH is unacknowledged

What cannot be known (a gap, a stale value) is no cue at all: an alarm does not clear because a cable was
pulled. Muting is no state either: see `mutes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import AlarmState, Cue, Priority

CLEAR, PENDING, ACTIVE, ACKED, LATCHED = (
    AlarmState.CLEAR,
    AlarmState.PENDING,
    AlarmState.ACTIVE,
    AlarmState.ACKED,
    AlarmState.LATCHED,
)

CUES = (Cue.ONSET, Cue.HELD, Cue.END, Cue.ACK, Cue.LAPSE, Cue.DISCHARGE)

Row = tuple[AlarmState, AlarmState, AlarmState, AlarmState, AlarmState, AlarmState]

# HIGH stays on the screen after it has ended, until somebody has looked (ALM-041).
LATCHING: Mapping[AlarmState, Row] = {
    #         ONSET    HELD    END      ACK      LAPSE    DISCHARGE
    CLEAR: (PENDING, ACTIVE, CLEAR, CLEAR, CLEAR, CLEAR),
    PENDING: (PENDING, ACTIVE, CLEAR, PENDING, PENDING, CLEAR),
    ACTIVE: (ACTIVE, ACTIVE, LATCHED, ACKED, ACTIVE, CLEAR),
    ACKED: (ACKED, ACKED, CLEAR, ACKED, ACTIVE, CLEAR),
    LATCHED: (ACTIVE, ACTIVE, LATCHED, CLEAR, LATCHED, CLEAR),
}

# MEDIUM and LOW go by themselves; that a MEDIUM was there is still seen in the list of what is over.
SELF_CLEARING: Mapping[AlarmState, Row] = {
    **LATCHING,
    ACTIVE: (ACTIVE, ACTIVE, CLEAR, ACKED, ACTIVE, CLEAR),
}

# What chatters is one alarm and stays to be seen, whatever its priority (ALM-046); once somebody has looked
# it may go. A new breach of it waits for its delay like any other.
RECURRING: Mapping[AlarmState, Row] = {
    **LATCHING,
    LATCHED: (LATCHED, ACTIVE, LATCHED, CLEAR, LATCHED, CLEAR),
}

RECURRING_AFTER, RECURRING_WITHIN_MS = 3, 600_000
"""Raised more often than this in so long, a condition is recurring (ALM-046, proposed)."""

ACK_LASTS_MS: Mapping[Priority, int | None] = {
    Priority.HIGH: 120_000,
    Priority.MEDIUM: 300_000,
    Priority.LOW: None,
}
"""How long an acknowledgement holds while the condition is still there (ALM-044, proposed)."""

ACK_LASTS_LONGER_MS: Mapping[str, int] = {"form-owed": 28_800_000, "test-failed": 3_600_000}
"""Conditions that are counted in days and not in minutes: who has seen one has seen it for a shift (P). A
phone that no page reaches is seen to within the hour (P); bar and Duty name its owner all the time."""


def table(priority: Priority, *, recurring: bool = False) -> Mapping[AlarmState, Row]:
    """The table an alarm of this priority lives by."""
    if priority is Priority.HIGH:
        return LATCHING
    return RECURRING if recurring else SELF_CLEARING


def step(state: AlarmState, cue: Cue, priority: Priority, *, recurring: bool = False) -> AlarmState:
    """The state after this cue."""
    return table(priority, recurring=recurring)[state][CUES.index(cue)]


def ack_until_ms(priority: Priority, acked_at_ms: int, condition: str = "") -> int | None:
    """When an acknowledgement lapses if the condition is still there; None for never."""
    lasts = ACK_LASTS_LONGER_MS.get(condition, ACK_LASTS_MS[priority])
    return None if lasts is None else acked_at_ms + lasts


def diagram() -> str:
    """The latching table as a Mermaid state diagram, for the README."""
    lines = ["stateDiagram-v2", "    [*] --> CLEAR"]
    for state, row in LATCHING.items():
        moves: dict[AlarmState, list[str]] = {}
        for cue, after in zip(CUES, row, strict=True):
            if after is not state:
                moves.setdefault(after, []).append(cue.name)
        lines += [f"    {state.name} --> {after.name}: {', '.join(cues)}" for after, cues in moves.items()]
    return "\n".join(lines)
