"""The checks that come again and again, each time of each: what filled it, or that nothing did. Pure.

What is due is asked of the session's own rules, of the record as it stood before each event. A value that
came before its check was open fills none: it only puts the next time off, as it did at the bed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.model import CuffTaken, Quality, Staff
from monitor.records.report import CheckOf
from monitor.reporting import numbers
from monitor.sessions.due import NIBP, Due, dues, item_title
from monitor.sessions.record import Record
from monitor.sessions.therapy import Therapy, ms
from monitor.treatment import Filled, Score, Scored, Seen, TreatmentEvent

Event = TreatmentEvent | CuffTaken


@dataclass(frozen=True, slots=True)
class _Time:
    """One time of one check: what was due, and of when its values are; `at_ms` None: it was not done."""

    due: Due
    at_ms: int | None
    by: Staff | None
    cuff: CuffTaken | None
    made_ms: tuple[int, ...]
    """When the scores were made, in the order of the items; what they say is asked once all is known."""


class Recurring:
    """Told of every event before and after it is applied; `done` has the rows."""

    def __init__(self, therapy: Therapy) -> None:
        """Nothing has been due."""
        self._items = {NIBP: (NIBP,)} | {
            check.name: check.items for check in therapy.check if check.every_min is not None
        }
        self._tolerance_ms = ms(therapy.timing.tolerance_min)
        self._due: dict[str, Due] = {}
        self._times: list[_Time] = []

    def before(self, record: Record, at_ms: int) -> None:
        """An event of this moment is about to be applied."""
        self._due = self._dues(record, at_ms)

    def after(self, record: Record, event: Event) -> None:
        """The event has been applied: what it filled is over, and so is what it left behind."""
        now = self._dues(record, event.at_ms)
        for name, was in self._due.items():
            if name in now and now[name].due_ms == was.due_ms:
                continue
            if isinstance(event, CuffTaken | Scored):
                if len(record.events) not in record.replaces:
                    self._takes(record, event, was)
            elif (name not in now or now[name].due_ms > was.due_ms) and event.at_ms >= was.late_ms:
                self._times.append(_Time(was, None, None, None, ()))

    def done(self, record: Record, until_ms: int) -> tuple[CheckOf, ...]:
        """Every time of every such check until then, the earliest first."""
        left = () if record.over else self._dues(record, until_ms).values()
        late = [_Time(was, None, None, None, ()) for was in left if until_ms >= was.late_ms]
        rows = [self._row(one, record) for one in (*self._times, *late)]
        return tuple(sorted(rows, key=lambda row: row.due_ms))

    def _dues(self, record: Record, at_ms: int) -> dict[str, Due]:
        return {due.name: due for due in dues(record, Seen(), at_ms) if due.name in self._items}

    def _takes(self, record: Record, event: CuffTaken | Scored, was: Due) -> None:
        if isinstance(event, CuffTaken):
            if event.measured_at_ms >= was.opens_ms:
                valid = event.cuff.quality is Quality.VALID
                self._times.append(_Time(was, event.at_ms, event.by, event if valid else None, ()))
            return
        newest = [record.score(Score(item)) for item in self._items[was.name]]
        made_ms = tuple(one.done_at_ms for one in newest if one is not None)
        if made_ms and min(made_ms) >= was.opens_ms:
            self._times.append(_Time(was, event.at_ms, event.by, None, made_ms))

    def _row(self, one: _Time, record: Record) -> CheckOf:
        due, saved_ms = one.due, one.at_ms
        items = self._items[due.name]
        filled = tuple(self._filled(one, items, record))
        numbers_of = (
            () if saved_ms is None
            else tuple(numbers.of_filled(each, saved_ms, self._tolerance_ms) for each in filled)
        )  # fmt: skip
        there = {each.item for each in filled}
        return CheckOf(
            due.name,
            item_title(NIBP) if due.name == NIBP else due.title,
            due.due_ms,
            due.opens_ms,
            None,
            saved_ms,
            one.by,
            numbers_of,
            tuple(item_title(item) for item in items if item not in there),
            saved_ms is None,
            self._tolerance_ms,
            again=True,
        )

    def _filled(self, one: _Time, items: tuple[str, ...], record: Record) -> Iterable[Filled]:
        due_ms = one.due.due_ms
        if one.cuff is not None and one.cuff.cuff.systolic is not None:
            cuff = one.cuff
            off_ms = cuff.measured_at_ms - due_ms
            yield Filled(
                NIBP, one.cuff.cuff.systolic, cuff.measured_at_ms, off_ms, cuff.device, cuff.by,
                cuff.cuff.diastolic,
            )  # fmt: skip
        for item, made_ms in zip(items, one.made_ms, strict=False):
            # A score that was corrected since says what it says now; one that was withdrawn nothing.
            made = [each for each in record.scores.get(Score(item), ()) if each.done_at_ms == made_ms]
            if made:
                yield Filled(item, made[-1].value, made_ms, made_ms - due_ms, None, made[-1].by)
