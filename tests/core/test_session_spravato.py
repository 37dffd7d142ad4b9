"""Spravato: a test for each sentence of protocols.md 3.3 (and of 3.1 and 3.2 where they say what to do)."""

from __future__ import annotations

import pytest

from monitor.model import Priority, Quality, Vital
from monitor.sessions import readiness
from monitor.sessions.due import When
from monitor.sessions.therapy import Item
from monitor.treatment import CheckFilled, CheckMissed, Measured, Move, Phase, Symptom
from tests.core.visit import BED, DANA, KIM, LEE, MIN, MONITOR, OTHER_BED, T0_MS, Visit

M, H, L = Priority.MEDIUM, Priority.HIGH, Priority.LOW


# CHECK_IN

CHECK_IN_ASKS = (
    "identity", "escort", "no_food", "no_nasal_spray", "congestion", "aneurysm", "brain_bleed", "pregnancy",
    "hypersensitivity", "benzodiazepines", "sedative_hypnotics", "opioids", "stimulants", "maoi",
    "other_medicines",
)  # fmt: skip


@pytest.mark.parametrize("question", CHECK_IN_ASKS)
def test_3_3_check_in_leaves_when_all_is_answered(question: str) -> None:
    visit = Visit()
    for asked in visit.therapy.question:
        if asked.name != question and not asked.first_session:
            visit.does(visit.answer(asked.name, yes=asked.kind in {"must", "confirm"}))
    wanted = next(asked.asks for asked in visit.therapy.question if asked.name == question)
    assert visit.refused(visit.step(Move.CHECKED_IN)) == f"Not answered: {wanted}"
    visit.does(visit.answer(question, yes=False))
    visit.steps(Move.CHECKED_IN)
    assert visit.phase() is Phase.BASELINE


def test_3_3_check_in_asks_for_enrolment_in_the_first_session_only() -> None:
    first, later = Visit(first=True), Visit()
    for visit in (first, later):
        for asked in visit.therapy.question:
            if asked.name != "enrolled":
                visit.does(visit.answer(asked.name, yes=False))
    assert "Enrolled" in first.refused(first.step(Move.CHECKED_IN))
    later.steps(Move.CHECKED_IN)


def test_3_3_nothing_of_the_check_in_is_preset() -> None:
    visit = Visit()
    assert visit.refused(visit.step(Move.CHECKED_IN)).count("Not answered") == len(visit.therapy.question) - 1


# BASELINE


def test_3_3_baseline_needs_two_readings_at_least_a_minute_apart() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.scores(moaas=5, oriented=3)
    assert "0 of 2 blood pressures" in visit.refused(visit.device(1))
    visit.cuff(120, 75)
    assert "1 of 2 blood pressures, at least 1 min apart" in visit.refused(visit.device(1))
    visit.waits(seconds=59)
    visit.cuff(121, 76)
    assert "1 of 2 blood pressures" in visit.refused(visit.device(1))
    visit.waits(seconds=1)
    visit.cuff(122, 76)
    visit.does(visit.device(1))
    assert visit.phase() is Phase.DOSING


@pytest.mark.parametrize(
    ("vital", "words"),
    [(Vital.SPO2, "SpO2"), (Vital.RESPIRATION, "respiration"), (Vital.HEART_RATE, "heart rate")],
)
def test_3_3_baseline_needs_spo2_rr_and_heart_rate(vital: Vital, words: str) -> None:
    visit = Visit()
    del visit.vitals[vital]
    visit.samples.clear()
    visit.to_start()
    assert visit.refused(visit.device(1)) == f"The baseline of {words}."
    visit.samples.append(
        Measured(vital, {Vital.SPO2: 97}.get(vital, 70 if "heart" in words else 15), visit.now_ms, None, DANA)
    )
    visit.does(visit.device(1))


@pytest.mark.parametrize(("score", "title"), [("moaas", "Sedation (MOAA/S)"), ("oriented", "Oriented")])
def test_3_3_baseline_needs_moaas_and_orientation(score: str, title: str) -> None:
    visit = Visit()
    visit.to_baseline()
    visit.scores(**{name: value for name, value in {"moaas": 5, "oriented": 3}.items() if name != score})
    visit.cuff(120, 75)
    visit.waits(1)
    visit.cuff(121, 75)
    assert visit.refused(visit.device(1)).startswith(title)


def test_3_3_baseline_is_at_most_30_minutes_old_at_t0() -> None:
    visit = Visit()
    visit.to_start()
    visit.waits(30)
    visit.does(visit.device(1))
    late = Visit()
    late.to_start()
    late.waits(30, seconds=1)
    assert "The baseline is 30 min old: measure again." in late.refused(late.device(1))


