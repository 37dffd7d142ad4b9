"""Every story through real bytes, and how long each took to be noticed; drawn as one page.

Time is the patient's and stands still between two steps, so the page is the same on every machine. `crossed`
is when the patient's own value was beyond the limit for the first time, whatever any device had said of it by
then; `noticed` is how much later the alarm was on the screens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from monitor.alerts.rules import INDEX, RULES, Rule
from monitor.model import (
    Acked,
    AlarmMoved,
    AlarmState,
    Bed,
    CuffAsked,
    PageOrdered,
    Priority,
    Side,
    Staff,
    Vital,
    Why,
)
from monitor.sessions.baseline import propose
from monitor.sessions.gates import findings
from monitor.sessions.therapy import Item
from monitor.treatment import Move, Symptom
from simulators.patient import AnyPatient
from simulators.scenario import load
from tests.core.shift import WATCH
from tests.core.visit import DANA
from tests.whole.chair import Chair, treated_room
from tests.whole.room import Place, Room

STEADY = {"lossy": False, "cuff": False}
CUFF = {"cycle_s": 300}


@dataclass(frozen=True, slots=True)
class Noticed:
    """One alarm, the first of its condition and priority at its bed; times in seconds of the story."""

    bed: str
    rule: Rule
    limit: float | None
    note: str
    crossed_s: float
    raised_s: float

    @property
    def took_s(self) -> float:
        """From the crossing to the screens."""
        return self.raised_s - self.crossed_s


@dataclass(frozen=True, slots=True)
class Played:
    """One story as it was played."""

    room: Room
    said: tuple[str, ...] = ()
    """What the session said of it beside its alarms: gates, and who may leave."""

    def noticed(self) -> list[Noticed]:
        """Every alarm of the patients and of their monitors, in the order in which they came."""
        return [_noticed(self.room, moved) for moved in _firsts(self.room)]

    def raised(self, least: Priority = Priority.LOW, *, technical: bool = False) -> set[tuple[str, str]]:
        """(condition, priority) of each."""
        return {
            (one.rule.condition, one.rule.priority.name)
            for one in self.noticed()
            if one.rule.priority >= least and one.rule.technical is technical
        }

    def took_s(self, condition: str, priority: Priority) -> float:
        """How long the first of these took; AssertionError where it never came."""
        for one in self.noticed():
            if (one.rule.condition, one.rule.priority) == (condition, priority):
                return one.took_s
        raise AssertionError(f"{condition} {priority.name} was never raised; there was {self.raised()}")

    def first_pages(self) -> list[PageOrdered]:
        """The pages that began a ladder."""
        return [page for page in self.room.of(PageOrdered) if page.why is Why.FIRST]


def _firsts(room: Room) -> list[AlarmMoved]:
    firsts: dict[tuple[str, str, Priority], AlarmMoved] = {}
    for moved in room.of(AlarmMoved):
        if moved.now is AlarmState.ACTIVE:
            key = (moved.bed, RULES[INDEX[moved.rule]].condition, moved.priority)
            firsts.setdefault(key, moved)
    return list(firsts.values())


def _noticed(room: Room, moved: AlarmMoved) -> Noticed:
    rule = RULES[INDEX[moved.rule]]
    epoch_ms = room.now_ms - room.t_ms
    since_s, raised_s = (moved.since_ms - epoch_ms) / 1_000, (moved.at_ms - epoch_ms) / 1_000
    patient = next((s.patient for s in room.stations if s.place.bed == moved.bed), None)
    truth = TRUTH.get(rule.vital) if rule.vital else None
    crossed_s = since_s
    if patient is not None and truth is not None and moved.limit is not None and rule.measured:
        crossed_s = _crossed_s(partial(truth, patient), rule, moved.limit, since_s)
    return Noticed(moved.bed, rule, moved.limit, moved.note, crossed_s, raised_s)


TRUTH: Mapping[Vital, Callable[[AnyPatient, int], float | None]] = {
    Vital.SPO2: lambda patient, t_ms: patient.spo2(t_ms),
    Vital.HEART_RATE: lambda patient, t_ms: patient.heart_rate(t_ms),
    Vital.RESPIRATION: lambda patient, t_ms: patient.respiration(t_ms),
    Vital.SYSTOLIC: lambda patient, t_ms: patient.systolic(t_ms),
    Vital.DIASTOLIC: lambda patient, t_ms: patient.diastolic(t_ms),
}
"""What the patient has, without any device between."""

LOOKS_BACK_S = 900


def _crossed_s(truth: Callable[[int], float | None], rule: Rule, limit: float, since_s: float) -> float:
    """The second at which the stretch beyond the limit began that the first breach of the alarm lies in."""

    def beyond(second: int) -> bool:
        value = truth(second * 1_000)
        if value is None:
            return False
        if value == limit:
            return rule.inclusive
        return value < limit if rule.side is Side.LOW else value > limit

    at_s = int(since_s)
    if not beyond(at_s):
        return since_s  # what the device read was not so: noise of a cuff, a burst of motion
    while at_s > since_s - LOOKS_BACK_S and beyond(at_s - 1):
        at_s -= 1
    return at_s


# The stories. Minute 0 is the start of the drug.


def _watched(
    name: str, begin_min: float, until_min: float, *, same_arm: bool = False, interval_s: float | None = 300
) -> Played:
    """A bed that is watched: everything from a bridge, the pressure from a cuff that can be started."""
    places = [Place("1", "mqtt-native", name, options=STEADY), Place("1", "dinamap", name, options=CUFF)]
    room = Room(places, begin_s=begin_min * 60, same_arm=same_arm, cuff_interval_s=interval_s)
    return Played(room.run(until_s=until_min * 60))


def _alone(driver: str, name: str, begin_min: float, until_min: float) -> Played:
    """A bed that is watched by one monitor."""
    room = Room([Place("1", driver, name)], begin_s=begin_min * 60, cuff_interval_s=None)
    return Played(room.run(until_s=until_min * 60))


def _treated(name: str, begin_min: float = -10, seed: int = 1) -> Chair:
    """The patient of a treatment has come, and the monitors are on."""
    places = [Place("1", "mqtt-native", name, options=STEADY), Place("1", "dinamap", name, options=CUFF)]
    return Chair(treated_room(places, begin_min, seed))


def _h2() -> Played:
    chair = _treated("H2")
    chair.starts_at(0)
    chair.until(34)
    chair.symptom(Symptom.CHEST_PAIN)
    chair.waits(1)
    return Played(chair.room)


def _h3() -> Played:
    chair = _treated("H3")
    chair.starts_at(0)
    chair.until(40)
    chair.steps(Move.END)
    chair.until(120)
    return Played(chair.room, (f"minute 120: {chair.missing(Item.PRESSURE)}",))


def _h4() -> Played:
    chair = _treated("H4")
    chair.to_baseline()
    chair.takes_baseline()
    return Played(chair.room, (_gates(chair),))


def _h5() -> Played:
    chair = _treated("H5", -15.5, seed=5)  # a cuff reads some mmHg off: here the recheck is below 140
    chair.to_baseline()
    chair.takes_baseline()
    first = _gates(chair)
    chair.does(chair.restart_baseline("rested for ten minutes"))
    chair.until(-3)
    chair.asks_for_cuffs(2)
    return Played(chair.room, (first, _gates(chair)))


def _gates(chair: Chair) -> str:
    """What the gate before the drug says now, and of which baseline."""
    seen, at_ms = chair.seen, chair.room.now_ms
    own = propose(chair.record, seen, at_ms).baseline
    shut = findings(chair.record, seen, at_ms)
    said = ", ".join(f"{one.result.upper()}: {one.why}" for one in shut) or "open"
    pressure = "no baseline" if own.systolic is None else f"baseline {own.systolic:g}/{own.diastolic:g}"
    return f"minute {round(chair.room.t_ms / 60_000)}: {pressure}, gate {said}"


def _p1() -> Played:
    chair = _treated("P1")
    chair.starts_at(0)
    chair.until(21.5)
    chair.symptom(Symptom.ANXIETY)
    chair.until(32)
    return Played(chair.room)


def _p2() -> Played:
    chair = _treated("P2")
    chair.to_baseline()
    chair.until(-3)
    chair.symptom(Symptom.ANXIETY)
    chair.until(10)
    return Played(chair.room)


def _b3() -> Played:
    played = _watched("B3", 70, 75.5)
    played.room.does(CuffAsked(played.room.now_ms, Bed("1"), Staff("dana")))
    return Played(played.room.run(until_s=82 * 60))


def _d1() -> Played:
    chair = _treated("D1")
    chair.starts_at(0)
    chair.until(22)
    chair.scores(moaas=3)
    chair.until(24)
    chair.scores(moaas=2)
    chair.until(28)
    return Played(chair.room)


def _t6() -> Played:
    played = _watched("T6", 18, 21)
    played.room.restart()
    return Played(played.room.run(until_s=22 * 60))


def _x1() -> Played:
    places = [
        Place(str(of), driver, "X1", of=of, options=options)
        for of in (1, 2)
        for driver, options in (("mqtt-native", STEADY), ("dinamap", CUFF))
    ]
    return Played(Room(places, begin_s=10 * 60).run(until_s=32 * 60))


def _x2() -> Played:
    played = _watched("X2", 18, 24)
    for alarm in played.room.ward.snapshot().alarms:
        if alarm.state is AlarmState.ACTIVE:
            played.room.does(Acked(played.room.now_ms, alarm.alarm_id, DANA))
    return Played(played.room.run(until_s=25 * 60))


STORIES: Mapping[str, Callable[[], Played]] = {
    "N0": partial(_watched, "N0", -2, 60),
    "N0-ESK": partial(_watched, "N0-ESK", -2, 60),
    "N1": partial(_watched, "N1", -2, 65),
    "H1": partial(_watched, "H1", 0, 36),
    "H2": _h2,
    "H3": _h3,
    "H4": _h4,
    "H5": _h5,
    "P1": _p1,
    "P2": _p2,
    "B1": partial(_watched, "B1", -8, 0),
    "B2": partial(_watched, "B2", 8, 32),
    "B3": _b3,
    "D1": _d1,
    "D2": partial(_watched, "D2", 18, 25),
    "D3": partial(_watched, "D3", 23, 33),
    "D4": partial(_watched, "D4", 18, 25),
    "A1": partial(_watched, "A1", 0, 30),
    "A2": partial(_watched, "A2", -2, 11, same_arm=True),
    "A3": partial(_watched, "A3", 18, 28),
    "A4": partial(_watched, "A4", 18, 26),
    "T1": partial(_watched, "T1", 19, 23),
    "T2": partial(_alone, "masimo-ascii1", "T2", 19, 22),
    "T3": partial(_watched, "T3", 19, 24),
    "T4": partial(_alone, "masimo-ascii1", "T4", 19, 28),
    "T5": partial(_watched, "T5", 18, 28),
    "T6": _t6,
    "X1": _x1,
    "X2": _x2,
}


@cache
def played(name: str) -> Played:
    """A story, played once for everybody who asks."""
    return STORIES[name]()


PAGE = """# The stories, and how long each took to be noticed

