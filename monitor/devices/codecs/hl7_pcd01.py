"""Monitors that call us: HL7 v2 observation reports as IHE PCD-01 has them, one whole ORU^R01 at a time.

A value is named by its MDC reference id, and the number beside it must not say otherwise. Flags, the result
status and the vendors' signs for "no reading" decide whether there is one; DEMO and TEST never give any.

Every age is a difference between two times of the same message, the reading's (OBX-14, else OBR-7) and the
message's own (MSH-7): so a monitor whose clock is years wrong still says how old its pressure is.
"""

from __future__ import annotations

import ipaddress
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitor.devices.driver import Driver, silence_ms
from monitor.devices.framing import printable
from monitor.devices.validity import screen_sample
from monitor.hl7_text import (
    IN_ERROR,
    REJECTED,
    Blocks,
    Message,
    earlier_ms,
    field_of,
    moment,
    read,
    segment_of,
)
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital

MAX_AGE_MS = 10_000
"""A continuous value that was older than this when it was sent was never live."""
SLOW_MAX_AGE_MS = 120_000
"""The same for a temperature (a cuff carries its own age)."""
AHEAD_MS = 60_000
"""A reading may be this much younger than its message: whole minutes, and clocks read one after the other."""
REMEMBERED = 32

VALID, QUESTIONABLE, INVALID, MISSING = Quality

# What is measured.


class Term(NamedTuple):
    """One quantity of the nomenclature (IEEE 11073-10101): reference id, CF code, and what it is here."""

    name: str
    code: int
    vital: Vital


TERMS = (
    Term("MDC_ECG_HEART_RATE", 147842, Vital.HEART_RATE),
    Term("MDC_PULS_OXIM_PULS_RATE", 149530, Vital.PULSE_SPO2),
    Term("MDC_PULS_RATE", 149514, Vital.PULSE_SPO2),
    Term("MDC_PULS_RATE_NON_INV", 149546, Vital.PULSE_NIBP),
    Term("MDC_PULS_OXIM_SAT_O2", 150456, Vital.SPO2),
    Term("MDC_BLD_PERF_INDEX", 150488, Vital.PERFUSION),
    Term("MDC_PRESS_BLD_NONINV_SYS", 150021, Vital.SYSTOLIC),
    Term("MDC_PRESS_BLD_NONINV_DIA", 150022, Vital.DIASTOLIC),
    Term("MDC_PRESS_BLD_NONINV_MEAN", 150023, Vital.MEAN),
    Term("MDC_PRESS_CUFF_SYS", 150301, Vital.SYSTOLIC),
    Term("MDC_PRESS_CUFF_DIA", 150302, Vital.DIASTOLIC),
    Term("MDC_PRESS_CUFF_MEAN", 150303, Vital.MEAN),
    Term("MDC_CO2_RESP_RATE", 151594, Vital.RESPIRATION),
    Term("MDC_AWAY_RESP_RATE", 151570, Vital.RESPIRATION),
    Term("MDC_RESP_RATE", 151562, Vital.RESPIRATION),
    Term("MDC_TTHOR_RESP_RATE", 151578, Vital.RESPIRATION),
    Term("MDC_PULS_OXIM_PLETH_RESP_RATE", 151658, Vital.RESPIRATION),
    Term("MDC_TEMP_BODY", 150364, Vital.TEMPERATURE),
    Term("MDC_TEMP", 150344, Vital.TEMPERATURE),
    Term("MDC_TEMP_AXIL", 188496, Vital.TEMPERATURE),
    Term("MDC_CONC_AWAY_CO2_ET", 151708, Vital.ETCO2),
    Term("MDC_AWAY_CO2_ET", 151708, Vital.ETCO2),
)
"""Of two terms for one vital the upper one comes first: a nose tells more of breathing than a chest."""

BY_NAME = {term.name: term for term in TERMS}
BY_CODE = {term.code: term for term in TERMS}
RANK = {term.name: rank for rank, term in enumerate(TERMS)}
UNSOURCED = BY_NAME["MDC_PULS_RATE"]

KNOWN_SLIPS = frozenset({("MDC_PULS_RATE", 149522), ("MDC_PRESS_CUFF_SYS", 150031)})
"""Right names with wrong numbers that monitors in the field are known to send (nomenclature, rule 2)."""

