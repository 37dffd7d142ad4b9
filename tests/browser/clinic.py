"""A clinic with treatments as the real ward makes it: seven visits side by side, told as the wire tells them.

Nothing here is invented but what patients and nurses do: every act goes in at the ward's own door, and what a
screen hears is drawn by the service's own views. So a screen is held against what it will really be sent.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from monitor.alerts.roster import Duty
from monitor.api.views import records, shapes, turns
from monitor.model import Bed, CuffOrdered, LinkState, Vital
from monitor.sessions.due import dues
from monitor.treatment import Happening, Move
from tests.browser import scene
from tests.core.shift import Shift
from tests.core.treated import CUFF_S, STEP_S, Treated, settings
from tests.core.visit import DANA, KIM, LEE, MIN, PEOPLE

BEDS = tuple("12345678")
NURSES = dict(zip(BEDS, (DANA, LEE, DANA, LEE, LEE, DANA, LEE, DANA), strict=True))
NAMES = {DANA: "Dana", LEE: "Lee", KIM: "Dr Kim"}

Wire = dict[str, Any]


class Guest(Treated):
    """One patient, whose monitor says what the drug makes of him."""

    def __init__(
        self, clinic: Clinic, bed: str, name: str, *, seed: int, base: tuple[float, float, float],
        rise: float = 1.0, **more: Any,
    ) -> None:  # fmt: skip
        """Checked in just now; `base` is the upper and lower pressure and the heart rate without the drug."""
        self.clinic = clinic
        self.chance = random.Random(seed)  # noqa: S311  a picture, not a secret
        self.rise = rise
        self.base, self.heart, self.wander = base[:2], base[2], [0.0, 0.0, 0.0]
        self.said: dict[str, list[tuple[int, float]]] = {}
        self.bent: dict[Vital, Callable[[float], float]] = {}
        self.silent = False
        self.started_ms: int | None = None
        super().__init__(
            name, shift=clinic.shift, bed=Bed(bed), alias=more.pop("alias", f"P{bed}{seed}"), **more
        )
        clinic.guests.append(self)

    @property
    def at(self) -> float:
        """Minutes since the start of the drug; negative before it."""
        start_ms = self.record.start_ms
        return -1.0 if start_ms is None else (self.now_ms - start_ms) / MIN

    def share(self) -> float:
        """How strong the drug is now, of 1."""
        t = max(0.0, self.at)
        if self.therapy.course == "infusion":
            return (1 - math.exp(-min(t, 40) / 15)) / 0.93 * math.exp(-max(0.0, t - 40) / 20)
        return (t / 40) ** 3 * math.exp(3 * (1 - t / 40))

    def waits(self, minutes: float = 0, *, seconds: float = 0) -> None:
        """Time passes for everybody."""
        self.clinic.waits(minutes, seconds=seconds)

    def steps_on(self) -> None:
        """The monitor's next word."""
        share = self.share()
        self.wander = [w * 0.9 + (self.chance.random() - 0.5) for w in self.wander]
        self.vitals = {
            Vital.HEART_RATE: round(self.heart + 6 * share * self.rise + 2 * self.wander[0]),
            Vital.SPO2: round(min(99.0, 97.6 - 0.6 * share + 0.6 * self.wander[1])),
            Vital.RESPIRATION: round(14.5 + 1.2 * self.wander[2]),
        }
        for vital, bend in self.bent.items():
            self.vitals[vital] = round(bend(self.now_ms / MIN))
        up, down = 16 * self.rise * share, 10 * self.rise * share
        noise = (self.chance.random() - 0.5) * 4
        self.pressure = (round(self.base[0] + up + noise), round(self.base[1] + down + noise))

    def is_asked(self) -> None:
        """A good nurse: whatever score comes due is asked within two minutes."""
        for due in dues(self.record, self.seen, self.now_ms):
            if due.name.endswith("_scores") and self.now_ms >= due.due_ms + MIN:
                values = {"moaas": 5, "dissociation": int(self.share() > 0.4), "pump": 1}
                self.scores(**{item: values[item] for item in self.therapy.check_named(due.name).items})

    def _measure(self) -> None:
        if self.silent:
            return
        self.steps_on()
        super()._measure()
        for vital, value in self.vitals.items():
            line = self.said.setdefault(vital.value, [])
            line += [(self.now_ms - 1_000 * STEP_S // 2, value), (self.now_ms, value)]

    def cuff(self, *pressure: Any, **more: Any) -> None:
        """A reading comes; one that was on its way is this one."""
        self.started_ms = None
        super().cuff(*pressure, **more)

    def _presses(self) -> None:
        """A cuff that has been started has measured."""
        if self.silent:
            return
        if self.started_ms is not None and self.now_ms - self.started_ms >= CUFF_S * 1_000:
            self.cuff(*self.pressure)


class Clinic:
    """Eight beds on one clock; `at(minute)` lets time pass until so many minutes after the first patient."""

    def __init__(self) -> None:
        """Nobody is here yet."""
        duty = Duty((DANA, LEE, KIM), {Bed(bed): nurse for bed, nurse in NURSES.items()})
        self.shift = Shift(BEDS, occupied=False, **(settings() | {"duty": duty}))
        self.guests: list[Guest] = []
        self.began_ms = self.shift.now_ms
        for bed in BEDS:
            self.shift.link(f"second-{bed}", LinkState.UP)

    def waits(self, minutes: float = 0, *, seconds: float = 0) -> None:
        """Time passes; every monitor goes on measuring."""
        until_ms = self.shift.now_ms + round(minutes * MIN + seconds * 1_000)
        while self.shift.now_ms < until_ms:
            before = len(self.shift.events)
            self.shift.waits(seconds=min(STEP_S, (until_ms - self.shift.now_ms) / 1_000))
            here = [guest for guest in self.guests if not guest.record.over]
            for guest in here:
                guest._measure()
            for event in self.shift.events[before:]:
                if isinstance(event, CuffOrdered):
                    next(g for g in here if g.bed == event.bed).started_ms = event.at_ms
            for guest in here:
                guest._presses()
                guest.is_asked()

    def at(self, minute: float) -> None:
        """Wait until then."""
        self.waits(minute - (self.shift.now_ms - self.began_ms) / MIN)

    # What a screen hears.

    def server(self) -> shapes.ServerShown:
        """The service, at the shift's own time."""
        return shapes.ServerShown("0.1.0", self.shift.now_ms, "stage.0", 1.0, insecure_lan=False)

    def told(self, *, names: bool = True) -> Wire:
        """The snapshot a stream begins with."""
        me = (
            shapes.PersonShown("dana", "Dana", "nurse")
            if names
            else shapes.PersonShown("wall", "wall", "display")
        )
        staff = [shapes.PersonShown(name, NAMES[name], role.value) for name, role in PEOPLE.items()]
        found = records.live_snapshot(self.shift.snapshot(), self.server(), me, staff, names=names)
        wire: Wire = msgspec.to_builtins(found)
        for bed in wire["beds"]:
            for vital in bed["vitals"].values():  # no test of something else is to race against freshness
                vital["fresh_until_ms"] = max(vital["fresh_until_ms"], self.shift.now_ms + 10 * MIN)
                vital["value"] = (
                    vital["value"] if bed["bed"] == "5" else vital["value"] or vital["last_value"]
                )
        return wire

    def tells(self, does: Callable[[], object]) -> list[Wire]:
        """The changes one turn would send for what is done here."""
        told, before = turns.Told(self.shift.snapshot()), len(self.shift.events)
        does()
        news: list[Happening] = self.shift.events[before:]
        found: list[Wire] = msgspec.to_builtins(turns.changes(news, self.shift.ward, told, self.shift.now_ms))
        return found

    def trend(self, bed: str) -> Wire:
        """What the trend route answers of this bed's patient."""
        guest = next(g for g in reversed(self.guests) if g.bed == bed)
        cuffs = [
            scene.cuff(one.cuff.systolic, one.cuff.diastolic, 0, None)
            | {"measured_at_ms": one.measured_at_ms}
            for one in guest.record.cuffs
        ]
        return {
            "bed": bed,
            "units": {},
            "vitals": {name: [[t, v, v] for t, v in line] for name, line in guest.said.items()},
            "cuffs": cuffs,
            "sources": {},
        }


def fall(to: float, start: float, over: float, at: float) -> Callable[[float], float]:
    """A value that falls, or rises, from `start` to `to` in so many minutes from the minute `at`."""
    return lambda minute: start + (to - start) * min(1.0, max(0.0, (minute - at) / over))


class Afternoon(Clinic):
    """The afternoon of the design, up to the minute in which a nurse looks up (dashboard.md 4)."""

    def __init__(self) -> None:
        """Everybody comes, is dosed and watched; it ends at minute 137."""
        super().__init__()
        self.beds: dict[str, Guest] = {}
        self._morning()
        self._noon()
        self._last_minutes()

    def comes(
        self, bed: str, name: str, base: tuple[float, float, float], devices: int = 0, rise: float = 1.0,
        **yes: bool,
    ) -> None:  # fmt: skip
        """Through the check-in, now."""
        self.beds[bed] = Guest(self, bed, name, seed=int(bed), base=base, rise=rise, devices=devices)
        self.beds[bed].to_baseline(**yes)

    def starts(self, bed: str, minute: float) -> None:
        """Baseline taken, and the drug begun in that minute."""
        self.at(minute - 1)
        guest = self.beds[bed]
        guest.takes_baseline(*map(round, guest.base))
        if guest.therapy.course == "infusion":
            guest.steps(Move.TO_TIMEOUT)
            guest.does(guest.dose())
            guest.steps(Move.START)
        else:
            guest.does(guest.device(1))

    def given(self, bed: str, number: int, minute: float) -> None:
        """A further device."""
        self.at(minute)
        self.beds[bed].does(self.beds[bed].device(number))

    def checked(self, bed: str, minute: float, systolic: int, diastolic: int) -> None:
        """The 40-minute check, recorded."""
        self.at(minute)
        self.beds[bed].cuff(systolic, diastolic)
        self.beds[bed].scores(moaas=5, dissociation=1)
        self.beds[bed].does(self.beds[bed].save())

    def _morning(self) -> None:
        self.comes("7", "spravato_us", (124, 78, 70), 2, rise=0.8)
        self.starts("7", 9)
        self.given("7", 2, 14.1)
        self.checked("7", 49, 139, 86)
        self.at(74)
        self.comes("4", "spravato_us", (134, 84, 76), 3, rise=1.4, stimulants=True)
        self.comes("6", "iv_ketamine_40", (120, 74, 84))
        self.starts("4", 85)
        self.starts("6", 88)

    def _noon(self) -> None:
        self.comes("2", "spravato_us", (128, 80, 72), 3)
        self.given("4", 2, 90.1)
        self.given("4", 3, 95.2)
        self.starts("2", 99)
        self.comes("3", "iv_ketamine_40", (118, 72, 66), benzodiazepines=True)
        self.given("2", 2, 104.1)
        self.starts("3", 106)
        self.comes("1", "iv_ketamine_40", (122, 76, 68))
        self.given("2", 3, 109.2)
        self.starts("1", 113)
        self.comes("5", "iv_ketamine_40", (126, 78, 71))
        self.starts("5", 120)
        self.at(124)
        self.beds["7"].cuff(125, 79)
        self.checked("4", 125, 163, 96)
        self.at(128)
        self.beds["6"].steps(Move.END)
        self.at(131)
        self.beds["4"].cuff(170, 97)
        self.at(132.4)
        self.beds["4"].cuff(172, 98)

    def _last_minutes(self) -> None:
        minute = self.shift.now_ms / MIN
        self.beds["6"].bent[Vital.HEART_RATE] = fall(113, 88, 2, minute)
        self.at(134)
        leaving = self.beds["7"]
        leaving.cuff(122, 77)
        leaving.scores(moaas=5, oriented=3, dissociation=0, nausea=0, gait=1, suicide_check=1)
        leaving.scores(escort=1, driving=1, instructions=1, posture=2)
        minute = self.shift.now_ms / MIN
        self.beds["3"].bent[Vital.SPO2] = fall(84, 97, 2.2, minute + 0.2)
        self.beds["3"].bent[Vital.RESPIRATION] = fall(7, 14, 2, minute)
        self.at(135)
        leaving.cuff(118, 76)
        leaving.scores(posture=1)
        self.at(136.3)
        self.beds["5"].silent = True
        self.shift.link("monitor-5", LinkState.SILENT, silent_s=10)
        self.at(137.1)


@cache
def afternoon() -> Wire:
    """What a screen is sent at that minute, to signed-in staff and to a wall, and the trend of each bed."""
    clinic = Afternoon()
    return {
        "staff": clinic.told(),
        "wall": clinic.told(names=False),
        "trends": {bed: clinic.trend(bed) for bed in clinic.beds},
    }
