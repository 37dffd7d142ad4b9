"""From a therapy's file to a therapy: every mistake in a line, what a clinic changed, and who has signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.model import Staff, Vital
from monitor.people import Role
from monitor.sessions.therapy import Check, Gate, Item, Need, Therapy
from monitor.treatment import Phase, Score

SIGNATURE = "signature"


def therapy(data: Mapping[str, Any]) -> Therapy:
    """The therapy this data says. A mistake is a ValueError whose lines name each wrong key."""
    if "digest" in data:
        raise ValueError("digest: is not known here; it belongs to the signature")
    try:
        # Through JSON, lists become the tuples of the types and words their enums; nothing else is bent.
        made = Therapy.model_validate_json(json.dumps(_plain({**data, "digest": digest(data)})))
    except ValidationError as error:
        lines = dict.fromkeys(f"{_place(e['loc'], data)}: {_sentence(e, data)}" for e in error.errors())
        raise ValueError("\n".join(lines)) from None
    wrong = tuple(_disagreements(made))
    if wrong:
        raise ValueError("\n".join(wrong))
    return made


def digest(data: Mapping[str, Any]) -> str:
    """What a signature is for: the SHA-256 of everything in the file but the signature and the comments."""
    unsigned = {key: value for key, value in data.items() if key != SIGNATURE}
    text = json.dumps(_plain(unsigned), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def merged(shipped: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A clinic's changes laid over the shipped data: tables by their keys, lists of named tables by name."""
    made = dict(shipped)
    for key, value in own.items():
        was = made.get(key)
        if isinstance(value, Mapping) and isinstance(was, Mapping):
            made[key] = merged(was, value)
        elif _named(value) and _named(was):
            rows = {row["name"]: row for row in was}
            for row in value:
                rows[row["name"]] = merged(rows.get(row["name"], {}), row)
            made[key] = list(rows.values())
        else:
            made[key] = value
    return made


def differences(shipped: Mapping[str, Any], own: Mapping[str, Any], where: str = "") -> tuple[str, ...]:
    """How a clinic's therapy differs from the shipped one, a line a key, in words."""
    found: list[str] = []
    for key in dict.fromkeys((*shipped, *own)):
        if not where and key == SIGNATURE:
            continue
        was, now, name = shipped.get(key), own.get(key), f"{where}{key}"
        if was == now:
            continue
        was_rows, now_rows = _by_name(was), _by_name(now)
        if was_rows is not None and now_rows is not None:
            was, now = was_rows, now_rows
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += differences(was, now, f"{name}.")
        elif was is None:
            found.append(f"{name}: {_value(now)}, not in the shipped therapy")
        elif now is None:
            found.append(f"{name}: left out; shipped is {_value(was)}")
        else:
            found.append(f"{name}: {_value(now)} instead of {_value(was)}")
    return tuple(found)


def unsigned(made: Therapy, people: Mapping[Staff, Role]) -> str | None:
    """Why no session may start under this therapy, in words, or None where a prescriber has signed it."""
    signature = made.signature
    if signature is None:
        return f"{made.name} has not been signed by a prescriber. To sign it: {_how_to_sign(made)}."
    if signature.digest != made.digest:
        return (
            f"{made.name} was changed after {signature.by} signed it. "
            f"It has to be signed again: {_how_to_sign(made)}."
        )
    if people.get(Staff(signature.by)) is not Role.PRESCRIBER:
        return f"{made.name} is signed by {signature.by}, who is no prescriber here."
    return None


def _how_to_sign(made: Therapy) -> str:
    return f'[therapies.{made.name}.signature] by, on, digest = "{made.digest}"'


# What the types cannot see: rows that contradict each other.

