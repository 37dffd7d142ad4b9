"""A patient as a function of time: same seed and same instant, same values, in whatever order they are asked.

Nothing is remembered. What the drug does is a curve (physiology.md 5.2, 5.3), what chance does comes from
`noise.py` by seed, name and step, and what a story does is read from its table (`scenario.py`). Time is
`t_ms`, milliseconds since the drug was started; before that it is negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from simulators.noise import normals, uniforms, wander
from simulators.scenario import Bend, Motion, Person, Signal, Story, Surge

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Contact:
    """How well the oximeter's probe sees the patient."""

    probe: str
    """"on", "off" (off the patient), "unplugged" or "searching" (for a pulse)."""
    motion: bool = False
    weak: bool = False

    @property
    def good(self) -> bool:
        """Whether there is a number at all; motion and a weak pulse only cast doubt on it."""
        return self.probe == "on"


@dataclass(frozen=True, slots=True)
class CuffResult:
    """What a cuff gives that was started at one instant: how long it takes, and the numbers or why not."""

    takes_ms: int
    systolic: int | None
    diastolic: int | None
    mean: int | None
    pulse: int | None
    failed: str | None = None
    """"failed", "pump-up timeout" or "timeout"; None where it went well."""


class AnyPatient(Protocol):
    """What a device can measure: on a simulated patient and on a recorded one alike."""

    @property
    def story(self) -> Story:
        """The scenario this patient plays."""
        ...

    def heart_rate(self, t_ms: int) -> float | None:
        """Beats a minute as an ECG counts them."""
        ...

    def pulse(self, t_ms: int) -> float | None:
        """Beats a minute as the oximeter counts them."""
        ...

    def spo2(self, t_ms: int) -> float | None:
        """Saturation in whole per cent as the oximeter shows it."""
        ...

    def perfusion(self, t_ms: int) -> float | None:
        """Perfusion index in per cent."""
        ...

    def respiration(self, t_ms: int) -> float | None:
        """Breaths a minute."""
        ...

    def temperature(self, t_ms: int) -> float | None:
        """Body temperature in degrees Celsius."""
        ...

    def systolic(self, t_ms: int) -> float | None:
        """True systolic pressure in mmHg, before any cuff errs."""
        ...

    def diastolic(self, t_ms: int) -> float | None:
        """True diastolic pressure in mmHg."""
        ...

    def contact(self, t_ms: int) -> Contact:
        """How well the oximeter's probe sees the patient."""
        ...

    def cuff(self, t_ms: int, before_ms: int | None) -> CuffResult:
        """What a cuff started now will give; `before_ms` is when the last one was started."""
        ...

    def next_cuff_ms(self, after_ms: int, cycle_ms: int) -> int | None:
        """When the monitor's own cycle starts a cuff next; `cycle_ms` 0 is a monitor without one."""
        ...


# What the drug does.


def iv_yale(t_min: float, infusion_min: float = 40.0, stopped_min: float | None = None) -> float:
    """The share of the peak rise at `t_min` of an infusion (physiology.md 5.2).

    Stopped early, it peaks where it was stopped.
    """
    end = infusion_min if stopped_min is None else min(stopped_min, infusion_min)
    if t_min <= 0:
        return 0.0
    risen = (1 - math.exp(-min(t_min, end) / 15)) / (1 - math.exp(-infusion_min / 15))
    return risen * math.exp(-max(0.0, t_min - end) / 20)


def esk_label(t_min: float, tail_tau_min: float | None = None) -> float:
    """The share of the peak rise `t_min` after an esketamine spray (physiology.md 5.3)."""
    if t_min <= 0:
        return 0.0
    if tail_tau_min is not None and t_min > 40:
        return math.exp(-(t_min - 40) / tail_tau_min)
    return (t_min / 40) ** 3 * math.exp(3 * (1 - t_min / 40))


@dataclass(frozen=True, slots=True)
class Response:
    """How one drug moves the signals at its peak: mean, SD between people, SD within one person."""

    systolic: tuple[float, float, float]
    diastolic: tuple[float, float, float]
    heart_rate: tuple[float, float, float]
    spo2: tuple[float, float, float]
    respiration: tuple[float, float, float]


