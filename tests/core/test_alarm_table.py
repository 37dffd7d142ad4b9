"""The life of one alarm: the table is total, and nothing loud goes quiet by itself."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.alarm import (
    ACK_LASTS_MS,
    CUES,
    LATCHING,
    SELF_CLEARING,
    ack_until_ms,
    diagram,
    step,
    table,
)
from monitor.model import AlarmState, Cue, Priority

CLEAR, PENDING, ACTIVE, ACKED, LATCHED = AlarmState
README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("law", [LATCHING, SELF_CLEARING])
def test_the_table_is_total(law: dict[AlarmState, tuple[AlarmState, ...]]) -> None:
    assert set(law) == set(AlarmState)
    assert set(CUES) == set(Cue)
    assert all(len(row) == len(CUES) and set(row) <= set(AlarmState) for row in law.values())


@pytest.mark.shows("ALM-040")
@pytest.mark.parametrize(("state", "cue", "priority"), list(product(AlarmState, Cue, Priority)))
def test_nothing_loud_goes_quiet_but_by_end_acknowledgement_or_discharge(
    state: AlarmState, cue: Cue, priority: Priority
) -> None:
    after = step(state, cue, priority)
    if state is ACTIVE and after is not ACTIVE:
        assert cue in {Cue.END, Cue.ACK, Cue.DISCHARGE}


@pytest.mark.shows("ALM-040", "ALM-041")
@pytest.mark.parametrize("state", [PENDING, ACTIVE, ACKED, LATCHED])
def test_a_high_that_has_sounded_leaves_the_screen_only_once_somebody_has_looked(state: AlarmState) -> None:
    leaves = {cue for cue in Cue if step(state, cue, Priority.HIGH) is CLEAR}
    allowed = {
        PENDING: {Cue.END, Cue.DISCHARGE},
        ACTIVE: {Cue.DISCHARGE},
        ACKED: {Cue.END, Cue.DISCHARGE},
        LATCHED: {Cue.ACK, Cue.DISCHARGE},
    }
    assert leaves == allowed[state]


@pytest.mark.shows("ALM-043")
@given(st.lists(st.sampled_from(list(Cue))), st.sampled_from(Priority))
def test_a_condition_that_holds_is_always_on_the_screen(cues: list[Cue], priority: Priority) -> None:
    state = CLEAR
    for cue in cues:
        state = step(state, cue, priority)
    assert step(state, Cue.HELD, priority) in {ACTIVE, ACKED}


@given(st.lists(st.sampled_from(list(Cue))), st.sampled_from(Priority))
def test_to_be_told_the_same_twice_changes_nothing(cues: list[Cue], priority: Priority) -> None:
    """Cues are levels: a restart that says again what is true does no harm."""
    state = CLEAR
    for cue in cues:
        state = step(state, cue, priority)
        if cue in {Cue.ONSET, Cue.HELD, Cue.END, Cue.DISCHARGE}:
            assert step(state, cue, priority) is state


@pytest.mark.shows("ALM-042")
def test_an_acknowledgement_is_worth_nothing_before_there_is_an_alarm() -> None:
    assert step(CLEAR, Cue.ACK, Priority.HIGH) is CLEAR
    assert step(PENDING, Cue.ACK, Priority.HIGH) is PENDING


@pytest.mark.shows("ALM-041")
def test_ALM_041_only_high_latches() -> None:
    assert table(Priority.HIGH)[ACTIVE][CUES.index(Cue.END)] is LATCHED
    for priority in (Priority.MEDIUM, Priority.LOW):
        assert table(priority)[ACTIVE][CUES.index(Cue.END)] is CLEAR
        differs = [s for s in AlarmState if table(priority)[s] != LATCHING[s]]
        assert differs == [ACTIVE]


@pytest.mark.shows("ALM-044")
def test_ALM_044_an_acknowledgement_holds_two_minutes_for_high_and_five_for_medium() -> None:
    assert ack_until_ms(Priority.HIGH, 1_000) == 121_000
    assert ack_until_ms(Priority.MEDIUM, 1_000) == 301_000
    assert ack_until_ms(Priority.LOW, 1_000) is None
    assert set(ACK_LASTS_MS) == set(Priority)


def test_the_readme_draws_the_table_as_it_is() -> None:
    found = re.search(
        r"<!-- alarm-life:begin -->\n```mermaid\n(.*?)\n```\n<!-- alarm-life:end -->",
        README.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found is not None, "README.md has lost the markers of the diagram"
    assert found.group(1) == diagram()


def test_the_diagram_draws_every_move_and_no_other() -> None:
    drawn = set()
    for was, now, cues in re.findall(r"^    (\w+) --> (\w+): (.+)$", diagram(), re.MULTILINE):
        drawn |= {(was, now, cue) for cue in cues.split(", ")}
    moves = {
        (state.name, after.name, cue.name)
        for state, row in LATCHING.items()
        for cue, after in zip(CUES, row, strict=True)
        if after is not state
    }
    assert drawn == moves
