"""What every working page of a session is held to: axe, thumbs, no word cut, the same page after a reload."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import working
from tests.browser.conftest import Open, looked_at
from tests.browser.test_screens import PHONE, STATION, violations, wears
from tests.browser.test_working import START, at, press

WALL, TABLET = (1920, 1080), (820, 1180)


@pytest.fixture(scope="module", params=working.PAGES)
def each(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[str, Page]]:
    """Each working page in turn, as a phone shows it first; several tests look at the same one."""
    with at(request.param) as stage, looked_at(chromium, stage, START, PHONE) as page:
        expect(page.locator("#flow h2").first).to_be_visible()
        yield request.param, page


def test_axe_finds_nothing_on_any_working_page(each: tuple[str, Page]) -> None:
    _, page = each
    # Colours do not change with the size, nor sizes with the colours: each theme and each size once.
    for size, theme in ((PHONE, "light"), (PHONE, "dark"), (STATION, "dark"), (WALL, "light")):
        wears(page, theme, size)
        assert violations(page) == [], (size, theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


CUT = """() => [...document.querySelectorAll('#flow *, .live *, .rail li *')]
  .filter((e) => !e.closest('.sr') && e.offsetParent !== null && parseFloat(getComputedStyle(e).fontSize) > 0)
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5
    || (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0
      && !['visible', 'auto'].includes(getComputedStyle(e).overflowX)))
  .map((e) => `${e.className || e.tagName}: ${e.textContent}`)"""
SMALL = """() => [...document.querySelectorAll('#flow :is(button, input, a, summary)')]
  .filter((e) => e.getClientRects().length && getComputedStyle(e).visibility === 'visible')
  .map((e) => [e.textContent || e.name, Math.round(e.getBoundingClientRect().height)])
  .filter(([, height]) => height < 44)"""


def test_every_target_is_for_a_thumb_and_no_word_is_cut(each: tuple[str, Page]) -> None:
    _, page = each
    for size in (PHONE, TABLET):
        wears(page, "light", size)
        assert page.evaluate(SMALL) == [], size
        assert page.evaluate(CUT) == [], size


FORMS = ["Sedation score", "Symptom", "Note", "Adverse event", "BP by hand", "Hold", "Stop"]


def test_axe_finds_nothing_on_any_form(open_page: Open) -> None:
    with at("infusion") as stage:
        page = open_page(stage, START, PHONE, reduced_motion="reduce")
        for form in FORMS:
            press(page, form)
            expect(page.locator("#flow .beside h2")).to_be_visible()
            for theme in ("light", "dark"):
                wears(page, theme, PHONE)
                assert violations(page) == [], (form, theme)
            page.keyboard.press("Escape")
            expect(page.locator("#flow .beside")).to_have_count(0)


STANDS = {
    "who": "who", "questions": "questions", "baseline": "baseline", "gate": "gate", "device": "dose",
    "spacing": "dose", "dose check": "dose", "time-out": "dose", "infusion": "now",
    "40-min check": "now", "leaving": "leave", "signing": "leave", "closing": "leave",
}  # fmt: skip


def test_a_reload_or_another_station_stands_where_the_session_is(each: tuple[str, Page]) -> None:
    name, page = each
    expect(page.locator("#screen")).to_have_attribute("data-page", STANDS[name])
    page.reload()
    expect(page.locator("#screen")).to_have_attribute("data-page", STANDS[name])
