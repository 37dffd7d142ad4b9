"""clinic.toml, read once: frozen, typed settings, or every mistake in it at once, one line each.

Nothing is opened here but the file itself and the secrets it points to. Paths in it count from its folder.
`CHAIRSIDE_SECTION__KEY` in the environment wins over the file. Past this door everything is right already.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from monitor.config.settings import Clinic, Device, Ehr, Limits, Server
from monitor.config.words import Loc, fields, lower, nearest, one_line, place, plainly, sentence

__all__ = ["Clinic", "ConfigError", "described", "judged", "load"]

ENVIRONMENT = "CHAIRSIDE_"
"""What a variable must begin with, and have a `__` in, to be read as a setting."""

CALLED_BY = ("sender", "device_id", "location", "from")
"""The options by which messages of several monitors on one port are told apart."""


class ConfigError(Exception):
    """The file cannot be used. `mistakes` has one line for each thing to mend, `rest` what is right in it."""

    def __init__(self, mistakes: Sequence[str], rest: Clinic | None = None) -> None:
        """Keep the lines; the text of the error is all of them."""
        self.mistakes = list(mistakes)
        self.rest = rest
        super().__init__("\n".join(self.mistakes))


def load(
    path: Path,
    environ: Mapping[str, str],
    drivers: Collection[str] = (),
    rules: Collection[str] = (),
) -> Clinic:
    """The settings of one clinic, or a ConfigError with every mistake there is.

    `drivers` and `rules` are the names `[[device]]` and `[limits]` may use; where empty, none is checked.
    """
    clinic, mistakes = judged(_read(path), environ, path, drivers, rules)
    if mistakes:
        raise ConfigError(mistakes, clinic)
    return clinic


def judged(
    raw: Mapping[str, Any],
    environ: Mapping[str, str],
    path: Path,
    drivers: Collection[str] = (),
    rules: Collection[str] = (),
) -> tuple[Clinic, list[str]]:
    """What is right in a file that has been read, and a line for each thing that is not."""
    told = {"clinic": {}} | deepcopy(dict(raw))
    variables, mistakes = _lay_over(told, environ)
    context = {"folder": path.absolute().parent}
    found: list[tuple[Loc, str]] = []
    try:
        clinic = Clinic.model_validate(told, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        found = [(detail["loc"], sentence(detail, Clinic)) for detail in details]
        clinic = _right_of(told, [loc for loc, _ in found], context)
    if not told.get("bed"):
        found.append((("bed",), "there is none; a clinic has at least one [[bed]]"))
    found += _across(clinic, _names(told), drivers, rules)
    mistakes += [f"{place(loc, told, variables, path.name)}: {what}" for loc, what in found]
    return clinic, [one_line(mistake) for mistake in mistakes]


def described(clinic: Clinic) -> list[str]:
    """Every setting in force, `key = value` a line, in the order of the file; secrets do not show."""
    return list(_lines("", clinic.model_dump(mode="json", by_alias=True)))


# Reading.


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path.name}: this is not TOML: {lower(str(error))}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path.name}: cannot be read: {plainly(error)}"]) from None


def _lay_over(raw: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[Loc, str], list[str]]:
    """Put the environment's settings into `raw`; which variable set which key, and what could not be put."""
    variables: dict[Loc, str] = {}
    mistakes: list[str] = []
    for variable in sorted(environ):
        section, gap, rest = variable.removeprefix(ENVIRONMENT).lower().partition("__")
        if not variable.startswith(ENVIRONMENT) or not gap:
            continue
        if section not in fields(Clinic):
            near = nearest(section, fields(Clinic))
            mistakes.append(f"{variable}: there is no section [{section}]{near}")
            continue
        table: Any = raw
        *folders, key = (section, *rest.split("__"))
        for folder in folders:
            table = table.setdefault(folder, {}) if isinstance(table, dict) else None
        if isinstance(table, dict):
            table[key] = _value(environ[variable])
            variables[(*folders, key)] = variable
        else:
            mistakes.append(f"{variable}: {'.'.join(folders)} is a list, which only the file can change")
    return variables, mistakes


def _value(text: str) -> object:
    """A variable's text as a setting: lists and tables as in the file; numbers are made by their key."""
    if not text.startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _right_of(raw: Mapping[str, Any], locs: Iterable[Loc], context: Mapping[str, Any]) -> Clinic:
    """What is right is kept, so that the checks across sections can say their part in the same breath."""
    lost = [*locs]
    try:
        return Clinic.model_validate(_without(raw, lost), context=context)
    except ValidationError as error:
        # What must be there is missing now: its table goes whole.
        lost += [detail["loc"][:1] for detail in error.errors()]
        return Clinic.model_validate(_without(raw, lost), context=context)


def _without(raw: Mapping[str, Any], locs: Iterable[Loc]) -> dict[str, Any]:
    """The file without the keys and list items that hold a mistake."""
    lost = {loc[:2] for loc in locs}
    kept: dict[str, Any] = {}
    for section, value in raw.items():
        if isinstance(value, list):
            kept[section] = [item for place, item in enumerate(value) if (section, place) not in lost]
        elif isinstance(value, dict):
            kept[section] = {key: item for key, item in value.items() if (section, key) not in lost}
        if (section,) in lost:
            kept.pop(section, None)
    return kept


# Checks across sections.


