"""IV ketamine: a test for each sentence of protocols.md 4.2, its side states, and what any session may do."""

from __future__ import annotations

import pytest

from monitor.model import Priority
from monitor.sessions import session
from monitor.sessions.due import When
from monitor.sessions.therapy import Item
from monitor.treatment import AdverseEvent, DeviceGiven, Flag, Move, Phase, Score, TreatmentNote
from tests.core.visit import DANA, KIM, LEE, MIN, Visit

IV = "iv_ketamine_40"
M, L = Priority.MEDIUM, Priority.LOW
MAIN = (
    Phase.CHECK_IN, Phase.BASELINE, Phase.TIMEOUT, Phase.INFUSION, Phase.EARLY_RECOVERY, Phase.LATE_RECOVERY,
)  # fmt: skip


def at(phase: Phase) -> Visit:
    """An infusion that has come to this phase."""
    visit = Visit(IV)
    if phase is Phase.CHECK_IN:
        return visit
    if phase is Phase.BASELINE:
        visit.to_baseline()
        return visit
    if phase is Phase.TIMEOUT:
        visit.to_start()
    elif phase is Phase.INFUSION:
        visit.doses()
    else:
        visit.to_recovery()
        visit.waits(31 if phase is Phase.LATE_RECOVERY else 0)
    assert visit.phase() is phase
    return visit


@pytest.mark.parametrize(
    "question",
    ["identity", "weight", "fasting", "escort", "opioids", "consent", "aneurysm", "pregnancy", "line"],
)
def test_4_2_check_in_leaves_when_all_is_answered(question: str) -> None:
    visit = Visit(IV)
    for asked in visit.therapy.question:
        if asked.name != question:
            visit.does(visit.answer(asked.name, yes=asked.kind in {"must", "confirm"}))
    assert visit.refused(visit.step(Move.CHECKED_IN)).startswith("Not answered: ")
    visit.does(visit.answer(question, yes=question != "opioids"))
    visit.steps(Move.CHECKED_IN)


@pytest.mark.parametrize("score", ["moaas", "oriented", "nausea", "mood", "anxiety"])
def test_4_2_baseline_asks_for_moaas_orientation_nausea_mood_and_anxiety(score: str) -> None:
    visit = at(Phase.BASELINE)
    normal = {"moaas": 5, "oriented": 3, "nausea": 0, "mood": 4, "anxiety": 2}
    visit.scores(**{name: value for name, value in normal.items() if name != score})
    visit.cuff(120, 75)
    visit.waits(1)
    visit.cuff(121, 75)
    assert visit.refused(visit.step(Move.TO_TIMEOUT)).endswith(": not asked yet.")
    visit.scores(**{score: normal[score]})
    visit.steps(Move.TO_TIMEOUT)


def test_4_2_baseline_is_2_nibp_at_least_a_minute_apart_and_at_most_30_minutes_before_t0() -> None:
    visit = at(Phase.BASELINE)
    visit.cuff(120, 75)
    assert "1 of 2 blood pressures" in visit.refused(visit.step(Move.TO_TIMEOUT))
    late = at(Phase.TIMEOUT)
    late.waits(31)
    assert "measure again" in late.refused(late.step(Move.START))


def test_4_2_timeout_needs_dose_concentration_rate_and_two_persons() -> None:
    visit = Visit(IV)
    visit.to_baseline()
    visit.takes_baseline()
    assert "is checked in Time-out" in visit.refused(visit.dose())
    visit.steps(Move.TO_TIMEOUT)
    assert visit.refused(visit.step(Move.START)) == "The dose, checked by two people."
    assert visit.refused(visit.dose(second=DANA)) == "The dose is checked by two different people."
    assert "cannot be right" in visit.refused(visit.dose(kg=20))
    assert "above 0.6 mg/kg" in visit.refused(visit.dose(mg_per_kg=0.8))
    visit.does(visit.dose(mg_per_kg=0.8, why="meant so"))
    visit.steps(Move.START)
    assert visit.phase() is Phase.INFUSION


