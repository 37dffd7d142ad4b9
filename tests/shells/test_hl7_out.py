"""What goes to an EHR in HL7: read back by the `hl7` library and by the codec of monitors that call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.devices.codecs.hl7_pcd01 import BY_CODE, BY_NAME, UNITS_OF, Decoder
from monitor.hl7_text import encode_ack, read
from monitor.model import Bed, Cuff, Device, Fault, Quality, Sample, Staff, Vital
from monitor.records.charted import Charted, Pressure, Value, checks, values
from monitor.records.codes import MDC_OF, unit_of
from monitor.records.hl7_out import (
    Answer,
    Site,
    Visit,
    answer_of,
    control_of,
    session_message,
    vitals_message,
)
from monitor.records.report import SessionReport
from monitor.records.shapes import SHAPES
from tests.shells.filed import OTHER_ALIAS, OTHER_SYS, SESSION, Filed, kept, nasal

T0_MS = 1_795_313_700_000
"""2026-11-22 02:15:00 UTC, as in the example of the profile."""

SITE = Site("VSMON", "1A2B3C4D5E6F7081", "", "EHR", "CLINIC", "INFUSION", "UTC")
VISIT = Visit(12, "P12345", Bed("CHAIR1"), "ROOM2")
MONITOR = Device("par-03")


def value(vital: Vital, number: float | None, quality: Quality = Quality.VALID, **more: Any) -> Value:
    times = {"at_ms": T0_MS - 60_000, "until_ms": T0_MS} | more
    return Value(vital, number, quality=quality, why="", device=MONITOR, by=None, **times)


def cuff(systolic: float | None, diastolic: float | None, mean: float | None, **more: Any) -> Pressure:
    own: dict[str, Any] = {"at_ms": T0_MS - 29_000, "until_ms": T0_MS - 29_000, "quality": Quality.VALID}
    own |= {"device": MONITOR, "by": None, "why": ""} | more
    return Pressure(systolic, diastolic, mean, arterial=False, derived_mean=False, **own)


def pulse(number: float) -> Value:
    at_ms = T0_MS - 29_000
    return Value(Vital.PULSE_NIBP, number, at_ms, at_ms, Quality.VALID, "", MONITOR, None)


NUMBERS: tuple[Charted, ...] = (
    value(Vital.SPO2, 97.0),
    value(Vital.PULSE_SPO2, 72.0),
    value(Vital.RESPIRATION, None, Quality.MISSING),
    cuff(142, 92, 109),
    pulse(70),
)

EXPECTED = (
    r"""
MSH|^~\&|VSMON^1A2B3C4D5E6F7081^EUI-64||EHR||20261122021500+0000||ORU^R01^ORU_R01|V0001042|P|2.6|||NE
    |AL||UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO
PID|||P12345^^^CLINIC^PI||^^^^^^U
PV1||O|INFUSION^ROOM2^CHAIR1||||||||||||||||12
OBR|1|V0001042.1^VSMON^1A2B3C4D5E6F7081^EUI-64|V0001042.1^VSMON^1A2B3C4D5E6F7081^EUI-64
    |182777000^monitoring of patient^SCT|||20261122021400+0000|20261122021500+0000
OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||20261122021500+0000
    ||||par-03^CHAIRSIDE
OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2.1.150456|97|262688^MDC_DIM_PERCENT^MDC|||||R
    |||20261122021500+0000
OBX|3|NM|149530^MDC_PULS_OXIM_PULS_RATE^MDC|1.2.1.149530|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R
    |||20261122021500+0000
OBX|4||151562^MDC_RESP_RATE^MDC|1.3.1.151562||264928^MDC_DIM_RESP_PER_MIN^MDC||NAV|||X
    |||20261122021500+0000
OBR|2|V0001042.2^VSMON^1A2B3C4D5E6F7081^EUI-64|V0001042.2^VSMON^1A2B3C4D5E6F7081^EUI-64
    |182777000^monitoring of patient^SCT|||20261122021431+0000
OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||20261122021431+0000
    ||||par-03^CHAIRSIDE
OBX|2|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.9.150021|142|266016^MDC_DIM_MMHG^MDC|||||R
    |||20261122021431+0000|||^APERIODIC
OBX|3|NM|150022^MDC_PRESS_BLD_NONINV_DIA^MDC|1.1.9.150022|92|266016^MDC_DIM_MMHG^MDC|||||R
    |||20261122021431+0000|||^APERIODIC
