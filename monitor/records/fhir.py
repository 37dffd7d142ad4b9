"""A session as a FHIR R4 transaction: Patient, Encounter, Devices, vital-sign Observations, alarms as Flags.

Every entry goes by an identifier that is the same whenever the record is made again: sent twice, it is there
once, as it was sent last (a conditional update). Patient and Devices, which others may know more of, are
only created where they are not there. `fhir.resources` (the extra [fhir]) judges each resource; what it
cannot judge, the profiles of vital signs, is held by the tests. The patient is an alias: no name, birthday or
sex is known here, and the Patient says so. Codes and profiles: `codes.py`; absent values as uv-pocd has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from monitor.model import AlarmState, Device, Priority, Quality, Staff, Vital
from monitor.records.charted import Charted, Checked, Pressure, Value, checks, sources, values
from monitor.records.codes import (
    LOINC,
    LOINC_OF,
    MDC,
    MDC_OF,
    MONITOR,
    NONINVASIVE,
    PANEL,
    PRESSURE,
    PRESSURES,
    PROFILES,
    UCUM,
    US_CORE,
    VITALS,
    Name,
    unit_of,
)
from monitor.records.report import DISCLAIMER, AlarmOf, SessionReport
from monitor.records.shapes import CannotMakeError

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
EXTENSIONS = "http://hl7.org/fhir/StructureDefinition"
ROOT = uuid5(NAMESPACE_URL, "urn:chairside:record")
"""Where the names begin that this program gives; a clinic's own begin below it."""

PRIORITIES = {
    Priority.HIGH: Name("PH", "High priority"),
    Priority.MEDIUM: Name("PM", "Medium priority"),
    Priority.LOW: Name("PL", "Low priority"),
}
"""The codes of the extension flag-priority."""

OF_OTHERS = frozenset({"Patient", "Device"})
"""What may be there already, with more in it than is known here: never written over."""

Json = dict[str, Any]


def bundle(report: SessionReport, *, training: bool = False) -> bytes:
    """The record as one Bundle of FHIR JSON. `training` marks every resource as data of no patient.

    CannotMakeError without the extra [fhir].
    """
    try:
        from fhir.resources.R4B.bundle import Bundle
    except ModuleNotFoundError as missing:
        raise CannotMakeError("FHIR needs one more part: pip install 'chairside[fhir]'") from missing
    made = _Made(report, training=training)
    return Bundle.model_validate(made.bundle()).model_dump_json(exclude_none=True).encode()


