"""Stored sessions under the limits as they are set, and beside them under limits that somebody proposes.

For the command line and the API. Reads while a service writes; what takes long is done in a thread, beside
the loop. Each session is judged alone: no two are ever in one ward.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.alerts import limits as limit_rows
from monitor.config.settings import Clinic
from monitor.config.words import nearest
from monitor.devices.driver import Driver
from monitor.model import Bed, Device, SessionMoved, SessionPhase
from monitor.plan import Plan
from monitor.planning import changed, plan
from monitor.reporting.door import setting
from monitor.reporting.kept import Kept, gather
from monitor.sessions.layers import InForce, lay
from monitor.sessions.therapy import Therapy
from monitor.store.journal import Journal
from monitor.store.trends import Trends
from monitor.whatif.again import Played, played, recorded
from monitor.whatif.said import Key, Sums

Rows = Mapping[str, Mapping[str, Any]]
"""Numbers by rule, as `[limits]` of the settings has them."""

Layers = Mapping[str, Rows]
"""The same by the name of a layer of limits, as `[[therapies.NAME.layer]]` has them (protocols.md 6.3)."""

AS_SET, PROPOSED = "as set", "proposed"

PRIORITIES = ("HIGH", "MEDIUM", "LOW")


class WrongLimitsError(ValueError):
    """What is proposed is no set of limits; each line names a wrong key and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often one condition was raised at one priority: on the day, as set now, and as proposed."""

    rule: str
    priority: str
    recorded: int
    as_set: int
    proposed: int | None
    """None where nothing is proposed."""


@dataclass(frozen=True, slots=True)
class SessionJudged:
    """One session: what its alarms come to. `why_not` says why it could not be judged; the rest is then None.

    `trusted` says whether its therapy's numbers are still those that it went under.
    """

    session: int
    alias: str
    therapy: str | None
    trusted: bool
    opened_at_ms: int
    ended_at_ms: int | None
    why_not: str | None
    recorded: Counter[Key]
    as_set: Played | None = None
    proposed: Played | None = None

    def rules(self) -> list[RuleCount]:
        """Its counts by condition."""
        return _counts(
            self.recorded,
            self.as_set.sums.rules if self.as_set else Counter(),
            self.proposed.sums.rules if self.proposed else None,
        )

    def lines(self) -> list[dict[str, Any]]:
        """Its alarms and pages under both, and its summary last."""
        case = {"session": self.session}
        if self.as_set is None:
            return [{"event": "skipped", "why": self.why_not} | case]
        found = [line | case | {"limits": AS_SET} for line in self.as_set.lines]
        if self.proposed is not None:
            found += [line | case | {"limits": PROPOSED} for line in self.proposed.lines]
        about = {
            "alias": self.alias,
            "therapy": self.therapy,
            "same_numbers": self.trusted,
            "opened_at_ms": self.opened_at_ms,
            "ended_at_ms": self.ended_at_ms,
        }
        summary = _summary(self.as_set.sums, self.proposed.sums if self.proposed else None, self.rules())
        return [*found, summary | about | case]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Several sessions, each judged alone, and what they add up to."""

    sessions: tuple[SessionJudged, ...]

    def rules(self) -> list[RuleCount]:
        """The counts of all that could be judged, by condition; the most frequent first."""
        judged = [one for one in self.sessions if one.as_set is not None]
        proposals = [one.proposed.sums.rules for one in judged if one.proposed is not None]
        return _counts(
            sum((one.recorded for one in judged), Counter()),
            sum((one.as_set.sums.rules for one in judged if one.as_set), Counter()),
            sum(proposals, Counter()) if proposals else None,
        )

    def line(self) -> dict[str, Any]:
        """The summary of all."""
        as_set = [one.as_set.sums for one in self.sessions if one.as_set is not None]
        proposed = [one.proposed.sums for one in self.sessions if one.proposed is not None]
        line = _summary(sum(as_set, Sums()), sum(proposed, Sums()) if proposed else None, self.rules())
        skipped = [one.session for one in self.sessions if one.as_set is None]
        return line | {"sessions": len(as_set), "skipped": skipped}


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """The stored sessions of one clinic. `now_ms` is until when an open one is looked at."""

    clinic: Clinic
    drivers: Mapping[str, Driver]
    journal: Journal
    trends: Trends
    now_ms: Callable[[], int]

    async def what_if(
        self, sessions: list[int], limits: Rows | None = None, layers: Layers | None = None
    ) -> WhatIf:
        """These sessions as the limits are set now and, where any are proposed, under those beside.

        WrongLimitsError, NoSuchSessionError, StoreError.
        """
        return WhatIf(tuple([one async for one in self.judged(sessions, limits, layers)]))

    async def judged(
        self, sessions: list[int], limits: Rows | None = None, layers: Layers | None = None
    ) -> AsyncIterator[SessionJudged]:
        """The same one by one, as they come."""
        as_set = plan(self.clinic, self.drivers)
        nothing = limits is None and layers is None
        proposed = None if nothing else proposal(as_set, limits or {}, layers or {})
        beds = {Device(one.name): Bed(one.bed) for one in self.clinic.devices}
        for session in sessions:
            kept = await gather(self.journal, self.trends, session, self.now_ms(), beds)
            yield await asyncio.to_thread(self._judge, kept, as_set, proposed, layers or {})

    async def newest(self, count: int) -> list[int]:
        """The numbers of the sessions that ended last, the oldest of them first."""
        found: list[int] = []
        seq = 0
        while row := await self.journal.next_of(("SessionMoved",), seq, f'"now":"{SessionPhase.CLOSED}"'):
            seq = row.seq
            if isinstance(row.event, SessionMoved):
                found.append(row.event.session)
        return found[-count:] if count else []

    async def since(self, from_ms: int) -> list[int]:
        """The numbers of the sessions that ended from an instant on, the oldest of them first."""
        return [
            row.event.session
            async for row in self.journal.of((SessionMoved.__name__,), from_ms)
            if isinstance(row.event, SessionMoved) and row.event.now is SessionPhase.CLOSED
        ]

    def _judge(self, kept: Kept, as_set: Plan, proposed: Plan | None, layers: Layers) -> SessionJudged:
        of_then = setting(self.clinic, kept)
        opened = kept.opened
        made = SessionJudged(
            kept.session,
            opened.alias if opened else kept.admitted.alias if kept.admitted else "",
            opened.therapy if opened else None,
            of_then.trusted or opened is None,
            kept.moved.at_ms,
            kept.ended_ms,
            _why_not(kept),
            recorded(kept),
        )
        if made.why_not is not None:
            return made
        if opened is not None and of_then.therapy is not None:
            # The very numbers that it went under, if they are known: what is asked is about limits.
            as_set = _under(as_set, opened.therapy, of_then.therapy)
            proposed = proposed and _under(
                proposed, opened.therapy, layered(of_then.therapy, layers, proposed.numbers)
            )
        return replace(
            made, as_set=_timed(kept, as_set), proposed=None if proposed is None else _timed(kept, proposed)
        )


