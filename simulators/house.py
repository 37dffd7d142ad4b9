"""The house of a demonstration: who lies where, the monitors at each bed, and the file the service reads."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.planning import treatment
from monitor.sessions.loading import digest
from simulators.patient import AnyPatient
from simulators.play import Part, Plan, patient_of
from simulators.scenario import ScenarioError

LOOPBACK = "127.0.0.1"
BEDS_MAX = 60

CUFF_S = 300
CUFF_SOON_S = 25.0
"""How long before a cuff's own cycle each patient begins, so that a blood pressure comes early."""
TREATED = {"N0": ("iv_ketamine_40", 0), "N0-ESK": ("spravato_us", 3)}
"""The therapy of an ordinary patient, and how many nasal devices are planned."""
STORY_AFTER_S = 45.0
"""How long after the start a story begins: in D2 breathing stops then, and SpO2 falls 45 s later."""

ORDINARY = ("N0", "N0-ESK")
ILL_BED, ILL = 3, "D2"

STAFF = (
    ("dana", "Dana", "nurse"),
    ("eli", "Eli", "nurse"),
    ("mira", "Mira", "charge nurse"),
    ("ada", "Ada", "prescriber"),
    ("admin", "Administrator", "administrator"),
)
NURSES = ("dana", "eli")
PRESCRIBER = "ada"
SIGNED_ON = "2026-01-01"
ALIASES = ("Heron", "Maple", "Cedar", "Otter", "Birch", "Finch", "Robin", "Aspen", "Wren", "Hazel")


@dataclass(frozen=True, slots=True)
class BedPlan:
    """One bed: who lies there, from which second on, and the monitors beside it."""

    name: str
    scenario: str
    which: int
    start_s: float
    patient: AnyPatient
    seed: int
    therapy: str = ""
    """What is given to the patient by the staff there; "" for one who is only watched."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """One `[[device]]` and the part that plays it. `{bed}` stands for the bed's name."""

    name: str
    driver: str
    on_a_broker: str = ""
    """The topic, without host; "" for a line."""
    heard: str = ""
    """What is appended to the topic in the service's filter."""
    played: Mapping[str, Any] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)


OXIMETER = Monitor("masimo-{bed}", "masimo-ascii1")
PRINTER = Monitor("nellcor-{bed}", "nellcor-ascii")
CUFF = Monitor("v100-{bed}", "dinamap", played={"cycle_s": CUFF_S})
BREATH = Monitor(
    "bridge-{bed}",
    "mqtt-native",
    "vs1/demo/bed-{bed}/bridge-{bed}",
    "/+",
    {"vitals": ["hr", "rr", "temp"], "cycle_s": CUFF_S},
)
WHOLE = Monitor(
    "bridge-{bed}",
    "mqtt-native",
    "vs1/demo/bed-{bed}/bridge-{bed}",
    "/+",
    {"cycle_s": CUFF_S},
)
CUFF_GATEWAY = Monitor(
    "gateway-{bed}",
    "mqtt-map",
    "gateway/bed-{bed}",
    "",
    {"shape": "flat", "oximeter": False, "cycle_s": CUFF_S},
    {"shape": "flat"},
)
GATEWAY = Monitor(
    "gateway-{bed}",
    "mqtt-map",
    "gateway/bed-{bed}",
    "",
    {"shape": "envelope", "cycle_s": CUFF_S},
    {"shape": "envelope", "values": "values", "time": {"path": "ts", "unit": "ms"}},
)

ROOMS: tuple[tuple[Monitor, ...], ...] = (
    (OXIMETER, CUFF),
    (PRINTER, CUFF),
    (OXIMETER, BREATH),
    (PRINTER, CUFF_GATEWAY),
    (WHOLE,),
    (GATEWAY,),
)
"""The monitors of the beds, again from the first after the sixth: all five drivers are there."""


def beds(count: int, scenarios: Sequence[str], seed: int) -> list[BedPlan]:
    """Who lies in which bed, and since when. ScenarioError says which scenario is none."""
    asked = [(name, which) for name in scenarios for which in _patients(name, seed)]
    found = []
    for number in range(1, count + 1):
        own_seed = seed * 1000 + number
        if asked:
            scenario, which = asked[number - 1] if number <= len(asked) else (ORDINARY[number % 2], 1)
        else:
            scenario, which = (ILL, 1) if number == ILL_BED else (ORDINARY[number % 2], 1)
        patient = patient_of(scenario, which, own_seed)
        therapy = "" if asked or scenario == ILL else TREATED[scenario][0]
        # Who is treated has come just now; the drug begins after the second cycle of a cuff.
        start_s = -(CUFF_S + CUFF_SOON_S) if therapy else _start_s(patient, number)
        found.append(BedPlan(str(number), scenario, which, start_s, patient, own_seed, therapy))
    return found