class _Made:
    """One bundle in the making: what each resource is called, and the resources."""

    def __init__(self, report: SessionReport, *, training: bool) -> None:
        self._report = report
        self._training = training
        self._zone = ZoneInfo(report.zone)
        self._clinic = uuid5(ROOT, report.clinic)
        self._session = f"{report.session}-{report.opened_ms}"
        self._values = values(report)
        self._checks = checks(report)

    def bundle(self) -> Json:
        """All of it."""
        return {
            "resourceType": "Bundle",
            "meta": self._meta(),
            "identifier": self._identifier("record", self._session),
            "type": "transaction",
            "timestamp": self._at(self._report.made_ms),
            "entry": list(self._entries()),
        }

    def _entries(self) -> Iterator[Json]:
        yield self._entry("patient", self._report.alias, self._patient())
        yield self._entry("session", self._session, self._encounter())
        for device in self._devices():
            yield self._entry("device", device, self._device(device))
        for one in self._values:
            made = self._pressure(one) if isinstance(one, Pressure) else self._value(one)
            yield self._entry("reading", self._key(one), made)
        for check in self._checks:
            yield self._entry("check", f"{self._session}-{check.name}-{check.due_ms}", self._check(check))
        for alarm in (one for one in self._report.alarms if not one.clinic):
            yield self._entry("alarm", f"{self._session}-{alarm.alarm_id}", self._flag(alarm))

    # Who and where.

    def _patient(self) -> Json:
        unknown = [{"url": f"{EXTENSIONS}/data-absent-reason", "valueCode": "masked"}]
        return {
            "resourceType": "Patient",
            "meta": self._meta(f"{US_CORE}/us-core-patient"),
            "active": True,
            "name": [{"extension": unknown}],
            "gender": "unknown",
        }

    def _encounter(self) -> Json:
        report = self._report
        made: Json = {
            "resourceType": "Encounter",
            "meta": self._meta(),
            "status": "in-progress" if report.ended_ms is None else "finished",
            "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB", "display": "ambulatory"},
            "subject": self._subject(),
            "period": self._period(report.opened_ms, report.ended_ms),
            "location": [
                {"location": {"display": " ".join(filter(None, (report.place, f"bed {report.bed}")))}}
            ],
            "text": {
                "status": "generated",
                "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{DISCLAIMER}</div>',
            },
        }
        if report.therapy is not None:
            made["type"] = [{"text": report.therapy.title}]
        return made

    def _devices(self) -> Sequence[Device]:
        named = [used.device for used in self._report.devices]
        alarmed = [alarm.device for alarm in self._report.alarms if alarm.device is not None]
        return tuple(dict.fromkeys([*named, *sources(self._values), *alarmed]))

    def _device(self, device: Device) -> Json:
        driver = next((used.driver for used in self._report.devices if used.device == device), "")
        made: Json = {
            "resourceType": "Device",
            "meta": self._meta(),
            "status": "active",
            "deviceName": [{"name": device, "type": "user-friendly-name"}],
            "type": {"coding": [_coding(MDC, MONITOR)]},
        }
        if driver:
            made["type"]["text"] = driver
        return made

    # What was measured.

    def _value(self, one: Value) -> Json:
        made = self._observation(one, _code(one.vital))
        if one.vital in PROFILES:
            made["meta"] = self._meta(*PROFILES[one.vital].urls)
        return made | _said(one.vital, one.value, one.quality, one.why)

    def _pressure(self, one: Pressure) -> Json:
        codings = [_coding(LOINC, PRESSURES), *([] if one.arterial else [_coding(MDC, NONINVASIVE)])]
        made = self._observation(one, {"coding": codings, "text": "Blood pressure"})
        made["meta"] = self._meta(*PRESSURE.urls)
        made["component"] = [
            {"code": _code(vital)} | _said(vital, value, one.quality, one.why) for vital, value in one.parts()
        ]
        return made

    def _observation(self, one: Charted, code: Json) -> Json:
        """What every Observation of a vital has."""
        made: Json = {
            "resourceType": "Observation",
            "meta": self._meta(),
            "status": "preliminary" if one.quality is Quality.QUESTIONABLE else "final",
            "category": [_vital_signs()],
            "code": code,
            "subject": self._subject(),
            "encounter": self._reference("session", self._session),
            "issued": self._at(self._report.made_ms),
            "method": {"text": _method(one)},
        }
        if one.spot:
            made["effectiveDateTime"] = self._at(one.at_ms)
        else:
            made["effectivePeriod"] = self._period(one.at_ms, one.until_ms)
        if one.device is not None:
            made["device"] = self._reference("device", one.device)
        if one.by is not None:
            made["performer"] = [self._person(one.by)]
        if one.why:
            made["note"] = [{"text": one.why}]
        return made

    def _check(self, check: Checked) -> Json:
        made: Json = {
            "resourceType": "Observation",
            "meta": self._meta(*PANEL.urls),
            "status": "final",
            "category": [_vital_signs()],
            "code": {"coding": [_coding(LOINC, VITALS)], "text": check.title},
            "subject": self._subject(),
            "encounter": self._reference("session", self._session),
            "effectiveDateTime": self._at(check.at_ms),
            "issued": self._at(self._report.made_ms),
        }
        if check.by is not None:
            made["performer"] = [self._person(check.by)]
        if check.values:
            made["hasMember"] = [self._reference("reading", self._key(one)) for one in check.values]
        else:
            made["dataAbsentReason"] = _absent("unknown" if check.saved else "not-performed")
        missing = [f"not recorded: {', '.join(check.missing)}"] if check.missing else []
        said = [*([] if check.saved else ["the check was missed"]), *missing]
        if said:
            made["note"] = [{"text": "; ".join(said)}]
        return made

    # What was alarmed.

    def _flag(self, alarm: AlarmOf) -> Json:
        over = alarm.ended_ms is not None or alarm.state is AlarmState.CLEAR
        kind = Name("safety", "Safety") if alarm.technical else Name("clinical", "Clinical")
        priority = PRIORITIES[alarm.priority]
        coded = {"coding": [_coding("http://hl7.org/fhir/flag-priority-code", priority)]}
        made: Json = {
            "resourceType": "Flag",
            "meta": self._meta(),
            "extension": [{"url": f"{EXTENSIONS}/flag-priority", "valueCodeableConcept": coded}],
            "status": "inactive" if over else "active",
            "category": [{"coding": [_coding(f"{TERMINOLOGY}/flag-category", kind)]}],
            "code": {"text": ", ".join(filter(None, (alarm.title, alarm.note)))},
            "subject": self._subject(),
            "encounter": self._reference("session", self._session),
            "period": self._period(alarm.raised_ms, alarm.ended_ms),
        }
        if alarm.device is not None:
            made["author"] = self._reference("device", alarm.device)
        return made

    # Names, times and references.

    def _entry(self, kind: str, name: str, resource: Json) -> Json:
        identifier = self._identifier(kind, name)
        resource["identifier"] = [identifier]
        query = f"identifier={identifier['system']}|{_searched(identifier['value'])}"
        what = resource["resourceType"]
        if what in OF_OTHERS:
            request = {"method": "POST", "url": what, "ifNoneExist": query}
        else:
            request = {"method": "PUT", "url": f"{what}?{query}"}
        return {"fullUrl": self._url(kind, name), "resource": resource, "request": request}

    def _identifier(self, kind: str, name: str) -> Json:
        # A system must be an address that nobody else uses: one of the clinic's own for each kind of thing.
        return {"system": f"urn:uuid:{uuid5(self._clinic, kind)}", "value": name}

    def _url(self, kind: str, name: str) -> str:
        return f"urn:uuid:{uuid5(uuid5(self._clinic, kind), name)}"

    def _reference(self, kind: str, name: str) -> Json:
        return {"reference": self._url(kind, name)}

    def _key(self, one: Charted) -> str:
        return f"{self._session}-{one.key}"

    def _subject(self) -> Json:
        return self._reference("patient", self._report.alias)

    def _person(self, staff: Staff) -> Json:
        return {"identifier": self._identifier("staff", staff), "display": staff}

    def _meta(self, *profiles: str) -> Json:
        made: Json = {"profile": list(profiles)} if profiles else {}
        tags = [{"system": f"urn:uuid:{ROOT}", "code": "chairside", "display": self._report.program}]
        marks = [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "test health data"}]
        return made | {"tag": tags} | ({"security": marks} if self._training else {})

    def _at(self, at_ms: int) -> str:
        """With its offset, in the clinic's own zone."""
        return (
            datetime.fromtimestamp(at_ms / 1_000, UTC)
            .astimezone(self._zone)
            .isoformat(timespec="milliseconds")
        )

    def _period(self, from_ms: int, until_ms: int | None) -> Json:
        end = {} if until_ms is None else {"end": self._at(until_ms)}
        return {"start": self._at(from_ms)} | end


