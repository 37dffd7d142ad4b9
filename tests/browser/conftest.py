"""A real Chromium and a stage for it; every test leaves with no error said by the browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import scene
from tests.browser.stage import Stage

ARGS = [
    "--no-sandbox",  # Chromium refuses root otherwise; only in tests
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--font-render-hinting=none",
]

Open = Callable[..., Page]

NO_TREND: dict[str, Any] = {"units": {}, "vitals": {}, "cuffs": [], "sources": {}}
"""Of a patient who has only just come."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's own Chromium, started once for this folder."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None, "Chromium is needed: apt-get install -y --no-install-recommends chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGS)
        yield browser
        browser.close()


def answers_of(clinic: scene.Wire) -> dict[tuple[str, str], tuple[int, Any]]:
    """What the service would answer to looking; every act is put there by its own test."""
    answers: dict[tuple[str, str], tuple[int, Any]] = {
        ("GET", "/me"): (
            200,
            clinic["me"] | {"screen": None, "ends_at_ms": None, "idle_ms": None, "home": "/me"},
        ),
        ("GET", "/alarms"): (200, {"alarms": []}),
        ("POST", "/screens/sound"): (200, {"recorded": True}),
    }
    for bed in clinic["beds"]:
        if bed["session"]:
            known = None not in bed["session"]["baseline"].values()
            trend = scene.trend(bed, clinic["server"]["at_ms"]) if known else NO_TREND
            answers["GET", f"/beds/{bed['bed']}/trend"] = (200, trend)
    return answers


@pytest.fixture(scope="package")
def house(chromium: Browser) -> Iterator[Page]:
    """A quiet page of the dashboard in which its pure modules are asked questions."""
    with staged(scene.clinic()) as one:
        page = chromium.new_page()
        page.goto(one.url + "/keys")
        page.wait_for_selector("#screen")
        yield page
        page.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The eight beds of the scene."""
    with staged(scene.clinic()) as one:
        yield one


@contextmanager
def staged(clinic: scene.Wire) -> Iterator[Stage]:
    """A stage that plays this clinic."""
    one = Stage(lambda: clinic, answers_of(clinic))
    try:
        yield one
    finally:
        one.close()


def go(page: Page, path: str) -> None:
    """Another screen of the same page, as its own links do it."""
    page.evaluate(
        "(to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }", path
    )


@pytest.fixture
def context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts (each a browser of its own: cookies, storage, workers), and closes them."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        one = chromium.new_context(locale="en-GB", timezone_id="UTC", **options)
        one.set_default_timeout(15_000)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@contextmanager
def overheard() -> Iterator[Callable[[Page], None]]:
    """Listens to pages; no console error may be left behind."""
    said: list[str] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)

    yield listen
    # A refused act is answered 4xx, and the browser prints that by itself.
    assert [line for line in said if "the server responded with a status of 4" not in line] == []


@contextmanager
def looked_at(chromium: Browser, stage: Stage, path: str, size: tuple[int, int]) -> Iterator[Page]:
    """One page for several tests that only look at it, at any size and in any theme."""
    width, height = size
    context = chromium.new_context(
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
        viewport={"width": width, "height": height},
    )
    try:
        with overheard() as listen:
            page = context.new_page()
            listen(page)
            page.goto(stage.url + path)
            page.wait_for_selector("#screen:not([aria-busy])")
            yield page
    finally:
        context.close()


@pytest.fixture
def open_page(context: Callable[..., BrowserContext]) -> Iterator[Open]:
    """Opens a screen of a stage and waits for its first picture. No console error may be left behind."""

    def make(
        stage: Stage,
        path: str = "/",
        size: tuple[int, int] = (1280, 800),
        *,
        still: bool = False,
        within: BrowserContext | None = None,
        **options: Any,
    ) -> Page:
        width, height = size
        one = within or context(viewport={"width": width, "height": height}, **options)
        page = one.new_page()
        listen(page)
        if still:
            # The test can turn the browser's clocks on by hand; the server says nothing of its own.
            stage.silent = True
            page.clock.install(time=scene.NOW / 1000)
        page.goto(stage.url + path)
        # Busy until the first snapshot is on the screen, which a stage that refuses never sends.
        page.wait_for_selector("#screen" if stage.refuse_streams else "#screen:not([aria-busy])")
        return page

    with overheard() as listen:
        yield make
