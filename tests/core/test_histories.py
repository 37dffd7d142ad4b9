"""Histories of eight hours, drawn by seed: twelve beds, five people, failing pagers, twenty kills.

A few short ones run with every test. `make torture ARGS=histories` tells all of them, prints what they saw,
and of one that breaks a law its seed and its whole day. A law that finds nothing wrong in a history that was
doctored, or in a service without one of its protections, would be none: each of them has such a control.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import msgspec
import pytest

from monitor.alerts.alarm import CUES, table
from monitor.model import (
    Acked,
    AlarmMoved,
    AlarmState,
    Cue,
    Outcome,
    PageOrdered,
    PageReported,
    Priority,
    Staff,
    Why,
)
from tests.core.eight_hours import HOURS, KILLS, Day, Place, day
from tests.core.killed import SOUND, History, Row, Seams, told
from tests.core.paged_right import broken

ACTIVE, ACKED, LATCHED, CLEAR = AlarmState.ACTIVE, AlarmState.ACKED, AlarmState.LATCHED, AlarmState.CLEAR

SEEDS = 200
SHORT_H, SHORT_KILLS, SHORT_SPELLS = 1.5, 10, 14

Move = tuple[AlarmState, Cue, AlarmState]

REACHABLE: frozenset[Move] = frozenset(
    (was, cue, now)
    for priority in Priority
    for was, row in table(priority).items()
    for cue, now in zip(CUES, row, strict=True)
    if now is not was and (was, cue) != (AlarmState.LATCHED, Cue.DISCHARGE)
)
"""Every move of the tables but one: no session is closed over a HIGH that nobody has answered."""


@dataclass(frozen=True)
class Seen:
    """What one history saw, small enough to be handed from one process to another."""

    seed: int
    wrong: tuple[str, ...]
    mark: str
    counts: Counter[str]
    moves: frozenset[Move]
    whys: frozenset[Why]
    outcomes: frozenset[Outcome]
    killed: Counter[Place]


def looked_at(one: Day, history: History) -> Seen:
    """The laws, and the figures."""
    events = history.events
    moved = [event for event in events if isinstance(event, AlarmMoved)]
    pages = [event for event in events if isinstance(event, PageOrdered)]
    reports = [event for event in events if isinstance(event, PageReported)]
    return Seen(
        one.seed,
        tuple(broken(history)),
        hashlib.sha256(b"\n".join(map(msgspec.json.encode, events))).hexdigest(),
        Counter(
            rows=len(events),
            alarms=len({m.alarm_id for m in moved if m.now is ACTIVE}),
            high=len({m.alarm_id for m in moved if m.now is ACTIVE and m.priority is Priority.HIGH}),
            pages=len(pages),
            carried=len(history.carried),
            undelivered=sum(r.outcome in (Outcome.FAILED, Outcome.TIMED_OUT) for r in reports),
            kills=len(history.killed),
        ),
        frozenset((m.was, m.cue, m.now) for m in moved),
        frozenset(page.why for page in pages),
        frozenset(report.outcome for report in reports),
        Counter(history.killed),
    )


def tell(seed: int, hours: float = HOURS, kills: int = KILLS) -> Seen:
    """One history, from its seed to its figures."""
    one = day(seed, hours, kills)
    return looked_at(one, told(one))


def short(seed: int, seams: Seams = SOUND) -> History:
    """A history short enough for every test."""
    return told(day(seed, SHORT_H, SHORT_KILLS, SHORT_SPELLS), seams)


@pytest.mark.shows("ALM-047", "ALM-085", "HZ-03", "HZ-11")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_short_history_breaks_no_law(seed: int) -> None:
    one = day(seed, SHORT_H, SHORT_KILLS, SHORT_SPELLS)
    seen = looked_at(one, told(one))
    assert seen.wrong == (), f"{one}"
    assert seen.counts["kills"] == SHORT_KILLS, f"{one}"
    assert seen.counts["pages"] > 20, f"{one}"
    assert seen.counts["undelivered"] > 5, f"{one}"


def test_the_same_seed_is_the_same_history() -> None:
    assert tell(4, 0.5, 3) == tell(4, 0.5, 3)
    assert tell(4, 0.5, 3).mark != tell(5, 0.5, 3).mark


# Controls: what a law would say of a service without this protection, or of this history told otherwise.


@pytest.mark.parametrize(
    ("seams", "says"),
    [
        (Seams(restores=False), "knew {} of [], and the journal"),
        (Seams(outbox_restores=False), "has no end on"),
        (Seams(keeps=False), "is not the journal's"),
    ],
    ids=["a start that reads nothing", "an outbox that remembers nothing", "a disk that keeps nothing"],
)
def test_without_this_protection_a_law_is_broken(seams: Seams, says: str) -> None:
    wrong = broken(short(1, seams))
    assert [line for line in wrong if says in line], wrong


Doctored = Callable[[History], History]


def once_more(history: History) -> History:
    """Somebody gets a page of one step under a second number."""
    at, page = _first_page(history)
    again = replace(page, page_id=1_000_000)
    return _rows(
        history, [*history.rows[: at + 1], Row(history.rows[at].life, again), *history.rows[at + 1 :]]
    )


def once_more_later(history: History) -> History:
    """The first step goes out again after ten seconds, as the first."""
    at, page = _first_page(history)
    again = replace(page, page_id=1_000_000, at_ms=page.at_ms + 10_000)
    after = next(i for i, row in enumerate(history.rows) if row.event.at_ms >= again.at_ms)
    return _rows(history, [*history.rows[:after], Row(history.rows[at].life, again), *history.rows[after:]])


def out_of_another_life(history: History) -> History:
    """A gateway gets one page twice from one start of the service."""
    return replace(history, carried=[*history.carried, history.carried[0]])


def never_written(history: History) -> History:
    """A gateway gets a page that the journal does not know."""
    return replace(history, carried=[*history.carried, replace(history.carried[0], page_id=1_000_000)])


def one_step_too_far(history: History) -> History:
    """A second step calls itself the third."""
    return _second_step(history, lambda page: replace(page, step=page.step + 1))


def to_somebody_else(history: History) -> History:
    """A second step goes to somebody whom it does not mean."""
    return _second_step(history, lambda page: replace(page, to=Staff("ida")))


def too_early(history: History) -> History:
    """A second step goes out before its time."""
    return _second_step(history, lambda page: replace(page, at_ms=page.at_ms - 10_000))


def no_more_pages(history: History) -> History:
    """After its first page an alarm calls nobody any more."""
    pages = [row.event for row in history.rows if isinstance(row.event, PageOrdered)]
    [(alarm_id, _)] = Counter(page.alarm_id for page in pages).most_common(1)
    gone = [page.page_id for page in pages if page.alarm_id == alarm_id][1:]
    return _rows(history, [row for row in history.rows if getattr(row.event, "page_id", 0) not in gone])


def no_page_at_all(history: History) -> History:
    """Nobody is ever paged."""
    return _rows(history, [row for row in history.rows if not isinstance(row.event, PageOrdered)])


def nobody_acknowledged(history: History) -> History:
    """Alarms are acknowledged, and by nobody."""
    return _rows(history, [row for row in history.rows if not isinstance(row.event, Acked)])


def over_by_itself(history: History) -> History:
    """A HIGH is over when its condition is."""
    return _moved(history, LATCHED, lambda moved: replace(moved, now=CLEAR))


def closed_over_it(history: History) -> History:
    """A session is closed while a HIGH waits for its answer."""
    return _moved(history, LATCHED, lambda moved: replace(moved, now=CLEAR, cue=Cue.DISCHARGE))


def forgotten(history: History) -> History:
    """A start does not know an alarm that was open."""
    lives = list(history.lives)
    at = next(i for i, life in enumerate(lives) if life.alarms)
    lives[at] = replace(lives[at], alarms={})
    return replace(history, lives=lives)


@pytest.mark.parametrize(
    ("doctored", "says"),
    [
        (once_more, "paged twice"),
        (once_more_later, "paged twice"),
        (out_of_another_life, "paged twice"),
        (never_written, "paged twice"),
        (one_step_too_far, "skipped"),
        (to_somebody_else, "skipped"),
        (too_early, "early"),
        (no_more_pages, "stalled"),
        (no_page_at_all, "stalled"),
        (nobody_acknowledged, "quiet without an answer"),
        (over_by_itself, "the table"),
        (closed_over_it, "quiet without an answer"),
        (forgotten, "quiet without an answer"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_history_told_otherwise_breaks_a_law(sound: History, doctored: Doctored, says: str) -> None:
    assert broken(sound) == []
    wrong = broken(doctored(sound))
    assert [line for line in wrong if line.startswith(says)], wrong


@pytest.fixture(scope="module")
def sound() -> History:
    """A history that breaks no law."""
    return short(1)


def _first_page(history: History) -> tuple[int, PageOrdered]:
    """The first page of a HIGH whose second step came just in its time, and where it stands."""
    pages = [(at, row.event) for at, row in enumerate(history.rows) if isinstance(row.event, PageOrdered)]
    followed = {(page.alarm_id, page.at_ms) for _, page in pages if page.why is Why.UNANSWERED}
    return next(
        (at, page)
        for at, page in pages
        if page.why is Why.FIRST and (page.alarm_id, page.at_ms + 30_000) in followed
    )


def _second_step(history: History, otherwise: Callable[[PageOrdered], PageOrdered]) -> History:
    _, first = _first_page(history)
    at, page = next(
        (at, row.event)
        for at, row in enumerate(history.rows)
        if isinstance(row.event, PageOrdered) and row.event.alarm_id == first.alarm_id and row.event.step == 1
    )
    return _rows(
        history, [*history.rows[:at], Row(history.rows[at].life, otherwise(page)), *history.rows[at + 1 :]]
    )


def _moved(history: History, now: AlarmState, otherwise: Callable[[AlarmMoved], AlarmMoved]) -> History:
    at, moved = next(
        (at, row.event)
        for at, row in enumerate(history.rows)
        if isinstance(row.event, AlarmMoved) and row.event.now is now
    )
    told_so = Row(history.rows[at].life, otherwise(moved))
    return _rows(history, [*history.rows[:at], told_so, *history.rows[at + 1 :]])


def _rows(history: History, rows: list[Row]) -> History:
    return replace(history, rows=rows)


# All of them.


@pytest.mark.torture
@pytest.mark.shows("ALM-047", "ALM-085", "HZ-03", "HZ-11")
@pytest.mark.timeout(7_200)
def test_two_hundred_histories_of_eight_hours_break_no_law() -> None:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        seen = []
        for one in pool.map(tell, range(SEEDS)):
            seen.append(one)
            figures = ", ".join(f"{count} {what}" for what, count in one.counts.items())
            print(f"seed {one.seed} {one.mark[:12]}: {figures}", *one.wrong, sep="\n    ", flush=True)  # noqa: T201
    counts = sum((one.counts for one in seen), Counter[str]())
    killed = sum((one.killed for one in seen), Counter[Place]())
    moves = frozenset[Move]().union(*(one.moves for one in seen))
    lines = [
        f"{len(seen)} histories of {HOURS} h: " + ", ".join(f"{n} {what}" for what, n in counts.items()),
        "killed " + ", ".join(f"{place.value}: {count}" for place, count in sorted(killed.items())),
        "moves " + ", ".join(sorted(f"{was.value} -{cue.value}-> {now.value}" for was, cue, now in moves)),
        "reasons " + ", ".join(sorted({why.value for one in seen for why in one.whys})),
        "outcomes " + ", ".join(sorted({outcome.value for one in seen for outcome in one.outcomes})),
        *(str(day(one.seed)) for one in seen if one.wrong),
    ]
    print("", *lines, sep="\n")  # noqa: T201  figures are what torture is for
    assert [one.seed for one in seen if one.wrong] == []
    assert counts["kills"] == SEEDS * KILLS
    assert moves == REACHABLE, sorted(moves ^ REACHABLE)
    assert set(killed) == set(Place)