def _halved(mean: float, sd: float) -> tuple[float, float, float]:
    # "Split variance about half between-patient, half within" (physiology.md 5.2).
    return mean, sd / math.sqrt(2), sd / math.sqrt(2)


IV = Response(
    systolic=_halved(16.0, 11.2),
    diastolic=_halved(11.0, 8.45),
    heart_rate=_halved(4.5, 7.0),
    spo2=_halved(-0.4, 0.6),
    respiration=_halved(-0.5, 1.5),
)
ESKETAMINE = Response(
    systolic=(13.3, 7.5, 9.5),
    diastolic=(8.7, 5.0, 6.5),
    heart_rate=_halved(2.5, 6.0),
    spo2=_halved(-0.5, 0.7),
    respiration=_halved(-0.5, 1.5),
)
ESKETAMINE_65 = Response(
    systolic=(16.0, 8.5, 10.0),
    diastolic=(9.5, 5.0, 6.3),
    heart_rate=ESKETAMINE.heart_rate,
    spo2=ESKETAMINE.spo2,
    respiration=ESKETAMINE.respiration,
)

# Resting values, mean and SD: pressures of physiology.md 5.3, the rest of its section 1.
BASE = {
    "systolic": (122.0, 11.0),
    "diastolic": (75.0, 7.5),
    "heart_rate": (74.0, 9.0),
    "respiration": (15.0, 2.0),
    "spo2": (97.6, 1.0),
    "temperature": (36.7, 0.3),
    "perfusion": (4.0, 1.2),
}
BASE_65 = BASE | {"systolic": (128.0, 11.0), "diastolic": (74.0, 7.0)}

# Noise: SD and time constant in seconds (physiology.md 5.4; perfusion and temperature are proposals).
NOISE = {
    "heart_rate": (2.5, 20.0),
    "respiration": (1.2, 40.0),
    "spo2": (0.5, 30.0),
    "temperature": (0.03, 300.0),
    "perfusion": (0.4, 60.0),
}
SWING_PER_MIN = 2.0
"""How far breathing swings the heart rate."""

DRAWN_SPAN_SD = 2.5
"""A base further from the mean is not drawn: it would not pass the gate of a session. Pressures are drawn
from all of their curve: their gate is a reading, which `ordinary.py` asks for."""


@dataclass(frozen=True, slots=True)
class _Drug:
    """The course of one session, drawn: rises at the peak, and what is peculiar to this one."""

    systolic: float
    diastolic: float
    heart_rate: float
    spo2: float
    respiration: float
    tail_tau_min: float | None
    dip: tuple[float, float, float] | None
    """A mild dip of SpO2: begins at minute, lasts minutes, down to per cent."""