def _patients(name: str, seed: int) -> list[int]:
    """The numbers of a scenario's patients."""
    found: list[int] = []
    with contextlib.suppress(ScenarioError):
        while len(found) < BEDS_MAX:
            patient_of(name, len(found) + 1, seed)
            found.append(len(found) + 1)
            if name.endswith((".csv", ".csv.gz")):
                break
    if not found:
        patient_of(name, 1, seed)
    return found


def _start_s(patient: AnyPatient, number: int) -> float:
    begins_min = patient.story.begins_min()
    if begins_min is not None:
        return begins_min * 60 - STORY_AFTER_S
    if patient.story.title == "a recording":
        return 0.0
    # Ordinary sessions at different minutes: 10, 25, 40, ... and from the start again after 90.
    return (10 + (number - 1) * 15 % 90) * 60 - CUFF_SOON_S


@dataclass(frozen=True, slots=True)
class House:
    """One demonstration: its folder, ports and people."""

    folder: Path
    port: int
    broker_port: int
    speed: float
    beds: tuple[BedPlan, ...]

    @property
    def config(self) -> Path:
        """The clinic.toml that the service reads."""
        return self.folder / "clinic.toml"

    @property
    def address(self) -> str:
        """Where the dashboard is."""
        return f"http://{LOOPBACK}:{self.port}"

    def monitors(self) -> list[tuple[BedPlan, Monitor]]:
        """Every monitor with its bed."""
        return [
            (bed, monitor) for place, bed in enumerate(self.beds) for monitor in ROOMS[place % len(ROOMS)]
        ]

    def plan(self, lived_s: float) -> Plan:
        """What the stage plays, from where the patients are by now."""
        parts = []
        for bed, monitor in self.monitors():
            topic = monitor.on_a_broker.format(bed=bed.name)
            line = self._line(monitor.name.format(bed=bed.name))
            parts.append(
                Part(
                    driver=monitor.driver,
                    link=f"mqtt://{LOOPBACK}:{self.broker_port}/{topic}" if topic else f"pty:{line}",
                    scenario=bed.scenario,
                    bed=bed.which,
                    seed=bed.seed,
                    start_s=bed.start_s + lived_s,
                    options=dict(monitor.played),
                )
            )
        return Plan(parts=tuple(parts), speed=self.speed)

    def clinic_toml(self) -> str:
        """The settings of the service."""
        lines = [
            "# Written at each start of the demonstration: changes here are lost.",
            "[clinic]",
            'name = "Demonstration clinic"',
            f"data_dir = {_quoted(self.folder)}",
            "[server]",
            f"host = {_quoted(LOOPBACK)}",
            f"port = {self.port}",
            "[mqtt]",
            f"host = {_quoted(LOOPBACK)}",
            f"port = {self.broker_port}",
        ]
        for bed in self.beds:
            lines += ["[[bed]]", f"name = {_quoted(bed.name)}", f"place = {_quoted(f'Room {bed.name}')}"]
        for bed, monitor in self.monitors():
            name = monitor.name.format(bed=bed.name)
            topic = monitor.on_a_broker.format(bed=bed.name)
            link = f"mqtt:///{topic}{monitor.heard}" if topic else str(self._line(name))
            lines += [
                "[[device]]",
                f"name = {_quoted(name)}",
                f"driver = {_quoted(monitor.driver)}",
                f"link = {_quoted(link)}",
                f"bed = {_quoted(bed.name)}",
            ]
            if monitor.read:
                lines.append(f"options = {_inline(monitor.read)}")
        for therapy in dict.fromkeys(bed.therapy for bed in self.beds if bed.therapy):
            lines += [
                f"[therapies.{therapy}.signature]",
                f"by = {_quoted(PRESCRIBER)}",
                f"on = {SIGNED_ON}",
                f"digest = {_quoted(digest(treatment(therapy)))}",
            ]
        lines += ["[[paging.pager]]", 'name = "log"', 'way = "console"']
        for name, display, role in STAFF:
            lines += [
                "[[staff]]",
                f"name = {_quoted(name)}",
                f"display = {_quoted(display)}",
                f"role = {_quoted(role)}",
                'pagers = ["log"]',
            ]
        return "\n".join(lines) + "\n"

    def _line(self, name: str) -> Path:
        return self.folder / "ports" / name


def _quoted(value: object) -> str:
    return json.dumps(str(value))  # a JSON string is a TOML basic string


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_inline(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)