def test_3_3_baseline_leaves_when_the_gate_is_passed_or_a_prescriber_has_decided() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.takes_baseline(148, 94)
    assert "a prescriber decides" in visit.refused(visit.device(1))
    assert visit.refused(visit.override("gate:bp-elevated", by=DANA)) == "A prescriber decides this."
    assert visit.refused(visit.override("gate:bp-elevated", why=" ")) == "A decision needs a reason."
    visit.does(visit.override("gate:bp-elevated"))
    visit.does(visit.device(1))
    assert visit.phase() is Phase.DOSING


# DOSING


def test_3_3_dosing_begins_with_device_1_at_t0() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    assert visit.record.start_ms == visit.now_ms
    assert visit.phase() is Phase.DOSING


def test_3_3_device_2_not_before_5_minutes_after_device_1_nor_device_3_before_5_after_device_2() -> None:
    visit = Visit(devices=3)
    visit.to_start()
    visit.does(visit.device(1))
    for number in (2, 3):
        visit.waits(1)
        assert visit.refused(visit.device(number)) == f"Device {number} in 4:00."
        visit.waits(3, seconds=59)
        assert visit.refused(visit.device(number)) == f"Device {number} in 0:01."
        visit.waits(seconds=1)
        visit.does(visit.device(number))
    assert visit.phase() is Phase.ONSET


def test_3_3_the_next_device_is_shown_before_it_may_be_given() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    assert visit.due("device_2").due_ms == visit.now_ms + 5 * MIN
    assert visit.due("device_2").opens_ms == visit.now_ms + 5 * MIN
    visit.waits(5)
    assert visit.due("device_2").when is When.DUE


def test_3_3_dosing_ends_when_the_last_device_is_confirmed() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    visit.waits(5)
    assert visit.phase() is Phase.DOSING
    assert "fewer than planned needs a reason" in visit.refused(visit.device(2, last=False))
    visit.does(visit.device(2))
    assert visit.phase() is Phase.ONSET


def test_a_dose_may_end_early_with_a_reason() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    assert "needs a reason" in visit.refused(visit.step(Move.NO_MORE))
    visit.steps(Move.NO_MORE, "the patient wants no more")
    assert visit.phase() is Phase.ONSET
    assert visit.record.last_device_ms == visit.record.start_ms


def test_a_device_has_a_lot_and_is_not_expired() -> None:
    visit = Visit()
    visit.to_start()
    assert visit.refused(visit.device(1, lot="")) == "The lot number."
    assert visit.refused(visit.device(1, expires="2026-05-27")) == "This device expired on 2026-05-27."
    assert "expiry date" in visit.refused(visit.device(1, expires="May"))
    assert visit.refused(visit.device(2, last=False)) == "The next device is number 1."
    visit.does(visit.device(1, expires="2026-05-28"))


# ONSET


def test_3_3_onset_nibp_every_20_minutes() -> None:
    visit = Visit()
    visit.doses()
    visit.cuff(125, 78)
    assert visit.cuff_in_min() == 20
    visit.waits(20)
    assert visit.due("nibp").when is When.DUE
    visit.waits(3)
    assert visit.raised()["cuff-overdue-m"] is M


def test_3_3_onset_moaas_and_dissociation_every_15_minutes() -> None:
    visit = Visit()
    visit.doses()
    assert visit.due("onset_scores").due_ms == visit.now_ms + 15 * MIN
    visit.waits(10)
    assert visit.due("onset_scores").when is When.SOON
    visit.waits(5)
    assert visit.due("onset_scores").when is When.DUE
    visit.waits(3)
    assert visit.raised()["check-late-l"] is L
    visit.scores(moaas=5)
    assert "check-late-l" in visit.raised()
    visit.scores(dissociation=1)
    assert visit.due("onset_scores").due_ms == visit.now_ms + 15 * MIN
    assert "check-late-l" not in visit.raised()


# CHECK_40


def test_3_3_check_40_is_due_at_t0_plus_40_open_from_35_to_t_last_plus_45() -> None:
    visit = Visit(devices=3)
    visit.doses()
    due = visit.due("check_40")
    start_ms, last_ms = visit.record.start_ms, visit.record.last_device_ms
    assert start_ms is not None
    assert last_ms == start_ms + 10 * MIN
    assert (due.opens_ms, due.due_ms, due.closes_ms) == (
        start_ms + 35 * MIN, start_ms + 40 * MIN, last_ms + 45 * MIN,
    )  # fmt: skip
    assert visit.refused(visit.save()) == "40-min check: opens in 25 min."
    visit.waits(24)
    assert visit.phase() is Phase.ONSET
    visit.waits(1)
    assert visit.phase() is Phase.CHECK_40
    assert visit.record.since_ms == start_ms + 35 * MIN


