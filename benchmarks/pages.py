"""Pages: what an ordinary session brings to a nurse's pocket under the shipped therapies.

Ordinary patients (physiology.md 5) go from check-in to signature through the whole ward; the goal is at most
one MEDIUM or HIGH page a session on average (alarms.md 9). Nobody changes a limit for a patient, though a
clinic would: what is left of it comes from few patients whose own normal lies near a limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from statistics import mean, pstdev

import msgspec

from benchmarks.measure import Row, at_most, plain
from benchmarks.visits import Outcomes, Visit, paged, plan
from simulators.ordinary import drawn, sessions
from simulators.patient import Patient
from simulators.scenario import Drug, Motion

SESSIONS = 100
BESIDE = 12
"""How many sessions beside the goal: older patients, and such as move."""
GOAL = 1.0
AWAKE = (Motion(from_min=-15, to_min=360, every_s=240),)
"""One burst of motion every 4 min (physiology.md 6, A1)."""


def played(therapy: str, count: int, *, age: int = 45, moving: bool = False) -> list[Outcomes]:
    """So many ordinary sessions under one therapy, each in a ward of its own."""
    drug: Drug = "iv" if therapy.startswith("iv") else "esk"
    house = plan()
    made = []
    for who in islice(sessions(drug, age), count):
        patient = who.patient
        if moving:
            patient = Patient(msgspec.structs.replace(drawn(drug, age), motion=AWAKE), who.seed)
        made.append(Visit(therapy, patient, who.seed, age=age, whole=house).run())
    return made


def rows() -> list[Row]:
    """Pages a session for each therapy that ships, and beside the goal for those who are older or move."""
    made = []
    for therapy in ("spravato_us", "spravato_eu", "iv_ketamine_40"):
        done = played(therapy, SESSIONS)
        print(f"\n{therapy}: first pages of {SESSIONS} ordinary sessions, by condition\n{by_condition(done)}")
        made.append(at_most(f"{therapy}: pages a session", _mean(done), GOAL, "", _note(done)))
    for title, done in (
        ("spravato_us, 65 and over", played("spravato_us", BESIDE, age=70)),
        ("spravato_us, moving every 4 min", played("spravato_us", BESIDE, moving=True)),
        ("iv_ketamine_40, moving every 4 min", played("iv_ketamine_40", BESIDE, moving=True)),
    ):
        made.append(plain(f"{title}: pages a session", _mean(done), "", _note(done)))
    return made


def by_condition(done: Sequence[Outcomes]) -> str:
    """First pages by rule and priority as Markdown, the most frequent first, and in how many sessions."""
    lines = ["| condition | priority | pages | a session | sessions with one |", "|---|---|---:|---:|---:|"]
    for (rule, priority), count in paged(done).most_common():
        having = sum(any(page.rule == rule for page in one.pages) for one in done)
        lines.append(
            f"| {rule} | {priority} | {count} | {count / len(done):.2f} | {having / len(done):.0%} |"
        )
    return "\n".join(lines)


def _mean(done: Sequence[Outcomes]) -> float:
    return mean(len(one.pages) for one in done)


def _note(done: Sequence[Outcomes]) -> str:
    """How sure the mean is, and whose it is: few who are paged often hide many who are not at all."""
    counts = [len(one.pages) for one in done]
    error = pstdev(counts) / math.sqrt(len(counts))
    quiet = sum(not count for count in counts) / len(counts)
    often = sum(count for count in counts if count > 3) / max(1, sum(counts))
    closed = sum(one.closed for one in done)
    said = (
        f"+-{error:.2f}; {quiet:.0%} of sessions without any; {often:.0%} of pages from sessions with over 3"
    )
    return f"{said}; {closed} of {len(done)} closed"
