"""What the rows of protocols.md 3.3, 4.2, 6.1 and 6.3 name: each question, each item, each edge."""

from __future__ import annotations

import pytest

from monitor.model import Vital
from monitor.sessions.therapy import Item
from monitor.treatment import Flag, Move, Phase, Symptom
from tests.core.visit import MIN, Visit, signed

US, EU, IV = "spravato_us", "spravato_eu", "iv_ketamine_40"


def asked(name: str) -> dict[str, str]:
    """Every question of a check-in, and its kind."""
    return {question.name: question.kind for question in signed(name).question}


# 3.3 and 4.2, CHECK_IN


@pytest.mark.parametrize(
    "question", ["identity", "enrolled", "escort", "no_food", "no_nasal_spray", "congestion", "pregnancy"]
)
def test_3_3_check_in_asks_for_identity_enrolment_escort_food_spray_congestion_and_pregnancy(
    question: str,
) -> None:
    assert question in asked(US)


@pytest.mark.parametrize("name", [US, EU, IV])
def test_3_3_and_4_2_check_in_asks_for_the_six_classes_of_concomitant_medicines(name: str) -> None:
    flags = {question.name: question.flag for question in signed(name).question if question.kind == "flag"}
    assert {one: flags[one] for one in flags if one not in {"sleep_apnoea", "lung_disease"}} == {
        "benzodiazepines": Flag.CNS_DEPRESSANT,
        "sedative_hypnotics": Flag.CNS_DEPRESSANT,
        "opioids": Flag.OPIOID,
        "stimulants": Flag.STIMULANT,
        "maoi": Flag.MAOI,
        "other_medicines": Flag.CNS_DEPRESSANT,
    }


@pytest.mark.parametrize("question", ["aneurysm", "brain_bleed", "hypersensitivity"])
def test_3_3_check_in_asks_for_each_contraindication(question: str) -> None:
    assert asked(US)[question] == "contraindication"


@pytest.mark.parametrize(
    "question", ["identity", "weight", "fasting", "escort", "consent", "aneurysm", "pregnancy", "line"]
)
def test_4_2_check_in_asks_for_identity_weight_fasting_escort_consent_contraindications_pregnancy_and_iv_site(
    question: str,
) -> None:
    assert question in asked(IV)


# 3.3 and 4.2, BASELINE


def test_3_3_the_heart_rate_of_the_baseline_may_be_the_pulse_of_the_oximeter() -> None:
    visit = Visit()
    visit.vitals = {Vital.PULSE_SPO2: 74.0, Vital.SPO2: 98.0, Vital.RESPIRATION: 14.0}
    visit.samples.clear()
    visit.to_baseline()
    visit.takes_baseline()
    visit.waits(1)
    visit.does(visit.device(1))
    assert visit.record.baseline is not None
    assert visit.record.baseline.baseline.heart_rate == 74


def test_4_2_baseline_wants_moaas_5_or_a_prescribers_decision() -> None:
    visit = Visit(IV)
    visit.to_baseline()
    visit.takes_baseline()
    visit.scores(moaas=4)
    assert "MOAA/S 4 < 5: a prescriber decides" in visit.refused(visit.step(Move.TO_TIMEOUT))
    visit.does(visit.override("gate:not-awake"))
    visit.steps(Move.TO_TIMEOUT)


# 3.3 and 4.2, the phases of the drug


def test_3_3_onset_goes_on_without_a_respiration_that_nobody_measures() -> None:
    visit = Visit()
    visit.doses()
    del visit.vitals[Vital.RESPIRATION]
    visit.samples = [one for one in visit.samples if one.vital is not Vital.RESPIRATION]
    visit.waits(35)
    visit.cuff(134, 84)
    visit.does(visit.save())
    assert visit.phase() is Phase.DECLINE


def test_4_2_stopped_from_the_infusion_is_watched_like_a_recovery_and_measured_more_often() -> None:
    visit = Visit(IV)
    visit.doses()
    visit.waits(10)
    visit.cuff(130, 80)
    visit.steps(Move.STOP, "distress")
    assert (visit.phase(), visit.record.onward) == (Phase.STOPPED, Phase.EARLY_RECOVERY)
    assert visit.record.end_ms == visit.now_ms
    due = visit.cuff_in_min()
    assert due is not None
    assert due <= 5