def test_3_3_check_40_requires_the_nibp() -> None:
    visit = Visit()
    visit.doses()
    visit.waits(35)
    visit.scores(moaas=5, dissociation=0)
    assert visit.refused(visit.save()) == "40-min check: Blood pressure is missing."
    visit.cuff(None)
    assert visit.refused(visit.save()) == "40-min check: Blood pressure is missing."
    visit.cuff(150, 92)
    visit.does(visit.save())
    assert visit.phase() is Phase.DECLINE


def test_3_3_check_40_holds_hr_spo2_rr_moaas_and_dissociation() -> None:
    visit = Visit()
    visit.to_decline()
    done = visit.record.checks["check_40"]
    assert isinstance(done, CheckFilled)
    values = {one.item: (one.value, one.second) for one in done.filled}
    assert values == {
        "nibp": (134, 84), "hr": (72, None), "spo2": (98, None), "rr": (14, None), "moaas": (5, None),
        "dissociation": (1, None),
    }  # fmt: skip


def test_a_check_is_filled_by_the_nearest_valid_reading_with_its_source_and_how_far_off_it_was() -> None:
    visit = Visit()
    visit.doses()
    visit.waits(31)  # T0 + 36: five devices' minutes are in it
    visit.cuff(150, 90)
    visit.waits(3)
    visit.cuff(148, 88, by=DANA)
    visit.waits(2)
    visit.cuff(210, 95, quality=Quality.QUESTIONABLE)
    visit.waits(2)
    nibp = next(one for one in visit.due("check_40").filled if one.item == "nibp")
    assert (nibp.value, nibp.second, nibp.by, nibp.device) == (148, 88, DANA, None)
    assert nibp.off_ms == -1 * MIN
    hr = next(one for one in visit.due("check_40").filled if one.item == "hr")
    assert (hr.device, hr.off_ms) == (MONITOR, 0)


def test_a_check_takes_nothing_from_before_its_window_nor_from_another_bed_or_visit() -> None:
    visit = Visit()
    visit.doses()
    visit.cuff(150, 90)
    visit.waits(31)
    visit.cuff(151, 91, bed=OTHER_BED)
    visit.cuff(152, 92, at_ms=T0_MS - 1)
    visit.cuff(153, 93, at_ms=visit.now_ms - 2 * MIN)  # T0 + 34
    assert "nibp" in visit.due("check_40").missing
    visit.cuff(154, 94, at_ms=visit.now_ms - MIN)
    assert "nibp" not in visit.due("check_40").missing


@pytest.mark.shows("HZ-10")
def test_the_cuff_is_asked_to_measure_for_the_check_at_its_time() -> None:
    visit = Visit()
    visit.doses()
    visit.waits(19)
    visit.cuff(130, 80)  # T0 + 24: the next by the schedule would be T0 + 44
    visit.waits(10)
    assert visit.cuff_in_min() == 6
    visit.waits(3)
    visit.cuff(131, 80)  # T0 + 37 is inside the window: no other is wanted for it
    assert visit.cuff_in_min() == 20


@pytest.mark.shows("HZ-10")
def test_3_3_check_40_leaves_when_recorded_or_missed_which_is_a_medium_alarm() -> None:
    visit = Visit()
    visit.doses()
    visit.waits(38)
    assert "check-late-m" in visit.raised()  # T0 + 43
    visit.waits(7)
    assert visit.phase() is Phase.CHECK_40
    visit.waits(seconds=1)
    assert visit.phase() is Phase.DECLINE
    assert isinstance(visit.record.checks["check_40"], CheckMissed)
    assert visit.raised()["check-missed-m"] is M
    assert "check-late-m" not in visit.raised()
    assert visit.refused(visit.save()) == "40-min check: this is over."
    visit.cuff(140, 85)
    assert "check-missed-m" not in visit.raised()


@pytest.mark.shows("HZ-10")
def test_a_missed_check_is_shown_5_minutes_before_it_is_due_and_late_3_minutes_after() -> None:
    visit = Visit()
    visit.doses()
    visit.waits(29)
    assert visit.due("check_40").when is When.AHEAD
    visit.waits(1)
    assert visit.due("check_40").when is When.SOON
    visit.waits(5)
    assert visit.due("check_40").when is When.DUE
    visit.waits(3)
    assert visit.due("check_40").when is When.LATE