PHILIPS = {
    0x24822: BY_NAME["MDC_PULS_OXIM_PULS_RATE"],
    0x2F0E5: BY_NAME["MDC_PULS_RATE_NON_INV"],
    0x25000: BY_NAME["MDC_RESP_RATE"],
    0x24B60: BY_NAME["MDC_TEMP_BODY"],
}
"""What Philips names by numbers of its own, in published messages; its other numbers are those of MDC."""

CUFF = frozenset({Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP})


class Unit(NamedTuple):
    """One unit of the nomenclature: reference id, CF code, UCUM name, and other words for it."""

    name: str
    code: int
    ucum: str
    others: frozenset[str] = frozenset()


PERCENT = Unit("MDC_DIM_PERCENT", 262688, "%")
BEATS = Unit("MDC_DIM_BEAT_PER_MIN", 264864, "/min", frozenset({"{beats}/min", "{beat}/min", "bpm"}))
BREATHS = Unit("MDC_DIM_RESP_PER_MIN", 264928, "/min", frozenset({"{breaths}/min", "{breath}/min", "rpm"}))
MMHG = Unit("MDC_DIM_MMHG", 266016, "mm[Hg]", frozenset({"mmhg"}))
KPA = Unit("MDC_DIM_KILO_PASCAL", 265987, "kpa")
CELSIUS = Unit("MDC_DIM_DEGC", 268192, "cel", frozenset({"degc", "°c"}))
FAHRENHEIT = Unit("MDC_DIM_FAHR", 266560, "[degf]", frozenset({"degf", "°f"}))

UNITS_OF: dict[str, tuple[Unit, ...]] = {
    "%": (PERCENT,),
    "/min": (BEATS, BREATHS),
    "mm[Hg]": (MMHG, KPA),
    "Cel": (CELSIUS, FAHRENHEIT),
}
"""By the unit a vital has here, what it may come in."""
UNIT_OF = {"%": PERCENT, "mm[Hg]": MMHG, "Cel": CELSIUS, "/min": BEATS}
MMHG_PER_KPA = 7.50062

# What may be believed.

NEVER_A_PATIENT = frozenset({"DEMO", "TEST"})
NO_VALUE = {
    "INV": (INVALID, "the monitor marks it invalid"),
    "OFF": (MISSING, "switched off, or the probe is off"),
    "NAV": (MISSING, "not available"),
    "NI": (MISSING, "no information"),
    "BUSY": (MISSING, "the monitor is still measuring"),
}
DOUBTED = {
    "QUES": "the monitor doubts it",
    "CAL": "calibrating",
    "EARLY": "the monitor has only begun to measure",
    ">": "above what the monitor can measure",
    "<": "below what the monitor can measure",
}
ALARMS = {"LL": "low", "L": "low", "HH": "high", "H": "high"}
SOUNDING = frozenset({"ALACT", "PL", "PM", "PH"})
INNOCENT = frozenset({"", "N", "VAL", "A", "AA", "PN", "ALINH", *ALARMS, *SOUNDING})
"""What says nothing against a value; a flag that is neither here nor above is a doubt."""

WITH_VALUE = frozenset({"", "R", "F", "P", "S", "C", "V", "A", "B"})
"""Result status (HL7 table 0085) of a row that may hold a value. X, D, W, N, O, I and U never do."""

SENTINELS = frozenset({-100.0, -99.9, -999.0, -1.0, 32767.0, 8388607.0})
"""Vendors' signs for "no reading", also with status F; the last two are the "not a number" of 11073."""

_PAIR = re.compile(r"([0-9A-F]{4})-([0-9A-F]{4})")
"""Partition and term in hexadecimal: how Philips writes a number (MDIL)."""

_NUMBER = re.compile(r"[+-]?(?:\d{1,9}(?:\.\d{0,6})?|\.\d{1,6})", re.ASCII)


# Whose message it is.


