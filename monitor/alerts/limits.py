"""Limits: a profile's numbers, folded with a patient's own baseline into one number a rule. No files."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from monitor.alerts.heart import HeartNumbers
from monitor.alerts.rules import INDEX, RULES, Kind, Rule
from monitor.model import Baseline, Priority, Side, Vital


@dataclass(frozen=True, slots=True)
class Timing:
    """The times that hold for every timed rule, whatever its limit."""

    clear_ms: int = 5_000
    """How long a value must stay past the hysteresis band before the condition has ended (ALM-045)."""
    breach_percent: int = 80
    """How much of a delay must be spent in breach (ALM-065)."""
    unusual_ms: int = 10_000
    """What a HIGH without a delay waits while its value is outside the SOFT band (physiology.md 1)."""
    poor_signal_ms: int = 30_000
    """How long a poor signal may withhold a HIGH, and no longer (ALM-073)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule's numbers at one bed, folded: `limit` is what the nurse sees. None means the rule is off."""

    rule: Rule
    limit: float | None
    default: float | None
    hold_ms: int
    severe: float | None
    hysteresis: float
    low_span: float | None
    high_span: float | None
    soft: tuple[float, float] | None = None
    slow_heart_limit: float | None = None
    """The limit that counts instead while the heart rate is under `slow_heart_below`."""
    slow_heart_below: float | None = None
    at_first: bool = False
    """Whether one reading in breach is enough: nothing is repeated to confirm it (protocols.md 6.3)."""
    agreed_ms: int | None = None
    """The delay while another signal says so too; None where that shortens nothing."""

    def reached(self, value: float, *, heart_rate: float | None = None) -> bool:
        """Whether this value is in breach."""
        return self._beyond(value, self.in_force(heart_rate))

    def recovered(self, value: float, *, heart_rate: float | None = None) -> bool:
        """Whether this value is past the hysteresis band (ALM-045)."""
        limit = self.in_force(heart_rate)
        if limit is None:
            return True
        return not self._beyond(value, limit + self.hysteresis * (1 if self.rule.side is Side.LOW else -1))

    def at_once(self, value: float) -> bool:
        """Whether this value is beyond the severe bound, where nothing is waited for (ALM-064)."""
        return self._beyond(value, self.severe)

    def usual(self, value: float) -> bool:
        """Whether this value lies inside its SOFT band: one reading may then be believed."""
        return self.soft is None or self.soft[0] <= value <= self.soft[1]

    def in_force(self, heart_rate: float | None) -> float | None:
        """The limit that counts with this heart rate."""
        if self.slow_heart_limit is None or self.slow_heart_below is None or self.limit is None:
            return self.limit
        slow = heart_rate is not None and heart_rate < self.slow_heart_below
        return max(self.limit, self.slow_heart_limit) if slow else self.limit

    def _beyond(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return False
        if self.rule.inclusive and value == bound:
            return True
        return value < bound if self.rule.side is Side.LOW else value > bound


Limits = tuple[Limit, ...]
"""Every patient rule's limit at one bed."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a profile says of one rule, before any patient."""

    limit: float | None = None
    baseline_percent: float | None = None
    baseline_delta: float | None = None
    every_term: bool = False
    hold_ms: int = 0
    severe: float | None = None
    span: tuple[float, float] | None = None
    slow_heart_limit: float | None = None
    slow_heart_below: float | None = None
    agreed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A signed set of numbers for every rule: which `watch.toml` is one of."""

    name: str
    version: int
    numbers: Mapping[str, Numbers]
    hysteresis: Mapping[Vital, float]
    soft: Mapping[Vital, tuple[float, float]]
    timing: Timing
    confirm_ms: int
    """How long a repeat may be waited for before a cuff breach is raised "not confirmed" (ALM-063)."""
    delays_ms: Mapping[str, int]
    """How long each rule must last that has no limit: the technical ones, and what people say."""
    heart: HeartNumbers = field(default_factory=HeartNumbers)
    """When the signals of one heart are believed."""

    def limits_for(
        self,
        baseline: Baseline,
        overrides: Mapping[str, float] | None = None,
        unconfirmed: Collection[str] = (),
    ) -> Limits:
        """Every patient rule's limit at a bed, in the order of `RULES`; `overrides` are the session's.

        The `unconfirmed` rules wait for no second reading.
        """
        return tuple(
            self._limit(
                rule,
                self.numbers[rule.name],
                baseline,
                overrides or {},
                at_first=rule.name in unconfirmed,
            )
            for rule in RULES
            if rule.name in self.numbers
        )

    def _limit(
        self,
        rule: Rule,
        numbers: Numbers,
        baseline: Baseline,
        overrides: Mapping[str, float],
        *,
        at_first: bool,
    ) -> Limit:
        default = _fold(rule, numbers, baseline)
        own = overrides.get(rule.name, overrides.get(rule.numbers_of))
        low, high = numbers.span or (None, None)
        vital = _vital(rule)
        return Limit(
            rule,
            default if own is None else own,
            default,
            numbers.hold_ms,
            numbers.severe,
            self.hysteresis[vital],
            low,
            high,
            self.soft.get(vital),
            numbers.slow_heart_limit,
            numbers.slow_heart_below,
            at_first,
            numbers.agreed_ms,
        )


def _fold(rule: Rule, numbers: Numbers, baseline: Baseline) -> float | None:
    """One number out of the terms: >= 165, >= B + 30 % and rise >= 40 are one >= min(165, 1.3 B, B + 40)."""
    sign = -1 if rule.side is Side.LOW else 1
    own = _BASELINE.get(_vital(rule), _nothing)(baseline)
    terms = [] if numbers.limit is None else [numbers.limit]
    if own is not None and numbers.baseline_percent is not None:
        terms.append(own * (100 + sign * numbers.baseline_percent) / 100)
    if own is not None and numbers.baseline_delta is not None:
        terms.append(own + sign * numbers.baseline_delta)
    if not terms:
        return None
    # The term reached first is the lowest of the high limits and the highest of the low ones.
    first = (rule.side is Side.HIGH) != numbers.every_term
    return round(min(terms) if first else max(terms), 1)


def _vital(rule: Rule) -> Vital:
    if rule.vital is None:
        raise ValueError(f"{rule.name} watches no vital, so it has no limit")
    return rule.vital


def _nothing(_: Baseline) -> float | None:
    return None


_BASELINE: dict[Vital, Callable[[Baseline], float | None]] = {
    Vital.SYSTOLIC: lambda b: b.systolic,
    Vital.DIASTOLIC: lambda b: b.diastolic,
    Vital.ARTERIAL_SYSTOLIC: lambda b: b.systolic,
    Vital.ARTERIAL_DIASTOLIC: lambda b: b.diastolic,
    Vital.HEART_RATE: lambda b: b.heart_rate,
    Vital.SPO2: lambda b: b.spo2,
    Vital.RESPIRATION: lambda b: b.respiration,
}


# A profile as data (the tables of a TOML file) -> Profile. Every mistake is named, not only the first.


def profile(data: Mapping[str, Any]) -> Profile:
    """The profile this data says. A mistake is a ValueError whose lines name each wrong key."""
    check = _Check()
    made = Profile(
        name=check.text(data, "name"),
        version=int(check.number(data, "version", "version", at_least=1)),
        numbers=_numbers(check, data),
        hysteresis=_by_vital(check, data, "hysteresis", _WATCHED, check.number),
        soft=_by_vital(check, data, "soft", (), check.span),
        timing=_timing(check, check.table(data, "timing")),
        confirm_ms=check.ms(check.table(data, "confirm"), "repeat_within_s", "confirm.repeat_within_s"),
        delays_ms=_delays(check, check.table(data, "delays_s")),
        heart=_heart(check, check.table(data, "heart")),
    )
    check.unknown("", data, _TABLES)
    if check.mistakes:
        raise ValueError("\n".join(check.mistakes))
    return made


_TABLES = (
    "name",
    "version",
    "rules",
    "hysteresis",
    "soft",
    "timing",
    "confirm",
    "delays_s",
    "arterial_hold_s",
    "heart",
)
_KEYS = (
    "limit",
    "baseline_percent",
    "baseline_delta",
    "join",
    "hold_s",
    "severe",
    "span",
    "slow_heart_limit",
    "slow_heart_below",
    "agreed_s",
)
_WATCHED = tuple(dict.fromkeys(_vital(rule) for rule in RULES if rule.measured))


class _Check:
    """Reads one key at a time and collects what is wrong with each, in words."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []
        self._gone: list[str] = []

    def wrong(self, key: str, what: str) -> None:
        # A table that is missing is one mistake, not one for each of its keys.
        if not any(key.startswith(f"{table}.") for table in self._gone):
            self.mistakes.append(f"{key}: {what}")

    def table(self, data: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
        found = data.get(key)
        if isinstance(found, Mapping):
            return found
        name = f"{where}{key}"
        if name not in self._gone:
            self.wrong(name, "this table is missing" if found is None else "must be a table")
            self._gone.append(name)
        return {}

    def text(self, data: Mapping[str, Any], key: str) -> str:
        found = data.get(key)
        if isinstance(found, str) and found:
            return found
        self.wrong(key, "must be a text")
        return ""

    def number(self, data: Mapping[str, Any], key: str, name: str, at_least: float | None = 0) -> float:
        found = data.get(key)
        if not isinstance(found, int | float) or not _is_number(found):
            self.wrong(name, "is missing" if found is None else "must be a number")
            return 0.0
        if at_least is not None and found < at_least:
            self.wrong(name, f"must be {at_least} or more")
        return float(found)

    def maybe(self, data: Mapping[str, Any], key: str, name: str) -> float | None:
        return self.number(data, key, name) if key in data else None

    def ms(self, data: Mapping[str, Any], key: str, name: str) -> int:
        return round(self.number(data, key, name) * 1_000)

    def span(self, data: Mapping[str, Any], key: str, name: str) -> tuple[float, float]:
        found = data.get(key)
        if (
            isinstance(found, Sequence)
            and len(found) == 2
            and all(_is_number(n) for n in found)
            and found[0] < found[1]
        ):
            return float(found[0]), float(found[1])
        self.wrong(name, "must be two numbers, the lower one first")
        return 0.0, 0.0

    def unknown(self, where: str, data: Mapping[str, Any], known: Iterable[str]) -> None:
        known = tuple(known)
        for key in data:
            if key not in known:
                self.wrong(f"{where}{key}", f"is not known here; known are {', '.join(known)}")


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)


def _timing(check: _Check, data: Mapping[str, Any]) -> Timing:
    check.unknown("timing.", data, ("clear_s", "breach_share", "unusual_s", "poor_signal_s"))
    share = check.number(data, "breach_share", "timing.breach_share")
    if share > 1:
        check.wrong("timing.breach_share", "must be 1 or less")
    return Timing(
        check.ms(data, "clear_s", "timing.clear_s"),
        round(share * 100),
        check.ms(data, "unusual_s", "timing.unusual_s"),
        check.ms(data, "poor_signal_s", "timing.poor_signal_s"),
    )


def _heart(check: _Check, data: Mapping[str, Any]) -> HeartNumbers:
    names = [each.name for each in fields(HeartNumbers)]
    check.unknown("heart.", data, names)
    return HeartNumbers(*(check.number(data, name, f"heart.{name}") for name in names))


T = TypeVar("T")


def _by_vital(
    check: _Check,
    data: Mapping[str, Any],
    table: str,
    needed: Iterable[Vital],
    read: Callable[[Mapping[str, Any], str, str], T],
) -> dict[Vital, T]:
    found = check.table(data, table)
    names = {vital.value: vital for vital in Vital}
    check.unknown(f"{table}.", found, names)
    wanted = dict.fromkeys([v.value for v in needed] + [key for key in found if key in names])
    return {names[key]: read(found, key, f"{table}.{key}") for key in wanted}


def _delays(check: _Check, data: Mapping[str, Any]) -> dict[str, int]:
    names = [rule.name for rule in RULES if not rule.measured]
    check.unknown("delays_s.", data, names)
    return {name: check.ms(data, name, f"delays_s.{name}") for name in names}


def _numbers(check: _Check, data: Mapping[str, Any]) -> dict[str, Numbers]:
    rules = check.table(data, "rules")
    holds = check.table(data, "arterial_hold_s")
    check.unknown("arterial_hold_s.", holds, [p.name.lower() for p in Priority])
    own = [rule for rule in RULES if rule.measured and not rule.numbers_of]
    check.unknown("rules.", rules, [rule.name for rule in own])
    found = {rule.name: _one(check, check.table(rules, rule.name, "rules."), rule) for rule in own}
    for rule in RULES:
        if rule.numbers_of:
            key = rule.priority.name.lower()
            hold_ms = check.ms(holds, key, f"arterial_hold_s.{key}")
            found[rule.name] = _arterial(found[rule.numbers_of], hold_ms)
    return {rule.name: found[rule.name] for rule in RULES if rule.name in found}


def _one(check: _Check, data: Mapping[str, Any], rule: Rule) -> Numbers:
    where, before = f"rules.{rule.name}.", len(check.mistakes)
    check.unknown(where, data, _KEYS)
    join = data.get("join", "any")
    if join not in ("any", "all"):
        check.wrong(f"{where}join", 'must be "any" or "all"')
    if rule.kind is Kind.TIMED and "hold_s" not in data:
        check.wrong(f"{where}hold_s", "is missing")
    if not any(key in data for key in ("limit", "baseline_percent", "baseline_delta")):
        check.wrong(f"{where}limit", "there is neither a limit nor a term of the baseline")
    made = Numbers(
        limit=check.maybe(data, "limit", f"{where}limit"),
        baseline_percent=check.maybe(data, "baseline_percent", f"{where}baseline_percent"),
        baseline_delta=check.maybe(data, "baseline_delta", f"{where}baseline_delta"),
        every_term=join == "all",
        hold_ms=check.ms(data, "hold_s", f"{where}hold_s") if "hold_s" in data else 0,
        severe=check.maybe(data, "severe", f"{where}severe"),
        span=check.span(data, "span", f"{where}span") if "span" in data else None,
        slow_heart_limit=check.maybe(data, "slow_heart_limit", f"{where}slow_heart_limit"),
        slow_heart_below=check.maybe(data, "slow_heart_below", f"{where}slow_heart_below"),
        agreed_ms=check.ms(data, "agreed_s", f"{where}agreed_s") if "agreed_s" in data else None,
    )
    if len(check.mistakes) == before:
        _agree(check, where, made, rule)
    return made


def _agree(check: _Check, where: str, made: Numbers, rule: Rule) -> None:
    """Numbers that contradict each other: a limit outside its own span, a severe bound on the wrong side."""
    if made.limit is not None and made.span is not None and not made.span[0] <= made.limit <= made.span[1]:
        check.wrong(
            f"{where}limit", f"{made.limit:g} is outside its span {made.span[0]:g} to {made.span[1]:g}"
        )
    if made.limit is not None and made.severe is not None:
        # On the limit is allowed: a relative limit may come to lie there, and then nothing is waited for.
        beyond = made.severe <= made.limit if rule.side is Side.LOW else made.severe >= made.limit
        if not beyond:
            check.wrong(f"{where}severe", f"{made.severe:g} must lie beyond the limit {made.limit:g}")
    if (made.slow_heart_limit is None) != (made.slow_heart_below is None):
        check.wrong(f"{where}slow_heart_limit", "needs slow_heart_below, and the other way round")


def _arterial(cuff: Numbers, hold_ms: int) -> Numbers:
    # "With a slow heart" is a rule about a cuff reading; an arterial line shows the fall by itself.
    return Numbers(
        cuff.limit,
        cuff.baseline_percent,
        cuff.baseline_delta,
        cuff.every_term,
        hold_ms,
        cuff.severe,
        cuff.span,
    )


def timed(limits: Iterable[Limit]) -> Iterable[tuple[int, Limit]]:
    """Those of the limits that the engine judges, each with its rule's place in `RULES`."""
    return ((INDEX[limit.rule.name], limit) for limit in limits if limit.rule.kind is Kind.TIMED)
