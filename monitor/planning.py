"""From the clinic's settings to what the ward is told once: its plan. Reads the profiles that ship."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from monitor.alerts import limits
from monitor.alerts.escalation import Chain, Step
from monitor.alerts.pagers.pager import forbidden
from monitor.alerts.roster import Duty, Person
from monitor.alerts.trials import Terms
from monitor.config.settings import BedChains, Clinic, HighChain, MediumChain
from monitor.config.words import nearest
from monitor.devices.driver import Driver, line_of, silence_ms, vitals_of
from monitor.model import Priority, Vital
from monitor.plan import DevicePlan, Plan
from monitor.sessions import loading
from monitor.sessions.layers import InForce, lay
from monitor.sessions.therapy import Layer, Therapy


def shipped(name: str) -> dict[str, Any]:
    """The data of a limit profile that ships with Chairside; KeyError where there is none of this name."""
    data = _file(name)
    if "rules" not in data:
        raise KeyError(name)
    return data


def treatment(name: str) -> dict[str, Any]:
    """The data of a therapy that ships with Chairside; KeyError where there is none of this name."""
    data = _file(name)
    if "course" not in data:
        raise KeyError(name)
    return data


def treatments() -> tuple[str, ...]:
    """The names of the therapies that ship with Chairside."""
    names = sorted(
        file.name.removesuffix(".toml") for file in files("monitor.sessions").joinpath("therapies").iterdir()
    )
    return tuple(name for name in names if "course" in _file(name))


def _file(name: str) -> dict[str, Any]:
    file = files("monitor.sessions") / "therapies" / f"{name}.toml"
    if not file.is_file():
        raise KeyError(name)
    return tomllib.loads(file.read_text(encoding="utf-8"))


def changed(data: dict[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A profile's data with a clinic's own numbers laid over it, rule by rule."""
    table = {name: dict(row) for name, row in data["rules"].items()}
    for name, row in rules.items():
        table.setdefault(name, {}).update(row)
    return {**data, "rules": table}


def profile(name: str, rules: Mapping[str, Mapping[str, Any]]) -> limits.Profile:
    """One profile with the clinic's changes; ValueError names each wrong key."""
    return limits.profile(changed(shipped(name), rules))


def mistakes(clinic: Clinic, drivers: Mapping[str, Driver]) -> list[str]:
    """What drivers and profiles find wrong, `key: what` a line; a wrong name is found before."""
    found = [
        f"device.{device.name}.options: {wrong}"
        for device in clinic.devices
        if device.driver in drivers
        for wrong in _option_mistakes(drivers[device.driver], device.options)
    ]
    overrides = clinic.therapies.overrides
    found += _name_mistakes(clinic)
    found += _arm_mistakes(clinic, drivers)
    found += _therapy_mistakes(clinic)
    for name in dict.fromkeys((clinic.therapies.default, *overrides)):
        try:
            known = shipped(name)["rules"]
        except KeyError:
            key = f"overrides.{name}" if name in overrides else "default"
            found.append(f'therapies.{key}: there is no limit profile "{name}"')
            continue
        own = overrides.get(name, {})
        try:
            profile(name, {rule: row for rule, row in _rules(clinic, name).items() if rule in known})
        except ValueError as wrong:
            for line in str(wrong).splitlines():
                rule_and_rest = line.removeprefix("rules.")
                table = f"therapies.overrides.{name}" if rule_and_rest.split(".")[0] in own else "limits"
                found.append(f"{table}.{rule_and_rest}")
    return list(dict.fromkeys(found))


def _option_mistakes(driver: Driver, options: Mapping[str, Any]) -> list[str]:
    for judge in (
        driver.decoder,
        lambda given: silence_ms(driver, given),
        lambda given: line_of(driver, given),
    ):
        try:
            judge(options)
        except ValueError as wrong:
            return str(wrong).splitlines()
    return []


def _name_mistakes(clinic: Clinic) -> Iterator[str]:
    """Beds whose name tells whoever reads a page why somebody lies there."""
    for bed in clinic.beds:
        for word in forbidden(bed.name):
            yield f'bed.{bed.name}.name: every page says it, and "{word}" is nobody else\'s business'


def _arm_mistakes(clinic: Clinic, drivers: Mapping[str, Driver]) -> list[str]:
    """Beds whose cuff and probe are said to share an arm, though one of the two is not there."""
    found = []
    for bed in clinic.beds:
        if not bed.same_arm:
            continue
        here = [(drivers[d.driver], d) for d in clinic.devices if d.bed == bed.name and d.driver in drivers]
        lacking = [] if any(driver.cuff for driver, _ in here) else ["a cuff"]
        measures_spo2 = any(Vital.SPO2 in vitals_of(driver, device.options) for driver, device in here)
        lacking += [] if measures_spo2 else ["SpO2"]
        if lacking:
            words = " or ".join(lacking)
            found.append(f"bed.{bed.name}.same_arm: no device of this bed measures {words}")
    return found


def _rules(clinic: Clinic, name: str) -> dict[str, Mapping[str, Any]]:
    """What the clinic changes in one limit profile, by rule."""
    return {**clinic.limits, **clinic.therapies.overrides.get(name, {})}


