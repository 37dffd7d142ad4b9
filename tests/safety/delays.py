"""How long until a condition counts, by parameter: device, delay, and what of it is ours; drawn as a page."""

from __future__ import annotations

from monitor.alerts.limits import Profile
from monitor.alerts.rules import RULES, Kind, Rule
from monitor.devices.averaging import averaged_s, source
from monitor.devices.codecs import DRIVERS
from monitor.model import Priority, Vital
from tests.core.shift import WATCH

SAMPLE_S = 1.0
"""A continuous value comes once a second: on the average half of that passes before it is said."""
DISCLOSED_S = 10.0
"""Beyond so much on the average, the norm has it told to those who use it (ALM-061)."""
EACH_SIDE = 0.95

PAGE = """# How late an alarm is, by parameter

Two delays, kept apart. *Until the condition counts*: what the monitor averages by itself, then the delay
of the rule. *Until it is signalled*: from there to the screens, measured in
[performance.md](../performance.md): under a tenth of a second, and left out below. Drawn by `make safety`
from the profile `watch` that ships and from `monitor/devices/averaging.toml`; a clinic that changes a delay
has other figures.

The sum is worked out, not measured: a value that steps over its limit is anywhere in the monitor's averaging
window and anywhere between two samples, both equally likely. So the mean holds half of each, the
95th percentile nineteen twentieths. What was measured, with stories that fall slowly, is in
[scenarios.md](scenarios.md). **Told** marks a mean above {disclosed:g} s: who uses it has to know.

## Continuous parameters

The averaging is the widest that any device here can be set to.

| condition | priority | delay | beyond | averaging | mean | 95 % | |
| --- | --- | --- | --- | --- | --- | --- | --- |
{timed}
A poor signal may add up to {poor:g} s to a HIGH, and no more. Where two signals of one heart agree, some
rates wait less than their delay (`agreed_s` in the profile).

## Pressures, temperatures

No delay in seconds: one reading in breach, then its repeat. Where none comes in {confirm:g} s it is raised
all the same, "not confirmed". Beyond the severe bound one reading is enough. What is not measured is not
known: the wait for the next reading is the interval of the phase ([therapies.md](../therapies.md)).

| condition | priority | raised by |
| --- | --- | --- |
{repeat}
## Equipment, and what people say

| condition | priority | delay |
| --- | --- | --- |
{gaps}
## What each device averages by itself

| driver | vital | least | most | source |
| --- | --- | --- | --- | --- |
{devices}"""


def page() -> str:
    """The whole page."""
    timed = [rule for rule in RULES if rule.kind is Kind.TIMED]
    return PAGE.format(
        disclosed=DISCLOSED_S,
        poor=WATCH.timing.poor_signal_ms / 1_000,
        confirm=WATCH.confirm_ms / 1_000,
        timed="".join(_timed(rule, WATCH) for rule in timed),
        repeat="".join(_repeated(rule) for rule in RULES if rule.kind is Kind.REPEAT),
        gaps="".join(
            f"| `{rule.condition}` | {rule.priority.name} | {WATCH.delays_ms[rule.name] / 1_000:g} s |\n"
            for rule in RULES
            if not rule.measured
        ),
        devices="".join(_devices()),
    )


def averaged_most_s(vital: Vital | None) -> float:
    """The longest that any device here averages this vital."""
    as_measured = Vital.PULSE_SPO2 if vital is Vital.HEART_RATE else vital
    spans = [
        span[1]
        for driver in DRIVERS.values()
        for measured, span in averaged_s(driver).items()
        if measured in (vital, as_measured)
    ]
    return max(spans, default=0.0)


def mean_s(rule: Rule, profile: Profile) -> float:
    """The mean of what passes before this condition counts, at the longest averaging."""
    return profile.numbers[rule.name].hold_ms / 1_000 + (averaged_most_s(rule.vital) + SAMPLE_S) / 2


def _timed(rule: Rule, profile: Profile) -> str:
    numbers = profile.numbers[rule.name]
    held, averaged = numbers.hold_ms / 1_000, averaged_most_s(rule.vital)
    mean, most = mean_s(rule, profile), held + EACH_SIDE * (averaged + SAMPLE_S)
    severe = "" if numbers.severe is None else f"0 s past {numbers.severe:g}"
    told = "**told**" if mean > DISCLOSED_S else ""
    what = f"`{rule.condition}`" + (" (arterial)" if rule.numbers_of else "")
    return (
        f"| {what} | {rule.priority.name} | {held:g} s | {severe} | {averaged:g} s |"
        f" {mean:.1f} s | {most:.1f} s | {told} |\n"
    )


def _repeated(rule: Rule) -> str:
    by = "the first reading" if rule.priority is Priority.LOW else "the repeat"
    return f"| `{rule.condition}` | {rule.priority.name} | {by} |\n"


def _devices() -> list[str]:
    return [
        f"| `{driver.name}` | {vital.value} | {least:g} s | {most:g} s | {source(driver)} |\n"
        for driver in DRIVERS.values()
        for vital, (least, most) in averaged_s(driver).items()
    ]