class Patient:
    """One simulated patient in one session. The same seed is the same person; `session` is another day."""

    def __init__(self, story: Story, seed: int, session: int = 0) -> None:
        """Draw who this is and how the drug will act; nothing else is ever drawn by order."""
        self._story = story
        self._seed = seed
        self._base = _who(story.person, seed)
        self._drug = _course(story, seed, session)
        self._chance = f"session {session} "
        self._bends = {signal: [b for b in story.bend if b.signal == signal] for signal in SIGNALS}
        self._surges = {signal: [s for s in story.surge if s.signal == signal] for signal in SIGNALS}

    @property
    def story(self) -> Story:
        """The scenario this patient plays."""
        return self._story

    def heart_rate(self, t_ms: int) -> float:
        """Beats a minute as an ECG counts them."""
        mean = self._told("heart_rate", t_ms, self._rise(t_ms) * self._drug.heart_rate)
        breaths = t_ms / MINUTE_MS * self._base["respiration"]
        swing = SWING_PER_MIN / math.sqrt(2) * math.sin(2 * math.pi * breaths)
        return max(0.0, mean + (self._noise("heart_rate", t_ms) + swing) * min(1.0, mean / 60))

    def pulse(self, t_ms: int) -> float | None:
        """Beats a minute as the oximeter counts them: the heart rate, unless the probe moves or is off."""
        if not self.contact(t_ms).good:
            return None
        return max(25.0, self.heart_rate(t_ms) + self._artefact(t_ms)[1])

    def spo2(self, t_ms: int) -> float | None:
        """Saturation in whole per cent as the oximeter shows it; None where the probe sees nothing."""
        if not self.contact(t_ms).good:
            return None
        shown = self.saturation(t_ms) + self._artefact(t_ms)[0] + self._noise("spo2", t_ms)
        return float(min(100, max(1, round(shown))))

    def saturation(self, t_ms: int) -> float:
        """True saturation in per cent, whatever the probe makes of it."""
        mean = self._base["spo2"] + self._rise(t_ms) * self._drug.spo2
        if self._drug.dip is not None:
            begins, lasts, floor = self._drug.dip
            if begins <= t_ms / MINUTE_MS < begins + lasts:
                mean = min(mean, floor)
        return self._bent("spo2", t_ms, mean)

    def perfusion(self, t_ms: int) -> float:
        """Perfusion index in per cent: 0 with the probe off, under 0.3 with a weak pulse."""
        contact = self.contact(t_ms)
        if not contact.good:
            return 0.0
        mean = 0.2 if contact.weak else self._told("perfusion", t_ms, 0.0)
        return max(0.02, mean + self._noise("perfusion", t_ms) * min(1.0, mean / 4))

    def respiration(self, t_ms: int) -> float:
        """Breaths a minute; slow breathing wavers less, and none at all is 0."""
        mean = self._told("respiration", t_ms, self._rise(t_ms) * self._drug.respiration)
        return max(0.0, mean + self._noise("respiration", t_ms) * min(1.0, mean / 15))

    def temperature(self, t_ms: int) -> float:
        """Body temperature in degrees Celsius."""
        return self._told("temperature", t_ms, 0.0) + self._noise("temperature", t_ms)

    def systolic(self, t_ms: int) -> float:
        """True systolic pressure in mmHg, before any cuff errs."""
        return self._told("systolic", t_ms, self._rise(t_ms) * self._drug.systolic)

    def diastolic(self, t_ms: int) -> float:
        """True diastolic pressure in mmHg: always some way under the systolic."""
        mean = self._told("diastolic", t_ms, self._rise(t_ms) * self._drug.diastolic)
        return min(mean, self.systolic(t_ms) - 12)

    def contact(self, t_ms: int) -> Contact:
        """How well the oximeter's probe sees the patient."""
        state = "on"
        for probe in self._story.probe:
            since_s = t_ms / 1000 - probe.at_min * 60
            if since_s >= 0 and probe.every_s is not None:
                since_s %= probe.every_s
            if 0 <= since_s < probe.for_s:
                state = probe.state
        weak = state == "weak"
        return Contact("on" if weak else state, motion=self._burst(t_ms) is not None, weak=weak)

    def cuff(self, t_ms: int, before_ms: int | None) -> CuffResult:
        """What a cuff started now will give (physiology.md 5.4)."""
        z = normals(self._seed, self._chance + "cuff", t_ms, 4)
        luck = uniforms(self._seed, self._chance + "cuff luck", t_ms, 2)
        takes_ms = round(1000 * min(60.0, max(25.0, 35.0 + 6.0 * z[0])))
        for first in self._story.cuff:
            at_ms = first.at_min * MINUTE_MS
            if at_ms <= t_ms and (before_ms is None or before_ms < at_ms):
                return _told_cuff(takes_ms, first.systolic_mmhg, first.diastolic_mmhg, self.heart_rate(t_ms))
        # 3 % of readings fail, 15 % in motion.
        if luck[0] < (0.15 if self.contact(t_ms).motion else 0.03):
            return _failed(takes_ms, ("failed", "pump-up timeout", "timeout")[int(3 * luck[1])])
        end_ms = t_ms + takes_ms
        systolic = round(self.systolic(end_ms) + 4 * z[1])
        diastolic = min(round(self.diastolic(end_ms) + 3 * z[2]), systolic - 10)
        mean = round(diastolic + 0.38 * (systolic - diastolic) + 1.5 * z[3])
        mean = min(max(mean, diastolic + 1), systolic - 1)
        return CuffResult(takes_ms, systolic, diastolic, mean, round(self.heart_rate(end_ms)))

    def next_cuff_ms(self, after_ms: int, cycle_ms: int) -> int | None:
        """The next whole multiple of the monitor's cycle: cuffs fall on the same minutes in every session."""
        return (after_ms // cycle_ms + 1) * cycle_ms if cycle_ms else None

    def _rise(self, t_ms: int) -> float:
        t_min = t_ms / MINUTE_MS
        course = self._story.course
        match self._story.drug:
            case "iv":
                share = iv_yale(t_min, course.infusion_min, course.stopped_min)
                peak_min = min(course.stopped_min or course.infusion_min, course.infusion_min)
                if self._drug.tail_tau_min is not None and t_min > peak_min:
                    top = iv_yale(peak_min, course.infusion_min)
                    return top * math.exp(-(t_min - peak_min) / self._drug.tail_tau_min)
                return share
            case "esk":
                return esk_label(t_min, self._drug.tail_tau_min)
            case "none":
                return 0.0

    def _told(self, signal: Signal, t_ms: int, rise: float) -> float:
        """A signal's mean: base and drug, or the surge where that is higher; then what the story bends."""
        base = self._base[signal]
        surged = [base + _lift(surge, t_ms) for surge in self._surges[signal]]
        return self._bent(signal, t_ms, max([base + rise, *surged]))

    def _bent(self, signal: Signal, t_ms: int, mean: float) -> float:
        for bend in self._bends[signal]:
            mean = _bend(bend, t_ms, mean)
        return mean

    def _noise(self, signal: str, t_ms: int) -> float:
        sd, tau_s = NOISE[signal]
        return sd * wander(self._seed, self._chance + signal, t_ms // 1000, tau_s)

    def _burst(self, t_ms: int) -> tuple[int, int] | None:
        """The burst of motion that is on now, as (which of `motion`, which slot), or None."""
        for which, motion in enumerate(self._story.motion):
            slot = math.floor((t_ms / 1000 - motion.from_min * 60) / motion.every_s)
            # A long burst reaches into later slots: three of 4 min hold all but one in a thousand.
            for earlier in range(max(0, slot - 3), slot + 1):
                begins_s, lasts_s = self._burst_span(which, motion, earlier)
                if begins_s >= motion.to_min * 60:
                    continue
                if begins_s <= t_ms / 1000 < begins_s + lasts_s:
                    return which, earlier
        return None

    def _burst_span(self, which: int, motion: Motion, slot: int) -> tuple[float, float]:
        """When a slot's burst begins and how long it lasts: log-normal, mu 1.895, sigma 1.337 (A1)."""
        name = f"{self._chance}motion {which}"
        late = float(uniforms(self._seed, name, slot, 1)[0])
        z = float(normals(self._seed, name + " length", slot, 1)[0])
        return motion.from_min * 60 + (slot + late) * motion.every_s, math.exp(1.895 + 1.337 * z)

    def _artefact(self, t_ms: int) -> tuple[float, float]:
        """What motion adds to SpO2 (-8 +- 6, never up) and to the pulse (+-25) in this burst."""
        burst = self._burst(t_ms)
        if burst is None:
            return 0.0, 0.0
        which, slot = burst
        z = normals(self._seed, f"{self._chance}artefact {which}", slot, 2)
        return min(0.0, -8 + 6 * float(z[0])), max(-25.0, min(25.0, 12.5 * float(z[1])))


SIGNALS: tuple[Signal, ...] = (
    "heart_rate",
    "spo2",
    "respiration",
    "systolic",
    "diastolic",
    "temperature",
    "perfusion",
)


def _who(person: Person, seed: int) -> dict[str, float]:
    """The resting values of one person."""
    said = {
        "systolic": person.systolic_mmhg,
        "diastolic": person.diastolic_mmhg,
        "heart_rate": person.heart_rate_per_min,
        "respiration": person.respiration_per_min,
        "spo2": person.spo2_percent,
        "temperature": person.temperature_cel,
        "perfusion": person.perfusion_percent,
    }
    table = BASE_65 if person.age >= 65 else BASE
    z = normals(seed, "who", 0, len(table))
    # Apart from each other: with a correlation of the bases the rates of physiology.md 5.5 come out too low.
    z[2:] = z[2:].clip(-DRAWN_SPAN_SD, DRAWN_SPAN_SD)
    z *= person.spread
    base: dict[str, float] = {}
    for (signal, (mean, sd)), drawn in zip(table.items(), z, strict=True):
        asked = said[signal]
        base[signal] = float(mean + sd * drawn) if asked is None else asked
    base["spo2"] = min(base["spo2"], 100.0)
    return base


def _course(story: Story, seed: int, session: int) -> _Drug:
    """How strongly the drug acts in this session (physiology.md 5.2, 5.3): people differ, and days do."""
    course, person = story.course, story.person
    response = IV if story.drug == "iv" else ESKETAMINE_65 if person.age >= 65 else ESKETAMINE
    drawn = course.amplitude == "drawn"
    between = normals(seed, "between people", 0, 5)
    within = normals(seed, "within one", session, 5)
    for z in (between, within):
        z[1] = 0.6 * z[0] + 0.8 * z[1]  # systolic and diastolic rise together, correlation 0.6

    def peak(which: int, mean: float, sd_between: float, sd_within: float) -> float:
        return float(mean + sd_between * between[which] + sd_within * within[which]) if drawn else mean

    systolic, diastolic = peak(0, *response.systolic), peak(1, *response.diastolic)
    if not isinstance(course.amplitude, str):
        systolic += course.amplitude * math.hypot(*response.systolic[1:])
        diastolic += course.amplitude * math.hypot(*response.diastolic[1:])
    if story.drug == "iv":
        systolic += 0.2 * max(0, person.age - 45)
    if person.hypertension:
        systolic, diastolic = abs(systolic) + 5, abs(diastolic)
    luck = uniforms(seed, "peculiar", session, 5)
    esketamine = story.drug == "esk" and drawn
    tail = 60.0 if esketamine and luck[0] < 0.08 else None
    dip = None
    if esketamine and luck[1] < 0.02:
        dip = 20 + 40 * float(luck[2]), 3 + 7 * float(luck[3]), 90 + 2 * float(luck[4])
    return _Drug(
        systolic=course.site * systolic if course.systolic_rise_mmhg is None else course.systolic_rise_mmhg,
        diastolic=(
            course.site * diastolic if course.diastolic_rise_mmhg is None else course.diastolic_rise_mmhg
        ),
        heart_rate=course.site * peak(2, *response.heart_rate),
        spo2=peak(3, *response.spo2),
        respiration=peak(4, *response.respiration),
        tail_tau_min=tail if course.tail_tau_min is None else course.tail_tau_min,
        dip=dip,
    )


def _lift(surge: Surge, t_ms: int) -> float:
    """A surge's height now: it is up after three time constants, stays, and falls away."""
    since_s = t_ms / 1000 - surge.at_min * 60
    if since_s < 0:
        return -math.inf
    up_s = 3 * surge.rise_tau_s + surge.plateau_s
    risen = 1 - math.exp(-min(since_s, up_s) / surge.rise_tau_s)
    return surge.height * risen * math.exp(-max(0.0, since_s - up_s) / surge.fall_tau_s)


def _bend(bend: Bend, t_ms: int, mean: float) -> float:
    since_s = t_ms / 1000 - bend.at_min * 60
    if since_s < bend.points[0][0]:
        return mean
    last_s, last = bend.points[-1]
    told = _mode(bend, mean, _line(bend.points, since_s))
    if since_s <= last_s:
        return told
    if bend.then_tau_s is None:
        return mean
    end = _mode(bend, mean, last)
    return mean + (end - mean) * math.exp(-(since_s - last_s) / bend.then_tau_s)


def _mode(bend: Bend, mean: float, told: float) -> float:
    match bend.mode:
        case "add":
            return mean + told
        case "set":
            return told
        case "at most":
            return min(mean, told)
        case "at least":
            return max(mean, told)


def _line(points: tuple[tuple[float, float], ...], since_s: float) -> float:
    for (from_s, begin), (to_s, end) in pairwise(points):
        if from_s <= since_s < to_s:
            return begin + (end - begin) * (since_s - from_s) / (to_s - from_s)
    return points[-1][1]


def _told_cuff(takes_ms: int, systolic: float | None, diastolic: float | None, rate: float) -> CuffResult:
    """A reading as the story has it."""
    if systolic is None or diastolic is None:
        return _failed(takes_ms, "failed")
    mean = round(diastolic + 0.38 * (systolic - diastolic))
    return CuffResult(takes_ms, round(systolic), round(diastolic), mean, round(rate))


def _failed(takes_ms: int, why: str) -> CuffResult:
    return CuffResult(takes_ms, None, None, None, None, failed=why)
