"""A whole session as FHIR: judged by the library, and as plain JSON by what the profiles ask for."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle

from monitor.model import Device, Priority, Quality, Vital
from monitor.records.charted import checks
from monitor.records.fhir import bundle
from monitor.records.report import Line, SessionReport
from monitor.records.shapes import SHAPES, CannotMakeError
from tests.shells.filed import OTHER_ALIAS, OTHER_SPO2, OTHER_SYS, SESSION, Filed, kept, nasal

pytestmark = pytest.mark.real

Json = dict[str, Any]

LOINC, MDC = "http://loinc.org", "urn:iso:std:iso:11073:10101"
BASE = "http://hl7.org/fhir/StructureDefinition/"

ASKED = {
    f"{BASE}heartrate": ("8867-4", "/min"),
    f"{BASE}resprate": ("9279-1", "/min"),
    f"{BASE}oxygensat": ("2708-6", "%"),
    f"{BASE}bodytemp": ("8310-5", "Cel"),
    f"{BASE}bp": ("85354-9", None),
    f"{BASE}vitalspanel": ("85353-1", None),
}
"""By profile the code that must be there, and the unit of the value (FHIR R4, vital signs)."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SessionReport:
    """One nasal session, from a real store."""

    async def made(folder: Path) -> SessionReport:
        async with kept(folder, Filed(nasal(alias="blue-17"))) as reports:
            return await reports.session(SESSION)

    return asyncio.run(made(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def made(report: SessionReport) -> Json:
    """Its bundle, as anybody reads it."""
    read: Json = json.loads(bundle(report))
    return read


def of_kind(made: Json, kind: str) -> list[Json]:
    return [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == kind]


def observations(made: Json) -> list[Json]:
    return of_kind(made, "Observation")


def codes(concept: Json, system: str) -> list[str]:
    return [one["code"] for one in concept["coding"] if one["system"] == system]


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from everything(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from everything(inner)


def test_the_library_takes_the_bundle_and_each_resource_in_it(made: Json) -> None:
    assert Bundle.model_validate(made).type == "transaction"
    for entry in made["entry"]:
        resource = entry["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_what_the_library_would_not_take_is_not_taken(made: Json) -> None:
    # The control of the test above: a resource without what must be there.
    broken = {key: value for key, value in observations(made)[0].items() if key != "code"}
    with pytest.raises(ValueError, match="code"):
        get_fhir_model_class("Observation").model_validate(broken)


def test_every_vital_sign_has_what_its_profile_asks_for(made: Json) -> None:
    seen: Counter[str] = Counter()
    for one in observations(made):
        assert one["status"] in {"final", "preliminary"}
        (category,) = one["category"]
        system = "http://terminology.hl7.org/CodeSystem/observation-category"
        assert category["coding"][0]["system"] == system
        assert category["coding"][0]["code"] == "vital-signs"
        assert one["subject"]["reference"]
        assert ("effectiveDateTime" in one) != ("effectivePeriod" in one)
        said = {"valueQuantity", "dataAbsentReason"} & one.keys()
        if "component" in one:
            assert said == set(), "a panel of pressures has no value of its own"
        elif "hasMember" in one:
            assert said == set()
        else:
            assert len(said) == 1, "a value or the reason why there is none (vs-2)"
        for profile in one["meta"].get("profile", []):
            if profile in ASKED:
                code, unit = ASKED[profile]
                seen[profile] += 1
                assert code in codes(one["code"], LOINC)
                if unit is not None and "valueQuantity" in one:
                    assert one["valueQuantity"]["code"] == unit
    assert seen.keys() >= {f"{BASE}{name}" for name in ("heartrate", "resprate", "oxygensat", "bp")}
    assert seen[f"{BASE}heartrate"] > 50


def test_every_quantity_is_in_ucum(made: Json) -> None:
    found = [value for key, value in everything(made) if key == "valueQuantity"]
    assert len(found) > 100
    assert {value["system"] for value in found} == {"http://unitsofmeasure.org"}
    assert {value["code"] for value in found} == {"/min", "%", "mm[Hg]"}
    assert all(isinstance(value["value"], int | float) for value in found)


def test_a_vital_is_coded_by_both_nomenclatures_and_spo2_twice_for_the_us(made: Json) -> None:
    singles = [one for one in observations(made) if "component" not in one and "hasMember" not in one]
    for one in singles:
        (mdc,) = codes(one["code"], MDC)
        vital = next(vital for vital in Vital if str(vital.mdc) == mdc)
        assert vital.loinc in codes(one["code"], LOINC)
        if vital is Vital.SPO2:
            assert set(codes(one["code"], LOINC)) == {"2708-6", "59408-5"}
            us = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-pulse-oximetry"
            assert us in one["meta"]["profile"]


def test_a_pressure_is_one_panel_with_both_its_slices(report: SessionReport, made: Json) -> None:
    panels = [one for one in observations(made) if "component" in one]
    assert len(panels) == len(report.cuffs)
    for panel in panels:
        assert codes(panel["code"], LOINC) == ["85354-9"]
        assert codes(panel["code"], MDC) == ["150020"]
        slices = {codes(one["code"], LOINC)[0]: one for one in panel["component"]}
        assert slices.keys() >= {"8480-6", "8462-4"}
        for one in slices.values():
            assert ("valueQuantity" in one) != ("dataAbsentReason" in one)


def test_the_pressures_are_those_of_the_report_at_their_own_times(report: SessionReport, made: Json) -> None:
    def number(panel: Json, code: str) -> float | None:
        part: Json = next((one for one in panel["component"] if code in codes(one["code"], LOINC)), {})
        value: float | None = part.get("valueQuantity", {}).get("value")
        return value

    sent = sorted(
        (round(datetime.fromisoformat(p["effectiveDateTime"]).timestamp() * 1000),
         *(number(p, code) for code in ("8480-6", "8462-4", "8478-0")))
        for p in observations(made) if "component" in p
    )  # fmt: skip
    wanted = sorted((c.at_ms, c.systolic, c.diastolic, c.mean) for c in report.cuffs)
    assert sent == wanted


def test_a_failed_cuff_says_why_there_is_no_number(made: Json) -> None:
    failed = [
        one
        for one in observations(made)
        if all("dataAbsentReason" in part for part in one.get("component", [{}]))
    ]
    assert failed
    for one in failed:
        for part in one["component"]:
            assert codes(part["dataAbsentReason"], "http://terminology.hl7.org/CodeSystem/data-absent-reason")


def test_a_minute_without_a_value_is_said_and_not_left_out(report: SessionReport) -> None:
    hour_ms = report.opened_ms - report.opened_ms % 3_600_000 + 3_600_000
    read = json.loads(bundle(without(report, Vital.SPO2, hour_ms, hour_ms + 60_000)))
    none = [
        one
        for one in observations(read)
        if "effectivePeriod" in one and codes(one.get("dataAbsentReason", {"coding": []}), _ABSENT)
    ]
    (spo2,) = [one for one in none if "2708-6" in codes(one["code"], LOINC)]
    assert codes(spo2["dataAbsentReason"], _ABSENT) == ["temp-unknown"]
    assert datetime.fromisoformat(spo2["effectivePeriod"]["start"]).timestamp() * 1000 == hour_ms
    assert spo2["device"]
    assert spo2["meta"]["profile"]


def without(report: SessionReport, vital: Vital, from_ms: int, until_ms: int) -> SessionReport:
    """The same report of a patient whose device said nothing of this vital for a time."""

    def silenced(line: Line) -> Line:
        kept = [row for row in zip(line.times_ms, line.values, line.qualities, strict=True)
                if not from_ms <= row[0] < until_ms]  # fmt: skip
        times_ms, numbers, qualities = zip(*kept, strict=True)
        stretches = tuple(one for one in line.stretches if not from_ms <= one.from_ms < until_ms)
        return replace(line, times_ms=times_ms, values=numbers, qualities=qualities, stretches=stretches)

    return replace(report, lines=tuple(silenced(x) if x.vital is vital else x for x in report.lines))


_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def test_medians_are_of_the_first_minute_and_of_one_in_five(report: SessionReport, made: Json) -> None:
    periods = {
        tuple(datetime.fromisoformat(one["effectivePeriod"][end]) for end in ("start", "end"))
        for one in observations(made)
        if "effectivePeriod" in one
    }
    (first_start, first_end), *rest = sorted(periods)
    assert len(rest) > 20
    assert first_start.timestamp() * 1000 == report.opened_ms
    assert (first_end - first_start).total_seconds() <= 60
    for start, end in rest:
        assert (end - start).total_seconds() == 60
        assert start.minute % 5 == 0


def test_every_time_has_the_offset_of_the_clinic(made: Json) -> None:
    times = [v for k, v in everything(made) if k in {"effectiveDateTime", "issued", "start", "end", "timestamp"}]  # fmt: skip  # noqa: E501
    assert len(times) > 200
    assert {time[-6:] for time in times} == {"+02:00"}


def test_a_check_is_a_panel_of_the_very_readings_that_filled_it(report: SessionReport, made: Json) -> None:
    by_url = {entry["fullUrl"]: entry["resource"] for entry in made["entry"]}
    panels = [one for one in observations(made) if "85353-1" in codes(one["code"], LOINC)]
    assert [one["code"]["text"] for one in panels] == [
        check.title for check in report.checks if not check.again
    ]
    for panel, check in zip(panels, checks(report), strict=True):
        members = [by_url[one["reference"]] for one in panel.get("hasMember", [])]
        assert len(members) == len(check.values)
        assert all("effectiveDateTime" in one for one in members)
    assert any("hasMember" in one for one in panels)


def test_what_was_taken_by_hand_says_by_whom_and_has_no_device(report: SessionReport) -> None:
    first = report.cuffs[0]
    by_hand = replace(report, cuffs=(replace(first, device=None, by=report.opened_by), *report.cuffs[1:]))
    read = json.loads(bundle(by_hand))
    (taken,) = [one for one in observations(read) if one.get("method", {}).get("text") == "Taken by hand"]
    assert taken["performer"][0]["display"] == report.opened_by
    assert "device" not in taken
    others = [one for one in observations(read) if "component" in one and one is not taken]
    assert all("device" in one and "performer" not in one for one in others)


def test_a_doubtful_reading_is_preliminary_and_says_why(report: SessionReport) -> None:
    first = replace(report.cuffs[0], quality=Quality.QUESTIONABLE, why="the arm moved")
    read = json.loads(bundle(replace(report, cuffs=(first, *report.cuffs[1:]))))
    (doubted,) = [one for one in observations(read) if one["status"] == "preliminary"]
    assert doubted["note"] == [{"text": "the arm moved"}]


def test_every_alarm_is_a_flag_with_its_priority_its_life_and_its_kind(
    report: SessionReport, made: Json
) -> None:
    flags = of_kind(made, "Flag")
    assert len(flags) == len(report.alarms) == 2
    for flag, alarm in zip(flags, report.alarms, strict=True):
        assert alarm.title in flag["code"]["text"]
        (extension,) = flag["extension"]
        assert extension["url"] == f"{BASE}flag-priority"
        (coding,) = extension["valueCodeableConcept"]["coding"]
        assert coding["code"] == {Priority.HIGH: "PH", Priority.MEDIUM: "PM"}[alarm.priority]
        assert flag["status"] == ("active" if alarm.ended_ms is None else "inactive")
        assert ("end" in flag["period"]) == (alarm.ended_ms is not None)
        assert flag["category"][0]["coding"][0]["code"] == ("safety" if alarm.technical else "clinical")


def test_references_lead_to_what_is_in_the_bundle(made: Json) -> None:
    urls = {entry["fullUrl"] for entry in made["entry"]}
    assert len(urls) == len(made["entry"])
    pointed = [value for key, value in everything(made) if key == "reference"]
    assert len(pointed) > 300
    assert set(pointed) <= urls


def test_sent_twice_it_is_there_once_as_it_was_sent_last(report: SessionReport, made: Json) -> None:
    # By an identifier that outlives the making: at another time, of a session that goes on, it is the same.
    first = replace(report, made_ms=report.made_ms - 1, ended_ms=None)
    sooner = json.loads(bundle(first))
    kept = [entry["request"] for entry in made["entry"]]
    assert [entry["request"] for entry in sooner["entry"]][:3] == kept[:3]
    again = json.loads(bundle(replace(report, made_ms=report.made_ms + 3_600_000)))
    assert [entry["request"] for entry in again["entry"]] == kept
    assert [entry["fullUrl"] for entry in again["entry"]] == [entry["fullUrl"] for entry in made["entry"]]
    queries = [query_of(entry) for entry in made["entry"]]
    assert len(set(queries)) == len(queries)
    for entry, query in zip(made["entry"], queries, strict=True):
        identifier = entry["resource"]["identifier"][0]
        assert unquote(query) == f"{identifier['system']}|{identifier['value']}"


def test_nobody_elses_patient_or_device_is_written_over(made: Json) -> None:
    ways = {entry["resource"]["resourceType"]: entry["request"]["method"] for entry in made["entry"]}
    assert ways == {
        "Patient": "POST",
        "Device": "POST",
        "Encounter": "PUT",
        "Observation": "PUT",
        "Flag": "PUT",
    }


def query_of(entry: Json) -> str:
    """The token by which an entry is looked for at the receiver."""
    request = entry["request"]
    what = entry["resource"]["resourceType"]
    query: str = request["ifNoneExist"] if request["method"] == "POST" else request["url"].partition("?")[2]
    assert request["url"].partition("?")[0] == what
    name, _, token = query.partition("=")
    assert name == "identifier"
    return token


@pytest.mark.parametrize("alias", ["a|b$c,d\\e", "Ä & ß", "<script>", "a b?c=d&e#f"])
def test_t09_an_odd_alias_stays_what_it_is_and_leads_nowhere_else(report: SessionReport, alias: str) -> None:
    read = json.loads(bundle(replace(report, alias=alias)))
    (patient,) = of_kind(read, "Patient")
    assert patient["identifier"][0]["value"] == alias
    token = query_of(read["entry"][0])
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}\|[A-Za-z0-9%._~-]+", token)
    assert re.sub(r"\\(.)", r"\1", unquote(token.partition("|")[2])) == alias


def test_the_patient_is_an_alias_and_nothing_else(made: Json) -> None:
    (patient,) = of_kind(made, "Patient")
    assert patient["identifier"][0]["value"] == "blue-17"
    assert patient["gender"] == "unknown"
    assert "birthDate" not in patient
    assert [name.keys() for name in patient["name"]] == [{"extension"}]


def test_nothing_of_another_patient_is_in_it(made: Json) -> None:
    text = json.dumps(made)
    assert OTHER_ALIAS not in text
    sent = [
        (codes(one["code"], LOINC)[0], one["valueQuantity"]["value"])
        for whole in observations(made)
        for one in (whole, *whole.get("component", ()))
        if "valueQuantity" in one
    ]
    assert len(sent) > 100
    assert not {("2708-6", OTHER_SPO2), ("8480-6", OTHER_SYS)} & set(sent)
    assert {device["identifier"][0]["value"] for device in of_kind(made, "Device")} == {"monitor3"}


def test_training_marks_every_resource(report: SessionReport, made: Json) -> None:
    marked = json.loads(bundle(report, training=True))
    for entry in marked["entry"]:
        assert [one["code"] for one in entry["resource"]["meta"]["security"]] == ["HTEST"]
    assert not [1 for key, _ in everything(made) if key == "security"]


def test_a_device_of_an_alarm_that_measured_nothing_is_there_as_well(report: SessionReport) -> None:
    other = replace(report.alarms[0], device=Device("cuff9"), alarm_id=99)
    read = json.loads(bundle(replace(report, alarms=(*report.alarms, other))))
    assert [device["identifier"][0]["value"] for device in of_kind(read, "Device")] == ["monitor3", "cuff9"]


def test_a_session_that_goes_on_is_an_encounter_without_an_end(report: SessionReport) -> None:
    (encounter,) = of_kind(json.loads(bundle(replace(report, ended_ms=None))), "Encounter")
    assert encounter["status"] == "in-progress"
    assert "end" not in encounter["period"]


def test_it_is_one_of_the_shapes_of_a_record(report: SessionReport, made: Json) -> None:
    shape = SHAPES["fhir"]
    assert shape.media_type == "application/fhir+json"
    assert json.loads(shape.make(report)) == made


def test_without_the_extra_it_is_said_what_to_install(
    report: SessionReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B.bundle", None)
    with pytest.raises(CannotMakeError, match=r"pip install 'chairside\[fhir\]'"):
        bundle(report)
