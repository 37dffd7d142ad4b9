"""What an EHR is told in HL7 v2.6 as IHE PCD-01 has it, and what it answers. Pure: text in, text out.

A report is one ORU^R01: who (an alias, never a name), where, and a group (OBR with its OBX) for each moment
that is told of, so that a code stands in a group once. A device has a row of its own, and its values stand
below it as `mds.vmd.channel.metric`, where the metric is the code itself, as monitors in the field write it.

Choices of this project, where the profile leaves one: times carry the clinic's own offset; a doubted value
goes out as QUES with status R, a valid one of a session that is over as F, a live one as R; what was taken by
hand names in OBX-16 who took it, and stands below no device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.hl7_text import ACCEPTED, IN_ERROR, REJECTED, escaped, field_of, read, segment_of
from monitor.model import Bed, Device, Fault, Quality, Vital
from monitor.records.charted import Charted, Checked, Pressure, checks, values
from monitor.records.codes import MDC_OF, MONITOR, unit_of
from monitor.records.report import SessionReport

PROFILE = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
MONITORING = "182777000^monitoring of patient^SCT"
UNNAMED = "^^^^^^U"
"""PID-5 of somebody whose name is not known here."""

PRODUCTION, TRAINING = "P", "T"
"""MSH-11 (HL7 table 0103)."""

FINAL, RAW, NONE = "F", "R", "X"
"""OBX-11, and of a missed check OBR-25 (HL7 tables 0085 and 0123)."""

TEXT_MAX = 300
"""Of a title in OBR-13."""


@dataclass(frozen=True, slots=True)
class Site:
    """Who sends, and to whom: what every message of a clinic has in common."""

    sender: str
    sender_id: str
    """EUI-64, 16 hexadecimal digits."""
    facility: str
    receiver: str
    authority: str
    """Who gives out the aliases (PID-3.4)."""
    point_of_care: str
    zone: str
    training: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """Whom a message is about, and where."""

    session: int
    alias: str
    bed: Bed
    place: str


class _Group(NamedTuple):
    """One OBR and what stands below it."""

    at_ms: int
    until_ms: int
    said: str
    rows: Sequence[Charted]


def control_of(session: int, kind: str, at_ms: int) -> str:
    """MSH-10: the same whenever the same thing is told again."""
    return f"{session}{kind}{at_ms}"


def session_file(report: SessionReport) -> bytes:
    """The record of a session as a file: what is sent, from a clinic that has said nothing of itself."""
    site = Site("CHAIRSIDE", "", "", "", "CHAIRSIDE", report.clinic, report.zone)
    at_ms = report.made_ms if report.ended_ms is None else report.ended_ms
    return session_message(report, site, control_of(report.session, "S", at_ms), report.made_ms)


def session_message(report: SessionReport, site: Site, control: str, now_ms: int) -> bytes:
    """The record of a session: its checks, and every moment beside them."""
    checked = checks(report)
    told = {one.key for check in checked for one in check.values}
    groups = [*map(_of_check, checked), *_moments(one for one in values(report) if one.key not in told)]
    groups.sort(key=lambda group: (group.at_ms, group.until_ms))
    visit = Visit(report.session, report.alias, report.bed, report.place)
    return _message(groups, site, visit, control, now_ms, RAW if report.ended_ms is None else FINAL)


def vitals_message(charted: Iterable[Charted], visit: Visit, site: Site, control: str, now_ms: int) -> bytes:
    """What was measured of one patient lately: live numbers, which nobody has verified."""
    return _message(_moments(charted), site, visit, control, now_ms, RAW)


def _of_check(check: Checked) -> _Group:
    said = check.title if check.saved else f"{check.title}: missed"
    if check.missing:
        said = f"{said}; not recorded: {', '.join(check.missing)}"
    return _Group(check.at_ms, check.at_ms, said, check.values)


def _moments(charted: Iterable[Charted]) -> list[_Group]:
    """The same as groups, one a moment, the oldest first."""
    found: dict[tuple[int, int], list[Charted]] = {}
    for one in charted:
        found.setdefault((one.at_ms, one.until_ms), []).append(one)
    return [_Group(*moment, "", found[moment]) for moment in sorted(found)]


def _message(
    groups: Iterable[_Group], site: Site, visit: Visit, control: str, now_ms: int, status: str
) -> bytes:
    when = _Times(ZoneInfo(site.zone))
    sender = _sender(site)
    segments = [
        segment_of(
            "MSH",
            {
                2: "^~\\&",
                3: sender,
                4: escaped(site.facility),
                5: escaped(site.receiver),
                7: when(now_ms),
                9: "ORU^R01^ORU_R01",
                10: control,
                11: TRAINING if site.training else PRODUCTION,
                12: "2.6",
                15: "NE",
                16: "AL",
                18: "UNICODE UTF-8",
                21: PROFILE,
            },
        ),
        segment_of("PID", {3: _parts(visit.alias, "", "", site.authority, "PI"), 5: UNNAMED}),
        segment_of(
            "PV1",
            {2: "O", 3: _parts(site.point_of_care, visit.place, visit.bed), 19: _parts(str(visit.session))},
        ),
    ]
    for number, group in enumerate(groups, 1):
        segments += _group(number, group, site, control, when, status)
    return "".join(segments).encode()


def _group(number: int, group: _Group, site: Site, control: str, when: _Times, status: str) -> Iterator[str]:
    order = f"{control}.{number}^{_sender(site)}"
    yield segment_of(
        "OBR",
        {
            1: str(number),
            2: order,
            3: order,
            4: MONITORING,
            7: when(group.at_ms),
            8: when(group.until_ms) if group.until_ms > group.at_ms else "",
            13: escaped(group.said, TEXT_MAX),
            25: "" if group.rows else NONE,
        },
    )
    devices = list(dict.fromkeys(one.device for one in group.rows))
    set_id = 0
    for mds, device in enumerate(devices, 1):
        if device is not None:
            set_id += 1
            yield _device_row(set_id, mds, device, when(group.until_ms))
        for one in group.rows:
            if one.device == device:
                for vital, value in _pairs(one):
                    set_id += 1
                    yield _row(set_id, mds, one, vital, value, when, status)


def _pairs(one: Charted) -> Iterator[tuple[Vital, float | None]]:
    if isinstance(one, Pressure):
        yield from one.parts()
    else:
        yield one.vital, one.value


def _device_row(set_id: int, mds: int, device: Device, at: str) -> str:
    name = f"{MONITOR.code}^{MONITOR.display}^MDC"
    return segment_of(
        "OBX",
        {1: str(set_id), 3: name, 4: f"{mds}.0.0.0", 11: NONE, 14: at, 18: _parts(device, "CHAIRSIDE")},
    )


PLACES = {Vital.SPO2: "2.1", Vital.PULSE_SPO2: "2.1", Vital.PERFUSION: "2.1", Vital.RESPIRATION: "3.1"}
PLACES |= {Vital.ETCO2: "3.1", Vital.HEART_RATE: "4.1", Vital.TEMPERATURE: "5.1"}
CUFF_PLACE, ARTERY_PLACE = "1.9", "6.1"
"""VMD and channel of each vital, under its device: 1.9 is the cuff's, as published messages have it."""

