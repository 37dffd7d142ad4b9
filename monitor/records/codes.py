"""What the world calls our vitals: IEEE 11073-10101, LOINC, UCUM and the profiles of FHIR. Data only.

The numbers themselves are in `Vital`. Source of every name: the nomenclature table (rosetta, FHIR R4 vital
signs, US Core), whose two uncertain LOINC codes (perfusion, etCO2) stand second, behind the MDC code.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Vital

LOINC = "http://loinc.org"
MDC = "urn:iso:std:iso:11073:10101"
UCUM = "http://unitsofmeasure.org"

BASE = "http://hl7.org/fhir/StructureDefinition"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"


class Name(NamedTuple):
    """One code with the words that go with it."""

    code: str
    display: str


class Profile(NamedTuple):
    """What an Observation of a vital conforms to: of FHIR R4 itself, and of US Core beside it."""

    base: str
    us_core: str

    @property
    def urls(self) -> list[str]:
        """Both, as `meta.profile` has them."""
        return [f"{BASE}/{self.base}", f"{US_CORE}/{self.us_core}"]


HEART = Profile("heartrate", "us-core-heart-rate")
BREATH = Profile("resprate", "us-core-respiratory-rate")
OXYGEN = Profile("oxygensat", "us-core-pulse-oximetry")
WARMTH = Profile("bodytemp", "us-core-body-temperature")
PRESSURE = Profile("bp", "us-core-blood-pressure")
PANEL = Profile("vitalspanel", "us-core-vital-signs")

PROFILES: dict[Vital, Profile] = {
    Vital.HEART_RATE: HEART,
    Vital.PULSE_SPO2: HEART,
    Vital.PULSE_NIBP: HEART,
    Vital.SPO2: OXYGEN,
    Vital.RESPIRATION: BREATH,
    Vital.TEMPERATURE: WARMTH,
}
"""Vitals that have one; perfusion and etCO2 go out without."""

RATE = Name("8867-4", "Heart rate")

LOINC_OF: dict[Vital, tuple[Name, ...]] = {
    Vital.HEART_RATE: (RATE,),
    Vital.PULSE_SPO2: (RATE, Name("8889-8", "Heart rate by Pulse oximetry")),
    Vital.PULSE_NIBP: (RATE,),
    Vital.SPO2: (
        Name("2708-6", "Oxygen saturation in Arterial blood"),
        Name("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
    ),
    Vital.RESPIRATION: (Name("9279-1", "Respiratory rate"),),
    Vital.TEMPERATURE: (Name("8310-5", "Body temperature"),),
    Vital.PERFUSION: (Name("61006-3", "Perfusion index Tissue by Pulse oximetry"),),
    Vital.ETCO2: (Name("19891-1", "Carbon dioxide [Partial pressure] in Exhaled gas --at end expiration"),),
    Vital.SYSTOLIC: (Name("8480-6", "Systolic blood pressure"),),
    Vital.DIASTOLIC: (Name("8462-4", "Diastolic blood pressure"),),
    Vital.MEAN: (Name("8478-0", "Mean blood pressure"),),
    Vital.ARTERIAL_SYSTOLIC: (Name("8480-6", "Systolic blood pressure"),),
    Vital.ARTERIAL_DIASTOLIC: (Name("8462-4", "Diastolic blood pressure"),),
    Vital.ARTERIAL_MEAN: (Name("8478-0", "Mean blood pressure"),),
}
"""The first is the one that a profile asks for; FHIR wants every heart rate under 8867-4."""

PRESSURES = Name("85354-9", "Blood pressure panel with all children optional")
VITALS = Name("85353-1", "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel")

NONINVASIVE = Name("150020", "MDC_PRESS_BLD_NONINV")
MONITOR = Name("69965", "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS")

MDC_OF: dict[Vital, str] = {
    Vital.HEART_RATE: "MDC_ECG_HEART_RATE",
    Vital.PULSE_SPO2: "MDC_PULS_OXIM_PULS_RATE",
    Vital.PULSE_NIBP: "MDC_PULS_RATE_NON_INV",
    Vital.SPO2: "MDC_PULS_OXIM_SAT_O2",
    Vital.RESPIRATION: "MDC_RESP_RATE",
    Vital.TEMPERATURE: "MDC_TEMP",
    Vital.PERFUSION: "MDC_BLD_PERF_INDEX",
    Vital.ETCO2: "MDC_AWAY_CO2_ET",
    Vital.SYSTOLIC: "MDC_PRESS_BLD_NONINV_SYS",
    Vital.DIASTOLIC: "MDC_PRESS_BLD_NONINV_DIA",
    Vital.MEAN: "MDC_PRESS_BLD_NONINV_MEAN",
    Vital.ARTERIAL_SYSTOLIC: "MDC_PRESS_BLD_ART_ABP_SYS",
    Vital.ARTERIAL_DIASTOLIC: "MDC_PRESS_BLD_ART_ABP_DIA",
    Vital.ARTERIAL_MEAN: "MDC_PRESS_BLD_ART_ABP_MEAN",
}
"""Reference ids; their numbers are `Vital.mdc`. Of the two families of cuffs the current one (15002x)."""

CUFF = (Vital.SYSTOLIC, Vital.DIASTOLIC, Vital.MEAN)
ARTERY = (Vital.ARTERIAL_SYSTOLIC, Vital.ARTERIAL_DIASTOLIC, Vital.ARTERIAL_MEAN)


class Unit(NamedTuple):
    """A unit as a person reads it, and by its number and name in the nomenclature."""

    words: str
    mdc: Name


_PERCENT = Unit("%", Name("262688", "MDC_DIM_PERCENT"))
_MMHG = Unit("mmHg", Name("266016", "MDC_DIM_MMHG"))
_CELSIUS = Unit("C", Name("268192", "MDC_DIM_DEGC"))
_BEATS = Unit("beats/minute", Name("264864", "MDC_DIM_BEAT_PER_MIN"))
_BREATHS = Unit("breaths/minute", Name("264928", "MDC_DIM_RESP_PER_MIN"))


def unit_of(vital: Vital) -> Unit:
    """What a vital is counted in; its UCUM code is `vital.unit`."""
    if vital is Vital.RESPIRATION:
        return _BREATHS
    return {"%": _PERCENT, "mm[Hg]": _MMHG, "Cel": _CELSIUS, "/min": _BEATS}[vital.unit]