OBX|4|NM|150023^MDC_PRESS_BLD_NONINV_MEAN^MDC|1.1.9.150023|109|266016^MDC_DIM_MMHG^MDC|||||R
    |||20261122021431+0000|||^APERIODIC
OBX|5|NM|149546^MDC_PULS_RATE_NON_INV^MDC|1.1.9.149546|70|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R
    |||20261122021431+0000|||^APERIODIC
""".strip()
    .replace("\n    |", "|")
    .split("\n")
)
"""The full example of the profile's page, field by field; a group a moment, and our own device's name."""


def lived(numbers: Sequence[Charted] = NUMBERS, site: Site = SITE, visit: Visit = VISIT) -> bytes:
    return vitals_message(numbers, visit, site, "V0001042", T0_MS)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SessionReport:
    """One nasal session, from a real store."""

    async def made(folder: Path) -> SessionReport:
        async with kept(folder, Filed(nasal())) as reports:
            return await reports.session(SESSION)

    return asyncio.run(made(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def told(report: SessionReport) -> bytes:
    """The message about it."""
    return session_message(report, SITE, control_of(SESSION, "S", T0_MS), T0_MS)


def parsed(message: bytes) -> Any:
    """As the library reads it."""
    return hl7.parse(message.decode())


def rows(message: bytes) -> list[Any]:
    """Its OBX that hold a value, or should."""
    return [one for one in parsed(message).segments("OBX") if str(one[4]).split(".")[1] != "0"]


# The writer.


def test_the_writer_writes_what_the_profile_says() -> None:
    assert lived().decode().split("\r") == [*EXPECTED, ""]


def test_our_own_codec_of_monitors_hears_the_same_numbers() -> None:
    said = Decoder().message("", lived(), retained=False, at_ms=0)
    samples = {one.vital: (one.value, one.quality) for one in said if isinstance(one, Sample)}
    assert samples == {
        Vital.SPO2: (97.0, Quality.VALID),
        Vital.PULSE_SPO2: (72.0, Quality.VALID),
        Vital.RESPIRATION: (None, Quality.MISSING),
    }
    (heard,) = [one for one in said if isinstance(one, Cuff)]
    assert (heard.systolic, heard.diastolic, heard.mean, heard.pulse) == (142, 92, 109, 70)
    assert heard.age_ms == 29_000
    assert not [one for one in said if isinstance(one, Fault)]


def test_every_vital_has_the_name_and_number_that_the_codec_reads() -> None:
    # Two tables, written apart: the codec's comes from the manuals of monitors.
    for vital, name in MDC_OF.items():
        if name in BY_NAME:
            assert BY_NAME[name].code == vital.mdc
            assert BY_CODE[vital.mdc].vital is vital
            unit = unit_of(vital).mdc
            assert (unit.display, int(unit.code)) in {(u.name, u.code) for u in UNITS_OF[vital.unit]}
    assert len(set(MDC_OF) - {vital for vital, name in MDC_OF.items() if name in BY_NAME}) == 3


@pytest.mark.parametrize(
    ("quality", "number", "flags", "status"),
    [
        (Quality.VALID, 97.0, "", "R"),
        (Quality.QUESTIONABLE, 97.0, "QUES", "R"),
        (Quality.INVALID, None, "INV", "X"),
        (Quality.MISSING, None, "NAV", "X"),
    ],
)
def test_how_far_a_value_may_be_believed_stands_beside_it(
    quality: Quality, number: float | None, flags: str, status: str
) -> None:
    (row,) = rows(lived([value(Vital.SPO2, number, quality)]))
    assert (str(row[8]), str(row[11])) == (flags, status)
    assert (str(row[5]) == "") == (number is None) == (str(row[2]) == "")
    (sample,) = [one for one in Decoder().message("", lived([value(Vital.SPO2, number, quality)]), retained=False, at_ms=0) if isinstance(one, Sample)]  # fmt: skip  # noqa: E501
    assert (sample.value, sample.quality) == (number, quality)


def test_each_device_has_a_row_and_its_values_below_it() -> None:
    other = replace(value(Vital.RESPIRATION, 14.0), device=Device("nose"))
    message = parsed(lived([value(Vital.SPO2, 97.0), other]))
    assert [(str(one[4]), str(one[18]) if len(one) > 18 else "") for one in message.segments("OBX")] == [
        ("1.0.0.0", "par-03^CHAIRSIDE"),
        ("1.2.1.150456", ""),
        ("2.0.0.0", "nose^CHAIRSIDE"),
        ("2.3.1.151562", ""),
    ]


def test_what_was_taken_by_hand_stands_below_no_device_and_names_who_took_it() -> None:
    at_ms = T0_MS - 1_000
    by_hand = Value(Vital.TEMPERATURE, 36.7, at_ms, at_ms, Quality.VALID, "", None, Staff("anna"))
    (row,) = parsed(lived([by_hand])).segments("OBX")
    assert (str(row[5]), str(row[16]), str(row[17])) == ("36.7", "anna", "^APERIODIC")
    assert str(row[6]) == "268192^MDC_DIM_DEGC^MDC"


@pytest.mark.parametrize(
    ("zone", "at", "written"),
    [
        ("UTC", "2026-11-22T02:15:00+00:00", "20261122021500+0000"),
        ("America/New_York", "2026-11-01T05:30:00+00:00", "20261101013000-0400"),
        ("America/New_York", "2026-11-01T06:30:00+00:00", "20261101013000-0500"),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00+00:00", "20261004023000+1100"),
        ("Asia/Kathmandu", "2026-01-01T00:00:00+00:00", "20260101054500+0545"),
    ],
)
def test_f37_a_time_carries_the_offset_of_the_clinic_then(zone: str, at: str, written: str) -> None:
    at_ms = round(datetime.fromisoformat(at).timestamp() * 1_000)
    message = vitals_message([], VISIT, replace(SITE, zone=zone), "1", at_ms)
    assert str(parsed(message).segment("MSH")[7]) == written


def test_a_message_of_training_is_no_patients_for_anybody() -> None:
    message = lived(site=replace(SITE, training=True))
    assert str(parsed(message).segment("MSH")[11]) == "T"
    said = Decoder().message("", message, retained=False, at_ms=0)
    assert not [one for one in said if isinstance(one, Sample | Cuff)]


# What people wrote.

WORDS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(WORDS, WORDS, WORDS)
def test_t09_no_words_make_a_field_or_a_segment(alias: str, place: str, authority: str) -> None:
    message = lived([value(Vital.SPO2, 97.0)], replace(SITE, authority=authority), replace(VISIT, alias=alias, place=place))  # fmt: skip  # noqa: E501
    assert message.count(b"\r") == 6
    assert not {0x0B, 0x1C, 0x0A, 0x00} & set(message)
    read_back = read(message)
    assert not isinstance(read_back, Fault)
    assert [one[0] for one in read_back.segments] == ["PID", "PV1", "OBR", "OBX", "OBX"]
    pid, pv1 = read_back.segments[0], read_back.segments[1]

    def plain(text: str) -> str:
        return "".join(sign if sign.isprintable() else "?" for sign in text)

    assert (read_back.parts(pid[3]) + [""] * 5)[:1] == [plain(alias)]
    assert read_back.parts(pid[3])[3] == plain(authority)
    assert read_back.parts(pv1[3])[1] == plain(place)


@given(WORDS)
def test_t09_the_library_reads_the_same_words(alias: str) -> None:
    message = parsed(lived([value(Vital.SPO2, 97.0)], visit=replace(VISIT, alias=alias)))
    wanted = "".join(sign if sign.isprintable() else "?" for sign in alias)
    assert message.unescape(str(message.segment("PID")[3][0][0])) == wanted


# A whole session.


def test_the_library_counts_every_value_of_the_session_once(report: SessionReport, told: bytes) -> None:
    wanted = sum(len(list(one.parts())) if isinstance(one, Pressure) else 1 for one in values(report))
    assert len(rows(told)) == wanted > 100


def test_the_pressures_of_the_session_come_back_with_their_times(report: SessionReport, told: bytes) -> None:
    sent = [
        (datetime.strptime(str(row[14]), "%Y%m%d%H%M%S%z").timestamp() * 1_000, str(row[5]), str(row[8]))
        for row in rows(told)
        if "MDC_PRESS_BLD_NONINV_SYS" in str(row[3])
    ]
    wanted = [
        (c.at_ms // 1_000 * 1_000, "" if c.systolic is None else f"{c.systolic:g}") for c in report.cuffs
    ]
    assert sorted((at, number) for at, number, _ in sent) == sorted(wanted)
    assert all(flags in {"INV", "NAV"} for _, number, flags in sent if not number)


def test_groups_are_in_order_and_hold_each_code_once(told: bytes) -> None:
    groups: list[list[Any]] = []
    for segment in parsed(told):
        if str(segment[0]) == "OBR":
            groups.append([segment])
        elif str(segment[0]) == "OBX":
            groups[-1].append(segment)
    assert len(groups) > 30
    assert [str(group[0][1]) for group in groups] == [str(n) for n in range(1, len(groups) + 1)]
    times = [datetime.strptime(str(group[0][7]), "%Y%m%d%H%M%S%z") for group in groups]
    assert all(one <= other for one, other in pairwise(times))
    for group in groups:
        subs = [(str(row[3]), str(row[4])) for row in group[1:]]
        assert len(set(subs)) == len(subs)
        assert [str(row[1]) for row in group[1:]] == [str(n) for n in range(1, len(group))]


def test_a_check_is_a_group_that_says_which(report: SessionReport, told: bytes) -> None:
    said = [str(one[13]) for one in parsed(told).segments("OBR") if len(one) > 13 and str(one[13])]
    assert [text.partition(";")[0].partition(":")[0] for text in said] == [
        c.title for c in report.checks if not c.again
    ]
    assert len(said) == len(checks(report)) > 0


def test_a_missed_check_is_said_to_be_missed(report: SessionReport) -> None:
    missed = replace(report.checks[0], saved_ms=None, by=None, filled=())
    message = parsed(session_message(replace(report, checks=(missed,)), SITE, "1", T0_MS))
    (group,) = [one for one in message.segments("OBR") if len(one) > 13 and str(one[13])]
    assert str(group[13]).startswith(f"{missed.title}: missed")
    assert str(group[25]) == "X"


def test_the_record_of_a_session_that_is_over_is_final_and_of_an_open_one_raw(
    report: SessionReport, told: bytes
) -> None:
    assert {str(row[11]) for row in rows(told)} <= {"F", "X"}
    now = session_message(replace(report, ended_ms=None), SITE, "1", T0_MS)
    assert {str(row[11]) for row in rows(now)} <= {"R", "X"}


def test_nothing_of_another_patient_is_in_it_and_no_name(told: bytes) -> None:
    assert OTHER_ALIAS.encode() not in told
    assert not [row for row in rows(told) if str(row[5]) == f"{OTHER_SYS:g}"]
    assert str(parsed(told).segment("PID")[5]) == "^^^^^^U"


def test_made_again_it_answers_to_the_same_number(report: SessionReport) -> None:
    shape = SHAPES["hl7"]
    one, other = shape.make(report), shape.make(replace(report, made_ms=report.made_ms + 60_000))
    assert str(parsed(one).segment("MSH")[10]) == str(parsed(other).segment("MSH")[10])
    assert str(parsed(one).segment("MSH")[3]) == "CHAIRSIDE"


# What comes back.


@pytest.mark.parametrize(
    ("code", "understood"),
    [("AA", "AA"), ("AE", "AE"), ("AR", "AR"), ("CA", "AA"), ("CE", "AE"), ("CR", "AR"), ("aa", "AA")],
)
def test_an_answer_is_understood_in_either_mode(code: str, understood: str) -> None:
    block = encode_ack("V1", code, "20261122021500+0000", sender="EHR", text="no such | patient")
    assert answer_of(block) == Answer(understood, "V1", "no such | patient")


def test_what_an_err_segment_says_is_said_too() -> None:
    block = b"MSH|^~\\&|EHR\rMSA|AE|V1\rERR||PID^1^3|204^Unknown key identifier^HL70357|E\r"
    assert answer_of(block) == Answer("AE", "V1", "204 Unknown key identifier")


@pytest.mark.parametrize(
    "block",
    [b"", b"\xff\xfe", b"HTTP/1.1 400 Bad Request", b"MSH|^~\\&|EHR\rPID|1\r", b"MSH|^~\\&|EHR\rMSA|OK|V1\r"],
)
def test_what_is_no_answer_is_said_to_be_none(block: bytes) -> None:
    assert isinstance(answer_of(block), Fault)


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(block: bytes) -> None:
    assert isinstance(answer_of(block), Answer | Fault)


@given(st.integers(1, 10**9), st.sampled_from("SCV"), st.integers(0, 10**13))
def test_a_number_of_a_message_fits_the_field_and_is_one_word(session: int, kind: str, at_ms: int) -> None:
    assert re.fullmatch(r"[0-9SCV]{3,40}", control_of(session, kind, at_ms))