# DECLINE


def test_3_3_decline_nibp_every_20_to_30_minutes() -> None:
    visit = Visit()
    visit.to_decline()
    assert visit.cuff_in_min() == 20


def test_3_3_decline_nibp_every_5_to_10_while_above_limit_until_two_falling_readings_and_below() -> None:
    visit = Visit()
    visit.to_decline()
    visit.cuff(168, 92)
    assert visit.cuff_in_min() == 5
    visit.waits(5)
    visit.cuff(155, 90)
    assert visit.cuff_in_min() == 5
    visit.waits(5)
    visit.cuff(146, 86)
    assert visit.cuff_in_min() == 5  # below, and only the first that is
    visit.waits(5)
    visit.cuff(142, 84)
    assert visit.cuff_in_min() == 20


def test_3_1_bp_is_measured_until_values_decline() -> None:
    visit = Visit()
    visit.to_decline()
    for systolic in (160, 162, 161, 160):
        visit.cuff(systolic, 85)
        assert visit.cuff_in_min() == 5
        visit.waits(5)


def test_3_3_decline_moaas_every_30_minutes() -> None:
    visit = Visit()
    visit.to_decline()
    assert visit.due("decline_scores").due_ms == visit.now_ms + 30 * MIN


def test_3_3_decline_leaves_when_the_clock_is_at_120_and_the_readiness_list_complete() -> None:
    visit = Visit()
    visit.to_decline()
    last_ms = visit.record.last_device_ms
    assert last_ms is not None
    visit.waits((last_ms + 105 * MIN - visit.now_ms) / MIN)
    visit.makes_ready()
    visit.waits((last_ms + 120 * MIN - visit.now_ms) / MIN - 1 / 60)
    assert visit.refused(visit.step(Move.TO_READY)) == "Least stay: 1 min to go."  # HZ-09: 119:59 refused
    visit.waits(seconds=1)
    visit.steps(Move.TO_READY)
    assert visit.phase() is Phase.READY


@pytest.mark.shows("HZ-09")
def test_the_clock_alone_is_not_enough_to_leave() -> None:
    visit = Visit()
    visit.to_decline()
    visit.waits(130)
    lacking = visit.refused(visit.step(Move.TO_READY))
    assert "Least stay" not in lacking
    assert "No blood pressure in the last 30 min." in lacking
    assert visit.phase() is Phase.DECLINE


@pytest.mark.shows("HZ-09")
def test_no_button_ends_the_floor_early_without_a_prescribers_reason() -> None:
    visit = Visit()
    visit.to_decline()
    visit.makes_ready()
    assert "Least stay" in visit.refused(visit.step(Move.TO_READY, by=KIM))
    assert visit.refused(visit.override("floor", by=DANA)) == "A prescriber decides this."
    assert visit.refused(visit.override("floor", why="")) == "A decision needs a reason."
    visit.does(visit.override("floor", "leaves against advice"))
    visit.steps(Move.TO_READY)


def test_a_floor_is_not_decided_about_before_the_drug() -> None:
    visit = Visit()
    visit.to_start()
    assert visit.refused(visit.override("floor")) == "There is nothing here to decide about."


# READY


def test_3_3_ready_is_left_by_the_sign_off_of_a_prescriber() -> None:
    visit = Visit()
    visit.to_ready()
    visit.cuff(121, 76)
    assert "Signature" in visit.refused(visit.step(Move.CLOSE))
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED


def test_3_3_ready_is_left_by_the_sign_off_of_two_persons() -> None:
    visit = Visit()
    visit.to_ready()
    visit.cuff(121, 76)
    visit.does(visit.sign(DANA))
    visit.does(visit.sign(DANA))
    assert "Signature" in visit.refused(visit.step(Move.CLOSE))
    visit.does(visit.sign(LEE))
    visit.steps(Move.CLOSE)


def test_3_3_ready_needs_the_final_nibp_which_is_a_form_field() -> None:
    visit = Visit()
    visit.to_ready()
    assert visit.due("final").when is When.DUE
    assert visit.refused(visit.sign()) == "The blood pressure before leaving, in the ready check."
    visit.cuff(121, 76)
    assert "final" not in visit.due_names()
    visit.does(visit.sign())