def test_4_2_timeout_looks_at_the_baseline_again_when_the_drug_is_started() -> None:
    visit = at(Phase.TIMEOUT)
    visit.waits(2)
    visit.cuff(186, 112)
    assert "Stop: systolic 186 >= 180" in visit.refused(visit.step(Move.START))


def test_4_2_infusion_runs_from_t0_to_t_end_40_minutes_longer_allowed() -> None:
    visit = at(Phase.INFUSION)
    visit.waits(75)
    assert visit.phase() is Phase.INFUSION
    visit.steps(Move.END)
    assert visit.phase() is Phase.EARLY_RECOVERY
    assert visit.record.end_ms == visit.now_ms


def test_4_2_infusion_nibp_every_5_minutes() -> None:
    visit = at(Phase.INFUSION)
    visit.cuff(125, 78)
    assert visit.cuff_in_min() == 5
    visit.waits(8)
    assert visit.raised()["cuff-overdue-m"] is M


def test_4_2_infusion_moaas_dissociation_and_pump_note_every_10_minutes() -> None:
    visit = at(Phase.INFUSION)
    visit.waits(10)
    assert visit.due("infusion_scores").when is When.DUE
    visit.scores(moaas=4, dissociation=1)
    assert visit.due("infusion_scores").when is When.DUE
    visit.scores(pump=1)
    assert visit.due("infusion_scores").due_ms == visit.now_ms + 10 * MIN


def test_4_2_early_recovery_nibp_every_10_and_moaas_every_15_minutes() -> None:
    visit = at(Phase.EARLY_RECOVERY)
    assert visit.cuff_in_min() == 10
    assert visit.due("recovery_scores").due_ms == visit.now_ms + 15 * MIN


def test_4_2_early_recovery_leaves_after_30_minutes_and_no_medium_or_high_active() -> None:
    visit = at(Phase.EARLY_RECOVERY)
    visit.waits(29, seconds=59)
    assert visit.phase() is Phase.EARLY_RECOVERY
    visit.alarms = ("SBP 171 >= 165",)
    visit.waits(5)
    assert visit.phase() is Phase.EARLY_RECOVERY
    visit.alarms = ()
    visit.waits(1)
    assert visit.phase() is Phase.LATE_RECOVERY


def test_4_2_late_recovery_nibp_every_15_minutes() -> None:
    visit = at(Phase.LATE_RECOVERY)
    visit.cuff(122, 76)
    assert visit.cuff_in_min() == 15


def test_4_2_late_recovery_asks_to_sit_then_stand_for_a_pressure() -> None:
    visit = at(Phase.LATE_RECOVERY)
    assert "A blood pressure while standing." in visit.missing(Item.STEADY)
    visit.cuff(130, 80)
    visit.waits(1)
    visit.scores(gait=1, posture=2)
    visit.waits(1)
    visit.cuff(109, 70)
    assert visit.missing(Item.STEADY) == "The pressure falls by 21 mmHg on standing."
    visit.waits(1)
    visit.cuff(110, 70)
    assert visit.missing(Item.STEADY) == ""


def test_4_2_minimum_stay_after_infusion_is_60_minutes() -> None:
    visit = at(Phase.LATE_RECOVERY)
    end_ms = visit.record.end_ms
    assert end_ms is not None
    visit.waits((end_ms + 45 * MIN - visit.now_ms) / MIN)
    visit.makes_ready()
    visit.waits((end_ms + 60 * MIN - visit.now_ms) / MIN - 1 / 60)
    assert visit.refused(visit.step(Move.TO_READY)) == "Least stay: 1 min to go."
    visit.waits(seconds=1)
    visit.steps(Move.TO_READY)


def test_4_2_ready_takes_a_final_set_and_is_left_by_sign_off() -> None:
    visit = Visit(IV)
    visit.to_ready()
    assert "before leaving" in visit.refused(visit.sign())
    visit.cuff(121, 76)
    visit.does(visit.sign(DANA))
    visit.does(visit.sign(LEE))
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED


# Side states


