"""Do the signals of one bed agree? C7, C8, C9 and C11 of physiology, which need more than one value. Pure.

A single value is judged where it comes in (`devices/validity.py`); here it is held against what else the
bed has said: the other rate, the perfusion, its own last two seconds (`cuffs` has what concerns a cuff). What
comes of it is a doubt and its why, never a lost number, and no doubt outlives its time: an alarm is withheld
for 30 s at the most (ALM-073), and no breath for no longer than its own delay.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from msgspec import structs

from monitor.alerts.course import LEAPS, LIVE_MS, RATES, Course
from monitor.alerts.heart import Between, Heart, HeartNumbers, Says, Witness
from monitor.model import Doubt, Quality, Reading, Readings, Vital

# The numbers are those of physiology.md 2, proposed there for the medical director to sign.

RATES_APART = 10
"""C7: ECG and oximeter count further apart than this, in beats a minute."""
RATES_APART_MS = 15_000

PULSE_WEAK = 0.3
"""C8: below this perfusion index, in %, or with no pulse at all, a low SpO2 is first a weak signal."""
WEAK_FIRST_MS = 30_000

RR_SLOW = 6
"""C11: fewer breaths a minute than this by impedance, from a patient who moves, are doubted."""
STEADY_SPO2 = 2
STEADY_RATE = 10
"""What "steady" is for C11: no more than the error of measurement, or the span of C7, over 15 s or more."""

MOTION = ("motion", "moving", "movement", "artefact", "artifact")
"""How devices say that the patient moves."""

_OTHER_RATE = {Vital.HEART_RATE: Vital.PULSE_SPO2, Vital.PULSE_SPO2: Vital.HEART_RATE}
ARTERY = frozenset({Vital.ARTERIAL_SYSTOLIC, Vital.ARTERIAL_DIASTOLIC})
WITNESSES = RATES | ARTERY | {Vital.SPO2, Vital.RESPIRATION, Vital.PERFUSION, Vital.ETCO2}
"""The vitals that are held against each other; the rest pass unseen."""


class Agreement:
    """What the signals of one bed have said together; a new patient starts with a new one."""

    def __init__(self, numbers: HeartNumbers | None = None) -> None:
        """Nothing has been heard: nothing disagrees."""
        self.heart = Heart(numbers)
        self._now: dict[Vital, Reading] = {}
        """The newest reading of each, as it was believed."""
        self._courses: dict[Vital, Course] = {}
        self._moved_ms: int | None = None
        self._moving = False
        self.apart_since_ms: int | None = None
        """Since when ECG and oximeter have counted differently, for the notice of C7."""
        self.weak_since_ms: int | None = None
        """Since when a low SpO2 has come with a weak pulse or none (C8)."""
        self.ecg_is_poor = False
        """C7: the ECG is the poor one of two rates that differ, and has been for long enough."""

    def weighs(self, reading: Reading, *, low: bool = False) -> Reading:
        """The live reading as it may be believed beside the others; `low` where an SpO2 is in breach."""
        vital, at_ms = reading.vital, reading.at_ms
        if vital not in WITNESSES:
            return reading
        if not low and self._goes_on(reading):
            return reading
        if reading.doubt is Doubt.POOR_SIGNAL and _tells_motion((reading.why or "",)):
            self._moved_ms = at_ms
        weighed = reading
        if vital is Vital.SPO2:
            weighed = self._after_a_jump(self._with_a_pulse(reading, low=low))
        elif vital in RATES:
            weighed = self._after_a_jump(reading)
        elif vital is Vital.RESPIRATION:
            weighed = self._while_moving(reading)
        elif vital is Vital.ARTERIAL_SYSTOLIC and reading.value is not None:
            self._courses.setdefault(vital, Course(inf)).hears(at_ms, reading.device, reading.value)
        self._now[vital] = weighed
        if vital in RATES:
            weighed = self._now[vital] = self._beside_the_other_rate(weighed)
        if vital is Vital.PULSE_SPO2:
            ecg = self._now.get(Vital.HEART_RATE)
            self.heart.hears_pulse(weighed, ecg if ecg is not None and _live(ecg, at_ms) else None)
        # What is kept is the ECG's own word: what the others say of it may be another thing a moment later.
        return self._of_one_heart(weighed) if vital is Vital.HEART_RATE else weighed

    def asked_again(self, at_ms: int) -> Reading | None:
        """The ECG's rate, where a pulse that has come after it makes the others say something else of it."""
        ecg, before = self._now.get(Vital.HEART_RATE), self.heart.says
        if ecg is None or ecg.value is None or not _live(ecg, at_ms) or self.heart.within(ecg.value):
            return None
        weighed = self._of_one_heart(ecg)
        return None if self.heart.says is before else weighed

    def _goes_on(self, reading: Reading) -> bool:
        """Whether this is one more of the same, as nearly every value is: the short way through `weighs`."""
        vital, value = reading.vital, reading.value
        course = self._courses.get(vital)
        if (
            course is None
            or value is None
            or reading.doubt is not Doubt.NONE
            or not course.goes_on(reading.at_ms, reading.device, value)
        ):
            return False
        if vital is Vital.SPO2:
            self.weak_since_ms = None
        elif self.apart_since_ms is not None or (vital in RATES and not self.heart.rests(value)):
            return False
        elif vital in RATES:
            other = self._now.get(_OTHER_RATE[vital])
            if other is not None and other.value is not None and abs(other.value - value) > RATES_APART:
                return False
        course.heard(reading.at_ms, value)
        self._now[vital] = reading
        return True

    def rests(self, table: Readings, *, low: bool = False) -> bool:
        """Whether weighing these live readings one by one would doubt none.

        Rows of one instant have no speed: no jump is told between them. `low` as in `weighs`.
        """
        if low or self.apart_since_ms is not None or self.weak_since_ms is not None:
            return False
        spans: dict[Vital, tuple[float, float]] = {}
        for vital, column in zip(table.vitals, table.columns, strict=True):
            if vital in WITNESSES:
                spans[vital] = min(column), max(column)
        first_ms = table.times_ms[0]
        for vital, (least, most) in spans.items():
            if first_ms < table.at_ms and vital in LEAPS and most - least > LEAPS[vital]:
                return False
            course = self._courses.get(vital) if vital in LEAPS else None
            if course is not None and course.would_doubt(first_ms, table.device, vital, least, most):
                return False
        if not spans.keys().isdisjoint(RATES) and self._could_part(first_ms, spans):
            return False
        if not all(self.heart.rests(rate) for vital in RATES for rate in spans.get(vital, ())):
            return False
        slow = spans.get(Vital.RESPIRATION)
        return slow is None or slow[0] >= RR_SLOW

    def took(self, table: Readings) -> None:
        """Keep of a table that rests what all but its last row leave; the last one is weighed as ever."""
        for vital, column in zip(table.vitals, table.columns, strict=True):
            if vital in LEAPS or vital is Vital.ARTERIAL_SYSTOLIC:
                course = self._courses.setdefault(vital, Course(LEAPS.get(vital, inf)))
                told = zip(table.times_ms[:-1], column[:-1], strict=True)
                if table.times_ms[0] == table.at_ms:  # of one instant only the edges say anything
                    told = zip((table.at_ms,) * 2, (min(column), max(column)), strict=True)
                for at_ms, value in told:
                    course.hears(at_ms, table.device, value)

    def fades(self, now_ms: int) -> bool:
        """Whether two rates that differed have both fallen silent: then nothing differs any more."""
        rates = [self._now[vital] for vital in RATES if vital in self._now]
        if self.apart_since_ms is None or any(_live(reading, now_ms) for reading in rates):
            return False
        self.apart_since_ms, self.ecg_is_poor = None, False
        return True

    def notes(self, at_ms: int, what: Iterable[str]) -> None:
        """All that the bed's devices say beside their numbers now: motion lasts while it is among it."""
        moving = _tells_motion(what)
        if moving or self._moving:
            self._moved_ms = at_ms
        self._moving = moving

    def moved_since(self, from_ms: int, at_ms: int) -> bool:
        """Whether a flag of motion stood at any time in this span."""
        if self._moving:
            return True
        return self._moved_ms is not None and from_ms <= self._moved_ms <= at_ms

    # C9.

    def _after_a_jump(self, reading: Reading) -> Reading:
        course = self._courses.setdefault(reading.vital, Course(LEAPS[reading.vital]))
        value = reading.value
        if value is None:
            return reading
        if not course.doubts(reading.at_ms, reading.device, reading.vital, value):
            if reading.doubt is Doubt.NONE:
                course.hears(reading.at_ms, reading.device, value)
            return reading
        what = "fell" if reading.vital is Vital.SPO2 else "changed"
        return _doubted(reading, Doubt.UNUSUAL, f"{reading.vital.label} {what} very suddenly")

    # C8.

    def _with_a_pulse(self, reading: Reading, *, low: bool) -> Reading:
        why = self._weak(reading) if low and reading.value is not None else None
        if why is None:
            self.weak_since_ms = None
            return reading
        if self.weak_since_ms is None:
            self.weak_since_ms = reading.at_ms
        return _doubted(reading, Doubt.POOR_SIGNAL, why)

    def _weak(self, reading: Reading) -> str | None:
        """Why the pulse under this saturation is weak; a pulse that was never told is not missing."""
        pulse = self._now.get(Vital.PULSE_SPO2)
        if pulse is not None and pulse.device == reading.device and not _live(pulse, reading.at_ms):
            return "low SpO2 without a pulse"
        return "low SpO2 with a weak pulse" if self._perfused_badly(reading) else None

    def _perfused_badly(self, reading: Reading) -> bool:
        index = self._now.get(Vital.PERFUSION)
        return (
            index is not None
            and index.value is not None
            and index.device == reading.device
            and reading.at_ms <= index.fresh_until_ms
            and index.value < PULSE_WEAK
        )

    # C7.

    def _beside_the_other_rate(self, reading: Reading) -> Reading:
        ecg, pulse = self._now.get(Vital.HEART_RATE), self._now.get(Vital.PULSE_SPO2)
        at_ms = reading.at_ms
        apart = _apart(ecg, pulse, at_ms)
        if apart is None:
            self.apart_since_ms, self.ecg_is_poor = None, False
            return reading
        if self.apart_since_ms is None:
            self.apart_since_ms = at_ms
        ecg, pulse = apart
        ecg_poor = ecg.doubt is Doubt.POOR_SIGNAL
        pulse_poor = pulse.doubt is Doubt.POOR_SIGNAL or self._perfused_badly(pulse)
        lasted = at_ms - self.apart_since_ms >= RATES_APART_MS
        self.ecg_is_poor = lasted and ecg_poor and not pulse_poor
        if not lasted or ecg_poor == pulse_poor:
            return reading
        poor, other, whose = (ecg, pulse, "oximeter") if ecg_poor else (pulse, ecg, "ECG")
        if reading.vital is not poor.vital:
            return reading
        return _doubted(reading, Doubt.POOR_SIGNAL, f"poor signal: the {whose} counts {other.value:g}")

    def _could_part(self, at_ms: int, spans: dict[Vital, tuple[float, float]]) -> bool:
        both = []
        for vital in (Vital.HEART_RATE, Vital.PULSE_SPO2):
            now = self._now.get(vital)
            if vital in spans:
                # The last row's partner may be the row before it, or what stood before the table.
                low, high = spans[vital]
                if now is not None and now.value is not None:
                    low, high = min(low, now.value), max(high, now.value)
                both.append((low, high))
            elif now is not None and now.value is not None and _live(now, at_ms):
                both.append((now.value, now.value))
        if len(both) < len(RATES):
            return False
        return max(b[1] for b in both) - min(b[0] for b in both) > RATES_APART

    def _of_one_heart(self, reading: Reading) -> Reading:
        """C7: a rate of the ECG beyond its limits, and what the other signals of the heart say of it."""
        if reading.value is None:
            return reading
        says = self.heart.ask(reading.at_ms, reading.value, *self._others(reading.at_ms))
        if says is not Says.OTHERWISE or self.heart.within(reading.value):
            return reading
        return _doubted(reading, Doubt.POOR_SIGNAL, f"poor signal: {self.heart.why}")

    def _others(self, at_ms: int) -> tuple[Witness | None, Witness | None, float | None]:
        pulse = self._witness(Vital.PULSE_SPO2, at_ms)
        artery = self._witness(Vital.ARTERIAL_SYSTOLIC, at_ms)
        low = self._now.get(Vital.ARTERIAL_DIASTOLIC)
        beat = None
        if artery is not None and low is not None and low.value is not None and _live(low, at_ms):
            beat = (artery.reading.value or 0.0) - low.value
        return pulse, artery, beat

    def _witness(self, vital: Vital, at_ms: int) -> Witness | None:
        reading, course = self._now.get(vital), self._courses.get(vital)
        if reading is None or not _live(reading, at_ms):
            return None
        span = None if course is None else course.span(at_ms)
        return Witness(reading, Between(0.0, 0.0, known=False) if span is None else Between(*span))

    # C11.

    def _while_moving(self, reading: Reading) -> Reading:
        value, at_ms = reading.value, reading.at_ms
        if value is None or value >= RR_SLOW or not self._moves(at_ms) or self._by_gas(reading):
            return reading
        if not self._steady(at_ms):
            return reading
        # A claim of no breath keeps its own delay, whoever moves (physiology.md 1, D2).
        doubt = Doubt.UNUSUAL if value == 0 else Doubt.POOR_SIGNAL
        return _doubted(reading, doubt, "few breaths counted while the patient moves")

    def _moves(self, at_ms: int) -> bool:
        return self.moved_since(at_ms - LIVE_MS, at_ms)

    def _by_gas(self, reading: Reading) -> bool:
        """A device that sees the breath itself does not count it by impedance."""
        gas = self._now.get(Vital.ETCO2)
        return gas is not None and gas.device == reading.device and _live(gas, reading.at_ms)

    def _steady(self, at_ms: int) -> bool:
        spo2 = self._courses.get(Vital.SPO2)
        if spo2 is None or not spo2.steady(at_ms, STEADY_SPO2):
            return False
        rates = [self._courses[vital] for vital in RATES if vital in self._courses]
        return any(course.steady(at_ms, STEADY_RATE) for course in rates)


def _apart(ecg: Reading | None, pulse: Reading | None, at_ms: int) -> tuple[Reading, Reading] | None:
    """Both rates, where both are live and more than C7 allows lies between them."""
    if ecg is None or pulse is None or ecg.value is None or pulse.value is None:
        return None
    if max(at_ms - ecg.fresh_until_ms, at_ms - pulse.fresh_until_ms) > 0:
        return None
    return (ecg, pulse) if abs(ecg.value - pulse.value) > RATES_APART else None


def _live(reading: Reading, at_ms: int) -> bool:
    return reading.value is not None and at_ms <= reading.fresh_until_ms


def _doubted(reading: Reading, doubt: Doubt, why: str) -> Reading:
    """The same, doubted for this as well; what the device itself says of it comes first."""
    said = reading.why if reading.why and reading.quality is Quality.QUESTIONABLE else None
    whys = why if said is None or why in said else f"{said}; {why}"
    worst = max(reading.doubt, doubt)
    return structs.replace(reading, quality=Quality.QUESTIONABLE, why=whys, doubt=worst)


def _tells_motion(what: Iterable[str]) -> bool:
    return any(word in text.casefold() for text in what for word in MOTION)
