"""Who is on duty, and whom a step of the chain means. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.model import Bed, Staff
from monitor.people import CLINICAL, Role


@dataclass(frozen=True, slots=True)
class Person:
    """One member of staff, as the clinic's file has it."""

    name: Staff
    role: Role
    on_site: bool = True
    """False for somebody who is called in: "everyone" leaves them out."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on, in the order they came on, and who has which bed."""

    on: tuple[Staff, ...] = ()
    beds: Mapping[Bed, Staff] = field(default_factory=dict)

    def nurse(self, bed: Bed) -> Staff | None:
        """The nurse who has this bed and is on duty."""
        name = self.beds.get(bed)
        return name if name in self.on else None

    def handed_over(self, was: Staff, to: Staff) -> Duty:
        """One goes off and another has all their beds: in one step, so that no bed is nobody's between."""
        on = [name for name in self.on if name != was]
        on += [] if to in on else [to]
        return Duty(tuple(on), {bed: to if name == was else name for bed, name in self.beds.items()})


def meant(to: str, bed: Bed, duty: Duty, people: Mapping[Staff, Person]) -> tuple[Staff, ...]:
    """The people on duty that a step names, assigned nurse first; empty where there is nobody.

    `to` is "assigned nurse", "second nurse", "charge nurse", "prescriber" or "everyone" (alarms.md 8).
    """
    on = [people[name] for name in duty.on if name in people]
    assigned = duty.nurse(bed)
    match to:
        case "assigned nurse":
            return (assigned,) if assigned else ()
        case "second nurse":
            return _first(p.name for p in _by_load(on, duty) if p.name != assigned and p.role in _NURSES)
        case "charge nurse":
            return _first(p.name for p in on if p.role is Role.CHARGE_NURSE)
        case "prescriber":
            return _first(p.name for p in on if p.role is Role.PRESCRIBER)
        case "everyone":
            return tuple(p.name for p in on if p.on_site)
    raise ValueError(f"a step goes to nobody called {to!r}")


def has_nurse(bed: Bed, duty: Duty, people: Mapping[Staff, Person]) -> bool:
    """Whether the bed has a nurse of its own on duty: the duty list counts, not who is at a keyboard."""
    name = duty.nurse(bed)
    return name is not None and name in people and people[name].role in _NURSES


def has_anybody(duty: Duty, people: Mapping[Staff, Person]) -> bool:
    """Whether anybody is on duty whom an alarm could call to a bed."""
    return any(people[name].role in CLINICAL for name in duty.on if name in people)


def has_prescriber(duty: Duty, people: Mapping[Staff, Person]) -> bool:
    """Whether a prescriber is on duty in the house, not one who would have to be called in."""
    there = (people[name] for name in duty.on if name in people)
    return any(person.role is Role.PRESCRIBER and person.on_site for person in there)


def is_nurse(person: Person) -> bool:
    """Whether beds can be this person's."""
    return person.role in _NURSES


_NURSES = (Role.NURSE, Role.CHARGE_NURSE)


def _by_load(on: Sequence[Person], duty: Duty) -> list[Person]:
    # The nurse with the fewest beds is the one most likely to be free; then the order of the list.
    load = {p.name: sum(1 for name in duty.beds.values() if name == p.name) for p in on}
    return sorted(on, key=lambda p: load[p.name])


def _first(names: Iterable[Staff]) -> tuple[Staff, ...]:
    for name in names:
        return (name,)
    return ()