@dataclass(frozen=True, slots=True)
class Match:
    """What the messages of one device have in common: everything that is given must fit."""

    sender: str | None = None
    device_id: str | None = None
    location: str | None = None
    peers: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether any message fits."""
        return self == Match()

    def fits(self, message: Message, peer: str) -> bool:
        """Whether a message from this address is this device's."""
        if self.peers and peer not in self.peers:
            return False
        if self.sender is not None and not _among(self.sender, message.sender()):
            return False
        if self.device_id is not None and not any(
            _among(self.device_id, names) for names in message.equipment()
        ):
            return False
        return self.location is None or _stands_at(self.location, message)


def _among(wanted: str, names: Iterable[str]) -> bool:
    return wanted.casefold() in (name.casefold() for name in names)


def _stands_at(wanted: str, message: Message) -> bool:
    """Whether PV1-3 names this bed, or with its carets the whole place."""
    place = message.location()
    if "^" in wanted:
        given = "^".join(place)
        return wanted.casefold().rstrip("^") == given.casefold().rstrip("^")
    bed = place[2] if len(place) > 2 else ""
    # One vendor writes the bed as a second sub-component: ^^&24.
    return bool(bed) and _among(wanted, (bed, *bed.split(message.marks.sub)))


MATCHES = ("sender", "device_id", "location", "from")


def match_of(options: Mapping[str, Any]) -> Match:
    """What a device's options say of its messages. ValueError says what is wrong with one."""
    words: dict[str, str | None] = {}
    for name in ("sender", "device_id", "location"):
        given = options.get(name)
        if given is not None and (not isinstance(given, str) or not given.strip("^ ")):
            raise ValueError(f"{name} is a name or an id, in quotes")
        words[name] = given.strip() if given is not None else None
    peers = options.get("from", ())
    if isinstance(peers, str):
        peers = (peers,)
    try:
        addresses = tuple(str(ipaddress.ip_address(peer)) for peer in peers)
    except (TypeError, ValueError):
        raise ValueError("from is a list of network addresses, each in quotes") from None
    return Match(words["sender"], words["device_id"], words["location"], addresses)


def refusal(message: Message) -> tuple[str, str] | None:
    """Why a message is nobody's, whoever sent it: the code to answer with, and the reason."""
    kind = message.kind
    if not kind.startswith("ORU"):
        return REJECTED, f"only observation reports (ORU^R01) are taken, not {printable(kind, 20)}"
    names = [segment[0] for segment in message.segments]
    if names.count("PID") > 1 or names.count("PV1") > 1:
        return IN_ERROR, "several patients in one message"
    if kind == "ORU^R01" and "OBX" not in names:
        return IN_ERROR, "an observation report without observations"
    return None


# Observations.


@dataclass(slots=True)
class _Row:
    """One OBX that is read here."""

    term: Term
    value: float | None
    quality: Quality
    why: str | None
    at: str
    """The reading's time as sent; "" if nothing says it."""
    timed: bool
    """The row says its time itself (OBX-14)."""
    age_ms: int | None
    """How much older than the message; None if nobody can tell."""
    spot: bool
    """APERIODIC: measured now and then."""

    @property
    def own_at(self) -> str:
        """The time that only this row, or those measured with it, can have."""
        return self.at if self.timed else ""