def _method(one: Charted) -> str:
    if one.device is None:
        return "Taken by hand"
    if not one.spot:
        return "Automatic, median of the valid values of one minute"
    if isinstance(one, Pressure) and one.derived_mean:
        return "Automatic; the mean is reckoned from systolic and diastolic"
    return "Automatic"


def _said(vital: Vital, value: float | None, quality: Quality, why: str) -> Json:
    """The value with its unit, or why there is none. Never both, and never neither."""
    if value is None:
        return {"dataAbsentReason": _absent("error" if quality is Quality.INVALID else "temp-unknown", why)}
    unit = unit_of(vital)
    return {"valueQuantity": {"value": _plain(value), "unit": unit.words, "system": UCUM, "code": vital.unit}}


_ABSENT = {
    "error": "Error",
    "temp-unknown": "Temporarily Unknown",
    "not-performed": "Not Performed",
    "unknown": "Unknown",
}


def _absent(code: str, why: str = "") -> Json:
    coding = _coding(f"{TERMINOLOGY}/data-absent-reason", Name(code, _ABSENT[code]))
    return {"coding": [coding]} | ({"text": why} if why else {})


def _code(vital: Vital) -> Json:
    names = [_coding(LOINC, name) for name in LOINC_OF[vital]]
    codings = [*names, _coding(MDC, Name(str(vital.mdc), MDC_OF[vital]))]
    return {"coding": codings if vital in PROFILES or vital.unit == "mm[Hg]" else codings[::-1]}


def _vital_signs() -> Json:
    name = Name("vital-signs", "Vital Signs")
    return {"coding": [_coding(f"{TERMINOLOGY}/observation-category", name)]}


def _coding(system: str, name: Name) -> Mapping[str, str]:
    return {"system": system, "code": name.code, "display": name.display}


def _plain(value: float) -> float:
    """A whole number without a fraction that nobody measured."""
    return int(value) if float(value).is_integer() else round(value, 3)


def _searched(name: str) -> str:
    """A name as a search has it: what would cut a token is escaped (FHIR R4, 3.1.1.4.0.1)."""
    return quote("".join(f"\\{sign}" if sign in "\\,$|" else sign for sign in name), safe="")
