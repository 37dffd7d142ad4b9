"""A nurse at her work in a real browser: she does the one thing that the page asks for, and each tap counts.

What a scanner types, what is typed of a PIN and what another person does with a hand of their own is kept
apart from her taps: it is never a number that she has read off a device.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.async_api import Locator, Page, TimeoutError, expect  # noqa: A004  of the browser

SOON_MS = 30_000
ENTER = "Enter"

PIN = "4711"


@dataclass
class Done:
    """What was done at one session, in its order."""

    taps: list[str] = field(default_factory=list)
    """Her own presses, each with what stood on the button."""
    scans: list[str] = field(default_factory=list)
    """What the scanner typed for her."""
    others: list[str] = field(default_factory=list)
    """What another person pressed or proved at her screen."""
    pins: int = 0

    def listed(self, title: str) -> str:
        """All of it, to be printed."""
        lines = [f"{title}: {len(self.taps)} taps of hers"]
        lines += [f"  {n:2}. {tap}" for n, tap in enumerate(self.taps, 1)]
        lines += [f"  scanner: {scan}" for scan in self.scans]
        lines += [f"  somebody else: {other}" for other in self.others]
        return "\n".join(lines)


YES = ("Is this", "Enrolled", "Is somebody", "No ", "Consent", "Weighed", "Is the IV")
"""How the questions begin that an ordinary patient's answer to is yes."""