def proposal(as_set: Plan, limits: Rows, layers: Layers | None = None) -> Plan:
    """The plan with these rows laid over every limit profile, and these over the layers of that name.

    What a layer says of a rule is laid over the profile, as ever. WrongLimitsError names each wrong key.
    """
    numbers = {}
    for name, data in as_set.numbers.items():
        try:
            numbers[name] = changed(dict(data), limits)
            limit_rows.profile(numbers[name])
        except (ValueError, TypeError, AttributeError) as wrong:
            raise WrongLimitsError(str(wrong)) from None
    known = {layer.name for therapy in as_set.therapies.values() for layer in therapy.layer}
    unknown = [
        f'layers: there is no layer "{name}"{nearest(name, known)}'
        for name in layers or {}
        if name not in known
    ]
    if unknown:
        raise WrongLimitsError("\n".join(unknown))
    therapies = {name: layered(each, layers or {}, numbers) for name, each in as_set.therapies.items()}
    profiles = {name: limit_rows.profile(data) for name, data in numbers.items()}
    profiles = dict(as_set.profiles) | profiles
    return replace(as_set, numbers=numbers, profiles=profiles, therapies=therapies)


def layered(therapy: Therapy, layers: Layers, numbers: Mapping[str, Mapping[str, Any]]) -> Therapy:
    """The therapy with these numbers in its layers; WrongLimitsError where its profile cannot take them."""
    made = []
    for layer in therapy.layer:
        rows = layers.get(layer.name, {})
        rules = {**layer.rules, **{rule: {**layer.rules.get(rule, {}), **row} for rule, row in rows.items()}}
        try:
            changes = InForce((), rules, frozenset(), 1, not_declining=False)
            limit_rows.profile(lay(numbers[therapy.limits], changes))
        except (ValueError, TypeError, AttributeError) as wrong:
            where = f"layers.{layer.name}."
            lines = [where + line.removeprefix("rules.") for line in str(wrong).splitlines()]
            raise WrongLimitsError("\n".join(lines)) from None
        made.append(layer.model_copy(update={"rules": rules}) if rows else layer)
    return therapy.model_copy(update={"layer": tuple(made)}) if layers else therapy


def _under(house: Plan, name: str, therapy: Any) -> Plan:
    return replace(house, therapies={**house.therapies, name: therapy})


def _timed(kept: Kept, house: Plan) -> Played:
    began = time.perf_counter()
    made = played(kept, house)
    made.sums.wall_s = time.perf_counter() - began
    return made


def _why_not(kept: Kept) -> str | None:
    """Readings are kept for a time only: a session without them would seem to be one without an alarm."""
    if not any(history.times_ms for history in kept.history.values()):
        return "Its readings are not kept, or not any more."
    return None


def _counts(on_the_day: Counter[Key], as_set: Counter[Key], proposed: Counter[Key] | None) -> list[RuleCount]:
    keys = set(on_the_day) | set(as_set) | set(proposed or ())
    ordered = sorted(keys, key=lambda key: (-as_set[key], PRIORITIES.index(key[1]), key[0]))
    return [
        RuleCount(*key, on_the_day[key], as_set[key], None if proposed is None else proposed[key])
        for key in ordered
    ]


def _summary(as_set: Sums, proposed: Sums | None, rules: list[RuleCount]) -> dict[str, Any]:
    line = as_set.line()
    return {
        "event": "summary",
        "bed_hours": line["bed_hours"],
        "gaps_s": line["gaps_s"],
        "readings": line["readings"],
        "as_set": as_set.counts(),
        "proposed": None if proposed is None else proposed.counts(),
        "rules": [
            {
                "rule": one.rule,
                "priority": one.priority,
                "recorded": one.recorded,
                "as_set": one.as_set,
                "proposed": one.proposed,
            }
            for one in rules
        ],
        "wall_s": round(as_set.wall_s + (proposed.wall_s if proposed else 0.0), 3),
    }
