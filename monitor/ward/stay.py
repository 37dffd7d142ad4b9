"""One treatment session: its record, what the ward has seen of its patient, and what holds now. Pure.

The record is made by its events alone (`Record.apply`). What stands beside it here is either bounded by it or
looked at anew, so that nothing of it can outlive the session: the bed forgets all of it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model import AlarmMoved, AlarmState, Baseline, Priority
from monitor.sessions.conditions import Condition
from monitor.sessions.layers import InForce
from monitor.sessions.record import Record
from monitor.treatment_now import News2Then, TreatmentNow
from monitor.ward.seen import Samples

RAISED = (AlarmState.ACTIVE, AlarmState.ACKED)


@dataclass(slots=True)
class Stay:
    """See the module. What holds now is set by whoever looks (`treatments.py`), at least once a minute."""

    record: Record
    samples: Samples = field(default_factory=Samples)
    quiet_since_ms: int | None = None
    """When the last MEDIUM or HIGH condition of this session ended."""
    in_force: InForce | None = None
    """The layers of limits that hold."""
    judged_by: Baseline | None = None
    """The patient's own normal that the limits were folded with."""
    said: Mapping[str, Condition] = field(default_factory=dict)
    """What of it is to be raised, by rule."""
    cuff_due_ms: int | None = None
    """When the next cuff reading is wanted, for whatever reason."""
    cuff_late_ms: int | None = None
    """When the reading of the phase's schedule was or is due: what is called overdue."""
    look_at_ms: int = 0
    """When time may next change something."""
    news2: dict[int, News2Then] = field(default_factory=dict)
    """Every whole NEWS2 by the time of its oldest value, one a look at most; what a device said in it is not
    in the journal, so after a restart the trend begins anew."""
    shown: TreatmentNow | None = None
    """What was drawn of it last for the screens, until something happens."""

    @property
    def session(self) -> int:
        """The session's number."""
        return self.record.opened.session

    def stirs(self) -> None:
        """Something has happened that the session may be another for: it is looked at in this very turn."""
        self.look_at_ms = 0
        self.shown = None

    def alarm_moved(self, moved: AlarmMoved) -> None:
        """An alarm of its bed has moved."""
        self.stirs()
        if moved.priority >= Priority.MEDIUM and moved.was in RAISED and moved.now not in RAISED:
            self.quiet_since_ms = moved.at_ms
