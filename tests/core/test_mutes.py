"""Pauses: four names and no more, each with an end, and none that keeps a HIGH from being paged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import mutes
from monitor.alerts.rules import RULES
from monitor.model import (
    AlarmState,
    Bed,
    Paused,
    PauseKind,
    Priority,
    Resumed,
    Staff,
    Vital,
)
from tests.core.shift import Shift
from tests.core.treated import Treated
from tests.core.visit import KIM

AUDIO, ALARM = PauseKind.AUDIO, PauseKind.ALARM
AUDIO_OFF, ALARM_OFF = PauseKind.AUDIO_OFF, PauseKind.ALARM_OFF
ACTIVE, ACKED, CLEAR = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.CLEAR
BED = Bed("3")


def pause(
    kind: PauseKind, until_ms: int | None = 60_000, vital: Vital | None = None, why: str = "probe"
) -> Paused:
    """A pause of bed 3 from 0 on; what is off has no end."""
    return Paused(0, BED, kind, vital, None if kind in mutes.OFF else until_ms, why, Staff("sam"), 1)


@pytest.mark.shows("ALM-053")
def test_ALM_053_the_names_are_those_of_the_standard_and_never_mute() -> None:
    assert {kind.value for kind in PauseKind} == {"audio paused", "audio off", "alarm paused", "alarm off"}


@pytest.mark.shows("ALM-050")
@pytest.mark.parametrize(("kind", "longest_s"), [(AUDIO, 120), (ALARM, 180)])
def test_a_pause_that_is_too_long_is_refused(kind: PauseKind, longest_s: int) -> None:
    assert mutes.refusal(pause(kind, longest_s * 1_000)) is None
    assert (
        mutes.refusal(pause(kind, longest_s * 1_000 + 1))
        == f"{kind.value.capitalize()} lasts at most {longest_s} s."
    )


@pytest.mark.parametrize("until_ms", [0, -1])
def test_a_pause_has_an_end_that_lies_ahead(until_ms: int) -> None:
    assert mutes.refusal(pause(AUDIO, until_ms)) == "A pause needs an end that lies ahead."


def test_alarm_paused_needs_a_reason_and_audio_paused_none() -> None:
    assert mutes.refusal(pause(ALARM, why=" ")) == "Alarm paused needs a reason."
    assert mutes.refusal(pause(AUDIO, why="")) is None


@pytest.mark.parametrize("vital", Vital, ids=lambda vital: vital.value)
@pytest.mark.parametrize("kind", PauseKind)
def test_a_pause_is_of_a_vital_that_can_alarm_or_is_refused(vital: Vital, kind: PauseKind) -> None:
    refusal = mutes.refusal(pause(kind, vital=vital))
    assert (refusal is None) is any(rule.vital is vital for rule in RULES)
    if vital in (Vital.PULSE_SPO2, Vital.PULSE_NIBP):
        assert refusal is not None
        assert refusal.endswith("it counts as the heart rate. Pause hr.")


def test_a_pause_of_the_heart_rate_holds_back_what_the_oximeters_pulse_raises() -> None:
    ward = Shift()
    assert ward.pauses("3", ALARM, vital=Vital.PULSE_SPO2, seconds=60) is not None
    assert ward.pauses("3", ALARM, vital=Vital.HEART_RATE, seconds=60) is None
    ward.stays("3", seconds=30, pr_spo2=130)
    assert ward.alarm("3", "hr-high-m").quiet is not None


@given(
    st.lists(
        st.builds(
            pause,
            st.sampled_from([AUDIO, AUDIO_OFF, ALARM]),
            st.integers(1, 180_000),
            st.sampled_from([None, *Vital]),
        )
    ),
    st.sampled_from(Vital),
    st.integers(0, 200_000),
)
def test_no_pause_ever_holds_back_the_page_of_a_high(pauses: list[Paused], vital: Vital, now_ms: int) -> None:
    assert mutes.why_unpaged(pauses, BED, vital, Priority.HIGH, now_ms) is None


def test_audio_paused_holds_back_no_page_and_alarm_paused_those_below_high() -> None:
    assert mutes.why_unpaged([pause(AUDIO)], BED, Vital.SPO2, Priority.MEDIUM, 1) is None
    assert mutes.why_unpaged([pause(ALARM)], BED, Vital.SPO2, Priority.MEDIUM, 1) == "alarm paused by sam"


def test_a_pause_covers_its_own_bed_its_own_vital_and_its_own_time() -> None:
    of_spo2 = pause(ALARM, vital=Vital.SPO2)
    assert mutes.covers(of_spo2, BED, Vital.SPO2, 59_999)
    assert not mutes.covers(of_spo2, BED, Vital.SPO2, 60_000)
    assert not mutes.covers(of_spo2, BED, Vital.RESPIRATION, 1)
    assert not mutes.covers(of_spo2, Bed("4"), Vital.SPO2, 1)
    assert mutes.covers(pause(ALARM), BED, Vital.RESPIRATION, 1)
    assert mutes.covers(pause(ALARM), BED, None, 1)


# The same in the ward.


@pytest.mark.shows("ALM-050", "HZ-08")
def test_ALM_050_a_pause_is_shown_with_who_and_until_when_and_ends_by_itself() -> None:
    ward = Shift()
    ward.hears("3", spo2=84, fresh_s=3_600)
    assert ward.pauses("3", AUDIO, seconds=120) is None
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"], quiet="audio paused", quiet_by="sam")
    shown = ward.bed("3").pauses[0]
    assert (shown.kind, shown.by, shown.until_ms) == (AUDIO, "sam", ward.now_ms + 120_000)
    ward.waits(seconds=119)
    assert ward.bed("3").pauses
    ward.waits(seconds=1)
    assert ward.bed("3").pauses == ()
    assert ward.alarm("3", "spo2-low").quiet is None
    assert [(r.by, r.why) for r in ward.of(Resumed)] == [(None, "its time is over")]


def test_audio_paused_pages_all_the_same() -> None:
    ward = Shift()
    ward.pauses("3", AUDIO, seconds=120)
    ward.stays("3", seconds=16, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"], quiet="audio paused", quiet_by="sam")


@pytest.mark.shows("ALM-042", "HZ-08")
def test_ALM_042_a_new_high_ends_the_audio_pause_of_its_bed_and_of_no_other() -> None:
    ward = Shift(("3", "4"))
    ward.pauses("3", AUDIO, seconds=120)
    ward.pauses("4", AUDIO, seconds=120)
    ward.hears("3", spo2=84)
    assert ward.bed("3").pauses == ()
    assert len(ward.bed("4").pauses) == 1
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"], quiet=None)
    assert [r.why for r in ward.of(Resumed)] == ["a new HIGH alarm"]


def test_a_pause_of_one_vital_is_not_ended_by_a_high_of_another() -> None:
    ward = Shift()
    ward.pauses("3", AUDIO, seconds=120, vital=Vital.SPO2)
    ward.stays("3", seconds=11, hr=150, spo2=97)
    ward.shows("3", "hr-high", ACTIVE, paged=["dana"], quiet=None)
    assert len(ward.bed("3").pauses) == 1


def test_alarm_paused_never_holds_back_the_page_of_a_high() -> None:
    ward = Shift()
    ward.pauses("3", ALARM, seconds=180, vital=Vital.SPO2)
    ward.hears("3", spo2=84)
    ward.shows("3", "spo2-low", ACTIVE, paged=["dana"], quiet="alarm paused", quiet_by="sam")


@pytest.mark.shows("ALM-050")
def test_signals_of_a_condition_that_is_still_there_resume_when_the_pause_ends() -> None:
    ward = Shift()
    ward.pauses("3", ALARM, seconds=120, vital=Vital.SPO2)
    ward.stays("3", seconds=100, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=[], quiet="alarm paused", quiet_by="sam", next_page_ms=None)
    ward.stays("3", seconds=21, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"], quiet=None)
    ward.stays("3", seconds=88, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=[])
    ward.stays("3", seconds=2, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["sam"])


def test_a_chain_goes_on_after_a_pause_where_it_stood_and_not_with_everybody_at_once() -> None:
    ward = Shift()
    ward.stays("3", seconds=46, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"])
    ward.pauses("3", ALARM, seconds=180, vital=Vital.SPO2)
    ward.stays("3", seconds=180, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=[])
    ward.stays("3", seconds=58, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=[])
    ward.stays("3", seconds=3, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["sam"])


def test_a_person_ends_a_pause_and_hears_if_it_is_over_already() -> None:
    ward = Shift()
    ward.pauses("3", AUDIO, seconds=60)
    number = ward.bed("3").pauses[0].pause_id
    resumed = Resumed(ward.now_ms, BED, number, Staff("dana"))
    assert ward.ward.refusal(resumed) is None
    ward.feed(resumed)
    assert ward.bed("3").pauses == ()
    assert ward.ward.refusal(resumed) == "This pause has ended."


def test_no_pause_without_a_patient_and_none_on_a_bed_that_is_not_there() -> None:
    ward = Shift(occupied=False)
    assert ward.pauses("3", AUDIO, seconds=60) == "Bed 3 has no open session."
    assert ward.pauses("9", AUDIO, seconds=60) == "There is no bed 9."


@pytest.mark.shows("ALM-043")
def test_a_pause_changes_no_state_and_stops_no_data() -> None:
    paused, plain = Shift(), Shift()
    paused.pauses("3", ALARM, seconds=180)
    for ward in (paused, plain):
        ward.stays("3", seconds=20, spo2=89, hr=70)
        ward.stays("3", seconds=10, spo2=97, hr=70)
    assert paused.states("spo2-low") == plain.states("spo2-low")
    assert paused.bed("3").vitals == plain.bed("3").vitals


# What is off.


def switches(
    ward: Shift, kind: PauseKind, by: str, vital: Vital | None = None, why: str = "asleep"
) -> str | None:
    """Somebody switches something off."""
    act = Paused(ward.now_ms, BED, kind, vital, None, why, Staff(by))
    refusal = ward.ward.refusal(act)
    made = ward.feed(act)
    assert bool(made) is (refusal is None)
    return refusal


@pytest.mark.shows("ALM-050", "HZ-08")
def test_audio_off_is_the_charge_nurses_with_a_reason_and_stays_until_somebody_ends_it() -> None:
    ward = Shift()
    assert switches(ward, AUDIO_OFF, "sam") == "Audio off is for a charge nurse."
    assert switches(ward, AUDIO_OFF, "lee", why=" ") == "Audio off needs a reason."
    assert switches(ward, AUDIO_OFF, "lee") is None
    ward.stays("3", seconds=16, spo2=91)
    ward.shows("3", "spo2-low-m", ACTIVE, paged=["dana"], quiet="audio off", quiet_by="lee")
    ward.stays("3", minutes=20, spo2=91)
    (shown,) = ward.bed("3").pauses
    assert (shown.kind, shown.until_ms, shown.by) == (AUDIO_OFF, None, "lee")
    ward.feed(Resumed(ward.now_ms, BED, shown.pause_id, Staff("dana")))
    assert ward.alarm("3", "spo2-low-m").quiet is None


@pytest.mark.shows("ALM-052", "HZ-08")
def test_alarm_off_is_a_prescribers_and_not_offered_where_a_drug_may_be_at_work() -> None:
    ward = Shift()
    assert switches(ward, ALARM_OFF, "lee", Vital.SPO2) == "Alarm off is for a prescriber."
    refused = "Alarm off is not offered while a drug may be at work."
    assert switches(ward, ALARM_OFF, "ida", Vital.SPO2) == refused


@pytest.mark.shows("ALM-052")
def test_there_is_no_switch_for_all_alarms_nor_for_all_beds() -> None:
    ward = Shift()
    whole = "Say which vital's alarms are off: there is no switch for all of them."
    assert switches(ward, ALARM_OFF, "ida") == whole
    act = Paused(ward.now_ms, Bed(""), AUDIO, None, ward.now_ms + 60_000, "", Staff("lee"))
    assert ward.ward.refusal(act) == "There is no bed ."


def test_what_is_off_ends_with_its_session_and_outlives_a_restart() -> None:
    ward = Shift()
    switches(ward, AUDIO_OFF, "lee")
    ward.restarts(after_s=3)
    assert [p.kind for p in ward.bed("3").pauses] == [AUDIO_OFF]
    assert ward.discharges("3") is None
    ward.admits("3", "B2")
    assert ward.bed("3").pauses == ()


def test_alarm_off_holds_back_every_page_and_what_is_off_has_no_end_of_its_own() -> None:
    of_spo2 = pause(ALARM_OFF, vital=Vital.SPO2)
    assert mutes.why_unpaged([of_spo2], BED, Vital.SPO2, Priority.HIGH, 1) == "alarm off by sam"
    assert mutes.why_unpaged([of_spo2], BED, Vital.RESPIRATION, Priority.MEDIUM, 1) is None
    ended = replace(of_spo2, until_ms=60_000)
    assert mutes.refusal(ended) == "Alarm off has no end of its own."


@pytest.mark.shows("ALM-052")
def test_what_was_quiet_before_the_drug_is_so_no_longer_once_it_is_given() -> None:
    visit = Treated()
    visit.to_start()
    shift = visit.shift
    asked = Paused(visit.now_ms, visit.bed, ALARM_OFF, Vital.SPO2, None, "a probe is put on", KIM)
    assert shift.ward.refusal(asked) is None
    shift.feed(asked)
    assert [p.kind for p in shift.bed(visit.bed).pauses] == [ALARM_OFF]
    visit.waits(1)
    visit.does(visit.device(1))
    assert shift.bed(visit.bed).pauses == ()
    assert [r.why for r in shift.of(Resumed)] == ["the drug is given"]
    assert "not offered" in str(shift.ward.refusal(replace(asked, at_ms=visit.now_ms)))


def test_of_two_that_keep_an_alarm_quiet_the_one_that_takes_its_light_is_named() -> None:
    both = [pause(AUDIO), pause(ALARM, vital=Vital.SPO2)]
    found = mutes.silencer(both, BED, Vital.SPO2, 1)
    assert found is not None
    assert found.kind is ALARM
    assert mutes.silencer(both[:1], BED, Vital.SPO2, 1) == both[0]