_NASAL = (Phase.DOSING, Phase.ONSET, Phase.CHECK_40, Phase.DECLINE)
_INFUSION = (Phase.TIMEOUT, Phase.INFUSION, Phase.EARLY_RECOVERY, Phase.LATE_RECOVERY)
_ALWAYS = (Phase.CHECK_IN, Phase.BASELINE, Phase.READY, Phase.HELD, Phase.STOPPED, Phase.EMERGENCY)
_LEAVES: Mapping[Phase, tuple[Need, ...]] = {
    Phase.CHECK_IN: (Need.ANSWERED,),
    Phase.BASELINE: (Need.BASELINE, Need.GATE),
    Phase.TIMEOUT: (Need.TIMEOUT,),
    Phase.DECLINE: (Need.READINESS,),
    Phase.LATE_RECOVERY: (Need.READINESS,),
    Phase.READY: (Need.READINESS, Need.PRESSURES, Need.SIGN_OFF),
}
"""What no therapy may do without: a file may ask for more, never for less."""

_READINGS = ("nibp", "hr", "spo2", "rr", "temp")


def _disagreements(made: Therapy) -> Iterable[str]:
    yield from _twice(made)
    yield from _phases(made)
    for check in made.check:
        yield from _check(made, check)
    for gate in made.gate:
        yield from _gate(gate)
    yield from _rows(made)
    yield from _whole(made)


def _rows(made: Therapy) -> Iterable[str]:
    for question in made.question:
        if (question.kind == "flag") != (question.flag is not None):
            yield f'question.{question.name}.flag: goes with kind = "flag", and the other way round'
    for layer in made.layer:
        if layer.after_min and layer.anchor is None:
            yield f"layer.{layer.name}.anchor: is missing: after_min counts from something"
        for phase in layer.phases:
            if not made.has(phase):
                yield f"layer.{layer.name}.phases: this therapy has no phase {phase.value}"


def _whole(made: Therapy) -> Iterable[str]:
    if Item.SIGNED not in made.readiness.items:
        yield 'readiness.items: "signed" is missing: nobody leaves without a signature'
    if (Item.TIME in made.readiness.items) != (made.floor is not None):
        yield 'readiness.items: "time" goes with [floor], and the other way round'
    if (made.devices is None) != (made.course == "infusion"):
        yield 'devices: goes with course = "nasal", and the other way round'
    if made.devices is not None and made.devices.least > made.devices.most:
        yield f"devices.least: {made.devices.least} is more than devices.most ({made.devices.most})"
    if made.form is not None and not made.form.medium_day <= made.form.high_day <= made.form.due_days:
        yield "form: medium_day, high_day and due_days must not fall"
    if made.age[0] >= made.age[1]:
        yield "age: must be two numbers, the lower one first"
    check_40 = next((check for check in made.check if check.name == "check_40"), None)
    if check_40 is not None and check_40.every_min is not None:
        yield "check.check_40.every_min: it comes once"
    if made.course == "nasal" and check_40 is None:
        yield "check.check_40: is missing; course nasal goes through it"
    elif "check_40" in made.pressures.required and check_40 is None:
        yield 'pressures.required: there is no check "check_40" to take it from'


def _twice(made: Therapy) -> Iterable[str]:
    for table in ("phase", "check", "question", "gate", "layer"):
        seen: set[str] = set()
        for row in getattr(made, table):
            if row.name in seen:
                yield f"{table}.{row.name}: is there twice"
            seen.add(row.name)


def _phases(made: Therapy) -> Iterable[str]:
    wanted = (*_ALWAYS, *(_NASAL if made.course == "nasal" else _INFUSION))
    for phase in wanted:
        row = made.row(phase)
        if row is None:
            yield f"phase.{phase.value}: is missing; course {made.course} goes through it"
            continue
        needed = list(_LEAVES.get(phase, ()))
        if made.floor is not None and phase in {Phase.DECLINE, Phase.LATE_RECOVERY, Phase.READY}:
            needed.append(Need.FLOOR)
        for need in needed:
            if need not in row.leaves_when:
                yield f'phase.{phase.value}.leaves_when: "{need.value}" is missing, and may not be left out'
        if row.nibp_tight_min is not None and (row.nibp_min is None or row.nibp_tight_min > row.nibp_min):
            yield f"phase.{phase.value}.nibp_tight_min: must not be more than nibp_min"
    for row in made.phase:
        if row.name not in wanted:
            yield f"phase.{row.name.value}: course {made.course} does not go through it"