@pytest.mark.parametrize("phase", MAIN)
@pytest.mark.parametrize(
    ("move", "side"),
    [
        (Move.HOLD, Phase.HELD),
        (Move.STOP, Phase.STOPPED),
        (Move.EMERGENCY, Phase.EMERGENCY),
        (Move.TRANSFER, Phase.TRANSFERRED),
    ],
)
def test_4_2_side_states_from_any_phase(phase: Phase, move: Move, side: Phase) -> None:
    visit = at(phase)
    if move is not Move.EMERGENCY:
        assert "needs a reason" in visit.refused(visit.step(move))
    visit.steps(move, "" if move is Move.EMERGENCY else "seen at the bed")
    assert visit.phase() is side
    assert visit.events[-1].at_ms == visit.now_ms


@pytest.mark.parametrize("phase", MAIN[:3])
def test_4_2_aborted_before_dose(phase: Phase) -> None:
    visit = at(phase)
    visit.steps(Move.ABORT, "a fever")
    assert visit.phase() is Phase.ABORTED_BEFORE_DOSE
    assert "Signature" in visit.refused(visit.step(Move.CLOSE))
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED
    assert visit.raised() == {}


@pytest.mark.parametrize("side", [Move.HOLD, Move.EMERGENCY])
def test_nothing_that_was_given_is_ended_before_dose(side: Move) -> None:
    visit = at(Phase.INFUSION)
    visit.steps(side, "why")
    assert "The drug has been given" in visit.refused(visit.step(Move.ABORT, "why"))


def test_4_2_held_nibp_every_2_to_5_minutes() -> None:
    visit = at(Phase.INFUSION)
    visit.steps(Move.HOLD, "anxious")
    visit.cuff(130, 80)
    assert visit.cuff_in_min() == 5
    visit.cuff(170, 98)
    assert visit.cuff_in_min() == 2


def test_what_is_held_goes_on_where_it_was() -> None:
    visit = at(Phase.INFUSION)
    visit.steps(Move.HOLD, "anxious")
    visit.waits(4)
    visit.steps(Move.RESUME)
    assert visit.phase() is Phase.INFUSION
    assert visit.record.end_ms is None


def test_what_is_stopped_goes_on_to_recovery_and_its_least_stay_counts_from_the_stop() -> None:
    visit = at(Phase.INFUSION)
    visit.waits(12)
    visit.steps(Move.STOP, "distress", ago=2)
    assert visit.record.end_ms == visit.now_ms - 2 * MIN
    assert visit.record.floor_until_ms() == visit.now_ms + 58 * MIN
    visit.steps(Move.RESUME)
    assert visit.phase() is Phase.EARLY_RECOVERY
    assert "not in Early recovery" in visit.refused(visit.step(Move.START))


def test_what_was_stopped_before_the_drug_goes_no_further() -> None:
    visit = at(Phase.TIMEOUT)
    visit.steps(Move.STOP, "no")
    assert "goes no further" in visit.refused(visit.step(Move.RESUME))
    visit.steps(Move.ABORT, "no")


def test_4_2_in_an_emergency_alarms_and_the_log_go_on() -> None:
    visit = at(Phase.INFUSION)
    visit.steps(Move.EMERGENCY)
    visit.scores(moaas=1)
    visit.cuff(205, 118)
    visit.does(TreatmentNote(visit.now_ms, 7, "ambulance on its way", DANA))
    assert visit.raised()["sedation"] is Priority.HIGH
    assert visit.cuff_in_min() == 2
    visit.steps(Move.STOP, "emergency")
    assert visit.phase() is Phase.EMERGENCY
    assert visit.record.end_ms == visit.now_ms
    visit.steps(Move.TRANSFER, "to hospital")
    assert visit.raised() == {}


def test_a_transfer_after_the_drug_is_closed_by_a_prescriber_only() -> None:
    visit = at(Phase.INFUSION)
    visit.steps(Move.TRANSFER, "to hospital")
    visit.does(visit.sign(DANA))
    visit.does(visit.sign(LEE))
    assert "the patient left before the session was over" in visit.refused(visit.step(Move.CLOSE))
    visit.does(visit.sign(KIM))
    visit.steps(Move.CLOSE)