class Decoder:
    """Reads the messages of one monitor; the doubles of its cuff readings are its memory."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._blocks = Blocks()
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._untimed: tuple[float | None, ...] | None = None
        self._heard_before = False

    def feed(self, data: bytes) -> list[Said]:
        """What the messages say that these bytes complete: a capture of blocks, or of bare messages."""
        return [said for one in self._blocks.feed(data) for said in self._of(one)]

    def close(self) -> list[Said]:
        """The bare message that only the end completes; after this a new stream may begin."""
        return [said for one in self._blocks.close() for said in self._of(one)]

    def message(self, topic: str, payload: bytes, *, retained: bool, at_ms: int) -> list[Said]:  # noqa: ARG002
        """What one message says. Its own times tell its age: neither who called nor the time here matters."""
        message = read(payload)
        return [message] if isinstance(message, Fault) else self._said(message)

    def _of(self, one: bytes | Fault) -> list[Said]:
        return [one] if isinstance(one, Fault) else self.message("", one, retained=False, at_ms=0)

    def _said(self, message: Message) -> list[Said]:
        wrong = refusal(message)
        if wrong is not None:
            return [Fault(wrong[1], message.size)]
        if message.kind != "ORU^R01":
            return [Fault(f"{printable(message.kind, 20)}: not read here", message.size)]
        if _is_no_patient(message):
            return [Fault("demonstration or test data", message.size), Notice("demonstration or test mode")]
        rows: list[_Row] = []
        notices: list[Said] = []
        for segment, obr_at in _observations(message):
            row = _row(message, segment, obr_at, notices)
            if row is not None:
                rows.append(row)
        if not rows:
            return [Fault("nothing in it that is read here", message.size), *notices]
        samples = [*_samples(rows)]
        if samples and all(one.late for one in samples):
            notices.append(
                Notice("its values are older than their message: is its clock or time zone wrong?")
            )
        said = [*samples, *self._cuffs(rows), *dict.fromkeys(notices)]
        self._heard_before = True
        return said

    # Pressures: one measurement is one Cuff, once.

    def _cuffs(self, rows: Sequence[_Row]) -> Iterator[Said]:
        times = dict.fromkeys(row.own_at for row in rows if row.term.vital in PRESSURES)
        for at in times:
            group = [row for row in rows if row.own_at == at]
            by_vital = {vital: _best([r for r in group if r.term.vital is vital]) for vital in CUFF}
            if by_vital[Vital.PULSE_NIBP] is None:
                # A pulse of no named source that was measured with the pressure is the cuff's.
                by_vital[Vital.PULSE_NIBP] = _best([r for r in group if r.term is UNSOURCED and r.spot])
            yield from self._cuff(by_vital, at)

    def _cuff(self, rows: Mapping[Vital, _Row | None], at: str) -> Iterator[Said]:
        systolic, diastolic, mean, pulse = (
            rows[vital] for vital in (Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN, Vital.PULSE_NIBP)
        )
        given = [row for row in (systolic, diastolic, mean) if row is not None]
        failed = next((row for row in given if row.quality is INVALID), None)
        if failed is None and not any(row.value is not None for row in given):
            return  # nothing has been measured yet
        values = tuple(None if row is None else row.value for row in (systolic, diastolic, mean, pulse))
        if failed is None and (values[0] is None or values[1] is None):
            yield Fault("half a blood pressure", 0)
            return
        if not self._is_news(at, values):
            return
        age_ms, device_time = given[0].age_ms, given[0].at or None
        if failed is not None:
            age_ms = max(age_ms or 0, 0)
            yield Cuff(None, None, age_ms=age_ms, quality=INVALID, why=failed.why, device_time=device_time)
            return
        doubts = [row.why for row in given if row.quality is QUESTIONABLE and row.why]
        doubt = Doubt.POOR_SIGNAL if doubts else Doubt.NONE
        if not at and not self._heard_before:
            doubts.append("when it was measured nobody knows: measure again")
        elif age_ms is None:
            doubts.append("how old it is nobody knows: the message has no time")
        elif age_ms < -AHEAD_MS:
            doubts.append("its time is ahead of the monitor's own: was its clock set?")
        yield Cuff(
            values[0],
            values[1],
            values[2],
            values[3],
            max(age_ms or 0, 0),
            QUESTIONABLE if doubts else VALID,
            "; ".join(dict.fromkeys(doubts)) or None,
            doubt,
            device_time=device_time,
        )

    def _is_news(self, at: str, values: tuple[float | None, ...]) -> bool:
        """Whether this measurement has not been told: by its time, or without one by its numbers."""
        if at:
            news = at not in self._told
            if news:
                self._told.append(at)
            return news
        news, self._untimed = values != self._untimed, values
        return news


PRESSURES = CUFF - {Vital.PULSE_NIBP}


def _is_no_patient(message: Message) -> bool:
    """DEMO or TEST anywhere, or a message that is itself one of training or debugging (MSH-11)."""
    if message.header(11).partition(message.marks.part)[0].upper() in {"T", "D"}:
        return True
    return any(
        segment[0] == "OBX" and not NEVER_A_PATIENT.isdisjoint(_flags(message, segment))
        for segment in message.segments
    )


def _observations(message: Message) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every OBX, with OBR-7 of the group it stands in."""
    at = ""
    for segment in message.segments:
        if segment[0] == "OBR":
            at = field_of(segment, 7)
        elif segment[0] == "OBX":
            yield segment, at