def _therapy_mistakes(clinic: Clinic) -> Iterator[str]:
    """What is wrong with the clinic's own therapies, and with the limits that they lay over its profiles."""
    known = treatments()
    for name, own in clinic.therapies.own.items():
        if name not in known:
            yield f'therapies.{name}: there is no therapy "{name}"{nearest(name, known)}'
            continue
        data = loading.merged(treatment(name), own)
        if data["name"] != name:
            yield f"therapies.{name}.name: is {name}, and cannot be changed"
            continue
        try:
            lines = list(_layer_mistakes(clinic, loading.therapy(data)))
        except ValueError as wrong:
            lines = str(wrong).splitlines()
        yield from (f"therapies.{name}.{line}" for line in lines)


def _layer_mistakes(clinic: Clinic, made: Therapy) -> Iterator[str]:
    try:
        base = shipped(made.limits)
    except KeyError:
        yield f'limits: there is no limit profile "{made.limits}"'
        return
    known = base["rules"]
    own = {rule: row for rule, row in _rules(clinic, made.limits).items() if rule in known}
    # What is wrong in the clinic's own limits is said there: here a layer is held against the shipped rule.
    wrong = {line.split(".")[1] for line in _profile_mistakes(changed(base, own))}
    base = changed(base, {rule: row for rule, row in own.items() if rule not in wrong})
    for layer in made.layer:
        where = f"layer.{layer.name}"
        for rule in layer.rules:
            if rule not in known:
                yield f'{where}.rules.{rule}: there is no rule "{rule}"{nearest(rule, known)}'
        for rule in layer.unconfirmed:
            if rule not in known:
                yield f'{where}.unconfirmed: there is no rule "{rule}"{nearest(rule, known)}'
        yield from (f"{where}.{line}" for line in _profile_mistakes(_laid(base, layer)))


def _laid(base: dict[str, Any], layer: Layer) -> dict[str, Any]:
    """The profile with one layer alone: of several, the last that names a rule gives all of its terms."""
    rules = {rule: terms for rule, terms in layer.rules.items() if rule in base["rules"]}
    return lay(base, InForce((), rules, frozenset(), 1, not_declining=False))


def _profile_mistakes(data: dict[str, Any]) -> list[str]:
    try:
        limits.profile(data)
    except ValueError as wrong:
        return str(wrong).splitlines()
    return []


def therapies(clinic: Clinic) -> Iterator[str]:
    """Of each therapy in words: what the clinic changes in it, and who has signed it, a line each.

    The settings are without a mistake. A signature that does not count is none: the ward must watch its
    patients also on the day on which the prescriber who signed has left.
    """
    people = {member.name: member.role for member in clinic.staff}
    for name in treatments():
        data = loading.merged(treatment(name), clinic.therapies.own.get(name, {}))
        for line in loading.differences(treatment(name), data):
            yield f"therapies.{name} changes {line}"
        made = loading.therapy(data)
        why = loading.unsigned(made, people)
        if why is not None:
            yield f"therapies.{name}: no session can be opened with it. {why}"
        elif made.signature is not None:
            yield f"therapies.{name}: signed by {made.signature.by} on {made.signature.on}"


def _therapy(clinic: Clinic, name: str) -> Therapy:
    return loading.therapy(loading.merged(treatment(name), clinic.therapies.own.get(name, {})))


def plan(clinic: Clinic, drivers: Mapping[str, Driver]) -> Plan:
    """The ward's plan; ValueError or KeyError where a profile cannot be used (`mistakes` says which)."""
    therapies = {name: _therapy(clinic, name) for name in treatments()}
    names = {clinic.therapies.default, *clinic.therapies.overrides, *(t.limits for t in therapies.values())}
    numbers = {name: changed(shipped(name), _rules(clinic, name)) for name in sorted(names)}
    return Plan(
        beds=tuple((bed.name, bed.place) for bed in clinic.beds),
        devices=tuple(
            DevicePlan(
                d.name,
                d.driver,
                d.bed,
                frozenset(vitals_of(driver, d.options)),
                starts_cuff=driver.starts_cuff,
                led=driver.led,
            )
            for d in clinic.devices
            for driver in (drivers[d.driver],)
        ),
        profiles={name: limits.profile(data) for name, data in numbers.items()},
        therapies=therapies,
        numbers=numbers,
        people={m.name: Person(m.name, m.role, m.on_site) for m in clinic.staff},
        ways={m.name: m.pagers for m in clinic.staff},
        duty=Duty(clinic.duty.on, dict(clinic.duty.beds)),
        chains={
            Priority.HIGH: chain(clinic.paging.chains.high),
            Priority.MEDIUM: chain(clinic.paging.chains.medium),
        },
        bed_chains={bed.name: _own_chains(bed.chains) for bed in clinic.beds if bed.chains is not None},
        tests=Terms(
            _ms(clinic.paging.test.lasts_s),
            _ms(clinic.paging.test.answer_s),
            clinic.paging.test.coming_on,
        ),
        same_arm=frozenset(bed.name for bed in clinic.beds if bed.same_arm),
        undelivered_ms=_ms(clinic.paging.undelivered_s),
    )


def _own_chains(own: BedChains) -> dict[Priority, Chain]:
    """The ladders of one bed that are not the clinic's."""
    given = {Priority.HIGH: own.high, Priority.MEDIUM: own.medium}
    return {priority: chain(set_to) for priority, set_to in given.items() if set_to is not None}


def chain(set_to: HighChain | MediumChain) -> Chain:
    """One ladder in the ward's own terms."""
    return Chain(
        steps=tuple(Step(_ms(step.after_s), step.to) for step in set_to.steps),
        repeat_ms=_ms(set_to.repeat_s),
        not_at_bed_ms=_ms(set_to.not_at_bed_s),
        latched_repeat_ms=_ms(set_to.latched_repeat_s),
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)