def _names(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """Every name that is given in the file, also where the rest of its table is wrong."""
    paging = raw.get("paging")
    lists = {key: raw.get(key) for key in ("bed", "device", "staff", "screen")}
    lists["pager"] = paging.get("pager") if isinstance(paging, dict) else None
    return {
        key: [item["name"] for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)]
        if isinstance(items, list)
        else []
        for key, items in lists.items()
    }


def _across(
    clinic: Clinic, names: Mapping[str, Sequence[str]], drivers: Collection[str], rules: Collection[str]
) -> Iterator[tuple[Loc, str]]:
    """What only shows when sections are seen together."""
    for kind, given in names.items():
        for name, count in Counter(given).items():
            if count > 1:
                where = ("paging", "pager") if kind == "pager" else (kind,)
                yield (*where, name), f"{count} of them have this name"
    yield from _devices(clinic, names["bed"], drivers)
    yield from _people(clinic, names)
    for screen in clinic.screens:
        for bed in screen.beds:
            if bed not in names["bed"]:
                yield ("screen", screen.name, "beds"), f'there is no bed "{bed}"{nearest(bed, names["bed"])}'
    yield from _server(clinic.server)
    yield from _ehr(clinic.ehr)
    changed: dict[Loc, Limits] = {("limits",): clinic.limits}
    changed |= {("therapies", "overrides", name): rows for name, rows in clinic.therapies.overrides.items()}
    for table, rows in changed.items():
        for rule in rows if rules else ():
            if rule not in rules:
                yield (*table, rule), f'there is no rule "{rule}"{nearest(rule, rules)}'


def _devices(clinic: Clinic, beds: Collection[str], drivers: Collection[str]) -> Iterator[tuple[Loc, str]]:
    taken: dict[str, str] = {}
    callers: dict[tuple[str, int | None], list[Device]] = {}
    for device in clinic.devices:
        here = ("device", device.name)
        if device.bed not in beds:
            yield (*here, "bed"), f'there is no bed "{device.bed}"{nearest(device.bed, beds)}'
        if drivers and device.driver not in drivers:
            yield (*here, "driver"), f'there is no driver "{device.driver}"{nearest(device.driver, drivers)}'
        if device.link.startswith("mqtt:"):
            if clinic.mqtt is None and not urlsplit(device.link, allow_fragments=False).netloc:
                yield (*here, "link"), "there is no [mqtt] section to say where the broker is"
        elif device.link.startswith("mllp:"):
            address = urlsplit(device.link)
            callers.setdefault((address.hostname or "127.0.0.1", address.port), []).append(device)
        elif device.link in taken:
            yield (*here, "link"), f'"{taken[device.link]}" is on this port already'
        else:
            taken[device.link] = device.name
    for sharing in callers.values():
        yield from _callers(sharing)


def _callers(sharing: Sequence[Device]) -> Iterator[tuple[Loc, str]]:
    """Devices on one port: by what their messages are told apart."""
    told: dict[str, str] = {}
    for device in sharing if len(sharing) > 1 else ():
        marks = {name: device.options[name] for name in CALLED_BY if name in device.options}
        if not marks:
            yield (
                ("device", device.name, "options"),
                f"several devices share this port: say by which of {', '.join(CALLED_BY)} this one is known",
            )
        elif repr(marks) in told:
            yield ("device", device.name, "options"), f'"{told[repr(marks)]}" is known by the same'
        else:
            told[repr(marks)] = device.name


def _people(clinic: Clinic, names: Mapping[str, Sequence[str]]) -> Iterator[tuple[Loc, str]]:
    staff, beds, pagers = names["staff"], names["bed"], names["pager"]
    for member in clinic.staff:
        for pager in member.pagers:
            if pager not in pagers:
                yield (
                    ("staff", member.name, "pagers"),
                    f'there is no pager "{pager}"{nearest(pager, pagers)}',
                )
    for name in clinic.duty.on:
        if name not in staff:
            yield ("duty", "on"), f'there is nobody called "{name}"{nearest(name, staff)}'
    for bed, name in clinic.duty.beds.items():
        here = ("duty", "beds", bed)
        if bed not in beds:
            yield here, f'there is no bed "{bed}"{nearest(bed, beds)}'
        if name not in staff:
            yield here, f'there is nobody called "{name}"{nearest(name, staff)}'
        elif name not in clinic.duty.on:
            yield here, f'"{name}" is not in duty.on'


def _server(server: Server) -> Iterator[tuple[Loc, str]]:
    if (server.tls_cert is None) != (server.tls_key is None):
        missing = "tls_key" if server.tls_key is None else "tls_cert"
        yield ("server", missing), "is missing; a certificate and its key come together"
    if server.tls_cert is None and not server.insecure_lan and not _loopback(server.host):
        yield (
            ("server", "host"),
            "anybody on the network could listen in; set tls_cert and tls_key, or insecure_lan = true",
        )


def _ehr(ehr: Ehr | None) -> Iterator[tuple[Loc, str]]:
    if ehr is None:
        return
    if ehr.tls_ca is not None and not ehr.tls:
        yield ("ehr", "tls"), "should be true where tls_ca is set"
    if not ehr.tls and not ehr.insecure_lan and not _loopback(ehr.host):
        yield (
            ("ehr", "host"),
            "anybody on the network could read along; set tls = true, or insecure_lan = true",
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lines(key: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for part, inner in value.items():
            yield from _lines(f"{key}.{part}" if key else part, inner)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for place, item in enumerate(value):
            yield from _lines(f"{key}.{item.get('name', f'#{place + 1}')}", item)
    else:
        yield f"{key} = {'-' if value is None else value}"