class Nurse:
    """One person with one screen at one bed. `at_work` does what the page waits for, once."""

    def __init__(self, page: Page, *, slip: str, plan: str, lots: list[str], dose: str = "") -> None:
        """`lots` are the codes on the devices that lie ready, `dose` the label of the infusion."""
        self.page = page
        self.done = Done()
        self.closed = False
        self._slip, self._plan, self._lots, self._dose = slip, plan, lots, dose
        self._screen = page.locator("#screen")

    async def at_work(self) -> bool:
        """Do the next thing, if there is one: whether there was."""
        self.closed = await self.page.locator(".closed").count() > 0
        alarm = self.page.locator("#alarm[data-priority='high'], #alarm[data-priority='medium']")
        if await alarm.count() and await self._answer(alarm):
            return True
        page = await self._screen.get_attribute("data-page")
        pages = {
            "gate": self._gate,
            "now": self._now,
            "who": self._who,
            "plan": self._therapy,
            "questions": self._question,
            "baseline": self._baseline,
            "dose": self._infusion if self._dose else self._device,
            "leave": self._leave,
        }
        return page in pages and await pages[page]()

    # Her hands.

    def _button(self, name: str, within: Locator | None = None) -> Locator:
        return (within or self.page.locator("#flow")).get_by_role("button", name=name, exact=True)

    async def _tap(self, button: Locator, *, of: list[str] | None = None) -> bool:
        """Press it, if it is there and can be pressed, and wait until it has been answered."""
        button = button.first
        if not await button.count() or not await button.is_enabled():
            return False
        try:
            text = await button.get_attribute("aria-label", timeout=1_000)
            text = text or await button.inner_text(timeout=1_000)
        except TimeoutError:
            return False  # what it was for has ended by itself meanwhile
        try:
            async with self.page.expect_response(
                lambda r: r.request.method in {"POST", "DELETE"}, timeout=SOON_MS
            ):
                await button.click(timeout=4_000)
        except TimeoutError:
            if await button.count() and await button.is_enabled():
                raise
            return False  # what it needs has grown too old between the look and the press
        (self.done.taps if of is None else of).append(" ".join(text.split()))
        return True

    async def _scan(self, field: Locator, code: str) -> bool:
        """The scanner types into the field that waits for it, and ends with Enter."""
        await expect(field).to_be_focused(timeout=SOON_MS)
        await self.page.keyboard.type(code)
        await self.page.keyboard.press(ENTER)
        self.done.scans.append(code.replace("\x1d", "<GS>"))
        return True

    async def _prove(self, form: Locator, name: str) -> bool:
        """Another person chooses their own name and types their own PIN, and Enter."""
        tile = form.get_by_role("button", name=name, exact=True)
        if await tile.count():
            await tile.click()
            self.done.others.append(f"{name} chooses the name")
        await form.locator("input[name=proof]").fill(PIN)
        async with self.page.expect_response(lambda r: "/moves" in r.url, timeout=SOON_MS):
            await form.locator("input[name=proof]").press(ENTER)
        self.done.pins += 1
        self.done.others.append(f"{name}: PIN")
        return True

    # The pages.

    async def _who(self) -> bool:
        await self._scan(self.page.get_by_label("Patient"), self._slip)
        await expect(self._screen).to_have_attribute("data-page", "plan", timeout=SOON_MS)
        return True

    async def _therapy(self) -> bool:
        plan = self._button(self._plan)
        if await plan.count() and await self._tap(plan):
            await expect(self._screen).to_have_attribute("data-page", "questions", timeout=SOON_MS)
            return True
        return False

    async def _question(self) -> bool:
        row = self.page.locator(".questions li:not(:has([aria-pressed='true']))").first
        if not await row.count():
            return False
        none = self.page.locator(".questions .any .none")
        if await none.count() and await row.evaluate("(row) => row.closest('.any') !== null"):
            return await self._tap_gone(none)
        asked = await row.locator("legend").inner_text()
        answer = "Yes" if asked.startswith(YES) else "No"
        button = self._button(answer, row)
        if await self._tap(button):
            self.done.taps[-1] = f"{answer}: {asked}"
            left = self.page.locator("legend", has_text=asked).locator("..").locator("[aria-pressed='true']")
            await expect(left.or_(self.page.locator(".baseline")).first).to_be_visible(timeout=SOON_MS)
            return True
        return False

    async def _baseline(self) -> bool:
        taken = self.page.locator(".readings li:not(.empty)")
        start = self._button("Start cuff")
        if not await taken.count() and await start.count() and "Start cuff" not in self.done.taps:
            return await self._tap(start)
        usual = self.page.locator("#flow .scores > .usual")
        if await usual.count():
            return await self._tap_gone(usual)
        scale = self.page.locator("#flow .scores > .scale").first
        if await scale.count():
            title = await scale.locator("h3").inner_text()
            if await self._tap(scale.get_by_role("button", name="3", exact=True)):
                self.done.taps[-1] = f"{title}: 3"
                await expect(self.page.locator("#flow .scores > .scale h3", has_text=title)).to_have_count(
                    0, timeout=SOON_MS
                )
                return True
        return False

    async def _tap_gone(self, button: Locator) -> bool:
        """Press what goes away with it."""
        text = await button.first.inner_text()
        if not await self._tap(button):
            return False
        await expect(self.page.locator("#flow").get_by_role("button", name=text, exact=True)).to_have_count(
            0, timeout=SOON_MS
        )
        return True

    async def _device(self) -> bool:
        field = self.page.locator("input[name=scan]")
        if await field.count():
            return await self._scan(field, self._lots.pop(0))
        give = self.page.locator("#flow .foot .giant")
        if await give.count() and "given" in (text := await give.inner_text()) and await self._tap(give):
            await expect(self._button(text)).to_have_count(0, timeout=SOON_MS)
            return True
        return False

    async def _infusion(self) -> bool:
        start = self._button("Infusion started")
        if await start.count():
            return await self._tap_gone(start)
        weight = self.page.locator("input[name=weight_kg]")
        if await weight.count() and not await weight.input_value():
            return await self._scan(self.page.locator("input[name=label]"), self._dose)
        proof = self.page.locator("form.proof")
        if await proof.count():
            await self._prove(proof, "sam")
            await expect(start).to_be_visible(timeout=SOON_MS)
            return True
        return False

    async def _answer(self, alarm: Locator) -> bool:
        """She is at the bed: that is one tap, whatever the alarm is of."""
        text = await alarm.locator(".what .text").inner_text()
        seen = self._button("Acknowledge at bed", alarm)
        if not await self._tap(seen):
            return False
        self.done.taps[-1] += f" ({text})"
        await expect(seen).to_have_count(0, timeout=SOON_MS)
        return True

    async def _gate(self) -> bool:
        """The prescriber looks, and decides in her own words."""
        finding = self.page.locator(".gates li:not([data-open])").first
        if not await finding.count():
            return False
        await finding.get_by_label("Why it goes on").fill("seen, calm, known to her")
        self.done.others.append(f"ida writes why: {await finding.locator('h3').inner_text()}")
        return await self._prove(finding, "ida")

    async def _now(self) -> bool:
        task = self.page.locator(".task").first
        if await task.count():
            usual = task.locator(".scores > .usual")
            if await usual.count():
                return await self._tap_gone(usual)
            scale = task.locator(".scale").first
            if await scale.count():
                title = await scale.locator("h3").inner_text()
                if not await self._tap(scale.get_by_role("button", name="No", exact=True)):
                    return False
                self.done.taps[-1] = f"{title}: No"
                await expect(task.locator(".scale")).to_have_count(0, timeout=SOON_MS)
                return True
            if await task.locator(":scope > .main").count():
                return await self._tap_gone(task.locator(":scope > .main"))
        end = self.page.locator("#flow .foot .giant")  # large once the dose has run
        return bool(await end.count()) and await self._tap_gone(end)

    async def _leave(self) -> bool:
        items = self.page.locator(".leave .items > li")
        for item in await items.all():
            title = await item.locator("h3").first.inner_text()
            act = item.locator(".usual, .words button").first
            if await act.count() and await act.is_enabled() and await self._tap(act):
                self.done.taps[-1] = f"{title}: {self.done.taps[-1]}"
                await expect(items.filter(has_text=title).locator(".usual, .words button")).to_have_count(
                    0, timeout=SOON_MS
                )
                return True
        for name in ("Ready to leave", "Close session"):
            if await self._button(name).count() and await self._button(name).is_enabled():
                return await self._tap_gone(self._button(name))
        proof = self.page.locator(".close form.proof")
        if await proof.count():
            await self._prove(proof, "ida")
            await expect(self._button("Close session")).to_be_visible(timeout=SOON_MS)
            return True
        return False
