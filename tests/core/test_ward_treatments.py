"""Treatment sessions at the ward's own door: who may come, what follows of an act, and what raises whom."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from monitor.model import (
    CLINIC,
    Admitted,
    AlarmMoved,
    AlarmState,
    Baseline,
    Bed,
    Cuff,
    CuffOrdered,
    CuffTaken,
    CuffWhy,
    Device,
    Discharged,
    Doubt,
    LimitSet,
    LinkState,
    PageOrdered,
    Quality,
    SessionMoved,
    SessionPhase,
    Staff,
    Vital,
    VitalTyped,
)
from monitor.people import Role
from monitor.plan import DevicePlan
from monitor.sessions.record import rebuilt
from monitor.sessions.therapy import Item
from monitor.snapshot import AlarmNow, LimitNow
from monitor.treatment import (
    BaselineTaken,
    CheckMissed,
    Flag,
    Measured,
    Move,
    Phase,
    PhaseMoved,
    ReadyFirst,
    Stepped,
    Symptom,
    TreatmentNote,
    TreatmentOpened,
)
from monitor.ward import Ward
from monitor.ward.seen import KEPT_MS, MOST, THIN_MS
from tests.core.shift import EVERY, Shift
from tests.core.treated import Treated, settings
from tests.core.visit import BED, DANA, KIM, LEE, MIN, OTHER_BED, SHIPPED

ACTIVE, ACKED, LATCHED = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED
IV = "iv_ketamine_40"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_whole_session_through_the_ward(name: str) -> None:
    visit = Treated(name)
    visit.to_ready()
    visit.cuff(121, 76)
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED
    assert rebuilt(visit.therapy, visit.written) == visit.record
    assert visit.shift.bed(BED).session is None
    (closed,) = visit.shift.snapshot().closed
    assert (closed.session, closed.phase, closed.closed_by) == (visit.number, SessionPhase.CLOSED, DANA)
    assert [m.rule for m in visit.shift.of(PageOrdered)] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_session_by_the_book_closes_at_the_first_minute_that_it_may(name: str) -> None:
    visit = Treated(name)
    visit.to_ready()
    floor_ms = visit.record.floor_until_ms()
    assert floor_ms is None or 0 <= visit.record.since_ms - floor_ms < 5 * MIN
    assert [m for m in visit.written if isinstance(m, ReadyFirst)]


# Coming and going.


def opening(shift: Shift, **more: Any) -> TreatmentOpened:
    therapy = shift.plan.therapies["spravato_us"]
    asked = TreatmentOpened(
        shift.now_ms, 0, BED, "A1", therapy.name, therapy.version, therapy.digest, 40, 2, False,  # noqa: FBT003  first or not
        DANA, Role.NURSE,
    )  # fmt: skip
    return replace(asked, **more)


def test_an_opening_makes_admission_and_session_in_one_turn() -> None:
    shift = Shift(("3", "4"), occupied=False, **settings())
    made = shift.feed(opening(shift))
    opened, admitted, moved = made[:3]
    assert isinstance(opened, TreatmentOpened)
    assert isinstance(admitted, Admitted)
    assert isinstance(moved, SessionMoved)
    assert (opened.session, moved.session, moved.now) == (1, 1, SessionPhase.TREATMENT)
    assert (admitted.alias, admitted.profile, admitted.baseline) == ("A1", "watch", Baseline())
    session = shift.bed(BED).session
    assert session is not None
    assert (session.session, session.alias, session.opened_by) == (1, "A1", DANA)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"bed": Bed("9")}, "There is no bed 9."),
        ({"therapy": "lavender"}, "There is no therapy lavender."),
        ({"age_years": 17}, "An age of 17 is not within 18 to 120."),
        ({"devices": 4}, "2 to 3 devices can be planned."),
        ({"digest": "0" * 64}, "This clinic's spravato_us is not the one that was asked for."),
        ({"role": Role.ADMINISTRATOR}, "A session is opened by a nurse or a prescriber."),
    ],
)
def test_an_opening_that_is_refused_leaves_no_trace(more: dict[str, Any], words: str) -> None:
    shift = Shift(("3", "4"), occupied=False, **settings())
    asked = opening(shift, **more)
    assert shift.ward.refusals(asked) == (words,)
    assert shift.ward.refusal(asked) == words
    assert shift.feed(asked) == []
    assert shift.bed(BED).session is None
    shift.admits(BED)
    assert [moved.session for moved in shift.of(SessionMoved)] == [1]


def test_nothing_opens_under_a_therapy_that_no_prescriber_has_signed() -> None:
    unsigned = {
        name: therapy.model_copy(update={"signature": None})
        for name, therapy in settings()["therapies"].items()
    }
    shift = Shift(("3", "4"), occupied=False, **(settings() | {"therapies": unsigned}))
    (words,) = shift.ward.refusals(opening(shift))
    assert words.startswith("spravato_us has not been signed by a prescriber.")


def test_a_bed_that_is_taken_takes_nobody_else() -> None:
    visit = Treated()
    words = ("Bed 3 has an open session. Close it first.",)
    assert visit.shift.ward.refusals(opening(visit.shift)) == words
    watch = Admitted(visit.now_ms, BED, "B2", Baseline(), "watch", None, DANA)
    assert visit.shift.ward.refusals(watch) == words


def test_a_treatment_is_not_closed_as_a_watch_is() -> None:
    visit = Treated()
    words = "A treatment ends with its own step, Close session, once it is signed."
    assert visit.shift.discharges(BED) == words
    assert visit.shift.feed(Discharged(visit.now_ms, visit.number, DANA)) == []


def test_a_session_that_is_not_there_hears_nothing() -> None:
    visit = Treated()
    note = TreatmentNote(visit.now_ms, visit.number + 1, "hello", DANA)
    assert visit.shift.ward.refusals(note) == ("There is no such treatment session, or it is over.",)
    assert visit.shift.feed(note) == []
    assert visit.shift.ward.treatment(visit.number + 1) is None


def test_what_only_a_session_may_make_is_no_news_to_a_ward() -> None:
    visit = Treated()
    moved = PhaseMoved(
        visit.now_ms, 1, Move.CLOSE, Phase.READY, Phase.CLOSED, Phase.CLOSED, visit.now_ms, DANA
    )
    with pytest.raises(ValueError, match="a ward decides PhaseMoved"):
        visit.shift.ward.feed(moved)


def test_a_high_alarm_that_nobody_has_acknowledged_keeps_a_treatment_open() -> None:
    visit = Treated()
    visit.steps(Move.ABORT, "has eaten")
    visit.does(visit.sign())
    visit.symptom(Symptom.COLLAPSE)
    visit.symptom(Symptom.COLLAPSE, over=True)
    close = visit.step(Move.CLOSE)
    assert visit.refused(close) == "A HIGH alarm has not been acknowledged: Emergency sign."
    shown = visit.shift.bed(BED).treatment
    assert shown is not None
    button = next(move for move in shown.moves if move.kind == "close")
    assert button.missing == ("A HIGH alarm has not been acknowledged: Emergency sign.",)
    assert visit.shift.acks(BED, "emergency-sign") is None
    visit.steps(Move.CLOSE)
    assert visit.shift.bed(BED).session is None


def test_a_transferred_patient_is_not_missed_at_the_bed_and_the_bed_is_free_once_it_is_signed() -> None:
    visit = Treated()
    visit.doses()
    visit.vitals.clear()
    visit.steps(Move.TRANSFER, "to the hospital")
    visit.shift.link("monitor-3", LinkState.DOWN)
    visit.waits(10)
    assert set(visit.raises()) <= {"link-lost-l"}
    assert "Signed by a prescriber" in visit.refused(visit.step(Move.CLOSE))
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.shift.bed(BED).session is None
    assert visit.shift.ward.treatments() == (visit.number,)  # the form is owed


def test_nobody_is_missed_of_whom_nothing_is_owed() -> None:
    visit = Treated("spravato_eu")
    visit.to_ready()
    visit.cuff(121, 76)
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.shift.ward.treatments() == ()
    assert visit.shift.ward.treatment(visit.number) is None


# Baseline and limits.


def limit(visit: Treated, rule: str) -> LimitNow:
    return next(one for one in visit.shift.bed(visit.bed).limits if one.rule == rule)


def test_the_baseline_of_the_session_is_the_beds_from_the_drug_on() -> None:
    visit = Treated()
    visit.to_start()
    assert [one for one in visit.shift.bed(BED).limits if one.rule == "sbp-high-l"] == []
    visit.does(visit.device(1))
    (taken,) = visit.shift.of(BaselineTaken)
    session = visit.shift.bed(BED).session
    assert session is not None
    assert session.baseline == taken.baseline == Baseline(121, 76, 72, 98, 14)
    assert limit(visit, "sbp-high-l").limit == 145.2
    assert limit(visit, "sbp-high-m").limit == 157.3


def test_6_3_limits_follow_the_phase_and_say_why() -> None:
    visit = Treated()
    visit.to_baseline()
    visit.pressure = (137, 82)
    visit.takes_baseline(137, 81)
    visit.does(visit.device(1))
    visit.waits(5)
    visit.does(visit.device(2))
    visit.waits(59)
    before = limit(visit, "sbp-high-m")
    assert (before.limit, before.default, before.set_why) == (165, 165, None)
    visit.waits(1)
    after = limit(visit, "sbp-high-m")
    assert (after.limit, after.default, after.set_why, after.set_by) == (160, 165, "from 60 minutes", None)


def test_6_3_limits_follow_the_flags_and_say_why() -> None:
    visit = Treated()
    visit.does(visit.answer("opioids", yes=True))
    now = limit(visit, "spo2-low-m")
    assert (now.limit, now.default, now.set_why) == (93, 92, "slowed breathing")
    visit.does(visit.answer("opioids", yes=False))
    now = limit(visit, "spo2-low-m")
    assert (now.limit, now.default, now.set_why) == (92, 92, None)


def test_the_limit_of_a_flag_is_judged_by() -> None:
    visit = Treated()
    visit.does(visit.answer("opioids", yes=True))
    visit.sees(spo2=92.5)
    visit.waits(seconds=40)
    assert visit.shift.alarm(BED, "spo2-low-m").state is ACTIVE


def test_a_prescribers_own_limit_stands_over_the_layer_within_the_clinics_span() -> None:
    visit = Treated()
    visit.does(visit.answer("opioids", yes=True))
    too_low = LimitSet(visit.now_ms, BED, "spo2-low-m", 70, "known", KIM)
    assert visit.shift.ward.refusals(too_low) == ("The clinic lets this limit be set from 86 to 95.",)
    visit.shift.feed(replace(too_low, limit=90))
    now = limit(visit, "spo2-low-m")
    assert (now.limit, now.default, now.set_by, now.set_why) == (90, 92, KIM, "known")
    visit.does(visit.answer("opioids", yes=False))
    assert limit(visit, "spo2-low-m").limit == 90


@pytest.mark.parametrize(("flag", "state"), [(None, AlarmState.PENDING), (Flag.STIMULANT, ACTIVE)])
def test_6_3_stimulant_or_maoi_bp_m_without_confirmation(flag: Flag | None, state: AlarmState) -> None:
    visit = Treated()
    visit.doses()
    if flag is not None:
        visit.does(visit.flag(flag))
    visit.cuff(170, 90)
    assert visit.shift.alarm(BED, "sbp-high-m").state is state


# The cuff.


def orders(visit: Treated, since: int = 0) -> list[float]:
    """The minutes of the session at which a cuff was started by the schedule."""
    return [
        (order.at_ms - visit.opened.at_ms) / MIN
        for order in visit.shift.of(CuffOrdered)
        if order.why is CuffWhy.SCHEDULED
    ][since:]


@pytest.mark.shows("HZ-02")
def test_3_3_the_cuff_runs_every_20_minutes_and_every_5_while_above_limit() -> None:
    visit = Treated()
    visit.doses()
    visit.cuff(128, 80)
    began, before = (visit.now_ms - visit.opened.at_ms) / MIN, len(orders(visit))
    visit.waits(21)
    assert [round(at - began, 1) for at in orders(visit, before)] == [20]
    cuff = visit.shift.bed(BED).cuff
    assert cuff is not None
    assert cuff.next_due_ms is not None
    assert round((cuff.next_due_ms - visit.now_ms) / MIN) in range(14, 21)


def test_3_3_in_decline_the_cuff_runs_every_5_minutes_while_above_limit_until_two_have_fallen() -> None:
    visit = Treated()
    visit.to_decline()
    visit.pressure = (156, 90)
    visit.cuff(156, 90)
    before = len(orders(visit))
    visit.waits(11)
    assert [round(b - a) for a, b in zip(orders(visit, before), orders(visit, before + 1), strict=False)] == [
        6
    ]
    visit.pressure = (140, 84)
    visit.waits(13)
    calm = len(orders(visit))
    visit.waits(15)
    assert len(orders(visit)) - calm <= 1


def test_a_second_baseline_reading_follows_the_first_by_itself() -> None:
    visit = Treated()
    visit.to_baseline()
    visit.waits(3)
    assert orders(visit) == []
    visit.cuff(120, 75)
    visit.waits(3)
    assert len(orders(visit)) == 1
    assert len(visit.record.cuffs) == 2


def test_two_that_differ_are_followed_by_a_third() -> None:
    visit = Treated()
    visit.to_baseline()
    visit.pressure = (138, 82)
    visit.cuff(120, 75)
    visit.waits(5)
    assert len(orders(visit)) == 2
    visit.waits(5)
    assert len(orders(visit)) == 2


def test_the_40_minute_check_asks_the_cuff_to_measure() -> None:
    visit = Treated()
    visit.doses()
    assert visit.record.start_ms is not None
    visit.waits(34)
    visit.pressure = (141, 88)
    visit.waits((visit.record.start_ms + 42 * MIN - visit.now_ms) / MIN)
    (due,) = [due for due in [visit.due("check_40")] if due.filled]
    (pressure,) = [one for one in due.filled if one.item == "nibp"]
    assert (pressure.value, pressure.second, pressure.device) == (141, 88, "cuff-3")
    assert abs(pressure.off_ms) <= MIN


def test_the_ready_check_asks_the_cuff_for_the_last_pressure() -> None:
    visit = Treated()
    visit.to_ready()
    assert visit.shift.of(CuffOrdered)[-1].at_ms == visit.record.since_ms
    visit.waits(1)
    assert "pressure" not in visit.refused(visit.step(Move.CLOSE)).lower()


def test_no_cuff_is_started_while_one_is_running() -> None:
    visit = Treated()
    visit.doses()
    visit.shift.waits(minutes=25)  # the cuff that was started gives no sign
    running = [order.at_ms for order in visit.shift.of(CuffOrdered)]
    assert all(later - earlier >= 190_000 for earlier, later in pairwise(running))


def test_a_cuff_that_fails_is_tried_again_and_then_called_failed() -> None:
    visit = Treated()
    visit.doses()
    visit.pressure = (None, 0)
    visit.waits(26)
    assert visit.shift.alarm(BED, "cuff-failed-m").state is ACTIVE
    steps = [later - earlier for earlier, later in pairwise(orders(visit))]
    assert steps[1:] == [0.5, 5, 5]  # a second try at once, and from then on every five minutes


def test_a_cuff_that_cannot_be_started_from_here_is_called_overdue() -> None:
    visit = Treated(cuff_starts=False)
    visit.doses()
    assert orders(visit) == []
    visit.cuff(125, 78)
    visit.waits(22)
    assert visit.shift.find(BED, "cuff-overdue-m") is None
    visit.waits(2)
    assert visit.shift.alarm(BED, "cuff-overdue-m").state is ACTIVE
    visit.cuff(125, 78)
    assert visit.shift.find(BED, "cuff-overdue-m") is None


# What people say, and what is left undone.


def pages(visit: Treated) -> list[tuple[Staff, str]]:
    return [(page.to, page.text) for page in visit.shift.of(PageOrdered)]


@pytest.mark.shows("HZ-14", "HZ-18")
@pytest.mark.parametrize(
    "sign",
    [
        Symptom.CHEST_PAIN, Symptom.SHORT_OF_BREATH, Symptom.HEADACHE, Symptom.VISION, Symptom.SEIZURE,
        Symptom.LESS_AWAKE, Symptom.FOCAL, Symptom.COLLAPSE,
    ],
)  # fmt: skip
def test_6_2_an_emergency_sign_is_high_at_once_and_pages_without_saying_which(sign: Symptom) -> None:
    visit = Treated()
    visit.symptom(sign)
    alarm = visit.shift.alarm(BED, "emergency-sign")
    assert (alarm.state, alarm.text, alarm.technical) == (ACTIVE, "Emergency sign", False)
    assert alarm.note.lower() == sign.value.lower()
    assert alarm.raised_at_ms == visit.now_ms
    assert pages(visit) == [(DANA, "Bed 3: *** Emergency sign. Open Chairside.")]


def test_an_emergency_sign_escalates_and_latches_like_any_high() -> None:
    visit = Treated()
    visit.symptom(Symptom.SEIZURE)
    visit.waits(5)
    assert {name for name, _ in pages(visit)} == {DANA, LEE, KIM}
    visit.symptom(Symptom.SEIZURE, over=True)
    assert visit.shift.alarm(BED, "emergency-sign").state is LATCHED
    assert visit.shift.acks(BED, "emergency-sign") is None
    assert visit.shift.find(BED, "emergency-sign") is None


def test_a_second_emergency_sign_sounds_although_the_first_was_acknowledged() -> None:
    visit = Treated()
    visit.symptom(Symptom.CHEST_PAIN)
    visit.shift.acks(BED, "emergency-sign")
    visit.waits(seconds=30)
    assert visit.shift.alarm(BED, "emergency-sign").state is ACKED
    visit.symptom(Symptom.HEADACHE)
    alarm = visit.shift.alarm(BED, "emergency-sign")
    assert (alarm.state, alarm.note) == (ACTIVE, "Chest pain, sudden severe headache")


@pytest.mark.shows("HZ-17")
@pytest.mark.parametrize(
    ("moaas", "rule"),
    [(4, "sedation-l"), (3, "sedation-m"), (2, "sedation-m"), (1, "sedation"), (0, "sedation")],
)
def test_6_2_sedation_by_moaas(moaas: int, rule: str) -> None:
    visit = Treated()
    visit.doses()
    visit.scores(moaas=moaas)
    alarm = visit.shift.alarm(BED, rule)
    assert (alarm.state, alarm.text) == (ACTIVE, "Sedation")
    assert alarm.note.startswith(f"MOAA/S {moaas}, ")
    visit.scores(moaas=5)
    left = visit.shift.find(BED, rule)
    assert left is None or left.state is LATCHED


def test_a_deeper_sedation_of_the_same_priority_sounds_again_and_the_same_does_not() -> None:
    visit = Treated()
    visit.doses()
    visit.scores(moaas=3)
    visit.shift.acks(BED, "sedation-m")
    visit.waits(1)
    visit.scores(moaas=3)
    assert visit.shift.alarm(BED, "sedation-m").state is ACKED
    visit.waits(1)
    visit.scores(moaas=2)
    assert visit.shift.alarm(BED, "sedation-m").state is ACTIVE


@pytest.mark.shows("HZ-18")
@pytest.mark.parametrize(
    ("symptom", "severe", "rule"),
    [
        (Symptom.NAUSEA, False, "symptom-l"), (Symptom.ANXIETY, False, "symptom-l"),
        (Symptom.ANXIETY, True, "symptom-m"), (Symptom.VOMITING, False, "symptom-m"),
        (Symptom.DISTRESS, False, "symptom-m"),
    ],
)  # fmt: skip
def test_6_2_symptoms(symptom: Symptom, severe: bool, rule: str) -> None:  # noqa: FBT001
    visit = Treated()
    visit.symptom(symptom, severe=severe)
    assert visit.shift.alarm(BED, rule).state is ACTIVE
    visit.waits(1)
    visit.symptom(symptom, over=True)
    assert visit.shift.find(BED, rule) is None


def test_a_check_that_is_late_is_said_and_ends_with_it() -> None:
    visit = Treated()
    visit.doses()
    visit.waits(17)
    assert visit.shift.find(BED, "check-late-l") is None
    visit.waits(1)
    alarm = visit.shift.alarm(BED, "check-late-l")
    assert (alarm.state, alarm.text, alarm.note) == (ACTIVE, "Check late", "Sedation and dissociation late")
    visit.scores(moaas=5, dissociation=0)
    assert visit.shift.find(BED, "check-late-l") is None


@pytest.mark.shows("HZ-10")
def test_3_3_a_missed_40_minute_check_is_medium_until_a_pressure_is_taken() -> None:
    visit = Treated(cuff_starts=False)
    visit.doses()
    visit.waits(43)
    assert visit.shift.alarm(BED, "check-late-m").state is ACTIVE
    visit.waits(4)
    assert visit.shift.of(CheckMissed)
    assert visit.shift.find(BED, "check-late-m") is None
    alarm = visit.shift.alarm(BED, "check-missed-m")
    assert (alarm.state, alarm.text) == (ACTIVE, "40-min check missed")
    visit.cuff(130, 80)
    assert visit.shift.find(BED, "check-missed-m") is None


def test_6_3_a_pressure_that_does_not_decline_is_medium() -> None:
    visit = Treated(IV)
    visit.pressure = (122, 76)
    visit.to_recovery()
    visit.pressure = (158, 88)
    visit.waits(6)
    visit.cuff(157, 88)
    visit.cuff(158, 88)
    alarm = visit.shift.alarm(BED, "bp-not-declining-m")
    assert (alarm.state, alarm.note) == (ACTIVE, "BP not declining: 157/88, 158/88")
    visit.cuff(150, 84)
    assert visit.shift.find(BED, "bp-not-declining-m") is None


def test_0009_a_pressure_that_is_high_and_does_not_decline_is_one_cause_and_one_page() -> None:
    visit = Treated(IV)
    visit.to_recovery()
    visit.shift.forget_pages()
    visit.pressure = (172, 98)
    visit.cuff(170, 98)
    visit.waits(1)
    visit.cuff(172, 98)
    visit.waits(4)
    raised = visit.raises()
    assert {"bp-not-declining-m", "sbp-high-m"} <= set(raised)
    paged = [page.rule for page in visit.shift.of(PageOrdered)]
    assert set(paged) in ({"bp-not-declining-m"}, {"sbp-high-m"})
    spoken = [visit.shift.alarm(BED, rule).spoken_for for rule in ("bp-not-declining-m", "sbp-high-m")]
    assert sorted(spoken) == [False, True]
    assert visit.shift.acks(BED, "sbp-high-m") is None
    states = {visit.shift.alarm(BED, rule).state for rule in ("bp-not-declining-m", "sbp-high-m")}
    assert states == {AlarmState.ACKED}, "who has seen one has seen both"


def closed(name: str = "spravato_us") -> Treated:
    visit = Treated(name)
    visit.to_ready()
    visit.cuff(121, 76)
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    return visit


def owed(visit: Treated, rule: str) -> AlarmNow | None:
    return visit.shift.find(CLINIC, rule)


def test_3_3_the_form_is_medium_at_day_5_and_high_at_day_7_until_it_is_sent() -> None:
    visit = closed()
    start_ms = visit.record.start_ms
    assert start_ms is not None
    visit.shift.waits(seconds=(start_ms + 5 * 24 * 60 * MIN - visit.now_ms) / 1_000 - 1)
    assert owed(visit, "form-owed-m") is None
    visit.shift.waits(seconds=1)
    alarm = owed(visit, "form-owed-m")
    assert alarm is not None
    assert (alarm.state, alarm.bed, alarm.text) == (ACTIVE, CLINIC, "A form is owed")
    visit.shift.waits(minutes=2 * 24 * 60)
    high = owed(visit, "form-owed")
    assert high is not None
    assert high.state is ACTIVE
    visit.does(visit.form_sent())
    assert owed(visit, "form-owed-m") is None
    assert visit.shift.ward.treatments() == ()
    left = owed(visit, "form-owed")
    assert left is None or left.state is LATCHED


def test_who_has_seen_that_a_form_is_owed_is_not_told_again_every_five_minutes() -> None:
    visit = closed()
    visit.shift.waits(minutes=5 * 24 * 60)
    visit.shift.acks(CLINIC, "form-owed-m")
    visit.shift.waits(minutes=7 * 60)
    alarm = owed(visit, "form-owed-m")
    assert alarm is not None
    assert alarm.state is ACKED
    visit.shift.waits(minutes=61)
    alarm = owed(visit, "form-owed-m")
    assert alarm is not None
    assert alarm.state is ACTIVE


def test_no_form_is_owed_of_a_therapy_that_has_none() -> None:
    visit = closed("spravato_eu")
    visit.shift.waits(minutes=8 * 24 * 60)
    assert visit.shift.snapshot().alarms == ()


# What the ward has seen.


def test_the_newest_value_is_always_there_and_the_others_are_thin() -> None:
    visit = Treated()
    for second in range(120):
        visit.shift.hears(BED, rr=12 + second % 2)
        visit.shift.waits(seconds=1)
    rates = [one for one in visit.seen.samples if one.vital is Vital.RESPIRATION]
    assert (rates[-1].value, rates[-1].at_ms) == (13, visit.now_ms - 1_000)
    gaps = [later.at_ms - earlier.at_ms for earlier, later in pairwise(rates[:-1])]
    assert gaps == [THIN_MS] * 7


def test_what_is_kept_has_an_end() -> None:
    visit = Treated()
    for _ in range(400):
        visit.shift.hears(BED, hr=70)
        visit.shift.waits(seconds=15)
    rates = [one for one in visit.seen.samples if one.vital is Vital.HEART_RATE]
    assert len(rates) <= MOST + 1
    assert rates[-1].at_ms - rates[0].at_ms <= KEPT_MS


def test_a_doubted_value_is_not_seen_and_a_typed_one_is() -> None:
    visit = Treated()
    visit.vitals.clear()
    visit.waits(1)
    before = len(visit.seen.samples)
    visit.shift.hears(BED, spo2=97, doubt=Doubt.POOR_SIGNAL)
    assert len(visit.seen.samples) == before
    visit.shift.feed(VitalTyped(visit.now_ms, BED, Vital.RESPIRATION, 13, LEE))
    assert visit.seen.samples[-1] == Measured(Vital.RESPIRATION, 13, visit.now_ms, None, LEE)


def test_a_value_of_another_bed_and_a_late_one_are_not_seen() -> None:
    visit = Treated()
    before = visit.seen.samples
    visit.shift.admits(OTHER_BED)
    visit.shift.hears(OTHER_BED, spo2=91)
    visit.shift.feed(visit.shift.reading(BED, "spo2", 91, late=True))
    assert visit.seen.samples == before


def test_open_alarms_keep_a_patient_and_their_end_is_waited_for() -> None:
    visit = Treated()
    visit.doses()
    visit.sees(spo2=91)
    visit.waits(1)
    assert list(visit.seen.alarms) == ["SpO2 91 < 92"]
    assert visit.missing(Item.QUIET) == "Open: SpO2 91 < 92."
    visit.sees(spo2=98)
    visit.waits(1)
    assert not visit.seen.alarms
    assert visit.seen.quiet_since_ms is not None
    assert "less than 30 min ago" in visit.missing(Item.QUIET)
    visit.waits(31)
    assert visit.missing(Item.QUIET) == ""


def test_a_low_alarm_keeps_nobody() -> None:
    visit = Treated()
    visit.doses()
    visit.symptom(Symptom.NAUSEA)
    assert not visit.seen.alarms
    assert visit.missing(Item.QUIET) == ""


# Read back.


def test_after_a_restart_it_is_the_same_session_and_goes_on() -> None:
    visit = Treated()
    visit.to_decline()
    before = visit.record
    visit.shift.restarts(after_s=30)
    known = visit.shift.ward.treatment(visit.number)
    assert known is not None
    visit.record = known[0]
    assert visit.record == before
    visit.waits(2)
    until_ms = visit.record.floor_until_ms()
    assert until_ms is not None
    visit.waits((until_ms - visit.now_ms) / MIN - 12)
    visit.makes_ready()
    visit.steps(Move.TO_READY)
    visit.cuff(121, 76)
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.shift.bed(BED).session is None


def test_what_a_restart_loses_only_withholds() -> None:
    visit = Treated()
    visit.to_start()
    assert visit.shift.ward.refusals(visit._ours(visit.device(1))) == ()
    visit.shift.restarts(after_s=1)
    visit.record = visit._known()[0]
    missing = visit.refused(visit.device(1))
    assert set(missing.splitlines()) == {
        "The baseline of heart rate.", "The baseline of SpO2.", "The baseline of respiration.",
    }  # fmt: skip
    visit.waits(1)
    visit.does(visit.device(1))


def test_a_session_of_a_bed_that_is_taken_out_of_the_clinic_still_owes_its_form() -> None:
    visit = closed()
    smaller = replace(
        visit.shift.plan,
        beds=((OTHER_BED, ""),),
        devices=tuple(d for d in visit.shift.plan.devices if d.bed == OTHER_BED),
    )
    ward = Ward(smaller)
    ward.restore(visit.shift.journal)
    assert ward.treatments() == (visit.number,)
    ward.tick(visit.now_ms + 6 * 24 * 60 * MIN)
    assert [alarm.rule for alarm in ward.snapshot().alarms if alarm.bed == CLINIC] == ["form-owed-m"]


def test_a_window_that_closed_while_the_service_was_down_is_missed() -> None:
    visit = Treated()
    visit.doses()
    visit.shift.restarts(after_s=3_600)
    (missed,) = visit.shift.of(CheckMissed)
    assert missed.at_ms == visit.now_ms
    assert visit.shift.alarm(BED, "check-missed-m").state is ACTIVE


def test_an_act_from_before_the_restart_is_not_taken_for_one_of_now() -> None:
    visit = Treated()
    visit.doses()
    old = Stepped(visit.now_ms - MIN, visit.number, Move.STOP, visit.now_ms - MIN, DANA, Role.NURSE, "why")
    assert visit.refused(old) == "Something later has been recorded already. Enter it again."


def test_the_pressure_of_a_cuff_measured_before_the_session_is_not_in_it() -> None:
    visit = Treated()
    taken = CuffTaken(visit.now_ms, visit.now_ms - 1, BED, Device("cuff-3"), Cuff(199, 99))
    assert visit.shift.feed(taken) == []
    assert visit.record.cuffs == []


def test_a_questionable_cuff_is_kept_and_counts_for_nothing() -> None:
    visit = Treated()
    visit.to_baseline()
    visit.cuff(120, 75, quality=Quality.QUESTIONABLE)
    visit.waits(1)
    assert len(visit.record.cuffs) == 1
    visit.scores(moaas=5, oriented=3)
    assert "0 of 2 blood pressures" in visit.refused(visit.device(1))


def test_alarms_of_a_treatment_move_like_all_others_in_the_journal() -> None:
    visit = Treated()
    visit.symptom(Symptom.VOMITING)
    (moved,) = visit.shift.of(AlarmMoved)
    assert (moved.rule, moved.note, moved.value, moved.device) == ("symptom-m", "Vomiting", None, None)


def test_a_bed_with_two_cuffs_is_pressed_by_one() -> None:
    devices = (
        DevicePlan(Device("monitor-3"), "mqtt-native", BED, EVERY),
        DevicePlan(Device("cuff-3"), "dinamap", BED, frozenset({Vital.SYSTOLIC}), starts_cuff=True),
        DevicePlan(Device("spare-3"), "dinamap", BED, frozenset({Vital.SYSTOLIC}), starts_cuff=True),
    )
    visit = Treated(devices_at=devices)
    visit.doses()
    visit.waits(1)
    assert {order.device for order in visit.shift.of(CuffOrdered)} == {"cuff-3"}


def test_news2_is_a_trend_of_the_whole_ones_and_begins_anew_with_the_service() -> None:
    visit = Treated()
    visit.to_baseline()
    shift = visit.shift
    for minute, confused in ((0, 0), (20, 1)):
        visit.waits(minute)
        visit.cuff(120, 75)
        visit.scores(moaas=5, confusion=confused, oxygen=0)
        shift.feed(VitalTyped(visit.now_ms, BED, Vital.TEMPERATURE, 36.8, DANA))
        visit.waits(1)
    now = shift.bed(BED).treatment
    assert now is not None
    assert [then.total for then in now.news2.course] == [0, 3]
    assert now.news2.course[-1].red
    assert now.news2.total == 3
    times = [then.at_ms for then in now.news2.course]
    assert times == sorted(set(times))
    again = visit.again().shift.bed(BED).treatment
    assert again is not None
    assert again.news2.course == (), "what the devices said in it is not in the journal"
