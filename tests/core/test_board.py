"""The board: who speaks for whom, who was first, and that a move made again changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.board import Alarm, Board
from monitor.alerts.rules import RULES
from monitor.model import Acked, AlarmState, Bed, Cue, Priority, Staff

BED = Bed("3")
BY_NAME = {rule.name: rule for rule in RULES}
ACTIVE, ACKED, LATCHED, CLEAR, PENDING = (
    AlarmState.ACTIVE,
    AlarmState.ACKED,
    AlarmState.LATCHED,
    AlarmState.CLEAR,
    AlarmState.PENDING,
)
FAMILY = ("spo2-low", "spo2-low-m", "spo2-low-l")


def cue(board: Board, rule: str, what: Cue, at_ms: int, bed: Bed = BED) -> Alarm | None:
    """What the ward does with one cue."""
    key = bed, rule, None
    alarm = board.at(*key)
    if what is Cue.ACK and alarm is not None:
        board.acked(Acked(at_ms, alarm.alarm_id, Staff("dana")))
    moved = board.move(key, what, at_ms)
    return board.apply(moved) if moved else board.at(*key)


def raised(*rules: str) -> Board:
    """These are active, in this order, a second apart."""
    board = Board(BY_NAME)
    for second, rule in enumerate(rules):
        cue(board, rule, Cue.HELD, second * 1_000)
    return board


def speaker(board: Board, rule: str) -> str | None:
    """Which rule speaks for this one."""
    alarm = board.at(BED, rule)
    assert alarm is not None
    found = board.speaker(alarm)
    return found.rule.name if found else None


def test_the_worst_alarm_of_one_cause_speaks_for_the_lesser() -> None:
    board = raised("spo2-low-m", "spo2-low")
    assert [speaker(board, rule) for rule in ("spo2-low", "spo2-low-m")] == [None, "spo2-low"]
    cue(board, "spo2-low-l", Cue.HELD, 9_000)
    assert speaker(board, "spo2-low-l") in {"spo2-low", "spo2-low-m"}


def test_it_goes_on_speaking_while_somebody_is_at_the_bed() -> None:
    board = raised("spo2-low-m", "spo2-low")
    cue(board, "spo2-low", Cue.ACK, 5_000)
    assert speaker(board, "spo2-low-m") == "spo2-low"


def test_once_it_has_ended_the_lesser_speaks_for_itself_again() -> None:
    board = raised("spo2-low-m", "spo2-low")
    cue(board, "spo2-low", Cue.END, 5_000)
    assert speaker(board, "spo2-low-m") is None


def test_of_two_alike_the_older_speaks_as_long_as_it_sounds() -> None:
    board = raised("sbp-high", "dbp-high")
    assert [speaker(board, rule) for rule in ("sbp-high", "dbp-high")] == [None, "sbp-high"]
    cue(board, "sbp-high", Cue.ACK, 5_000)
    assert speaker(board, "dbp-high") is None


def test_what_is_only_pending_speaks_for_nobody() -> None:
    board = raised("spo2-low-m")
    cue(board, "spo2-low", Cue.ONSET, 5_000)
    assert speaker(board, "spo2-low-m") is None


def test_another_cause_and_another_bed_speak_for_themselves() -> None:
    board = raised("spo2-low", "rr-low-m")
    cue(board, "spo2-low-m", Cue.HELD, 9_000, Bed("4"))
    assert speaker(board, "rr-low-m") is None
    other = board.at(Bed("4"), "spo2-low-m")
    assert other is not None
    assert board.speaker(other) is None


def test_one_cause_one_acknowledgement() -> None:
    board = raised("spo2-low-l", "spo2-low-m", "spo2-low", "hr-low")
    high = board.at(BED, "spo2-low")
    assert high is not None
    assert {a.rule.name for a in board.same_cause(high.alarm_id)} == set(FAMILY)


@pytest.mark.shows("ALM-048")
def test_ALM_048_who_was_first_is_known_after_the_alarm_is_over() -> None:
    board = raised("spo2-low")
    cue(board, "spo2-low", Cue.ACK, 5_000)
    ack = board.last_ack(1)
    assert ack is not None
    assert (ack.by, ack.at_ms) == ("dana", 5_000)
    cue(board, "spo2-low", Cue.END, 9_000)
    assert board.get(1) is None
    assert board.last_ack(1) == ack


def test_an_alarm_that_sounds_again_is_nobodys() -> None:
    board = raised("spo2-low")
    cue(board, "spo2-low", Cue.ACK, 5_000)
    alarm = cue(board, "spo2-low", Cue.LAPSE, 125_000)
    assert alarm is not None
    assert (alarm.state, alarm.acked_by, alarm.acked_at_ms) == (ACTIVE, None, None)
    assert board.last_ack(1) is None


def test_the_start_is_the_first_breach_and_the_raised_time_is_kept_apart() -> None:
    board = Board(BY_NAME)
    pending = board.move((BED, "spo2-low", None), Cue.ONSET, 1_000, since_ms=1_000)
    assert pending is not None
    board.apply(pending)
    alarm = cue(board, "spo2-low", Cue.HELD, 11_000)
    assert alarm is not None
    assert (alarm.since_ms, alarm.raised_at_ms) == (1_000, 11_000)


@pytest.mark.shows("ALM-047")
def test_ALM_047_an_id_is_never_given_twice() -> None:
    board = raised("spo2-low-m")
    cue(board, "spo2-low-m", Cue.END, 1_000)
    alarm = cue(board, "spo2-low-m", Cue.HELD, 2_000)
    assert alarm is not None
    assert alarm.alarm_id == 2


steps = st.lists(st.tuples(st.sampled_from(FAMILY), st.sampled_from(list(Cue))), max_size=30)


@pytest.mark.shows("HZ-04")
@given(steps)
def test_at_most_one_of_a_cause_is_heard_and_a_high_that_sounds_is_always_heard(
    told: list[tuple[str, Cue]],
) -> None:
    board = Board(BY_NAME)
    for second, (rule, what) in enumerate(told):
        cue(board, rule, what, second * 1_000)
    sounding = [a for a in board if a.state is ACTIVE]
    heard = [a for a in sounding if board.speaker(a) is None]
    assert len(heard) <= 1
    if any(a.priority is Priority.HIGH for a in sounding):
        assert [a.priority for a in heard] == [Priority.HIGH]
    if sounding and not heard:
        assert any(a.state is ACKED for a in board), "who is silent must have somebody who speaks"


@given(steps)
def test_the_moves_alone_make_the_same_board(told: list[tuple[str, Cue]]) -> None:
    live, again = Board(BY_NAME), Board(BY_NAME)
    for second, (rule, what) in enumerate(told):
        alarm = live.at(BED, rule)
        if what is Cue.ACK and alarm is not None:
            ack = Acked(second * 1_000, alarm.alarm_id, Staff("dana"))
            live.acked(ack)
            again.acked(ack)
        moved = live.move((BED, rule, None), what, second * 1_000)
        if moved is not None:
            live.apply(moved)
            again.apply(moved)
    assert list(live) == list(again)
