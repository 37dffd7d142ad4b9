"""What may be sent as a move of a session: one body a kind, told apart by `kind`; unknown keys are errors.

What a body may not be is a slip of a program or a pen: whether a move is possible where the session stands,
and what is missing for it, is for the session to say.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from monitor.api.bodies import Body, Measure, Name, Reason, SignInBody, Text, Whole, printable
from monitor.treatment import Flag, Score, Symptom

DONE_MAX_MIN = 10
"""How long ago something may have been done that is entered now (`sessions/session.py`, EARLIER_MAX_MS)."""

MinutesAgo = Annotated[float, Field(ge=0, le=DONE_MAX_MIN)]
"""When it was done, as minutes before now."""
LongText = Annotated[str, Field(max_length=1000), AfterValidator(printable)]
Decidable = Annotated[str, Field(pattern=r"^(floor|(gate|item|pressure):[a-z0-9][a-z0-9_-]{0,31})$")]
"""What a decision may be about: the `override` that a gate, an item or a pressure is shown with."""


class StepBody(Body):
    """One step of the session, in the order of the kinds: what each is called stands in its list of moves."""

    kind: Literal[
        "checked_in",
        "to_timeout",
        "infusion_start",
        "no_more_devices",
        "infusion_end",
        "ready",
        "close",
        "hold",
        "resume",
        "stop",
        "emergency",
        "transfer",
        "abort",
    ]
    why: Text = ""
    minutes_ago: MinutesAgo = 0


class AnswerBody(Body):
    """One question of the check-in is answered; a later answer stands instead."""

    kind: Literal["answer"]
    question: Name
    yes: Annotated[bool, Field(strict=True)]
    note: Text = ""


class FlagBody(Body):
    """A risk flag is raised, or withdrawn, with its reason."""

    kind: Literal["flag"]
    flag: Flag
    on: Annotated[bool, Field(strict=True)]
    why: Text


class BaselineRestartBody(Body):
    """The readings so far are no baseline, with the reason."""

    kind: Literal["baseline_restart"]
    why: Text


class DoseBody(Body):
    """The dose as two people have checked it; the second proves who it is. `why` confirms an unusual one."""

    kind: Literal["dose"]
    weight_kg: Annotated[Measure, Field(ge=0, le=1000)]
    dose_mg_per_kg: Annotated[Measure, Field(ge=0, le=100)]
    concentration_mg_per_ml: Annotated[Measure, Field(ge=0, le=1000)]
    rate_ml_per_h: Annotated[Measure, Field(ge=0, le=10_000)]
    why: Text = ""
    second: SignInBody


class DeviceBody(Body):
    """One nasal device was given. `last`: none follows; `why` if that is fewer than planned."""

    kind: Literal["device"]
    number: Annotated[Whole, Field(ge=1, le=9)]
    lot: Annotated[str, Field(max_length=40), AfterValidator(printable)]
    expires: Annotated[str, Field(max_length=10), AfterValidator(printable)]
    """As on the device: "2027-05-31"."""
    last: Annotated[bool, Field(strict=True)]
    why: Text = ""
    minutes_ago: MinutesAgo = 0


class ScoreBody(Body):
    """One judgement, as a step of its scale from 0 up."""

    kind: Literal["score"]
    score: Score
    value: Annotated[Whole, Field(ge=0, le=10)]
    note: Text = ""
    minutes_ago: MinutesAgo = 0


class SymptomBody(Body):
    """A symptom is there, or over."""

    kind: Literal["symptom"]
    symptom: Symptom
    severe: Annotated[bool, Field(strict=True)] = False
    over: Annotated[bool, Field(strict=True)] = False
    note: Text = ""
    minutes_ago: MinutesAgo = 0


class AdverseEventBody(Body):
    """An adverse event: what, how serious, what became of it, whether the drug is thought to be the cause."""

    kind: Literal["adverse_event"]
    what: Text
    serious: Annotated[bool, Field(strict=True)]
    outcome: Text = ""
    related: Text = ""


class NoteBody(Body):
    """Free words on the timeline."""

    kind: Literal["note"]
    text: LongText


class CorrectBody(Body):
    """An entry was wrong: it is struck, with the reason, and `instead` stands in its place (null: nothing).

    `entry` is its number in the timeline. `instead` is of the same kind, as if it were entered anew, and was
    done when the wrong one was done: its `minutes_ago` says nothing.
    """

    kind: Literal["correct"]
    entry: Annotated[Whole, Field(ge=1, le=1_000_000)]
    instead: (
        Annotated[
            ScoreBody | SymptomBody | AdverseEventBody | NoteBody | DeviceBody, Field(discriminator="kind")
        ]
        | None
    )
    why: Text


class CheckDoneBody(Body):
    """A check is saved with what fills it: numbers come from the readings, never from here."""

    kind: Literal["check_done"]
    check: Name


class OverrideBody(Body):
    """Somebody who may decides against the profile, proves who it is and says why."""

    kind: Literal["override"]
    what: Decidable
    why: Text
    by: SignInBody


class SignBody(Body):
    """A signature: who signs proves who it is."""

    kind: Literal["sign"]
    meaning: Reason = "I have checked this session."
    by: SignInBody


class FormSentBody(Body):
    """The monitoring form has gone out, and how."""

    kind: Literal["form_sent"]
    how: Reason


MoveBody = Annotated[
    StepBody
    | AnswerBody
    | FlagBody
    | BaselineRestartBody
    | DoseBody
    | DeviceBody
    | ScoreBody
    | SymptomBody
    | AdverseEventBody
    | NoteBody
    | CorrectBody
    | CheckDoneBody
    | OverrideBody
    | SignBody
    | FormSentBody,
    Field(discriminator="kind"),
]