Every story of [the simulators](../simulators.md) through the bytes of simulated monitors, their codecs and
the ward, under the limits that ship. Drawn by `make safety`; the clock is the patient's, so the figures are
the same on every machine. *Crossed* is when the patient's own value went beyond the limit, whatever a device
had said of it by then; *noticed* is how much later the alarm was on the screens: what the device and the
wire need, the delay, and for a pressure the wait for the next cuff. What comes after that is measured in
[performance.md](../performance.md).

Only the first alarm of each condition and priority is shown, and nobody comes in these stories.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([PAGE, *map(_section, STORIES)])


def _section(name: str) -> str:
    story, done = load(name)[0], played(name)
    rows = [_row(one) for one in done.noticed()]
    pages = done.first_pages()
    counted = ", ".join(
        f"{sum(page.priority is priority for page in pages)} {priority.name}"
        for priority in (Priority.HIGH, Priority.MEDIUM)
    )
    said = "".join(f"\nSaid at {line}.\n" for line in done.said)
    head = f"## {name}: {story.title}\n\nExpected: {story.expect}. First pages: {counted}.\n{said}"
    if not rows:
        return f"{head}\nNo alarm.\n"
    table = "| bed | alarm | priority | limit | crossed | delay | noticed after |\n"
    return f"{head}\n{table}| --- | --- | --- | --- | --- | --- | --- |\n{''.join(rows)}"


def _row(one: Noticed) -> str:
    rule = one.rule
    sign = (
        "" if rule.side is None else ("<" if rule.side is Side.LOW else ">") + ("=" if rule.inclusive else "")
    )
    limit = "" if one.limit is None else f"{sign} {one.limit:g}"
    what = rule.condition + (f" ({one.note})" if one.note else "")
    return (
        f"| {one.bed} | {what} | {rule.priority.name} | {limit} | {_clock(one.crossed_s)} |"
        f" {_delay(rule)} | {one.took_s:.1f} s |\n"
    )


def _delay(rule: Rule) -> str:
    if not rule.measured:
        return f"{WATCH.delays_ms[rule.name] / 1_000:g} s"
    held = WATCH.numbers[rule.name].hold_ms
    return f"{held / 1_000:g} s" if rule.kind.value == "timed" else "repeat"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(abs(seconds)), 60)
    return f"{'-' if seconds < 0 else ''}{minutes}:{rest:02}"