def _flags(message: Message, segment: Sequence[str]) -> list[str]:
    marks, text = message.marks, field_of(segment, 8).upper()
    return [flag.strip() for flag in text.replace(marks.part, marks.repeat).split(marks.repeat)]


def _row(message: Message, segment: Sequence[str], obr_at: str, notices: list[Said]) -> _Row | None:
    term, slip = _term(message.parts(field_of(segment, 3)))
    if slip is not None:
        notices.append(Notice(slip))
    if term is None:
        return None
    flags = _flags(message, segment)
    notices += _alarms(term, flags)
    value, quality, why = _value(message, segment, term, flags)
    if slip is not None and value is not None:
        quality, why = QUESTIONABLE, why or slip
    own = field_of(segment, 14)
    sent_at = message.header(7)
    at = own if moment(own) else obr_at if moment(obr_at) else sent_at if moment(sent_at) else ""
    reading, sent = moment(at), moment(sent_at) or moment(obr_at)
    age_ms = None if reading is None or sent is None else earlier_ms(reading, sent)
    marks = field_of(segment, 17) + field_of(segment, 13)  # one vendor has it in OBX-13
    return _Row(term, value, quality, why, at, at == own != "", age_ms, "APERIODIC" in marks.upper())


def _term(parts: Sequence[str]) -> tuple[Term | None, str | None]:
    """What an OBX-3 names, by its text or by its number; and what is wrong with it, if one can still tell."""
    for number, name, system in _triplets(parts):
        term = BY_NAME.get(name)
        code = int(number) if number.isdecimal() and len(number) <= 9 else None
        if term is None and system == "MDIL" and (pair := _PAIR.fullmatch(number)):
            code = int(pair[1] + pair[2], 16)
            return PHILIPS.get(code) or BY_CODE.get(code), None
        if term is None:
            if name.startswith("MDC_") or system != "MDC" or code is None:
                continue
            return BY_CODE.get(code), None
        if code is None or code in {term.code, term.code & 0xFFFF} or (name, code) in KNOWN_SLIPS:
            return term, None
        if code in BY_CODE:
            return None, f"{name} with the number of {BY_CODE[code].name}: not read"
        return term, f"the number {code} is not that of {name}"
    return None, None


