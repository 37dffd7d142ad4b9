"""The tables of the documentation, drawn from the therapies themselves: what stands there runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.model import Vital
from monitor.sessions.gates import LABELS
from monitor.sessions.law import diagram
from monitor.sessions.readiness import TITLES as ITEMS
from monitor.sessions.therapy import Check, Gate, Item, Layer, Need, PhaseRow, Therapy
from monitor.treatment import TITLES, Phase

HEAD = """# Therapies

What a treatment session goes through, what is due in it, what stops it and who may leave. This page is
drawn from `monitor/sessions/therapies/*.toml` by `monitor/sessions/tables.py`: change those, not this. Every
number is a proposed default that the clinic's medical director signs before use; a therapy that no
prescriber has signed starts no session.

A clinic changes a number in its own settings, `[therapies.NAME]` of `clinic.toml`, and a prescriber signs for
all of them there (`[therapies.NAME.signature]`). `chairside check` says what differs from this page, and who
has signed or why no session can be opened. A number that is changed afterwards has to be signed again.

## The life of a session

From any phase a session can be held, stopped, become an emergency or be transferred, and before the drug it
can be ended; what was held or an emergency goes on where it was.

"""

LEAVES = {
    Need.ANSWERED: "every question is answered",
    Need.BASELINE: "the baseline is taken",
    Need.SCORES: "the scores are taken",
    Need.GATE: "the gate is open, or a prescriber has decided",
    Need.TIMEOUT: "two people have checked the dose",
    Need.LAST_DEVICE: "the last device is confirmed",
    Need.CHECK: "the 40-minute check is recorded or missed",
    Need.INFUSION_ENDED: "the end of the infusion is recorded",
    Need.TIME: "its time is over",
    Need.QUIET: "no MEDIUM or HIGH alarm is active",
    Need.FLOOR: "the least stay is over",
    Need.READINESS: "the readiness list is complete",
    Need.PRESSURES: "the pressures of the record are there",
    Need.SIGN_OFF: "it is signed",
}

ANCHORS = {"start": "start", "last_device": "last device", "end": "end of the infusion"}


def page(therapies: Sequence[Therapy]) -> str:
    """The whole page of the documentation."""
    life = f"{HEAD}```mermaid\n{diagram()}\n```\n"
    return "\n".join((life, *(section(therapy) for therapy in therapies)))


def section(therapy: Therapy) -> str:
    """One therapy in words and tables."""
    parts = [
        f"## `{therapy.name}`\n",
        f"{therapy.title}, version {therapy.version}. Ages {therapy.age[0]} to {therapy.age[1]}.\n",
        *(f"- {line}" for line in _facts(therapy)),
        "",
        _table(("phase", "watched", "cuff every", "while high", "ends when"), _phases(therapy)),
        _table(("check", "in", "due", "holds", "late"), _checks(therapy)),
        _table(("question", "answer"), _questions(therapy)),
        _table(("gate", "before the drug", "result", "who may decide"), map(_gate, therapy.gate)),
        _table(("limits of", "holds", "change"), map(_layer, therapy.layer)),
        _table(("to leave", "what"), _readiness(therapy)),
    ]
    return "\n".join(parts)


def _facts(therapy: Therapy) -> Iterable[str]:
    if therapy.prescriber_on_site:
        yield "A prescriber is on site from the drug until the patient leaves."
    if therapy.floor is not None:
        anchor = ANCHORS[therapy.floor.anchor]
        who = _people(therapy.floor.override)
        least = f"{therapy.floor.min:g} min from the {anchor}"
        yield f"Least stay: {least}; earlier only by {who} with a reason."
    else:
        yield "No least stay: the readiness list decides."
    if therapy.devices is not None:
        devices = therapy.devices
        yield f"{devices.least} to {devices.most} devices, at least {devices.spacing_min:g} min apart."
    own = therapy.baseline
    yield (
        f"Baseline: the median of {own.readings} readings at least {own.apart_min:g} min apart, of three if "
        f"two differ by more than {own.differ_mmhg:g} mmHg; at most {own.lasts_min:g} min old at the start."
    )
    high = therapy.tighten
    yield (
        f"The cuff runs more often from {high.nibp_sys:g} systolic or {high.nibp_dia:g} diastolic on, until "
        f"{high.falling} readings are lower and below."
    )
    sign = therapy.sign_off
    yield f"Closed by the signature of {_people(sign.alone)}, or of {sign.together} people."
    if therapy.form is not None:
        form = therapy.form
        yield (
            f"The form is due {form.due_days:g} days after the start: MEDIUM from day {form.medium_day:g}, "
            f"HIGH from day {form.high_day:g}."
        )


def _phases(therapy: Therapy) -> Iterable[Sequence[str]]:
    for row in therapy.phase:
        yield (
            TITLES[row.name],
            ", ".join(_vital(vital) for vital in row.continuous) or "-",
            _minutes(row.nibp_min),
            _minutes(row.nibp_tight_min),
            _leaves(row),
        )


def _vital(vital: Vital) -> str:
    return vital.label


def _leaves(row: PhaseRow) -> str:
    words = [LEAVES[need] for need in row.leaves_when]
    if row.least_min:
        words = [w.replace("its time is over", f"{row.least_min:g} min are over") for w in words]
    return "; ".join(words) or "staff resume it" if row.name is not Phase.CLOSED else ""


def _checks(therapy: Therapy) -> Iterable[Sequence[str]]:
    for check in therapy.check:
        where = ", ".join(TITLES[phase] for phase in check.phases)
        must = ", ".join(f"**{item}**" if item in check.required else item for item in check.items)
        yield check.title, where, _due(check), must, check.late.upper()


def _due(check: Check) -> str:
    if check.every_min is not None:
        return f"every {check.every_min:g} min"
    if check.anchor is None or check.closes_anchor is None or check.due_min is None:
        return "-"
    opens, closes = ANCHORS[check.anchor], ANCHORS[check.closes_anchor]
    window = f"open from {opens} + {check.opens_min:g} to {closes} + {check.closes_min:g}"
    return f"{opens} + {check.due_min:g} min; {window}"


_KINDS = {
    "must": "only a yes goes on",
    "confirm": "a no is for a prescriber to decide",
    "ask": "a yes is for a prescriber to decide",
    "contraindication": "a yes stops",
}


def _questions(therapy: Therapy) -> Iterable[Sequence[str]]:
    for question in therapy.question:
        answer = _KINDS.get(question.kind) or f"a yes raises the flag {_flag(question.flag or '')}"
        first = ", first session only" if question.first_session else ""
        yield question.asks, f"{answer}{first}"


def _flag(flag: str) -> str:
    return flag.replace("_", " ")


def _gate(gate: Gate) -> Sequence[str]:
    terms = [
        *(f"{LABELS[name]} > {bound:g}" for name, bound in gate.above.items()),
        *(f"{LABELS[name]} >= {bound:g}" for name, bound in gate.at_least.items()),
        *(f"{LABELS[name]} < {bound:g}" for name, bound in gate.under.items()),
    ]
    ages = []
    if gate.age_from is not None:
        ages.append(f"from {gate.age_from} years on")
    if gate.age_under is not None:
        ages.append(f"under {gate.age_under} years")
    whom = f" ({', '.join(ages)})" if ages else ""
    return gate.name, " or ".join(terms) + whom, gate.result.upper(), _people(gate.override)


def _layer(layer: Layer) -> Sequence[str]:
    when = [TITLES[phase] for phase in layer.phases] + [_flag(flag) for flag in layer.flags]
    if layer.anchor is not None:
        when.append(f"from {layer.after_min:g} min after the {ANCHORS[layer.anchor]}")
    if layer.age_from is not None:
        when.append(f"from {layer.age_from} years on")
    if layer.needs is not None:
        when.append("with a baseline of it")
    return layer.name, ", ".join(when), "; ".join(changes(layer))


def changes(layer: Layer) -> tuple[str, ...]:
    """What a layer changes, in words: a rule each, then what it says beside rules."""
    found = [f"{rule} {_terms(terms)}" for rule, terms in layer.rules.items()]
    if layer.nibp_factor != 1:
        found.append(f"cuff interval x {layer.nibp_factor:g}")
    if layer.unconfirmed:
        found.append(f"{', '.join(layer.unconfirmed)} without a second reading")
    if layer.not_declining:
        found.append("bp-not-declining-m")
    return tuple(found)


def _terms(terms: dict[str, float | str | tuple[float, ...]]) -> str:
    words = {"limit": "{}", "baseline_percent": "baseline and {} %", "baseline_delta": "baseline and {}"}
    said = [words.get(key, f"{key} {{}}").format(_number(value)) for key, value in terms.items()]
    return " or ".join(said)


def _number(value: float | str | tuple[float, ...]) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _readiness(therapy: Therapy) -> Iterable[Sequence[str]]:
    rules = therapy.readiness
    what = {
        Item.TIME: f"{therapy.floor.min:g} min" if therapy.floor else "",
        Item.PRESSURE: (
            f"below {rules.sys_below:g}/{rules.dia_below:g}, within {rules.band_percent:g} % of the "
            f"baseline, not rising over two readings {rules.apart_min:g} min apart; "
            f"HR {rules.hr[0]:g} to {rules.hr[1]:g}"
        ),
        Item.BREATHING: (
            f"SpO2 >= {rules.spo2_least:g}, or not more than {rules.spo2_below_baseline:g} under the "
            f"baseline; RR {rules.rr[0]:g} to {rules.rr[1]:g}; no oxygen for {rules.oxygen_free_min:g} min"
        ),
        Item.AWAKE: f"MOAA/S {rules.moaas}, oriented to person, place and time, no dissociation",
        Item.STEADY: f"steady gait; no fall of more than {rules.standing_fall_mmhg:g} mmHg on standing",
        Item.NAUSEA: "none or mild, no vomiting",
        Item.QUIET: f"no MEDIUM or HIGH alarm, and none for {rules.quiet_min:g} min",
        Item.MOOD: "done",
        Item.ESCORT: f"here and named; told: {rules.driving}",
        Item.PAPERS: "written instructions and emergency number" + (", IV line out" if rules.line else ""),
        Item.SIGNED: f"{_people(therapy.sign_off.alone)}, or {therapy.sign_off.together} people",
    }
    for item in rules.items:
        yield ITEMS[item], what[item]


def _people(roles: Sequence[str]) -> str:
    return " or ".join(f"a {role}" for role in roles) or "nobody"


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:g} min"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"
