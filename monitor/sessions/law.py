"""The life of a treatment session as one total table: what may be done where, and what follows. Data only.

A cell is the phase that follows, `BACK` (the phase that goes on under a side state) or `NO`. The table says
what is possible; what must be there first is asked of the therapy (`needs.py`). Its source is protocols.md,
3.3 and 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from monitor.treatment import SIDE, TITLES, Move, Phase


class Cell(Enum):
    """The two cells that are no phase."""

    NO = "not possible here"
    BACK = "the phase that goes on underneath"


__, BK = Cell.NO, Cell.BACK
BL, TO, DO, ON = Phase.BASELINE, Phase.TIMEOUT, Phase.DOSING, Phase.ONSET
C4, DE, IN = Phase.CHECK_40, Phase.DECLINE, Phase.INFUSION
ER, LR, RD, CL = Phase.EARLY_RECOVERY, Phase.LATE_RECOVERY, Phase.READY, Phase.CLOSED
HE, ST, EM, TR, AB = (
    Phase.HELD,
    Phase.STOPPED,
    Phase.EMERGENCY,
    Phase.TRANSFERRED,
    Phase.ABORTED_BEFORE_DOSE,
)

MOVES = (
    Move.CHECKED_IN,
    Move.TO_TIMEOUT,
    Move.START,
    Move.DEVICE,
    Move.LAST_DEVICE,
    Move.NO_MORE,
    Move.WINDOW,
    Move.CHECKED,
    Move.MISSED,
    Move.END,
    Move.LATER,
    Move.TO_READY,
    Move.CLOSE,
    Move.HOLD,
    Move.RESUME,
    Move.STOP,
    Move.EMERGENCY,
    Move.TRANSFER,
    Move.ABORT,
)

# fmt: off
LAW: Mapping[Phase, tuple[Phase | Cell, ...]] = {
    # in checked in, to time-out, go start, de device, la last device, no no more, wi window, ck checked,
    # mi missed, en end, lr later, rd to ready, cl close, ho hold, re resume, st stop, em emergency,
    # tr transfer, ab abort
    #                           in  to  go  de  la  no  wi  ck  mi  en  lr  rd  cl  ho  re  st  em  tr  ab
    Phase.CHECK_IN:            (BL, __, __, __, __, __, __, __, __, __, __, __, __, HE, __, ST, EM, TR, AB),
    Phase.BASELINE:            (__, TO, __, DO, ON, __, __, __, __, __, __, __, __, HE, __, ST, EM, TR, AB),
    Phase.TIMEOUT:             (__, __, IN, __, __, __, __, __, __, __, __, __, __, HE, __, ST, EM, TR, AB),
    Phase.DOSING:              (__, __, __, DO, ON, ON, __, __, __, __, __, __, __, HE, __, ST, EM, TR, __),
    Phase.ONSET:               (__, __, __, __, __, __, C4, __, __, __, __, __, __, HE, __, ST, EM, TR, __),
    Phase.CHECK_40:            (__, __, __, __, __, __, __, DE, DE, __, __, __, __, HE, __, ST, EM, TR, __),
    Phase.DECLINE:             (__, __, __, __, __, __, __, __, __, __, __, RD, __, HE, __, ST, EM, TR, __),
    Phase.INFUSION:            (__, __, __, __, __, __, __, __, __, ER, __, __, __, HE, __, ST, EM, TR, __),
    Phase.EARLY_RECOVERY:      (__, __, __, __, __, __, __, __, __, __, LR, __, __, HE, __, ST, EM, TR, __),
    Phase.LATE_RECOVERY:       (__, __, __, __, __, __, __, __, __, __, __, RD, __, HE, __, ST, EM, TR, __),
    Phase.READY:               (__, __, __, __, __, __, __, __, __, __, __, __, CL, HE, __, ST, EM, TR, __),
    Phase.CLOSED:              (__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __),
    Phase.HELD:                (__, __, __, __, __, __, __, HE, HE, HE, __, __, __, __, BK, ST, EM, TR, AB),
    Phase.STOPPED:             (__, __, __, __, __, __, __, ST, ST, __, __, __, __, __, BK, __, EM, TR, AB),
    Phase.EMERGENCY:           (__, __, __, __, __, __, __, EM, EM, EM, __, __, __, __, BK, EM, __, TR, AB),
    Phase.TRANSFERRED:         (__, __, __, __, __, __, __, __, __, __, __, __, CL, __, __, __, __, __, __),
    Phase.ABORTED_BEFORE_DOSE: (__, __, __, __, __, __, __, __, __, __, __, __, CL, __, __, __, __, __, __),
}
# fmt: on

BY_CLOCK = frozenset({Move.WINDOW, Move.MISSED, Move.LATER})
"""Moves that time makes: nobody presses a button for them."""

WITH_REASON = frozenset({Move.NO_MORE, Move.HOLD, Move.STOP, Move.TRANSFER, Move.ABORT})
"""Moves that are recorded with a reason. A call for help is not: it must take one tap."""

ENDS_DRUG: Mapping[Phase, Phase] = {Phase.INFUSION: ER, Phase.DOSING: ON}
"""Where a session goes on once its drug has been ended, instead of where it was."""

CHECK_OVER: Mapping[Phase, Phase] = {ON: DE, C4: DE}
"""Where a session goes on once its 40-minute check is recorded or missed in a side state."""


def step(phase: Phase, move: Move) -> Phase | Cell:
    """The cell of the table."""
    return LAW[phase][MOVES.index(move)]


def possible_in(move: Move) -> tuple[Phase, ...]:
    """The phases in which this may be tried."""
    return tuple(phase for phase in LAW if step(phase, move) is not Cell.NO)


def refusal(phase: Phase, move: Move) -> str:
    """Why the table has no way here, in words."""
    if phase is Phase.CLOSED:
        return "This session is closed."
    if move in BY_CLOCK:
        return f"{move.value}: this comes by itself, when it is time."
    there = [TITLES[p] for p in possible_in(move) if p not in SIDE or phase in SIDE]
    return f"{move.value}: not in {TITLES[phase]}. It is done in {', '.join(there)}."


def diagram() -> str:
    """The table as a Mermaid state diagram, side states gathered: the documentation holds it."""
    lines = ["stateDiagram-v2", "    [*] --> check_in"]
    for phase, row in LAW.items():
        for move, after in zip(MOVES, row, strict=True):
            if isinstance(after, Phase) and after not in SIDE and after is not phase and phase not in SIDE:
                lines.append(f"    {phase.value} --> {after.value}: {move.value}")
    lines += [f"    {phase.value} --> closed: {Move.CLOSE.value}" for phase in (TR, AB)]
    return "\n".join(lines)
