"""What a screen is shown: units, nothing old as new, and after each turn exactly what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from monitor.api.views import answers, records, turns
from monitor.model import (
    CLINIC,
    Accepted,
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    Cue,
    Cuff,
    CuffTaken,
    DeviceNoted,
    Discharged,
    DutySet,
    Event,
    LinkMoved,
    LinkState,
    Outcome,
    PageOrdered,
    PageReported,
    PartMoved,
    Paused,
    PauseKind,
    Priority,
    Quality,
    ScreenMoved,
    ServiceStarted,
    SoundSaid,
    SoundState,
    Staff,
    Vital,
    VitalTyped,
    Why,
)
from monitor.snapshot import AlarmNow, CuffNow, SoundNow
from tests.shells.api_clinic import BED3, BED4, MONITOR3, NOON_MS, WardByHand, alarm, page, session, vital

ANNA = Staff("anna")


def moved(alarm_id: int = 1, now: AlarmState = AlarmState.ACTIVE) -> AlarmMoved:
    return AlarmMoved(
        NOON_MS,
        alarm_id,
        BED3,
        "spo2-low-m",
        Priority.MEDIUM,
        AlarmState.PENDING,
        now,
        Cue.HELD,
        NOON_MS,
        88.0,
        90.0,
    )


def told_after(
    events: Sequence[Event], ward: WardByHand, told: turns.Told | None = None, after_seq: int | None = None
) -> list[Any]:
    """The changes as they go out: decoded JSON."""
    told = told if told is not None else ward.told()
    found = turns.changes(events, ward, told, ward.at_ms, after_seq)
    return list(msgspec.json.decode(msgspec.json.encode(found)))


def kinds(changes: list[Any]) -> list[str]:
    return [change["kind"] for change in changes]


def test_a_reading_changes_its_vital_and_many_of_one_vital_change_it_once() -> None:
    ward = WardByHand()
    (change,) = told_after([ward.reads(95.0), ward.reads(94.0), ward.reads(93.0)], ward)
    assert (change["kind"], change["bed"], change["vital"], change["value"], change["unit"]) == (
        "vital",
        "3",
        "spo2",
        93,
        "%",
    )


def test_a_late_reading_is_history_and_changes_no_screen() -> None:
    ward = WardByHand()
    assert told_after([msgspec.structs.replace(ward.reads(95.0), late=True)], ward) == []


def test_a_bed_that_is_told_whole_is_not_told_in_parts() -> None:
    ward = WardByHand()
    cuff = CuffTaken(NOON_MS, NOON_MS, BED3, MONITOR3, Cuff(120.0, 80.0))
    assert kinds(told_after([ward.reads(95.0), cuff], ward)) == ["bed"]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (VitalTyped(NOON_MS, BED3, Vital.TEMPERATURE, 36.6, ANNA), ["bed"]),
        (Paused(NOON_MS, BED3, PauseKind.AUDIO, None, NOON_MS + 1, "", ANNA, 1), ["bed"]),
        (DutySet(NOON_MS, (ANNA,), (), ANNA), ["duty", "bed", "bed"]),
        (LinkMoved(NOON_MS, MONITOR3, LinkState.UP, LinkState.DOWN, "unplugged", NOON_MS), ["link", "bed"]),
        (DeviceNoted(NOON_MS, MONITOR3, ("probe off",)), ["link", "bed"]),
        (PartMoved(NOON_MS, "journal", ok=False, why="disk full", since_ms=NOON_MS), ["part"]),
        (PageReported(NOON_MS, 5, "push", Outcome.SENT), ["page", "alarm"]),
        (Accepted(NOON_MS, 5, ANNA), ["page", "alarm"]),
        (
            PageOrdered(NOON_MS, 5, 1, BED3, "spo2-low-m", Priority.MEDIUM, 0, ANNA, Why.FIRST, ""),
            ["page", "alarm"],
        ),
        (Acked(NOON_MS, 1, ANNA), ["alarm"]),
        (moved(), ["alarm"]),
        (ServiceStarted(NOON_MS, "1", None), []),
        (Discharged(NOON_MS, 7, ANNA), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_event_changes_what_it_is_about(event: Event, expected: list[str]) -> None:
    ward = WardByHand()
    ward.alarms[1] = alarm()
    assert kinds(told_after([event], ward)) == expected


@pytest.mark.parametrize("told", [(alarm(),), ()], ids=["told", "never told"])
def test_an_alarm_that_is_over_is_taken_off_the_screen(told: tuple[AlarmNow, ...]) -> None:
    ward = WardByHand()
    (change,) = told_after([moved(now=AlarmState.CLEAR)], ward, ward.told(*told))
    assert change == {"kind": "alarm", "alarm": {"alarm_id": 1, "bed": "3", "state": "clear"}}


def test_what_is_in_the_journal_carries_its_number_there() -> None:
    ward = WardByHand()
    ward.alarms = {1: alarm()}
    ward.sounds["floor"] = SoundNow("floor", True, False, ANNA, NOON_MS, None, None)  # noqa: FBT003  paired, off
    events: list[Event] = [
        ward.reads(95.0, BED4),
        moved(),  # 42
        DeviceNoted(NOON_MS, MONITOR3, ("probe off",)),
        PageOrdered(NOON_MS, 5, 1, BED3, "spo2-low-m", Priority.MEDIUM, 0, ANNA, Why.FIRST, ""),  # 43
        LinkMoved(NOON_MS, MONITOR3, LinkState.UP, LinkState.DOWN, "unplugged", NOON_MS),  # 44
        DeviceNoted(NOON_MS, MONITOR3, ("probe on",)),
        PartMoved(NOON_MS, "journal", ok=True, why="", since_ms=NOON_MS),  # 45
        SoundSaid(NOON_MS, "floor", paired=True, state=SoundState.OFF, by=ANNA),  # 46
    ]
    found = told_after(events, ward, after_seq=41)
    assert [(change["kind"], change.get("seq")) for change in found] == [
        ("link", 44), ("bed", 44), ("vital", None), ("page", 43), ("alarm", 43), ("part", 45), ("sound", 46),
    ]  # fmt: skip
    assert not any("seq" in change for change in told_after(events, ward)), "none is made up"


def test_an_alarm_that_reads_differently_carries_the_number_of_what_made_it_so() -> None:
    ward = WardByHand()
    ward.alarms = {1: alarm(1), 2: alarm(2, BED4)}
    told = ward.told(*ward.alarms.values())
    ward.alarms = {1: alarm(1, quiet="audio paused", quiet_by=ANNA), 2: alarm(2, BED4, next_page_ms=NOON_MS)}
    pause = Paused(NOON_MS, BED3, PauseKind.AUDIO, None, NOON_MS + 1, "", ANNA, 1)
    found = told_after([pause, DutySet(NOON_MS, (ANNA,), (), ANNA)], ward, told, after_seq=6)
    assert {(c["alarm"]["alarm_id"], c["seq"]) for c in found if c["kind"] == "alarm"} == {(1, 7), (2, 8)}


def test_a_display_is_told_the_same_numbers() -> None:
    ward = WardByHand()
    pause = Paused(NOON_MS, BED3, PauseKind.AUDIO, None, NOON_MS + 1, "", ANNA, 1)
    turn = turns.Turn(1, NOON_MS, turns.changes([pause], ward, ward.told(), NOON_MS, 6))
    (change,) = turns.turn_without_alias(turn).changes
    assert isinstance(change, turns.BedChange)
    assert (change.seq, change.bed.session and change.bed.session.alias) == (7, None)


def test_the_sound_of_a_screen_is_told_until_it_is_a_screen_no_more() -> None:
    ward = WardByHand()
    ward.sounds["floor"] = SoundNow("floor", True, False, ANNA, NOON_MS, NOON_MS - 1, Staff("ben"))  # noqa: FBT003  paired, off
    said = SoundSaid(NOON_MS, "floor", paired=True, state=SoundState.OFF, by=ANNA)
    (change,) = told_after([said], ward)
    assert change["sound"] == {
        "screen": "floor", "paired": True, "state": "off", "by": "anna", "at_ms": NOON_MS,
        "checked_at_ms": NOON_MS - 1, "checked_by": "ben",
    }  # fmt: skip
    ward.sounds.clear()
    gone = {"kind": "sound", "sound": {"screen": "floor", "state": None}}
    assert told_after([replace(said, state=None)], ward) == [gone]
    assert told_after([ScreenMoved(NOON_MS, "floor", paired=False, by=ANNA)], ward) == [gone]


def test_a_pause_is_told_of_every_alarm_it_makes_quiet_and_of_no_other() -> None:
    ward = WardByHand()
    ward.alarms = {1: alarm(1), 2: alarm(2), 3: alarm(3, BED4)}
    told = ward.told(*ward.alarms.values())
    ward.alarms[1] = alarm(1, quiet="audio paused", quiet_by=ANNA)
    pause = Paused(NOON_MS, BED3, PauseKind.AUDIO, None, NOON_MS + 1, "", ANNA, 1)
    changes = told_after([pause], ward, told)
    assert kinds(changes) == ["bed", "alarm"]
    assert (changes[1]["alarm"]["quiet"], changes[1]["alarm"]["quiet_by"]) == ("audio paused", "anna")
    assert told_after([pause], ward, told)[1:] == [], "nothing new is not told again"


def test_a_worse_alarm_tells_what_it_speaks_for() -> None:
    ward = WardByHand()
    ward.alarms = {1: alarm(1)}
    told = ward.told(*ward.alarms.values())
    ward.alarms = {1: alarm(1, spoken_for=True), 2: alarm(2, priority=Priority.HIGH)}
    changes = told_after([moved(2)], ward, told)
    assert [(c["alarm"]["alarm_id"], c["alarm"]["spoken_for"]) for c in changes] == [(2, False), (1, True)]


@pytest.mark.shows("ALM-070", "HZ-05")
@pytest.mark.parametrize("quality", list(Quality))
def test_a_value_is_shown_only_if_it_may_be_believed(quality: Quality) -> None:
    shown = records.vital_shown(vital(97.0, quality=quality))
    assert (shown.value == 97.0) is (quality in {Quality.VALID, Quality.QUESTIONABLE})
    assert shown.last_value == 97.0


@pytest.mark.shows("ALM-070")
def test_old_is_never_shown_as_new() -> None:
    fresh = records.vital_shown(vital(97.0), now_ms=NOON_MS + 10_000)
    old = records.vital_shown(vital(97.0), now_ms=NOON_MS + 10_001)
    assert (fresh.value, fresh.why) == (97.0, None)
    assert (old.value, old.why, old.last_value, old.last_at_ms) == (None, "no recent value", 97.0, NOON_MS)


def test_a_failed_cuff_has_no_numbers_and_keeps_its_reason() -> None:
    shown = records.cuff_shown(
        CuffNow(None, None, MONITOR3, None, NOON_MS, "cuff leak", None, NOON_MS + 60_000, None)
    )
    assert (shown.systolic_mmhg, shown.failed_why, shown.next_due_at_ms) == (
        None,
        "cuff leak",
        NOON_MS + 60_000,
    )
    doubted = records.cuff_shown(
        CuffNow(Cuff(300.0, 80.0, quality=Quality.INVALID), NOON_MS, None, None, None, None, None, None, None)
    )
    assert doubted.systolic_mmhg is None


def test_a_mean_that_was_worked_out_is_not_shown_as_measured() -> None:
    derived = Cuff(120.0, 78.0, 92.0, derived_mean=True)
    measured = Cuff(120.0, 78.0, 91.0)
    means = [
        records.cuff_shown(CuffNow(cuff, NOON_MS, MONITOR3, None, None, None, None, None, None)).mean_mmhg
        for cuff in (derived, measured)
    ]
    assert means == [None, 91.0]


def test_not_a_number_goes_out_as_null() -> None:
    assert b'"value":null' in msgspec.json.encode(records.vital_shown(vital(float("nan"))))


def test_what_is_shown_has_the_keys_the_dashboard_reads() -> None:
    ward = WardByHand()
    bed = msgspec.to_builtins(records.bed_shown(ward.bed_now(BED3)))
    assert set(bed) == {
        "bed", "place", "session", "nurse", "vitals", "cuff", "cuff_refusal", "limits", "pauses", "devices",
        "treatment",
    }  # fmt: skip
    assert set(bed["session"]) >= {
        "session", "alias", "profile", "phase", "opened_at_ms", "opened_by", "cuff_interval_ms", "baseline",
    }  # fmt: skip
    assert set(bed["session"]["baseline"]) == {
        "systolic_mmhg", "diastolic_mmhg", "heart_rate_per_min", "spo2_percent", "respiration_per_min",
    }  # fmt: skip
    assert set(bed["vitals"]["spo2"]) == {
        "vital", "value", "unit", "quality", "why", "at_ms", "fresh_until_ms", "device", "instead_of", "by",
        "last_value", "last_at_ms",
    }  # fmt: skip
    assert set(bed["cuff"]) == {
        "systolic_mmhg", "diastolic_mmhg", "mean_mmhg", "pulse_per_min", "quality", "why", "measured_at_ms",
        "device", "by", "failed_at_ms", "failed_why", "running_since_ms", "next_due_at_ms", "old_after_at_ms",
    }  # fmt: skip
    assert set(bed["limits"][0]) == {
        "rule", "condition", "vital", "side", "priority", "limit", "default", "unit", "inclusive", "hold_ms",
        "severe", "set_by", "set_why", "low_span", "high_span",
    }  # fmt: skip
    assert set(bed["pauses"][0]) == {
        "pause_id", "bed", "kind", "vital", "since_ms", "until_ms", "by", "why",
    }  # fmt: skip
    assert set(msgspec.to_builtins(records.alarm_shown(alarm()))) == {
        "alarm_id", "bed", "rule", "priority", "technical", "vital", "device", "state", "since_ms",
        "raised_at_ms", "value", "limit", "unit", "text", "note", "acked_by", "acked_at_ms", "ack_until_ms",
        "quiet", "quiet_by", "spoken_for", "accepted_by", "next_page_at_ms", "session", "over_at_ms",
    }  # fmt: skip
    assert set(msgspec.to_builtins(records.page_shown(page()))) == {
        "page_id", "alarm_id", "bed", "rule", "priority", "step", "to", "why", "text", "ordered_at_ms",
        "outcomes", "answer", "answered_by", "answered_at_ms", "over", "over_at_ms",
    }  # fmt: skip


def test_an_alarm_is_named_by_its_condition_beside_its_priority() -> None:
    assert [records.condition(rule) for rule in ("spo2-low", "spo2-low-m", "sbp-high-l", "hr-none")] == [
        "spo2-low",
        "spo2-low",
        "sbp-high",
        "hr-none",
    ]
    shown = records.alarm_shown(alarm())
    assert (shown.rule, shown.priority, shown.unit) == ("spo2-low", "MEDIUM", "%")


def test_past_alarms_of_a_bed_are_those_of_the_patient_who_is_there() -> None:
    ward = WardByHand()
    clear: dict[str, Any] = {"state": AlarmState.CLEAR, "over_at_ms": NOON_MS}
    ward.over = (
        alarm(1, session=7, **clear), alarm(2, session=6, **clear), alarm(3, session=None, **clear),
        alarm(4, BED4, session=None, **clear), alarm(5, CLINIC, session=None, **clear),
    )  # fmt: skip

    def listed(bed: Bed | None = None, limit: int = 10) -> list[int]:
        shown = answers.alarms_shown(ward.snapshot(), AlarmState.CLEAR, bed, limit)
        return [each.alarm_id for each in shown.alarms]

    assert listed() == [5, 1]
    assert (listed(BED3), listed(BED4), listed(limit=1)) == ([1], [], [5])
    ward.beds[BED3] = replace(ward.beds[BED3], session=session(8, opened_at_ms=NOON_MS + 1))
    assert listed() == [5]
