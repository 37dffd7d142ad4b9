"""Who is paged next, and why (alarms.md 8). Time is an argument; nothing is remembered here.

A chain is a list of steps, each with the time after which it is due if nobody has accepted. Four things
make a step due at once: it is the first, the person paged cannot go, the page could not be delivered, or
who is going calls for more help.
Acceptance ("I go") stops the chain until it is clear that nobody came; acknowledgement ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import Priority, Why


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: `after_ms` from the start of the alarm, and whom it goes to."""

    after_ms: int
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The ladder of one priority. `repeat_ms` None: the last step is not repeated."""

    steps: tuple[Step, ...]
    repeat_ms: int | None
    not_at_bed_ms: int
    latched_repeat_ms: int = 300_000


class Came(StrEnum):
    """What came back for one step."""

    ACCEPTED = "accepted"
    HANDED_BACK = "handed back"
    """Accepted first, and then not: the step is the last one that had gone out by then."""
    REJECTED = "rejected"
    """Nobody of this step can go."""
    FAILED = "failed"
    """Nobody of this step could be told."""
    HELP_CALLED = "help called"
    """Somebody asks for more people; the step is the last one that had gone out by then."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for step `step`, and when."""

    step: int
    came: Came
    at_ms: int
    page_id: int = 0
    """The page that one person has accepted; none where a step is answered as a whole."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A step that has been paged, and when. `step` counts on past the end of the chain: repeats."""

    step: int
    at_ms: int


HIGH = Chain(
    steps=(
        Step(0, ("assigned nurse",)),
        Step(30_000, ("second nurse",)),
        Step(60_000, ("everyone", "prescriber")),
        Step(120_000, ("everyone",)),
    ),
    repeat_ms=60_000,
    not_at_bed_ms=120_000,
)
MEDIUM = Chain(
    steps=(
        Step(0, ("assigned nurse",)),
        Step(90_000, ("second nurse",)),
        Step(180_000, ("charge nurse",)),
        Step(300_000, ("charge nurse",)),
    ),
    repeat_ms=120_000,
    not_at_bed_ms=300_000,
)
CHAINS: Mapping[Priority, Chain] = {Priority.HIGH: HIGH, Priority.MEDIUM: MEDIUM}
"""The clinic's defaults. LOW never pages (alarms.md 9)."""


def next_page(
    chain: Chain, active_since_ms: int, sent: Sequence[Sent], answers: Sequence[Answer], now_ms: int
) -> tuple[int, Why] | None:
    """The number of the step that is due now and why, or None.

    `active_since_ms` is when this run of the chain began; `sent` and `answers` are those of this run, in
    order. Step numbers from the end of the chain on are repeats of the last one.
    """
    due = next_due(chain, active_since_ms, sent, answers)
    return (due[1], due[2]) if due and due[0] <= now_ms else None


def next_due(
    chain: Chain, active_since_ms: int, sent: Sequence[Sent], answers: Sequence[Answer]
) -> tuple[int, int, Why] | None:
    """(when, step, why) of the page that comes next if nothing else happens, or None if none does."""
    if not sent:
        return active_since_ms, 0, Why.FIRST
    last = sent[-1]
    news = [a for a in answers if a.at_ms >= last.at_ms]
    called_ms = [a.at_ms for a in news if a.came is Came.HELP_CALLED and a.step == last.step]
    if called_ms:
        # From the end of the chain on it is the last step once more.
        return called_ms[0], last.step + 1, Why.HELP_CALLED
    taken_ms = [a.at_ms for a in news if a.came is Came.ACCEPTED]
    if taken_ms:
        # Back to step 1: the second nurse, for the first has said yes and has not come.
        return max(taken_ms) + chain.not_at_bed_ms, min(1, len(chain.steps) - 1), Why.NOT_AT_BED
    if last.step + 1 >= len(chain.steps):
        repeat_ms = chain.repeat_ms
        return None if repeat_ms is None else (last.at_ms + repeat_ms, last.step + 1, Why.REPEAT)
    for answer in news:
        # What is heard of an earlier step is no news: the step after it has gone out already.
        if answer.came in _AT_ONCE and answer.step == last.step:
            return answer.at_ms, last.step + 1, _AT_ONCE[answer.came]
    return _unanswered_ms(chain, sent, answers), last.step + 1, Why.UNANSWERED


_AT_ONCE = {
    Came.REJECTED: Why.REJECTED,
    Came.HANDED_BACK: Why.REJECTED,
    Came.FAILED: Why.UNDELIVERED,
}


def _unanswered_ms(chain: Chain, sent: Sequence[Sent], answers: Sequence[Answer]) -> int:
    first, last = sent[0], sent[-1]
    step, before = chain.steps[last.step + 1], chain.steps[last.step]
    after_last_ms = last.at_ms + step.after_ms - before.after_ms
    if any(a.came in (Came.ACCEPTED, Came.HANDED_BACK) for a in answers):
        return after_last_ms
    # Nobody has said yes so far: a page that was late (a restart) does not make the next one late too. The
    # ladder counts from its first page: an alarm nobody could be told of sooner begins with its first step.
    return max(last.at_ms, min(after_last_ms, first.at_ms + step.after_ms))


def step_at(chain: Chain, number: int) -> Step:
    """The step with this number; numbers past the end mean the last one again."""
    return chain.steps[min(number, len(chain.steps) - 1)]
