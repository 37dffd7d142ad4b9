"""The table of a treatment session: total, and nothing in it leads round the floor or out of the end."""

from __future__ import annotations

from itertools import product

import pytest

from monitor.sessions.law import BY_CLOCK, LAW, MOVES, Cell, diagram, possible_in, refusal, step
from monitor.treatment import SIDE, TITLES, Move, Phase

ALL = list(product(Phase, Move))


def test_the_table_is_total() -> None:
    assert set(LAW) == set(Phase)
    assert sorted(MOVES) == sorted(Move)
    assert all(len(row) == len(MOVES) for row in LAW.values())
    assert set(TITLES) == set(Phase)


@pytest.mark.parametrize(("phase", "move"), ALL)
def test_every_move_the_table_forbids_is_answered_in_words(phase: Phase, move: Move) -> None:
    if step(phase, move) is Cell.NO:
        words = refusal(phase, move)
        assert words.endswith(".")
        assert phase is Phase.CLOSED or move.value in words
        assert possible_in(move)


@pytest.mark.parametrize("move", Move)
def test_nothing_leads_out_of_the_end(move: Move) -> None:
    assert step(Phase.CLOSED, move) is Cell.NO


def test_only_these_lead_to_the_end() -> None:
    ways = {(phase, move) for phase, move in ALL if step(phase, move) is Phase.CLOSED}
    assert ways == {
        (Phase.READY, Move.CLOSE),
        (Phase.TRANSFERRED, Move.CLOSE),
        (Phase.ABORTED_BEFORE_DOSE, Move.CLOSE),
    }


@pytest.mark.parametrize("phase", sorted(set(Phase) - SIDE - {Phase.CLOSED}))
def test_4_2_side_states_from_any_phase(phase: Phase) -> None:
    assert step(phase, Move.HOLD) is Phase.HELD
    assert step(phase, Move.STOP) is Phase.STOPPED
    assert step(phase, Move.EMERGENCY) is Phase.EMERGENCY
    assert step(phase, Move.TRANSFER) is Phase.TRANSFERRED


@pytest.mark.parametrize("phase", [Phase.CHECK_IN, Phase.BASELINE, Phase.TIMEOUT])
def test_4_2_aborted_before_dose_from_any_phase_before_it(phase: Phase) -> None:
    assert step(phase, Move.ABORT) is Phase.ABORTED_BEFORE_DOSE


@pytest.mark.parametrize("phase", [Phase.HELD, Phase.STOPPED, Phase.EMERGENCY])
def test_a_side_state_goes_on_where_it_was(phase: Phase) -> None:
    assert step(phase, Move.RESUME) is Cell.BACK


@pytest.mark.parametrize(("phase", "move"), ALL)
def test_ready_is_reached_only_from_the_last_phase_of_a_course(phase: Phase, move: Move) -> None:
    if step(phase, move) is Phase.READY:
        assert (phase, move) in {
            (Phase.DECLINE, Move.TO_READY),
            (Phase.LATE_RECOVERY, Move.TO_READY),
        }


def test_the_clock_alone_never_ends_a_session() -> None:
    ends = {Phase.READY, Phase.CLOSED, Phase.TRANSFERRED, Phase.ABORTED_BEFORE_DOSE}
    assert not [(phase, move) for phase, move in ALL if move in BY_CLOCK and step(phase, move) in ends]


def test_the_diagram_shows_every_phase_that_is_no_side_state() -> None:
    for phase in set(Phase) - SIDE:
        assert phase.value in diagram()