def test_4_2_transferred_ends_the_watch_here_and_the_record_says_why() -> None:
    visit = Visit(IV)
    visit.doses()
    visit.waits(5)
    visit.steps(Move.TRANSFER, "to the hospital")
    assert visit.record.over
    assert visit.record.moves[-1].why == "to the hospital"
    assert visit.cuff_in_min() is None


def test_4_2_late_recovery_lasts_to_60_minutes_or_until_ready() -> None:
    visit = Visit(IV)
    visit.to_recovery()
    ended_ms = visit.now_ms
    visit.waits(31)
    assert visit.phase() is Phase.LATE_RECOVERY
    visit.waits(50)
    assert visit.phase() is Phase.LATE_RECOVERY, "no clock ends it"
    visit.makes_ready()
    visit.steps(Move.TO_READY)
    assert visit.now_ms - ended_ms > 60 * MIN


# 3.3 and 4.2, READY; 6.3, the gate of LATE_RECOVERY and READY


ITEMS = {
    "gait": "steady",
    "oriented": "awake",
    "moaas": "awake",
    "dissociation": "awake",
    "oxygen": "breathing",
}


@pytest.mark.parametrize("name", [US, IV])
@pytest.mark.parametrize(
    ("score", "value"),
    [("gait", 0), ("oriented", 2), ("moaas", 4), ("dissociation", 1), ("oxygen", 1)],
)
def test_3_3_and_4_2_ready_wants_air_gait_orientation_and_sedation_and_dissociation_resolved(
    name: str, score: str, value: int
) -> None:
    visit = Visit(name)
    visit.to_ready()
    visit.cuff(121, 76)
    visit.scores(**{score: value})
    assert visit.refused(visit.sign())
    visit.does(visit.override(f"item:{ITEMS[score]}"))
    visit.does(visit.sign())


@pytest.mark.parametrize(
    ("systolic", "diastolic", "words"),
    [
        (149, 80, ""),
        (150, 80, "150/80 is not below 150/95."),
        (140, 94, ""),
        (140, 95, "140/95 is not below 150/95."),
    ],
)
def test_6_3_who_leaves_has_a_pressure_under_150_and_95(
    systolic: float, diastolic: float, words: str
) -> None:
    visit = Visit(IV)
    visit.to_baseline()
    visit.takes_baseline(128, 80)
    visit.steps(Move.TO_TIMEOUT)
    visit.does(visit.dose())
    visit.steps(Move.START)
    visit.waits(40)
    visit.steps(Move.END)
    visit.waits(40)
    visit.cuff(systolic, diastolic)
    visit.waits(11)
    visit.cuff(systolic, diastolic)
    assert visit.missing(Item.PRESSURE) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (50, ""), (110, ""),
        (49, "Heart rate 49 is not within 50 to 110."),
        (111, "Heart rate 111 is not within 50 to 110."),
    ],
)  # fmt: skip
def test_6_3_who_leaves_has_a_heart_rate_of_50_to_110(rate: float, words: str) -> None:
    visit = Visit(IV)
    visit.to_recovery()
    visit.waits(50)
    visit.cuff(124, 78)
    visit.waits(11)
    visit.cuff(122, 76)
    visit.sees(hr=rate)
    assert visit.missing(Item.PRESSURE) == words


@pytest.mark.parametrize(("spo2", "words"), [(94, ""), (93, "SpO2 93 is under 94.")])
def test_6_3_who_leaves_has_an_spo2_of_94_on_air(spo2: float, words: str) -> None:
    visit = Visit(IV)
    visit.to_recovery()
    visit.waits(50)
    visit.sees(spo2=spo2)
    assert visit.missing(Item.BREATHING) == words


# 6.1, the last row but one


def test_6_1_a_third_reading_is_taken_and_the_median_of_the_three_is_the_baseline() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.scores(moaas=5, oriented=3)
    for systolic in (118, 132, 121):
        visit.cuff(systolic, 76)
        visit.waits(1)
    visit.does(visit.device(1))
    assert visit.record.baseline is not None
    assert visit.record.baseline.baseline.systolic == 121


def test_6_1_at_180_a_symptom_alarms_high_before_any_drug() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.takes_baseline(184, 100)
    visit.symptom(Symptom.HEADACHE)
    assert visit.raised()["emergency-sign"].name == "HIGH"
    assert "Nobody can decide this here." in visit.refused(visit.override("gate:bp-crisis"))
