"""What an alarm says, from what its bed and its devices know beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.alerts.board import Alarm
from monitor.alerts.rules import Kind, Rule
from monitor.alerts.words import alarm_text, over_text, page_text, recall_text, since_text
from monitor.model import AlarmMoved, Bed, Cuff
from monitor.ward.bedside import Bedside
from monitor.ward.equipment import Equipment


class Wording:
    """Texts for screens and pages; one object a ward."""

    def __init__(self, beds: Mapping[Bed, Bedside], equipment: Equipment) -> None:
        """For these beds, with this equipment."""
        self._beds = beds
        self._equipment = equipment

    def alarm(self, alarm: Alarm) -> str:
        """What a screen says of an alarm."""
        bedside = self._beds.get(alarm.bed)
        said = self._equipment.says(alarm.device)
        if not said and bedside is not None:
            said = self._equipment.says(*bedside.devices)
        return alarm_text(alarm.rule, alarm.value, alarm.limit, self._cuff(alarm.bed), said)

    def note(self, alarm: Alarm) -> str:
        """What else a nurse should know; of what people have said, what exactly, as far as it still is so."""
        bedside = self._beds.get(alarm.bed) if alarm.rule.kind is Kind.SAID else None
        stay = bedside.stay if bedside is not None else None
        said = stay.said.get(alarm.rule.name) if stay is not None else None
        return alarm.note if said is None else said.text

    def brief(self, alarm: Alarm) -> str:
        """What a list says of an alarm that has no room for a note."""
        return (self.note(alarm) if alarm.rule.kind is Kind.SAID else "") or self.alarm(alarm)

    def page(self, alarm: Alarm, now_ms: int, also: Sequence[Alarm] = ()) -> str:
        """What a page says of an alarm that is open, and of those it is the page of as well."""
        since = since_text(alarm.value, self._value_now(alarm.bed, alarm.rule, now_ms), alarm.state)
        text = ", ".join(dict.fromkeys(map(self.alarm, (alarm, *also))))
        return page_text(alarm.bed, alarm.priority, text, since)

    def recall(self, moved: AlarmMoved, rule: Rule, now_ms: int) -> str:
        """What stands in a page's place once nobody need come for it any more."""
        said = self._equipment.says(moved.device)
        text = alarm_text(rule, moved.value, moved.limit, self._cuff(moved.bed), said)
        return recall_text(
            moved.bed, over_text(rule, text, self._value_now(moved.bed, rule, now_ms), moved.cue)
        )

    def _cuff(self, bed: Bed) -> Cuff | None:
        bedside = self._beds.get(bed)
        return bedside.cuff.cuff if bedside and bedside.cuff else None

    def _value_now(self, bed: Bed, rule: Rule, now_ms: int) -> float | None:
        bedside = self._beds.get(bed)
        if bedside is None or rule.vital is None:
            return None
        now = bedside.vital_now(rule.vital)
        return now.value if now and now_ms <= now.fresh_until_ms else None