def _triplets(parts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    padded = [part.strip().upper() for part in parts[:6]] + [""] * 6
    yield padded[0], padded[1], padded[2]
    if padded[3] or padded[4]:
        yield padded[3], padded[4], padded[5]


def _value(
    message: Message, segment: Sequence[str], term: Term, flags: Sequence[str]
) -> tuple[float | None, Quality, str | None]:
    """The value of a row in the vital's own unit, how far it may be believed, and why no further."""
    for flag, (quality, why) in NO_VALUE.items():
        if flag in flags:
            return None, quality, why
    if field_of(segment, 11).upper() not in WITH_VALUE:
        return None, MISSING, "no reading"
    text = field_of(segment, 5)
    if field_of(segment, 2).upper() not in {"NM", "ST"} or not _NUMBER.fullmatch(text):
        return None, MISSING, "no reading"
    value = float(text)
    if value in SENTINELS or (value == 0 and "VAL" not in flags):
        return None, MISSING, "no reading"
    unit, told = _unit(message.parts(field_of(segment, 6)), term.vital)
    if told and unit is None:
        return None, INVALID, f"not in {term.vital.unit}: {printable(told, 40)}"
    if unit is KPA:
        value = round(value * MMHG_PER_KPA, 1)
    elif unit is FAHRENHEIT:
        value = round((value - 32) / 1.8, 2)
    doubts = [_doubt(flag) for flag in flags if flag not in INNOCENT]
    return (value, QUESTIONABLE, doubts[0]) if doubts else (value, VALID, None)


def _doubt(flag: str) -> str:
    return DOUBTED.get(flag) or f"the monitor marks it {printable(flag, 12)}"


def _unit(parts: Sequence[str], vital: Vital) -> tuple[Unit | None, str]:
    """The unit an OBX-6 names, if this vital may come in it; and what was said of the unit at all."""
    number, name, _ = next(_triplets(parts))
    said = name or number
    for unit in UNITS_OF[vital.unit]:
        if name == unit.name or (
            not name.startswith("MDC_") and number in {str(unit.code), str(unit.code & 0xFFFF)}
        ):
            return unit, said
        words = {unit.ucum.upper(), *(other.upper() for other in unit.others)}
        if number in words or name in words:
            return unit, said
    return None, said


def _alarms(term: Term, flags: Sequence[str]) -> list[Said]:
    """What the monitor's own alarms say; never whether a value is one."""
    if "ALINH" in flags:
        return [Notice(f"alarm switched off at the monitor: {term.vital.label}")]
    if SOUNDING.isdisjoint(flags):
        return []
    side = next((f" {side}" for flag, side in ALARMS.items() if flag in flags), "")
    return [Notice(f"monitor's own alarm: {term.vital.label}{side}")]


def _best(rows: Sequence[_Row]) -> _Row | None:
    """The first row, by term and then by place, whose value may be believed; or the first of all."""
    ranked = sorted(rows, key=lambda row: RANK[row.term.name])
    return next((row for row in ranked if _plausible(row)), ranked[0] if ranked else None)


def _plausible(row: _Row) -> bool:
    if row.value is None:
        return False
    if row.term.vital in CUFF:
        return True  # pressures are judged together, outside
    return screen_sample(Sample(row.term.vital, row.value)).value is not None


def _samples(rows: Sequence[_Row]) -> Iterator[Sample]:
    """The continuous values. Those of a message that are live have one device time: the youngest."""
    vitals = dict.fromkeys(row.term.vital for row in rows if row.term.vital not in CUFF)
    with_pressure = {row.own_at for row in rows if row.term.vital in PRESSURES}
    chosen: list[_Row] = []
    for vital in vitals:
        candidates = [
            row
            for row in rows
            if row.term.vital is vital
            and not (row.term is UNSOURCED and row.spot and row.own_at in with_pressure)
        ]
        if (row := _best(candidates)) is not None:
            chosen.append(row)
    live = [row for row in chosen if row.age_ms is not None and not _is_old(row) and not _is_spot(row)]
    youngest = min(live, key=lambda row: row.age_ms or 0, default=None)
    for row in chosen:
        age_ms = row.age_ms or 0
        at = youngest.at if youngest is not None and any(row is one for one in live) else row.at
        quality, why = row.quality, row.why
        if row.value is not None and age_ms < -AHEAD_MS:
            quality, why = QUESTIONABLE, "its time is ahead of the monitor's own: was its clock set?"
        yield Sample(
            row.term.vital,
            row.value,
            quality,
            why,
            Doubt.POOR_SIGNAL if quality is QUESTIONABLE else Doubt.NONE,
            at or None,
            max(age_ms, 0),
            _is_old(row),
        )


def _is_old(row: _Row) -> bool:
    most_ms = SLOW_MAX_AGE_MS if row.term.vital is Vital.TEMPERATURE else MAX_AGE_MS
    return row.age_ms is not None and row.age_ms > most_ms


def _is_spot(row: _Row) -> bool:
    """A temperature that was taken before the rest of its message."""
    return row.term.vital is Vital.TEMPERATURE and bool(row.age_ms)


# The other direction: what a monitor writes, and what it is answered.

PROFILE = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
MONITORING = "182777000^monitoring of patient^SCT"
MONITOR = "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS"
CODES = {MONITOR: 69965} | {term.name: term.code for term in TERMS}


@dataclass(frozen=True, slots=True)
class Head:
    """Who sends a report, when, under which number, and about whom. Fields as they stand in the message."""

    control: str
    at: str
    sender: str
    """NAME^EUI-64 in hex^EUI-64."""
    receiver: str = ""
    accept: str = "NE"
    application: str = "AL"
    patient: str = ""
    name: str = "^^^^^^U"
    """Unknown; ^^^^^^L is one that is left empty."""
    visit: str = "O"
    location: str = ""
    """POINT OF CARE^ROOM^BED."""
    admitted: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One OBX. Without a value it says so (status X)."""

    name: str
    sub: str
    """mds.vmd.channel.metric; a device's own row ends in zeros."""
    value: str = ""
    at: str = ""
    flags: str = ""
    spot: bool = False
    """Measured now and then: APERIODIC."""
    device: str = ""
    unit: str = ""
    """The reference id of another unit than the usual one."""


def encode(head: Head, rows: Iterable[Row]) -> bytes:
    """One report, every segment ended by CR; for a wire it goes into a block."""
    order = f"{head.control}^{head.sender}"
    segments = [
        segment_of(
            "MSH",
            {
                2: "^~\\&",
                3: head.sender,
                5: head.receiver,
                7: head.at,
                9: "ORU^R01^ORU_R01",
                10: head.control,
                11: "P",
                12: "2.6",
                15: head.accept,
                16: head.application,
                18: "UNICODE UTF-8",
                21: PROFILE,
            },
        ),
        segment_of("PID", {3: head.patient, 5: head.name}),
        segment_of("PV1", {2: head.visit, 3: head.location, 44: head.admitted}),
        segment_of("OBR", {1: "1", 2: order, 3: order, 4: MONITORING, 7: head.at}),
        *(_obx(number, row) for number, row in enumerate(rows, 1)),
    ]
    return "".join(segments).encode()


def _obx(number: int, row: Row) -> str:
    term = BY_NAME.get(row.name)
    unit = "" if term is None else _unit_text(term, row.unit)
    return segment_of(
        "OBX",
        {
            1: str(number),
            2: "NM" if row.value else "",
            3: f"{CODES[row.name]}^{row.name}^MDC",
            4: row.sub,
            5: row.value,
            6: unit,
            8: row.flags,
            11: "R" if row.value else "X",
            14: row.at,
            17: "^APERIODIC" if row.spot else "",
            18: f"{row.device}^^{row.device}^EUI-64" if row.device else "",
        },
    )


def _unit_text(term: Term, name: str) -> str:
    usual = BREATHS if term.vital is Vital.RESPIRATION else UNIT_OF[term.vital.unit]
    unit = next((one for one in UNITS_OF[term.vital.unit] if one.name == name), usual)
    return f"{unit.code}^{unit.name}^MDC"


OPTIONS = {
    "sender": "take only messages of this sender: a name or id of MSH-3 or MSH-4",
    "device_id": "take only messages with values of this device: an id or name of OBX-18",
    "location": 'take only messages from this place (PV1-3): the bed, or "POINT^ROOM^BED"',
    "from": "take only messages from these network addresses",
    "silent_after_s": "the link is silent after so many seconds without a message (default 15)",
}


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - OPTIONS.keys())
    if unknown:
        raise ValueError(f"hl7-pcd01 has no option {unknown[0]!r}; it has: {', '.join(OPTIONS)}")
    match_of(options)
    silence_ms(DRIVER, options)
    return Decoder()


