"""The gate, the limits and their layers: a test for each row of protocols.md 6.1 to 6.3 of a session."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from monitor.alerts import limits
from monitor.model import Baseline, Priority, Vital
from monitor.planning import shipped
from monitor.sessions import gates, layers
from monitor.treatment import Flag, Move, Symptom
from tests.core.visit import DANA, KIM, MIN, Visit

IV = "iv_ketamine_40"
L, M, H = Priority.LOW, Priority.MEDIUM, Priority.HIGH


# 6.1: before the drug


def gate(visit: Visit) -> dict[str, str]:
    """The gates that are shut: name and result."""
    found = gates.findings(visit.record, visit.seen, visit.now_ms)
    return {one.name: one.result for one in found if not one.open}


def measured(
    systolic: float,
    diastolic: float,
    *,
    name: str = "spravato_us",
    age: int = 40,
    vitals: Mapping[str, float] | None = None,
) -> Visit:
    """A patient with this baseline: of two readings, two apart, it is the median."""
    visit = Visit(name, age=age)
    visit.sees(**(vitals or {}))
    visit.samples = visit.samples[-3:]
    visit.to_baseline()
    visit.takes_baseline(systolic - 1, diastolic - 1)
    return visit


@pytest.mark.parametrize(
    ("systolic", "diastolic", "shut"),
    [
        (140, 90, {}),
        (141, 80, {"bp-elevated": "ask"}),
        (120, 91, {"bp-elevated": "ask"}),
        (158, 80, {"bp-elevated": "ask"}),
        (160, 80, {"bp-elevated": "ask", "bp-high": "stop"}),
        (120, 100, {"bp-elevated": "ask", "bp-high": "stop"}),
        (180, 80, {"bp-elevated": "ask", "bp-high": "stop", "bp-crisis": "stop"}),
        (120, 110, {"bp-elevated": "ask", "bp-high": "stop", "bp-crisis": "stop"}),
        (90, 60, {}),
        (89, 60, {"vitals": "ask"}),
    ],
)
@pytest.mark.parametrize("name", ["spravato_us", IV])
def test_6_1_the_gate_of_the_pressure(
    name: str, systolic: float, diastolic: float, shut: dict[str, str]
) -> None:
    assert gate(measured(systolic, diastolic, name=name)) == shut


@pytest.mark.parametrize(
    ("vitals", "shut"),
    [
        ({"hr": 50}, False), ({"hr": 49}, True), ({"hr": 110}, False), ({"hr": 111}, True),
        ({"spo2": 94}, False), ({"spo2": 93}, True),
        ({"rr": 10}, False), ({"rr": 9}, True), ({"rr": 24}, False), ({"rr": 25}, True),
    ],
)  # fmt: skip
def test_6_1_the_gate_asks_about_hr_spo2_and_rr(vitals: dict[str, float], shut: bool) -> None:  # noqa: FBT001
    assert gate(measured(120, 75, vitals=vitals)) == ({"vitals": "ask"} if shut else {})


def test_6_1_the_gate_asks_about_moaas_under_5() -> None:
    visit = measured(120, 75)
    visit.scores(moaas=4)
    assert gate(visit) == {"not-awake": "ask"}


def test_6_1_spo2_is_judged_on_air() -> None:
    visit = measured(120, 75)
    visit.scores(oxygen=1)
    assert gate(visit) == {"on-oxygen": "ask"}


@pytest.mark.parametrize(("age", "shut"), [(64, {"bp-elevated": "ask"}), (65, {})])
def test_6_1_in_the_eu_150_counts_from_65_years_on(age: int, shut: dict[str, str]) -> None:
    assert gate(measured(149, 80, name="spravato_eu", age=age)) == shut
    assert gate(measured(120, 91, name="spravato_eu", age=age)) != {}
    assert gate(measured(149, 80, age=age)) == {"bp-elevated": "ask"}


def test_6_1_ask_needs_a_prescribers_decision_and_reason() -> None:
    visit = measured(148, 92)
    assert visit.refused(visit.override("gate:bp-elevated", by=DANA)) == "A prescriber decides this."
    visit.does(visit.override("gate:bp-elevated"))
    visit.does(visit.device(1))


def test_6_1_stop_at_160_yields_to_a_prescriber_only_and_for_each_gate() -> None:
    visit = measured(165, 92)
    visit.does(visit.override("gate:bp-elevated"))
    assert "systolic 166 >= 160" in visit.refused(visit.device(1))
    visit.does(visit.override("gate:bp-high"))
    visit.does(visit.device(1))


def test_6_1_stop_at_180_has_no_override_in_the_tool() -> None:
    visit = measured(182, 92)
    assert visit.refused(visit.override("gate:bp-crisis", by=KIM)) == "Nobody can decide this here."
    visit.does(visit.override("gate:bp-elevated"))
    visit.does(visit.override("gate:bp-high"))
    assert visit.refused(visit.device(1)) == "Stop: systolic 183 >= 180"


def test_6_1_at_180_with_symptoms_is_high() -> None:
    visit = measured(182, 92)
    visit.symptom(Symptom.HEADACHE)
    assert visit.raised()["emergency-sign"] is H


def test_6_1_recheck_after_10_minutes_of_rest() -> None:
    visit = measured(158, 96)  # H5: first 158/96, after 10 min 138/86
    assert gate(visit)
    assert visit.refused(visit.restart_baseline("")) == "A new baseline needs a reason."
    visit.does(visit.restart_baseline("rested"))
    visit.waits(10)
    visit.cuff(138, 86)
    visit.waits(1)
    visit.cuff(136, 84)
    assert gate(visit) == {}
    visit.does(visit.device(1))
    assert visit.record.baseline is not None
    assert visit.record.baseline.baseline.systolic == 137


def test_a_decision_is_for_the_readings_it_was_made_of() -> None:
    visit = measured(148, 92)
    visit.does(visit.override("gate:bp-elevated"))
    visit.waits(1)
    visit.does(visit.restart_baseline("cuff was loose"))
    visit.waits(1)
    visit.cuff(150, 92)
    visit.waits(1)
    visit.cuff(151, 93)
    assert gate(visit) == {"bp-elevated": "ask"}


def test_a_median_does_not_hide_a_crisis_that_was_measured_last() -> None:
    visit = measured(130, 80)
    visit.waits(1)
    visit.cuff(184, 90)
    assert gate(visit)["bp-crisis"] == "stop"


@pytest.mark.parametrize("question", ["aneurysm", "brain_bleed", "hypersensitivity"])
def test_6_1_contraindication_answered_yes_stops(question: str) -> None:
    visit = Visit()
    visit.to_baseline(**{question: True})
    visit.takes_baseline()
    assert visit.refused(visit.device(1)).startswith("Stop: ")
    assert visit.refused(visit.override(f"gate:{question}")) == "Nobody can decide this here."


def test_3_2_in_the_eu_a_heart_attack_within_6_weeks_stops() -> None:
    visit = Visit("spravato_eu")
    visit.to_baseline(recent_event=True)
    visit.takes_baseline()
    assert visit.refused(visit.device(1)).startswith("Stop: ")


@pytest.mark.parametrize(("question", "yes"), [("psychosis", True), ("congestion", True), ("escort", False)])
def test_an_answer_that_is_asked_about_waits_for_a_prescriber(question: str, yes: bool) -> None:  # noqa: FBT001
    visit = Visit()
    visit.to_baseline(**{question: yes})
    visit.takes_baseline()
    assert "a prescriber decides" in visit.refused(visit.device(1))
    visit.does(visit.override(f"gate:{question}"))
    visit.does(visit.device(1))


def test_a_wrong_answer_is_answered_again() -> None:
    visit = Visit()
    visit.to_baseline(aneurysm=True)
    visit.takes_baseline()
    visit.does(visit.answer("aneurysm", yes=False))
    visit.does(visit.device(1))
    assert "The drug has been given" in visit.refused(visit.answer("aneurysm", yes=True))


# 6.2 and 6.3: limits by phase and risk


def limit(visit: Visit, rule: str) -> float | None:
    """The number of a rule that holds for this patient now."""
    profile = limits.profile(layers.lay(shipped("watch"), layers.in_force(visit.record, visit.now_ms)))
    own = visit.record.baseline.baseline if visit.record.baseline else Baseline()
    return next(one for one in profile.limits_for(own) if one.rule.name == rule).limit


def with_flag(flag: Flag, **vitals: float) -> Visit:
    visit = Visit(IV)
    visit.sees(**vitals)
    visit.samples = visit.samples[-3:]
    visit.doses()
    visit.does(visit.flag(flag))
    return visit


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        ("sbp-high-m", 157.3), ("sbp-high", 180), ("dbp-high-m", 100), ("spo2-low", 90), ("spo2-low-m", 92),
        ("rr-low-m", 10), ("hr-high-m", 120),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["spravato_us", IV])
def test_6_3_in_the_infusion_and_0_to_60_after_esketamine_limits_are_as_written(
    name: str, rule: str, number: float
) -> None:
    visit = Visit(name)
    visit.doses()
    assert limit(visit, rule) == number  # the baseline is 121/76


def test_6_3_in_early_recovery_bp_m_drops_to_160_or_95() -> None:
    visit = Visit(IV)
    visit.to_baseline()
    visit.takes_baseline(137, 81)
    visit.steps(Move.TO_TIMEOUT)
    visit.does(visit.dose())
    visit.steps(Move.START)
    assert (limit(visit, "sbp-high-m"), limit(visit, "dbp-high-m")) == (165, 100)
    visit.steps(Move.END)
    assert (limit(visit, "sbp-high-m"), limit(visit, "dbp-high-m")) == (160, 95)


def test_6_3_from_60_to_120_after_esketamine_bp_m_drops_to_160_or_95() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.takes_baseline(137, 81)
    visit.does(visit.device(1))
    visit.waits(5)
    visit.does(visit.device(2))
    assert layers.due_ms(visit.record, visit.now_ms) == visit.now_ms + 60 * MIN
    visit.waits(59)
    assert (limit(visit, "sbp-high-m"), limit(visit, "dbp-high-m")) == (165, 100)
    visit.waits(1)
    assert (limit(visit, "sbp-high-m"), limit(visit, "dbp-high-m")) == (160, 95)


@pytest.mark.parametrize("name", ["spravato_us", IV])
def test_6_3_a_pressure_not_falling_over_two_readings_adds_m_bp_not_declining(name: str) -> None:
    visit = Visit(name)
    if name == IV:
        visit.to_recovery()
    else:
        visit.to_decline()
        visit.waits(30)
    visit.cuff(158, 88)
    assert "bp-not-declining-m" not in visit.raised()
    visit.waits(5)
    visit.cuff(159, 88)
    assert visit.raised()["bp-not-declining-m"] is M
    visit.waits(5)
    visit.cuff(154, 86)
    assert "bp-not-declining-m" not in visit.raised()


def test_6_3_the_peak_itself_is_no_pressure_that_does_not_fall() -> None:
    visit = Visit(IV)
    visit.doses()
    for systolic in (152, 156, 158):
        visit.waits(10)
        visit.cuff(systolic, 88)
    visit.waits(1)
    visit.steps(Move.END)
    assert "bp-not-declining-m" not in visit.raised(), "it rose while the infusion ran, as it does"
    visit.cuff(158, 88)
    assert "bp-not-declining-m" not in visit.raised(), "one reading of the recovery says nothing yet"
    visit.waits(5)
    visit.cuff(158, 88)
    assert visit.raised()["bp-not-declining-m"] is M


def test_6_3_before_60_minutes_a_rise_is_expected_and_not_called_not_declining() -> None:
    visit = Visit()
    visit.doses()
    visit.cuff(155, 88)
    visit.waits(5)
    visit.cuff(160, 90)
    assert visit.raised() == {}


@pytest.mark.parametrize("flag", [Flag.CNS_DEPRESSANT, Flag.OPIOID, Flag.SLEEP_APNOEA])
def test_6_3_cns_depressant_opioid_or_apnoea_spo2_at_95_93_91_and_rr_low_m_under_12(flag: Flag) -> None:
    visit = with_flag(flag)
    assert [limit(visit, rule) for rule in ("spo2-low-l", "spo2-low-m", "spo2-low")] == [95, 93, 91]
    assert limit(visit, "rr-low-m") == 12


@pytest.mark.parametrize("flag", [Flag.STIMULANT, Flag.MAOI])
def test_6_3_stimulant_or_maoi_halves_the_nibp_interval_and_bp_m_needs_no_confirmation(flag: Flag) -> None:
    visit = with_flag(flag)
    visit.cuff(125, 78)
    assert visit.cuff_in_min() == 2.5
    in_force = layers.in_force(visit.record, visit.now_ms)
    assert in_force.unconfirmed == {"sbp-high-m", "dbp-high-m"}


def test_6_3_from_65_years_on_hr_high_m_is_110_and_the_nibp_interval_halved() -> None:
    visit = Visit(IV, age=65)
    visit.doses()
    assert limit(visit, "hr-high-m") == 110
    visit.cuff(125, 78)
    assert visit.cuff_in_min() == 2.5
    younger = Visit(IV, age=64)
    younger.doses()
    younger.cuff(125, 78)
    assert (limit(younger, "hr-high-m"), younger.cuff_in_min()) == (120, 5)


def test_two_reasons_to_measure_twice_as_often_are_not_four_times() -> None:
    visit = Visit(IV, age=70)
    visit.doses()
    visit.does(visit.flag(Flag.STIMULANT))
    visit.cuff(125, 78)
    assert visit.cuff_in_min() == 2.5


@pytest.mark.parametrize(("own", "medium", "high"), [(96, 92, 90), (94, 90, 88), (90, 86, 85)])
def test_6_3_chronic_lung_disease_spo2_relative_to_baseline(own: float, medium: float, high: float) -> None:
    visit = Visit(IV)
    visit.sees(spo2=own)
    visit.samples = visit.samples[-3:]
    visit.to_baseline(lung_disease=True)
    visit.takes_baseline()
    for shut in gate(visit):
        visit.does(visit.override(f"gate:{shut}"))
    visit.steps(Move.TO_TIMEOUT)
    visit.does(visit.dose())
    visit.steps(Move.START)
    assert (limit(visit, "spo2-low-m"), limit(visit, "spo2-low")) == (medium, high)


def test_6_3_without_a_spo2_of_the_patients_own_the_usual_limits_stay() -> None:
    visit = Visit(IV)
    visit.to_baseline(lung_disease=True)
    assert Vital.SPO2 in visit.vitals
    assert limit(visit, "spo2-low") == 90


def test_a_flag_comes_with_the_answer_of_the_check_in_and_goes_with_it() -> None:
    visit = Visit()
    visit.does(visit.answer("opioids", yes=True))
    assert visit.record.flags() == {Flag.OPIOID}
    visit.does(visit.answer("opioids", yes=False))
    assert visit.record.flags() == set()


def test_the_prescribers_own_limit_stands_beside_the_default_it_replaces() -> None:
    visit = Visit(IV)
    visit.doses()
    profile = limits.profile(layers.lay(shipped("watch"), layers.in_force(visit.record, visit.now_ms)))
    own = next(
        one
        for one in profile.limits_for(Baseline(systolic=120), {"sbp-high-m": 150})
        if one.rule.name == "sbp-high-m"
    )
    assert (own.limit, own.default) == (150, 156)
    assert own.low_span is not None


# 6.2: what people see


@pytest.mark.parametrize(
    ("moaas", "name", "priority"),
    [
        (4, "sedation-l", L),
        (3, "sedation-m", M),
        (2, "sedation-m", M),
        (1, "sedation", H),
        (0, "sedation", H),
    ],
)
def test_6_2_moaas(moaas: int, name: str, priority: Priority) -> None:
    visit = Visit()
    visit.doses()
    visit.scores(moaas=moaas)
    assert visit.raised() == {name: priority}
    visit.scores(moaas=5)
    assert visit.raised() == {}


@pytest.mark.parametrize(
    ("symptom", "severe", "name", "priority"),
    [
        (Symptom.NAUSEA, False, "symptom-l", L),
        (Symptom.ANXIETY, False, "symptom-l", L),
        (Symptom.ANXIETY, True, "symptom-m", M),
        (Symptom.VOMITING, False, "symptom-m", M),
        (Symptom.DISTRESS, False, "symptom-m", M),
        (Symptom.COLLAPSE, False, "emergency-sign", H),
        (Symptom.SEIZURE, False, "emergency-sign", H),
        (Symptom.CHEST_PAIN, False, "emergency-sign", H),
        (Symptom.SHORT_OF_BREATH, False, "emergency-sign", H),
        (Symptom.HEADACHE, False, "emergency-sign", H),
        (Symptom.VISION, False, "emergency-sign", H),
        (Symptom.LESS_AWAKE, False, "emergency-sign", H),
        (Symptom.FOCAL, False, "emergency-sign", H),
    ],
)
def test_6_2_symptoms_and_any_emergency_sign_at_once(
    symptom: Symptom,
    severe: bool,  # noqa: FBT001
    name: str,
    priority: Priority,
) -> None:
    visit = Visit()
    visit.doses()
    visit.symptom(symptom, severe=severe)
    assert visit.raised() == {name: priority}
    assert visit.conditions()[0].since_ms == visit.now_ms
    visit.waits(1)
    visit.symptom(symptom, over=True)
    assert visit.raised() == {}


def test_symptoms_of_one_priority_are_said_together() -> None:
    visit = Visit()
    visit.doses()
    visit.symptom(Symptom.CHEST_PAIN)
    visit.waits(1)
    visit.symptom(Symptom.HEADACHE)
    (one,) = visit.conditions()
    assert one.text == "Chest pain, sudden severe headache"
    assert one.since_ms == visit.now_ms - MIN
