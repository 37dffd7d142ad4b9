"""What a screen is shown of a treatment: nothing is left for a browser to reckon, and nothing is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from monitor.model import Vital
from monitor.people import Role
from monitor.sessions import session
from monitor.sessions.loading import therapy
from monitor.sessions.session import Refused
from monitor.treatment import (
    KINDS,
    AdverseEvent,
    Flag,
    Measured,
    Move,
    Phase,
    Score,
    Symptom,
    TreatmentNote,
)
from monitor.treatment_now import MoveNow, ReadyItemNow, TreatmentNow
from monitor.ward.treating import brief, therapy_now, treatment_now
from tests.core.visit import DANA, KIM, LEE, MIN, PEOPLE, SHIPPED, T0_MS, Visit, shipped, signed

THERAPIES = ("spravato_us", "spravato_eu", "iv_ketamine_40")


def shown(visit: Visit) -> TreatmentNow:
    return treatment_now(visit.record, visit.seen, visit.now_ms)


def move(visit: Visit, kind: str) -> MoveNow:
    return next(one for one in shown(visit).moves if one.kind == kind)


def item(visit: Visit, name: str) -> ReadyItemNow:
    return next(one for one in shown(visit).ready_items if one.item == name)


# What may be done, and what is missing for it.


@pytest.mark.parametrize("name", THERAPIES)
def test_a_step_is_offered_where_the_table_has_it_and_says_what_the_session_would_refuse_it_for(
    name: str,
) -> None:
    visit = Visit(name, first=True)
    kinds = {kind: step for step, kind in KINDS.items()}
    stretches: tuple[Callable[[], None], ...] = (
        lambda: None, visit.to_baseline, visit.takes_baseline, lambda: visit.steps(Move.HOLD, "unwell"),
    )  # fmt: skip
    for stretch in stretches:
        stretch()
        for one in shown(visit).moves:
            if one.kind not in kinds:
                continue
            answer = session.ask(visit.record, visit.step(kinds[one.kind], "so it is"), visit.seen)
            assert one.missing == (answer.missing if isinstance(answer, Refused) else ()), one.kind


def test_the_check_in_lists_what_is_not_answered_and_the_button_says_the_same() -> None:
    visit = Visit(first=True)
    now = shown(visit)
    assert len(now.check_in_missing) == len(now.questions) == len(visit.therapy.question)
    assert move(visit, "checked_in").missing == now.check_in_missing
    assert now.next == now.check_in_missing[0]
    visit.answers()
    assert (shown(visit).check_in_missing, shown(visit).next) == ((), "Check-in done")


def test_a_question_of_a_first_treatment_is_asked_at_a_first_one_only() -> None:
    assert {q.question for q in shown(Visit(first=True)).questions} - {
        q.question for q in shown(Visit()).questions
    } == {"enrolled"}


def test_before_the_drug_a_session_can_be_ended_and_after_it_only_stopped() -> None:
    visit = Visit()
    visit.to_start()
    assert {"abort", "baseline_restart", "answer"} <= {one.kind for one in shown(visit).moves}
    visit.does(visit.device(1))
    kinds = {one.kind for one in shown(visit).moves}
    assert not {"abort", "baseline_restart", "answer"} & kinds
    assert {"hold", "stop", "emergency", "transfer", "no_more_devices", "device", "score"} <= kinds


def test_the_next_device_is_counted_down_from_the_last() -> None:
    visit = Visit(devices=3)
    visit.to_start()
    first = shown(visit).next_device
    assert first is not None
    assert (first.number, first.last, first.not_before_at_ms) == (1, False, None)
    visit.does(visit.device(1))
    visit.waits(1)
    given_ms = visit.now_ms - MIN
    second = shown(visit).next_device
    assert second is not None
    assert (second.number, second.planned, second.not_before_at_ms) == (2, 3, given_ms + 5 * MIN)
    assert move(visit, "device").missing == ("Device 2 in 4:00.",)
    assert shown(visit).next == "Device 2 in 4 min"
    visit.waits(4)
    assert (move(visit, "device").missing, shown(visit).next) == ((), "Device 2 may be given")
    visit.does(visit.device(2))
    visit.waits(5)
    visit.does(visit.device(3))
    assert shown(visit).next_device is None


def test_a_gate_says_who_may_decide_and_who_has() -> None:
    visit = Visit()
    visit.to_baseline(psychosis=True)
    visit.takes_baseline(148, 94)
    gates = {gate.gate: gate for gate in shown(visit).gates}
    assert gates["bp-elevated"].words == "systolic 149 > 140, diastolic 95 > 90"
    assert gates["psychosis"].words == "Psychosis, now or ever? Yes."
    assert {gate.may for gate in gates.values()} == {(Role.PRESCRIBER,)}
    visit.does(visit.override(gates["psychosis"].override))
    decided = {gate.gate: gate for gate in shown(visit).gates}["psychosis"]
    assert decided.decided is not None
    assert (decided.open, decided.decided.by, decided.decided.why) == (True, KIM, "seen and decided")
    assert all("Psychosis" not in line for line in move(visit, "device").missing)


def test_a_gate_that_nobody_may_decide_says_so() -> None:
    visit = Visit()
    visit.to_baseline(aneurysm=True)
    (gate,) = shown(visit).gates
    assert (gate.result, gate.may, gate.open) == ("stop", (), False)


def test_the_baseline_shows_its_readings_and_stands_from_the_first_device_on() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.cuff(120, 75)
    waiting = shown(visit).baseline
    assert waiting.next_at_ms == visit.now_ms + MIN
    assert waiting.missing == ("1 of 2 blood pressures, at least 1 min apart.",)
    visit.waits(1)
    visit.cuff(124, 79)
    visit.scores(moaas=5, oriented=3)
    taken = shown(visit).baseline
    assert [(one.systolic, one.diastolic) for one in taken.readings] == [(120, 75), (124, 79)]
    assert (taken.numbers.systolic, taken.missing, taken.taken_at_ms) == (122, (), None)
    visit.does(visit.device(1))
    visit.cuff(160, 95)
    stands = shown(visit).baseline
    assert (stands.numbers.systolic, stands.taken_at_ms) == (122, visit.now_ms)


# Time.


def test_the_ring_of_a_nasal_session_is_expected_until_the_last_device_and_then_the_floor() -> None:
    visit = Visit()
    visit.to_start()
    assert shown(visit).clocks.ring is None
    visit.does(visit.device(1))
    start_ms = visit.now_ms
    clocks = shown(visit).clocks
    assert (clocks.ring, clocks.ring_until_at_ms) == ("expected", start_ms + 125 * MIN)
    visit.waits(6)
    visit.does(visit.device(2))
    clocks = shown(visit).clocks
    assert (clocks.ring, clocks.ring_until_at_ms, clocks.floor_until_at_ms) == (
        "floor", start_ms + 126 * MIN, start_ms + 126 * MIN,
    )  # fmt: skip


def test_the_ring_of_an_infusion_follows_the_checked_pump_and_then_its_end() -> None:
    visit = Visit("iv_ketamine_40")
    visit.doses()
    start_ms = visit.now_ms
    dose, clocks = shown(visit).dose, shown(visit).clocks
    assert dose is not None
    assert (dose.dose_mg, dose.lasts_min, dose.second) == (40, 40, LEE)
    assert (clocks.ring, clocks.ring_until_at_ms) == ("expected", start_ms + 100 * MIN)
    visit.waits(50)
    visit.steps(Move.END)
    clocks = shown(visit).clocks
    assert (clocks.ring, clocks.ring_until_at_ms) == ("floor", start_ms + 110 * MIN)


def test_a_therapy_without_a_floor_has_a_guide_and_no_least_stay() -> None:
    visit = Visit("spravato_eu")
    visit.doses()
    clocks = shown(visit).clocks
    assert (clocks.floor_min, clocks.floor_until_at_ms, clocks.ring) == (None, None, "guide")
    assert visit.record.start_ms is not None
    assert clocks.ring_until_at_ms == visit.record.start_ms + 120 * MIN


def test_what_is_due_is_told_before_when_due_and_late_in_words() -> None:
    visit = Visit()
    visit.doses()
    assert visit.record.start_ms is not None
    visit.waits((visit.record.start_ms + 34 * MIN - visit.now_ms) / MIN)

    def check() -> tuple[str, str, str]:
        now = shown(visit)
        due = next(due for due in now.dues if due.what == "check_40")
        return due.state, due.words, now.checks[0].state

    assert check() == ("ahead", "40-min check due in 6 min", "ahead")
    visit.waits(1)
    assert check() == ("soon", "40-min check due in 5 min", "open")
    visit.waits(5)
    assert check() == ("due", "40-min check due now", "open")
    visit.waits(3)
    assert check() == ("late", "40-min check 3 min late", "late")
    visit.waits(20)
    assert shown(visit).checks[0].state == "missed"
    assert "check_40" not in {due.what for due in shown(visit).dues}


@pytest.mark.parametrize("name", THERAPIES)
def test_until_then_it_reads_the_same_if_nothing_happens(name: str) -> None:
    visit = Visit(name)
    visit.doses()
    for _ in range(40):
        now = shown(visit)
        assert now.at_ms < now.until_ms <= now.at_ms + 5_000
        visit.waits(0.5)
    visit = Visit()
    visit.closes()
    assert shown(visit).until_ms > visit.now_ms + 5_000, "nothing of a patient who has gone moves so fast"


def test_the_drug_is_at_its_peak_while_it_is_given_and_until_the_40_minute_check() -> None:
    nasal, infusion = Visit(), Visit("iv_ketamine_40")
    assert not shown(nasal).at_peak
    nasal.doses()
    assert (shown(nasal).at_peak, shown(nasal).running) == (True, False)
    nasal.steps(Move.HOLD, "unwell")
    assert shown(nasal).at_peak, "what has been given goes on working"
    infusion.to_start()
    assert not shown(infusion).at_peak
    infusion.steps(Move.START)
    assert (shown(infusion).at_peak, shown(infusion).running) == (True, True)
    infusion.steps(Move.HOLD, "unwell")
    assert (shown(infusion).at_peak, shown(infusion).running) == (True, False)
    decline = Visit()
    decline.to_decline()
    assert not shown(decline).at_peak


# Checks, scores, limits.


def test_a_check_shows_what_would_fill_it_with_source_age_and_how_far_off() -> None:
    visit = Visit()
    visit.doses()
    assert visit.record.start_ms is not None
    due_ms = visit.record.start_ms + 40 * MIN
    visit.waits((due_ms - 5 * MIN - visit.now_ms) / MIN)
    visit.cuff(134, 84)
    visit.waits(12)
    visit.scores(moaas=5)
    (check,) = shown(visit).checks
    filled = {one.item: one for one in check.filled}
    bp = filled["nibp"]
    assert (bp.words, bp.off_ms, bp.far, bp.device) == ("134/84 mmHg", -5 * MIN, False, "monitor3")
    assert (filled["moaas"].off_ms, filled["moaas"].far, filled["moaas"].by) == (7 * MIN, True, DANA)
    assert filled["hr"].words == "72 /min"
    assert [(one.item, one.required) for one in check.lacking] == [("dissociation", False)]
    assert move(visit, "check_done").missing == ()


def test_a_check_without_its_pressure_says_so_before_it_is_pressed() -> None:
    visit = Visit()
    visit.doses()
    visit.waits(36)
    assert move(visit, "check_done").missing == ("40-min check: Blood pressure is missing.",)
    assert [one.title for one in shown(visit).checks[0].lacking if one.required] == ["BP"]


def test_scores_are_wanted_where_a_phase_a_check_or_the_list_waits_for_them() -> None:
    def wanted(visit: Visit) -> set[str]:
        return {one.score.value for one in shown(visit).scores if one.wanted}

    visit = Visit()
    assert wanted(visit) == set()
    visit.to_baseline()
    assert wanted(visit) == {"moaas", "oriented"}
    visit.scores(moaas=5)
    assert wanted(visit) == {"oriented"}
    visit.scores(oriented=3)
    assert wanted(visit) == set()
    later = Visit()
    later.to_decline()
    assert {"gait", "posture", "suicide_check", "escort", "instructions"} <= wanted(later)
    assert "line_out" not in wanted(later)


def test_a_flag_changes_limits_and_says_whose_word_it_is() -> None:
    visit = Visit(age=70)
    visit.to_baseline(benzodiazepines=True)
    visit.does(visit.flag(Flag.OPIOID, why="took one today"))
    flags = {one.flag.value: one for one in shown(visit).flags}
    assert (flags["cns_depressant"].words, flags["cns_depressant"].on) == ("CNS depressant", True)
    assert flags["cns_depressant"].why == "Benzodiazepines? Yes."
    layers = {one.layer: one for one in shown(visit).layers}
    assert flags["opioid"].why == "took one today"
    assert layers["slowed breathing"].why == "CNS depressant, Opioid"
    assert "spo2-low" in layers["slowed breathing"].rules
    assert (layers["65 and over"].why, layers["65 and over"].words) == (
        "70 years old", ("BP every 0.5 of the usual time",),
    )  # fmt: skip


def test_rules_that_were_changed_under_a_session_are_told() -> None:
    visit = Visit()
    assert shown(visit).layers == ()
    visit.record.therapy = signed("spravato_us", {"floor": {"min": 150}})
    (changed,) = shown(visit).layers
    assert changed.why == "The therapy was changed after this session began"
    assert changed.words == ("version 1 as it stands now holds",)


# Leaving.


def test_what_is_missing_for_leaving_names_what_fills_it() -> None:
    visit = Visit()
    visit.to_decline()
    fills = {one.item: one.fills for one in shown(visit).ready_items if not one.holds}
    assert fills["time"] == ("time",)
    assert fills["awake"] == ("oriented", "dissociation")
    assert fills["steady"] == ("gait", "posture", "bp")
    assert fills["escort"] == ("escort", "driving")
    assert fills["papers"] == ("instructions",)
    assert fills["signed"] == ("sign",)
    visit.scores(gait=1)
    assert item(visit, "steady").fills == ("posture", "bp")
    visit.symptom(Symptom.VOMITING)
    visit.scores(nausea=0)
    assert item(visit, "nausea").fills == ("symptom",)


def test_an_item_that_somebody_has_decided_holds_and_still_says_what_is_missing() -> None:
    visit = Visit()
    visit.to_decline()
    mood = item(visit, "mood")
    assert (mood.override, mood.may) == ("item:mood", (Role.PRESCRIBER,))
    visit.does(visit.override("item:mood"))
    mood = item(visit, "mood")
    assert (mood.holds, bool(mood.missing), mood.fills) == (True, True, ())
    assert mood.decided is not None
    assert mood.decided.by == KIM


def test_a_decision_to_leave_without_an_item_names_it_in_words_and_its_screen() -> None:
    visit = Visit()
    visit.to_decline()
    decided = replace(visit.override("item:steady", "in a wheelchair for years"), screen="floor")
    visit.does(decided)
    lines = shown(visit).timeline
    assert lines is not None
    line = lines[-1]
    decided_as = "Decided by a prescriber at screen floor: leaves without: Steady on the feet"
    words = f"{decided_as}. in a wheelchair for years"
    assert (line.kind, line.who, line.words) == ("override", KIM, words)


def test_ready_is_said_when_all_but_the_signature_holds_and_the_first_minute_is_kept() -> None:
    visit = Visit()
    visit.to_ready()
    now = shown(visit)
    assert (now.ready, now.ready_first_at_ms is not None) == (True, True)
    assert [one.item for one in now.ready_items if not one.holds] == ["signed"]
    visit.cuff(121, 76)
    assert move(visit, "sign").missing == ()
    assert move(visit, "close").missing == ("Signature: Signed by a prescriber, or by 2 people.",)
    visit.does(visit.sign())
    assert shown(visit).sign_off.signed[0].by == KIM
    assert move(visit, "close").missing == ()


def test_after_the_close_only_a_note_and_the_form_are_left() -> None:
    visit = Visit()
    visit.closes()
    now = shown(visit)
    assert {one.kind for one in now.moves} == {"note", "form_sent"}
    assert now.form is not None
    assert (now.form.words, now.form.late) == ("Form due in 7 days", False)
    assert brief(visit.record, visit.seen, visit.now_ms).missing == ("Form due in 7 days",)
    start_ms = visit.record.start_ms or 0
    words = [
        (form.words, form.late)
        for day in (5, 6.7, 7.2)
        if (form := treatment_now(visit.record, visit.seen, start_ms + round(day * 86_400_000)).form)
    ]
    assert words == [("Form due in 2 days", True), ("Form due today", True), ("Form overdue", True)]
    visit.does(visit.form_sent())
    after = brief(visit.record, visit.seen, visit.now_ms)
    assert after.form is not None
    assert (after.missing, after.form.words, after.form.sent_by) == ((), "Form sent", DANA)


def test_news2_is_whole_or_says_what_is_missing() -> None:
    visit = Visit()
    visit.to_baseline()
    news = shown(visit).news2
    assert news.total is None
    assert set(news.missing) == {"air or oxygen", "systolic pressure", "consciousness", "temperature"}
    visit.cuff(120, 75)
    visit.scores(moaas=5, confusion=0, oxygen=0)
    visit.samples.append(Measured(Vital.TEMPERATURE, 36.8, visit.now_ms, None, DANA))
    news = shown(visit).news2
    assert (news.total, news.red, news.missing) == (0, False, ())
    assert news.label.startswith("NEWS2 (trend only")



# The timeline.


def test_the_timeline_tells_each_thing_once_by_when_it_was_done() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    visit.waits(6)
    visit.does(visit.device(2, ago=1))
    visit.does(visit.score(Score.PAIN, 3, ago=4))
    visit.symptom(Symptom.NAUSEA, severe=True)
    visit.does(TreatmentNote(visit.now_ms, 7, "sleeps", DANA))
    visit.does(AdverseEvent(visit.now_ms, 7, "fell", serious=True, outcome="well", related="no", by=DANA))
    visit.steps(Move.HOLD, "wants a pause")
    visit.steps(Move.RESUME)
    lines = [line for line in shown(visit).timeline or () if line.kind != "answer"]
    assert [(line.kind, line.words) for line in lines if line.at_ms > T0_MS] == [
        ("baseline", "Baseline 121/76, HR 72, SpO2 98, RR 14"),
        ("device", "Device 1 given, lot 24B1, expires 2028-05-31"),
        ("phase", "Dosing"),
        ("score", "Pain: 3"),
        ("device", "Device 2 given, lot 24B1, expires 2028-05-31"),
        ("phase", "Onset"),
        ("symptom", "Nausea, severe"),
        ("note", "sleeps"),
        ("adverse_event", "Serious adverse event: fell. well. no"),
        ("phase", "Hold. wants a pause. Held"),
        ("phase", "Resume. Onset"),
    ]
    assert all(line.at_ms <= line.entered_at_ms for line in lines)


@pytest.mark.parametrize("name", THERAPIES)
def test_every_stretch_of_a_visit_can_be_shown_and_goes_out_as_json(name: str) -> None:
    visit = Visit(name)
    for stretch in (visit.to_baseline, visit.takes_baseline):
        stretch()
        assert msgspec.json.decode(msgspec.json.encode(shown(visit)))["phase"] == visit.phase().value
    visit = Visit(name)
    visit.closes()
    wire = msgspec.json.decode(msgspec.json.encode(shown(visit)))
    assert wire["phase"] == Phase.CLOSED.value
    assert wire["timeline"][-1]["words"] == "Close session. Closed"
    assert wire["over"] is True


@pytest.mark.parametrize("name", SHIPPED)
def test_a_therapy_that_nobody_has_signed_says_so_where_it_is_chosen(name: str) -> None:
    chosen = therapy_now(signed(name), PEOPLE)
    assert (chosen.refusal, chosen.therapy) == (None, name)
    assert chosen.way == ("IV" if name.startswith("iv") else "Nasal")
    bare = therapy_now(therapy(shipped(name)), PEOPLE)
    assert bare.refusal is not None
    assert "has not been signed by a prescriber" in bare.refusal
