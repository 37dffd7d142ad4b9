"""The monitor's own alarms and messages, as notices: read, never set.

Their layout is that of several public clients, which agree; no recorded alarm was at hand. An entry that
cannot be read is no notice and hides nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.devices.codecs.intellivue.wire import Attribute, Cursor, Malformed, counted, sized, u16, u32
from monitor.model import Notice

PATIENT_ALARMS, TECHNICAL_ALARMS = 0x0902, 0x0904
WITH_TEXT = 0x0204
ALARMS_MAX = 16
"""More at once than a monitor shows."""

PREFIX = {PATIENT_ALARMS: "monitor's own alarm", TECHNICAL_ALARMS: "monitor's own message"}


def notices(given: Iterable[Attribute]) -> list[Notice]:
    """A notice for every alarm that stands."""
    told: list[Notice] = []
    for number, value in given:
        if number in PREFIX:
            told += [Notice(f"{PREFIX[number]}: {words}") for words in _alarms(value)]
    return told


def _alarms(value: bytes) -> list[str]:
    told: list[str] = []
    try:
        entries = Cursor(value).counted()
        while entries and len(told) < ALARMS_MAX:
            source, code = entries.u16(), entries.u16()
            entries.take(10)  # type, state, and the object it is about
            what = entries.u16()
            info = Cursor(entries.take(entries.u16()))
            told.append((_text(info) if what == WITH_TEXT else "") or f"code {source:04X}/{code:04X}")
    except Malformed:
        pass  # those before it have been read
    return told


def _text(info: Cursor) -> str:
    info.take(10)  # instance, text id, priority, flags
    text = info.take(info.u16()).decode("utf-16-be", "replace")
    return "".join(sign for sign in text if sign.isprintable()).strip()


def alarm_list(kind: int, alarms: Iterable[tuple[int, int, str]]) -> Attribute:
    """Alarms as (source, code, text) for the simulated monitor, as the attribute that lists them."""
    return kind, counted(
        u16(source, code, 0, 0, 0, 0, 0, WITH_TEXT)
        + sized(u16(place) + u32(0) + u16(0, 0) + sized(text.encode("utf-16-be") + bytes(2)))
        for place, (source, code, text) in enumerate(alarms, 1)
    )