def looks_like(raw: bytes) -> bool:
    """Whether the header of an HL7 message is somewhere in these bytes."""
    return re.search(rb"MSH\|\^~\\&\|", raw) is not None


DRIVER = Driver(
    name="hl7-pcd01",
    title="HL7 monitor (IHE PCD-01)",
    models=(
        "Mindray VS-8, VS-900 and monitors behind its eGateway",
        "GE B40, B20, B105, B125",
        "Comen NC and STAR series",
        "Philips Efficia CM",
        "any monitor that sends ORU^R01 with MDC codes over MLLP",
    ),
    transport="mllp",
    decoder=_decoder,
    vitals=(
        Vital.SPO2,
        Vital.PULSE_SPO2,
        Vital.PERFUSION,
        Vital.HEART_RATE,
        Vital.RESPIRATION,
        Vital.TEMPERATURE,
        Vital.ETCO2,
        Vital.SYSTOLIC,
        Vital.DIASTOLIC,
        Vital.MEAN,
        Vital.PULSE_NIBP,
    ),
    cuff=True,
    # How often they send is set on the monitor, and in no source: what a bridge of our own is allowed.
    silent_after_ms=15_000,
    hint="set this machine's address and the port as the receiver in the monitor's HL7 menu",
    looks_like=looks_like,
    options=OPTIONS,
)