def _check(made: Therapy, check: Check) -> Iterable[str]:
    where = f"check.{check.name}"
    if (check.every_min is None) == (check.due_min is None):
        yield f"{where}: has either every_min or due_min"
    if check.due_min is not None and None in (
        check.anchor, check.opens_min, check.closes_anchor, check.closes_min,
    ):  # fmt: skip
        yield f"{where}: due_min needs anchor, opens_min, closes_anchor and closes_min"
    if check.due_min is not None and check.opens_min is not None and check.opens_min > check.due_min:
        yield f"{where}.opens_min: is after due_min ({check.due_min:g})"
    yield from _items(where, check)
    for phase in check.phases:
        if not made.has(phase):
            yield f"{where}.phases: this therapy has no phase {phase.value}"


def _items(where: str, check: Check) -> Iterable[str]:
    known = (*_READINGS, *(score.value for score in Score))
    for item in dict.fromkeys((*check.items, *check.required)):
        if item not in known:
            yield f"{where}.items: there is no {item}; there are {', '.join(known)}"
        elif check.every_min is not None and item in _READINGS:
            yield f"{where}.items: {item} is measured; what comes again and again is judged"
    for item in check.required:
        if item not in check.items:
            yield f"{where}.required: {item} is not among its items"


def _gate(gate: Gate) -> Iterable[str]:
    known = (*(vital.value for vital in Vital), *(score.value for score in Score))
    for table in ("above", "at_least", "under"):
        for name in getattr(gate, table):
            if name not in known:
                yield f"gate.{gate.name}.{table}.{name}: there is no such vital or score"
    if not (gate.above or gate.at_least or gate.under):
        yield f"gate.{gate.name}: has no term"


# Words for what the types found.

_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "enum": "should be {expected}",
    "literal_error": "should be {expected}",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "finite_number": "should be a number, and not without end",
    "bool_type": "should be true or false",
    "string_type": "should be text in quotes",
    "string_unicode": "should be text in quotes",
    "string_too_short": "should not be empty",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "is not written as it should be",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be {ge} or more",
    "less_than_equal": "should be {le} or less",
    "tuple_type": "should be a list",
    "too_short": "should have more entries",
    "too_long": "should have fewer entries",
    "date_type": "should be a date, such as 2026-05-01",
    "date_parsing": "should be a date, such as 2026-05-01",
    "date_from_datetime_parsing": "should be a date, such as 2026-05-01",
    "date_from_datetime_inexact": "should be a date, such as 2026-05-01",
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "dict_type": "should be a table",
}


def _sentence(error: ErrorDetails, data: Mapping[str, Any]) -> str:
    plain = _PLAIN.get(error["type"], "is not as it should be")
    context = {key: _value(value) for key, value in error.get("ctx", {}).items()}
    said = plain.format(**context)
    if error["loc"] == (SIGNATURE, "digest"):
        # Nobody can reckon it out, and without it nothing says what was signed.
        said += f'; of what stands here it is "{digest(data)}"'
    return said


def _place(loc: tuple[int | str, ...], data: Any) -> str:
    said: list[str] = []
    here = data
    for part in loc:
        if isinstance(part, int):
            here = here[part] if isinstance(here, list | tuple) and part < len(here) else None
            name = here.get("name") if isinstance(here, Mapping) else None
            said.append(str(name) if name else f"#{part + 1}")
        else:
            here = here.get(part) if isinstance(here, Mapping) else None
            if part not in ("float", "str") and not part.startswith("tuple["):
                said.append(part)
    return ".".join(said)


def _named(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(row, Mapping) and isinstance(row.get("name"), str) for row in value)
    )


def _by_name(value: Any) -> dict[str, Mapping[str, Any]] | None:
    """The rows of a list by their names; None for anything else."""
    if _named(value):
        return {row["name"]: row for row in value}
    return {} if value in ([], ()) else None


def _value(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(map(_value, value)) or "nobody"
        case Mapping():
            return (
                "; ".join(f"{key} {_value(held)}" for key, held in value.items() if key != "name")
                or "nothing"
            )
        case _:
            return str(value)


def _plain(value: Any) -> Any:
    """The data as JSON can say it: a date is text, and a number is the same with and without its ".0"."""
    if isinstance(value, Mapping):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
