"""The outbox: at least once, under one number, each pager by itself, nothing forgotten over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from structlog.testing import capture_logs

from monitor.alerts.pagers.outbox import AT_ONCE_MAX, KEPT, NO_WAY, STALE_MS, Outbox
from monitor.alerts.pagers.pager import Pager, forbidden
from monitor.alerts.rules import RULES
from monitor.alerts.words import TECHNICAL, alarm_text, over_text, page_text, recall_text, since_text
from monitor.model import (
    CLINIC,
    Accepted,
    AlarmState,
    Bed,
    Cue,
    Cuff,
    Event,
    Outcome,
    PageChanged,
    PageOrdered,
    PageRecalled,
    PageReported,
    Priority,
    Staff,
    Why,
)

NOW_MS = 1_800_000_000_000
PATIENCE_S = 10.0
ANNA, BEN, CARL = Staff("anna"), Staff("ben"), Staff("carl")

Told = tuple[int, str, Outcome, str]


class Slip:
    """A pager on paper: keeps what it was given, and answers when and as its owner likes."""

    def __init__(self, way: str, timeout_s: float = PATIENCE_S) -> None:
        """Answers at once, until told otherwise."""
        self.way = way
        self.timeout_s = timeout_s
        self.answer: tuple[Outcome, str] | Exception = (Outcome.SENT, "")
        self.free = asyncio.Event()
        self.free.set()
        self.slow = asyncio.Event()
        self.slow.set()
        self.asked = asyncio.Event()
        self.pages: list[int] = []
        self.recalls: list[int] = []
        self.log: list[str] = []
        self.closed = False

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """Note the page down."""
        self.pages.append(page.page_id)
        self.asked.set()
        await self.free.wait()
        self.log.append(f"page {page.page_id}")
        return self._answer()

    async def change(self, changed: PageChanged, page: PageOrdered) -> tuple[Outcome, str]:
        """Note down what it says now."""
        await self.slow.wait()
        self.log.append(f"changed {page.page_id}: {changed.text}")
        return self._answer()

    async def recall(self, recalled: PageRecalled, page: PageOrdered) -> tuple[Outcome, str]:
        """Note its end down."""
        assert recalled.page_id == page.page_id
        self.recalls.append(recalled.page_id)
        self.log.append(f"over {page.page_id}")
        return self._answer()

    async def close(self) -> None:
        """Put the pencil away."""
        self.closed = True

    def _answer(self) -> tuple[Outcome, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Desk:
    """An outbox with two pagers, and what it reports."""

    def __init__(self) -> None:
        """Anna has both pagers, Ben one, Carl none."""
        self.phone, self.wall = Slip("phone"), Slip("wall")
        self.told: asyncio.Queue[Told] = asyncio.Queue()
        ways: dict[str, Pager] = {"phone": self.phone, "wall": self.wall}
        self.outbox = Outbox(ways, {ANNA: ("phone", "wall"), BEN: ("wall",)}, self._report)

    def _report(self, page_id: int, way: str, outcome: Outcome, why: str) -> None:
        self.told.put_nowait((page_id, way, outcome, why))

    async def reports(self, count: int) -> list[Told]:
        """The next so many reports, in the order of their ways."""
        async with asyncio.timeout(PATIENCE_S):
            return sorted([await self.told.get() for _ in range(count)])

    async def settled(self) -> None:
        """Once nothing is under way any more."""
        await self.outbox.close(PATIENCE_S)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.outbox.close(0)


def page(page_id: int = 1, to: Staff = ANNA, at_ms: int = NOW_MS) -> PageOrdered:
    return PageOrdered(
        at_ms, page_id, 5, Bed("3"), "spo2-low", Priority.HIGH, 0, to, Why.FIRST, "Bed 3: *** SpO2 84 < 90."
    )


def recall(page_id: int = 1) -> PageRecalled:
    return PageRecalled(NOW_MS, page_id, "Bed 3: SpO2 is 95 now.", "end")


def change(text: str, page_id: int = 1) -> PageChanged:
    return PageChanged(NOW_MS, page_id, text)


def reported(page_id: int, way: str, outcome: Outcome) -> PageReported:
    return PageReported(NOW_MS, page_id, way, outcome)


async def test_a_page_goes_out_on_every_way_to_its_person(desk: Desk) -> None:
    desk.outbox.take([page()])
    assert await desk.reports(2) == [(1, "phone", Outcome.SENT, ""), (1, "wall", Outcome.SENT, "")]
    assert (desk.phone.pages, desk.wall.pages) == ([1], [1])


async def test_a_page_to_somebody_without_a_pager_is_lost_at_once(desk: Desk) -> None:
    desk.outbox.take([page(to=CARL)])
    assert desk.told.get_nowait() == (1, NO_WAY, Outcome.FAILED, "carl has no pager")


async def test_a_hung_pager_delays_no_other_and_is_given_up_in_its_own_time(desk: Desk) -> None:
    desk.phone.free.clear()
    desk.phone.timeout_s = 0.05
    desk.outbox.take([page(1), page(2, BEN)])
    assert await desk.reports(3) == [
        (1, "phone", Outcome.TIMED_OUT, "no answer within 0.05 s"),
        (1, "wall", Outcome.SENT, ""),
        (2, "wall", Outcome.SENT, ""),
    ]


async def test_a_late_answer_is_noted_once(desk: Desk) -> None:
    desk.phone.free.clear()
    desk.phone.timeout_s = 0.01
    desk.outbox.take([page()])
    assert (await desk.reports(2))[0][2] is Outcome.TIMED_OUT
    desk.phone.free.set()
    assert await desk.reports(1) == [(1, "phone", Outcome.SENT, "it answered, but only after 0.01 s")]
    await desk.settled()
    assert desk.told.empty()


async def test_a_late_refusal_is_no_news(desk: Desk) -> None:
    desk.phone.free.clear()
    desk.phone.timeout_s = 0.01
    desk.phone.answer = (Outcome.FAILED, "no")
    desk.outbox.take([page()])
    assert (await desk.reports(2))[0][2] is Outcome.TIMED_OUT
    desk.phone.free.set()
    await desk.settled()
    assert desk.told.empty()


async def test_a_pager_that_breaks_loses_its_own_page_only(desk: Desk) -> None:
    desk.phone.answer = RuntimeError("secret token 123")
    desk.outbox.take([page()])
    assert await desk.reports(2) == [
        (1, "phone", Outcome.FAILED, "the pager broke (RuntimeError)"),
        (1, "wall", Outcome.SENT, ""),
    ]


@pytest.mark.shows("ALM-085")
async def test_the_same_page_twice_is_one_page(desk: Desk) -> None:
    desk.phone.free.clear()
    desk.outbox.take([page(), page()])
    desk.outbox.take([page()])
    desk.phone.free.set()
    assert len(await desk.reports(2)) == 2
    desk.outbox.take([page()])
    await desk.settled()
    assert (desk.phone.pages, desk.wall.pages) == ([1], [1])


async def test_a_failed_page_may_be_tried_again_under_its_number(desk: Desk) -> None:
    desk.wall.answer = (Outcome.FAILED, "no")
    desk.outbox.take([page(to=BEN)])
    assert await desk.reports(1) == [(1, "wall", Outcome.FAILED, "no")]
    await desk.settled()
    desk.wall.answer = (Outcome.SENT, "")
    desk.outbox.take([page(to=BEN)])
    assert await desk.reports(1) == [(1, "wall", Outcome.SENT, "")]
    assert desk.wall.pages == [1, 1]


async def test_a_flood_is_bounded(desk: Desk) -> None:
    desk.wall.free.clear()
    desk.outbox.take([page(n, BEN) for n in range(AT_ONCE_MAX + 3)])
    refused = await desk.reports(3)
    assert {told[2] for told in refused} == {Outcome.FAILED}
    assert [told[0] for told in refused] == [AT_ONCE_MAX, AT_ONCE_MAX + 1, AT_ONCE_MAX + 2]
    desk.wall.free.set()
    assert {told[2] for told in await desk.reports(AT_ONCE_MAX)} == {Outcome.SENT}


@pytest.mark.shows("ALM-085")
async def test_a_page_that_is_over_is_recalled_on_every_way_that_had_it(desk: Desk) -> None:
    desk.phone.answer = (Outcome.FAILED, "no")
    desk.outbox.take([page()])
    await desk.reports(2)
    desk.outbox.take([recall(), recall()])
    await desk.settled()
    assert (desk.phone.recalls, desk.wall.recalls) == ([], [1])


async def test_a_recall_never_overtakes_its_page(desk: Desk) -> None:
    desk.wall.free.clear()
    desk.outbox.take([page(to=BEN), recall()])
    async with asyncio.timeout(PATIENCE_S):
        await desk.wall.asked.wait()
    assert desk.wall.log == []
    desk.wall.free.set()
    await desk.reports(1)
    await desk.settled()
    assert desk.wall.log == ["page 1", "over 1"]


async def test_a_page_whose_fate_is_unknown_is_recalled_too(desk: Desk) -> None:
    desk.wall.free.clear()
    desk.wall.timeout_s = 0.01
    desk.outbox.take([page(to=BEN)])
    assert (await desk.reports(1))[0][2] is Outcome.TIMED_OUT
    desk.wall.free.set()
    desk.outbox.take([recall()])
    await desk.settled()
    assert desk.wall.recalls == [1]


async def test_a_recall_that_fails_is_logged_and_makes_no_page(desk: Desk) -> None:
    desk.outbox.take([page(to=BEN)])
    await desk.reports(1)
    # Of an error only its kind: its words may hold those of the page, or an address.
    desk.wall.answer = RuntimeError("Heron is gone")
    with capture_logs() as logs:
        desk.outbox.take([recall()])
        await desk.settled()
    assert logs == [
        {
            "event": "a page could not be recalled",
            "log_level": "warning",
            "page_id": 1,
            "way": "wall",
            "why": "the pager broke (RuntimeError)",
        }
    ]
    assert desk.told.empty()


async def test_a_page_that_changes_says_so_where_it_went_and_stays_out(desk: Desk) -> None:
    desk.phone.answer = (Outcome.FAILED, "no")
    desk.outbox.take([page()])
    await desk.reports(2)
    desk.outbox.take([change("95 now. Still look."), change("84 again")])
    desk.outbox.take([recall(), change("too late")])
    await desk.settled()
    assert desk.phone.log == ["page 1"]
    assert desk.wall.log == ["page 1", "changed 1: 95 now. Still look.", "changed 1: 84 again", "over 1"]


async def test_what_a_page_said_last_is_heard_last_however_slow_the_way_is(desk: Desk) -> None:
    desk.outbox.take([page(to=BEN)])
    await desk.reports(1)
    desk.wall.slow.clear()
    desk.outbox.take([change("one"), change("two"), recall()])
    await asyncio.sleep(0)
    assert desk.wall.log == ["page 1"]
    desk.wall.slow.set()
    await desk.settled()
    assert desk.wall.log == ["page 1", "changed 1: one", "changed 1: two", "over 1"]


async def test_a_change_that_fails_is_logged_and_makes_no_page(desk: Desk) -> None:
    desk.outbox.take([page(to=BEN)])
    await desk.reports(1)
    desk.wall.answer = (Outcome.FAILED, "the gateway answered 500")
    with capture_logs() as logs:
        desk.outbox.take([change("95 now. Still look.")])
        await desk.settled()
    assert [(entry["event"], entry["why"]) for entry in logs] == [
        ("a page could not be changed", "the gateway answered 500")
    ]
    assert desk.told.empty()


async def test_a_change_that_nobody_answers_is_logged_as_that(desk: Desk) -> None:
    desk.outbox.take([page(to=BEN)])
    await desk.reports(1)
    desk.wall.timeout_s = 0.01
    desk.wall.slow.clear()
    with capture_logs() as logs:
        desk.outbox.take([change("95 now. Still look.")])
        await desk.settled()
    assert [entry["why"] for entry in logs] == ["no answer within 0.01 s"]


async def test_a_pager_that_gives_up_in_time_has_broken(desk: Desk) -> None:
    desk.outbox.take([page(to=BEN)])
    await desk.reports(1)
    desk.wall.answer = TimeoutError("its own, and early")
    with capture_logs() as logs:
        desk.outbox.take([change("95 now. Still look.")])
        await desk.settled()
    assert [entry["why"] for entry in logs] == ["the pager broke (TimeoutError)"]


async def test_a_recall_of_an_unknown_page_is_nothing(desk: Desk) -> None:
    desk.outbox.take([recall(99)])
    await desk.settled()
    assert desk.wall.recalls == []


# Over a restart. F02: killed between journal and outbox, or between the answer of a pager and its report.


async def restarted(desk: Desk, events: Iterable[Event], now_ms: int = NOW_MS + 1_000) -> None:
    desk.outbox.restore(events)
    assert (desk.phone.pages, desk.wall.pages) == ([], [])
    desk.outbox.resume(now_ms)


async def test_f02_a_page_that_was_ordered_and_never_reported_goes_out_after_a_restart(desk: Desk) -> None:
    await restarted(desk, [page(7)])
    assert [told[:3] for told in await desk.reports(2)] == [
        (7, "phone", Outcome.SENT),
        (7, "wall", Outcome.SENT),
    ]


async def test_f02_only_the_way_that_has_no_report_is_owed(desk: Desk) -> None:
    await restarted(desk, [page(7), reported(7, "phone", Outcome.FAILED), page(8, BEN)])
    assert [told[:3] for told in await desk.reports(2)] == [
        (7, "wall", Outcome.SENT),
        (8, "wall", Outcome.SENT),
    ]
    await desk.settled()
    assert desk.phone.pages == []


async def test_f02_what_was_answered_or_reported_is_not_sent_again(desk: Desk) -> None:
    both = [reported(7, "phone", Outcome.SENT), reported(7, "wall", Outcome.TIMED_OUT)]
    await restarted(desk, [page(7), *both, page(8), Accepted(NOW_MS, 8, ANNA)])
    await desk.settled()
    assert (desk.phone.pages, desk.wall.pages) == ([], [])
    assert desk.told.empty()


async def test_f02_a_page_sent_before_a_restart_can_be_recalled_after_it(desk: Desk) -> None:
    both = [reported(7, "phone", Outcome.SENT), reported(7, "wall", Outcome.FAILED)]
    await restarted(desk, [page(7), *both])
    desk.outbox.take([recall(7)])
    await desk.settled()
    assert (desk.phone.recalls, desk.wall.recalls) == ([7], [])


@pytest.mark.shows("ALM-083")
async def test_f02_a_page_that_was_over_before_it_went_is_cancelled(desk: Desk) -> None:
    await restarted(desk, [page(7, BEN), recall(7)])
    assert await desk.reports(1) == [
        (7, "wall", Outcome.CANCELLED, "it was over before the service was back")
    ]
    desk.outbox.resume(NOW_MS)
    assert desk.told.empty()
    assert desk.wall.pages == []


async def test_f14_an_old_page_is_not_sent_as_if_it_were_new(desk: Desk) -> None:
    await restarted(desk, [page(7, BEN), page(8, BEN, NOW_MS + 1)], NOW_MS + STALE_MS + 1)
    assert [told[:3] for told in await desk.reports(2)] == [
        (7, "wall", Outcome.FAILED),
        (8, "wall", Outcome.SENT),
    ]


async def test_what_is_remembered_is_bounded(desk: Desk) -> None:
    pages = [page(n, BEN) for n in range(KEPT + 5)]
    seen = [reported(n, "wall", Outcome.SENT) for n in range(KEPT + 5)]
    await restarted(desk, [event for pair in zip(pages, seen, strict=True) for event in pair])
    desk.outbox.take([recall(4), recall(5)])
    await desk.settled()
    assert desk.wall.recalls == [5]


async def test_closing_lets_go_of_what_hangs_and_reports_nothing_about_it(desk: Desk) -> None:
    desk.wall.free.clear()
    desk.outbox.take([page(to=BEN)])
    async with asyncio.timeout(PATIENCE_S):
        await desk.wall.asked.wait()
        await desk.outbox.close(0)
    assert desk.told.empty()
    assert (desk.phone.closed, desk.wall.closed) == (True, True)


# HZ-14, T14: what a page may say.


@pytest.mark.shows("HZ-14")
def test_hz14_no_page_says_a_drug_a_diagnosis_or_the_kind_of_clinic() -> None:
    cuff = Cuff(172, 98, 122)
    texts = [*TECHNICAL.values(), *(why.value for why in Why)]
    for rule in RULES:
        text = alarm_text(rule, 84, 90, cuff)
        texts += [page_text(bed, rule.priority, text) for bed in (Bed("3"), CLINIC)]
        texts += [recall_text(Bed("3"), over_text(rule, text, value, cue)) for value, cue in _ENDS]
        texts += [since_text(84, 95, state) for state in (AlarmState.ACTIVE, AlarmState.LATCHED)]
    assert len(texts) > 100
    assert [text for text in texts if forbidden(text)] == []


_ENDS = [(95.0, Cue.END), (None, Cue.END), (95.0, Cue.ACK), (95.0, Cue.DISCHARGE)]


@pytest.mark.shows("HZ-14")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bed 3: *** SpO2 84 < 90. Open Chairside.", []),
        ("Ketamine bed 3", ["ketamine"]),
        ("esketamine", ["esketamine"]),
        ("SPRAVATO session: SpO2 84", ["spravato"]),
        ("Patient with depression", ["depression"]),
        ("Psychiatric clinic, infusion room", ["psychiatric", "infusion"]),
        ("Painless", []),
    ],
)
def test_hz14_a_forbidden_word_is_found_however_it_is_written(text: str, words: list[str]) -> None:
    assert forbidden(text) == words