def test_4_2_the_service_never_drives_the_pump_it_records_what_staff_did() -> None:
    visit = at(Phase.INFUSION)
    visit.waits(200)
    assert visit.phase() is Phase.INFUSION
    assert visit.record.end_ms is None


def test_a_check_missed_while_held_is_missed_all_the_same_and_the_session_goes_on_behind_it() -> None:
    visit = Visit()
    visit.doses()
    visit.steps(Move.HOLD, "fire alarm")
    visit.waits(60)
    assert visit.phase() is Phase.HELD
    assert "check-missed-m" in visit.raised()
    visit.steps(Move.RESUME)
    assert visit.phase() is Phase.DECLINE


def test_a_check_may_be_recorded_while_held() -> None:
    visit = Visit()
    visit.doses()
    visit.steps(Move.HOLD, "fire alarm")
    visit.waits(33)
    visit.cuff(140, 85)
    visit.does(visit.save())
    assert visit.phase() is Phase.HELD
    visit.steps(Move.RESUME)
    assert visit.phase() is Phase.DECLINE


def test_a_spravato_session_that_is_stopped_between_devices_counts_its_floor_from_the_last_given() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    visit.waits(3)
    visit.steps(Move.STOP, "vomits")
    assert visit.record.floor_until_ms() == visit.now_ms + 117 * MIN
    assert "not in Stopped" in visit.refused(visit.device(2))
    visit.steps(Move.RESUME)
    assert visit.phase() is Phase.ONSET


# Any session


def test_a_therapy_refuses_the_moves_of_another_course() -> None:
    nasal, iv = Visit(), Visit(IV)
    nasal.to_start()
    assert nasal.refused(nasal.step(Move.TO_TIMEOUT)) == "Go to time-out: spravato_us has no phase Time-out."
    iv.to_baseline()
    device = DeviceGiven(iv.now_ms, 7, 1, "24B1", "2028-01-01", last=False, done_at_ms=iv.now_ms, by=DANA)
    assert iv.refused(device) == "Device given: iv_ketamine_40 has no phase Dosing."


def test_what_the_clock_does_has_no_button() -> None:
    visit = at(Phase.EARLY_RECOVERY)
    assert "comes by itself" in visit.refused(visit.step(Move.LATER))
    assert "enter the device" in visit.refused(visit.step(Move.LAST_DEVICE))


def test_nothing_is_entered_before_what_is_recorded() -> None:
    visit = at(Phase.INFUSION)
    early = visit.step(Move.END)
    visit.waits(1)
    visit.cuff(120, 70)
    assert "Something later has been recorded" in visit.refused(early)


def test_an_act_of_another_session_is_a_mistake_of_the_caller() -> None:
    visit = at(Phase.INFUSION)
    other = TreatmentNote(visit.now_ms, 8, "whose?", DANA)
    with pytest.raises(ValueError, match="session 8"):
        session.ask(visit.record, other, visit.seen)
    with pytest.raises(ValueError, match="session 8"):
        visit.record.apply(other)


def test_notes_adverse_events_and_flags_need_their_words() -> None:
    visit = at(Phase.INFUSION)
    assert "empty" in visit.refused(TreatmentNote(visit.now_ms, 7, " ", DANA))
    assert "What has happened" in visit.refused(
        AdverseEvent(visit.now_ms, 7, "", serious=False, outcome="", related="", by=DANA)
    )
    assert "needs a reason" in visit.refused(visit.flag(Flag.OPIOID, why=""))
    visit.does(AdverseEvent(visit.now_ms, 7, "fell", serious=True, outcome="unhurt", related="no", by=DANA))
    visit.does(visit.flag(Flag.OPIOID))
    assert Flag.OPIOID in visit.record.flags()
    visit.does(visit.flag(Flag.OPIOID, on=False))
    assert Flag.OPIOID not in visit.record.flags()


@pytest.mark.parametrize(("score", "value"), [("moaas", 6), ("moaas", -1), ("dissociation", 2), ("pain", 11)])
def test_a_score_is_on_its_scale(score: str, value: int) -> None:
    visit = at(Phase.INFUSION)
    assert "is not on the scale" in visit.refused(visit.score(Score(score), value))