def test_3_3_ready_looks_again_before_it_is_signed() -> None:
    visit = Visit()
    visit.to_ready()
    visit.cuff(121, 76)
    visit.scores(moaas=4)
    assert "lethargic" in visit.refused(visit.sign())
    visit.scores(moaas=5)
    visit.does(visit.sign())
    visit.symptom(Symptom.CHEST_PAIN)
    assert "Chest pain" in visit.refused(visit.step(Move.CLOSE))


# CLOSED


def test_3_3_closed_form_is_due_7_days_after_t0_medium_at_day_5_and_high_at_day_7() -> None:
    visit = Visit()
    visit.closes()
    start_ms = visit.record.start_ms
    assert start_ms is not None
    day = 24 * 60
    assert visit.due("form").due_ms == start_ms + 7 * day * MIN
    assert visit.raised() == {}
    visit.now_ms = start_ms + 5 * day * MIN - 1
    assert visit.raised() == {}
    visit.now_ms += 1
    assert visit.raised() == {"form-owed-m": M}
    visit.now_ms = start_ms + 7 * day * MIN - 1
    assert visit.raised() == {"form-owed-m": M}
    visit.now_ms += 1
    assert visit.raised() == {"form-owed": H}
    visit.does(visit.form_sent())
    assert visit.raised() == {}
    assert visit.refused(visit.form_sent()) == "The form has been marked as sent."


def test_3_2_the_eu_owes_no_form() -> None:
    visit = Visit("spravato_eu")
    visit.closes()
    assert visit.refused(visit.form_sent()) == "No form is owed for this session."


@pytest.mark.parametrize("move", [m for m in Move if m not in {Move.DEVICE, Move.LAST_DEVICE}])
def test_nothing_moves_a_closed_session(move: Move) -> None:
    visit = Visit()
    visit.closes()
    assert visit.refused(visit.step(move, "because")) == "This session is closed."


# The clock rule


def test_3_3_the_120_minute_floor_runs_from_t_last_and_the_total_from_t0() -> None:
    visit = Visit(devices=3)
    visit.doses()
    start_ms, last_ms = visit.record.start_ms, visit.record.last_device_ms
    assert start_ms is not None
    assert last_ms == start_ms + 10 * MIN
    assert visit.record.floor_until_ms() == last_ms + 120 * MIN
    visit.waits(30)
    assert visit.record.total_ms(visit.now_ms) == 40 * MIN


def test_3_3_the_floor_is_not_counted_while_a_device_is_still_to_come() -> None:
    visit = Visit()
    visit.to_start()
    visit.does(visit.device(1))
    visit.waits(200)
    assert visit.record.floor_until_ms() is None
    assert visit.missing(Item.TIME) == "120 min have not begun."


def test_the_total_stands_still_once_the_session_is_closed() -> None:
    visit = Visit()
    visit.closes()
    total = visit.record.total_ms(visit.now_ms)
    visit.waits(60)
    assert visit.record.total_ms(visit.now_ms) == total


def test_a_device_may_be_entered_up_to_10_minutes_after_it_was_given() -> None:
    visit = Visit()
    visit.to_start()
    visit.waits(11)
    assert "At most 10 minutes ago" in visit.refused(visit.device(1, ago=10.1))
    visit.does(visit.device(1, ago=10))
    assert visit.record.start_ms == visit.now_ms - 10 * MIN
    assert visit.refused(visit.device(2, ago=6)) == "Device 2 in 1:00."
    visit.does(visit.device(2, ago=5))


def test_nothing_is_entered_for_the_future() -> None:
    visit = Visit()
    visit.to_start()
    assert "later than now" in visit.refused(visit.device(1, ago=-1))


# 5: the form asks what the first minute was


def test_5_the_first_minute_at_which_all_but_time_and_signature_held_is_kept() -> None:
    visit = Visit()
    visit.to_decline()
    visit.waits(20)
    visit.makes_ready()
    first_ms = visit.record.ready_first_ms
    assert first_ms is not None
    assert visit.now_ms - first_ms <= 2 * MIN
    visit.scores(nausea=3)
    assert not readiness.would_be_ready(visit.record, visit.seen, visit.now_ms)
    visit.waits(5)
    visit.scores(nausea=0)
    visit.waits(1)
    assert visit.record.ready_first_ms == first_ms


def test_the_session_knows_its_bed_only() -> None:
    visit = Visit()
    visit.to_baseline()
    visit.cuff(120, 75, bed=OTHER_BED)
    visit.cuff(120, 75, at_ms=T0_MS - MIN)
    assert visit.record.cuffs == []
    assert visit.opened.bed == BED