_SPOTS = frozenset({Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP, Vital.TEMPERATURE})
_ARTERIES = frozenset({Vital.ARTERIAL_SYSTOLIC, Vital.ARTERIAL_DIASTOLIC, Vital.ARTERIAL_MEAN})


def _row(
    set_id: int, mds: int, one: Charted, vital: Vital, value: float | None, when: _Times, status: str
) -> str:
    place = ARTERY_PLACE if vital in _ARTERIES else PLACES.get(vital, CUFF_PLACE)
    unit = unit_of(vital).mdc
    return segment_of(
        "OBX",
        {
            1: str(set_id),
            2: "" if value is None else "NM",
            3: f"{vital.mdc}^{MDC_OF[vital]}^MDC",
            4: f"{mds}.{place}.{vital.mdc}",
            5: "" if value is None else f"{round(value, 3):g}",
            6: f"{unit.code}^{unit.display}^MDC",
            8: _flags(one, value),
            11: _status(one, value, status),
            14: when(one.until_ms),
            16: escaped(one.by or ""),
            17: "^APERIODIC" if one.spot or vital in _SPOTS else "",
        },
    )


def _flags(one: Charted, value: float | None) -> str:
    if value is None:
        return "INV" if one.quality is Quality.INVALID else "NAV"
    return "QUES" if one.quality is Quality.QUESTIONABLE else ""


def _status(one: Charted, value: float | None, status: str) -> str:
    if value is None:
        return NONE
    return RAW if one.quality is Quality.QUESTIONABLE else status


def _sender(site: Site) -> str:
    return _parts(site.sender, site.sender_id, "EUI-64" if site.sender_id else "")


def _parts(*parts: str) -> str:
    """Components of a field, escaped each for itself, without empty ones at the end."""
    return "^".join(map(escaped, parts)).rstrip("^")


class _Times:
    """Instants as HL7 writes them, each with the offset that the clinic's clocks had then."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def __call__(self, at_ms: int) -> str:
        at = datetime.fromtimestamp(at_ms // 1_000, UTC).astimezone(self._zone)
        return at.strftime("%Y%m%d%H%M%S%z")


# What comes back.

COMMITTED = {"CA": ACCEPTED, "CE": IN_ERROR, "CR": REJECTED}
"""Codes of the enhanced mode, which some receivers answer with whatever they are asked (HL7 table 0008)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver says of one message: AA, AE or AR, of which, and in its own words why."""

    code: str
    control: str
    why: str


def answer_of(block: bytes) -> Answer | Fault:
    """The answer in one block; a Fault where it is none."""
    message = read(block)
    if isinstance(message, Fault):
        return message
    said = next((one for one in message.segments if one[0] == "MSA"), None)
    if said is None:
        return Fault("an answer without MSA", message.size)
    code = field_of(said, 1).upper()
    code = COMMITTED.get(code, code)
    if code not in {ACCEPTED, IN_ERROR, REJECTED}:
        return Fault("an answer with no code of HL7", message.size)
    errors = [
        _error(message.plain(field_of(one, 8)), field_of(one, 3))
        for one in message.segments
        if one[0] == "ERR"
    ]
    words = [message.plain(field_of(said, 3)), *errors]
    return Answer(code, field_of(said, 2), "; ".join(filter(None, words)))


def _error(words: str, code: str) -> str:
    """What an ERR segment says for people (ERR-8), or by its code (ERR-3)."""
    return words or " ".join(filter(None, code.split("^")[:2]))
