"""A bridge of our own beside a multi-parameter monitor: vs-numeric/1 every second, vs-episodic/1 per cuff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.devices.codecs.mqtt_native import encode_episodic, encode_numeric, encode_status
from monitor.model import Vital
from simulators.cuffs import Cuffs, Taken
from simulators.noise import uniforms
from simulators.patient import AnyPatient
from simulators.twin import DeviceClock, HostClock, Message, Rhythm, checked, cycle_of

OPTIONS = {
    "topic": "vs1/SITE/STATION/DEVICE: the levels before the stream",
    "vitals": "a list of spo2, pr_spo2, pi, hr, rr and temp: which it has (default all)",
    "cycle_s": "the monitor's own cuff interval in seconds (default 300); 0 is none",
    "cuff": "false for a monitor without a cuff (default true)",
    "clock": '"host" (default) or "device": whose time it sends',
    "lossy": "false for a network that never loses, repeats or delays (default true)",
}

ALL = (
    Vital.SPO2,
    Vital.PULSE_SPO2,
    Vital.PERFUSION,
    Vital.HEART_RATE,
    Vital.RESPIRATION,
    Vital.TEMPERATURE,
)
OF_THE_PROBE = {Vital.SPO2, Vital.PULSE_SPO2}

AGE_MS = 40
"""From the monitor's measurement to the bridge's message."""

# physiology.md 5.4: what becomes of messages on their way.
LOST, TWICE, LATE = 0.002, 0.0005, 0.005

ERRORS = {
    "failed": ("M01", "the cuff measurement failed"),
    "pump-up timeout": ("M06", "cuff loose or inflation time-out"),
    "timeout": ("M03", "the measurement took too long"),
}


class Twin:
    """The bridge of one patient's monitor."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
        host: HostClock | None = None,
    ) -> None:
        """Attach it; `host` is the time of the network, `seed` its boot id and its luck."""
        checked("mqtt-native", options, OPTIONS)
        self._topic = str(options.get("topic", "vs1/site/station/monitor-1"))
        levels = self._topic.split("/")
        if len(levels) != 4 or levels[0] != "vs1" or not all(levels):
            raise ValueError(f"{self._topic}: the topic of this device is vs1/SITE/STATION/DEVICE")
        self._device = levels[3]
        self._vitals = _vitals(options.get("vitals"))
        self._clock = str(options.get("clock", "host"))
        if self._clock not in {"host", "device"}:
            raise ValueError(f'clock is "host" or "device", not {self._clock!r}')
        self._lossy = bool(options.get("lossy", True))
        self._patient, self._seed = patient, seed
        self._boot = f"{seed * 40_503 % 2**24:06x}"
        self._host = host or HostClock(0)
        self._own = DeviceClock(seed, jumps)
        self._rhythm = Rhythm(1000, seed * 137)
        self._cuffs = Cuffs(patient, cycle_of(options)) if options.get("cuff", True) else None
        self._seq = 0
        self._readings = 0
        self._begun = False
        self._delayed: list[tuple[int, Message]] = []

    def due_ms(self) -> int:
        """The next message, fresh or delayed."""
        cuff_ms = 2**62 if self._cuffs is None else self._cuffs.due_ms()
        return min(self._rhythm.due_ms(), cuff_ms, *(at_ms for at_ms, _ in self._delayed), 2**62)

    def tick(self, t_ms: int) -> list[Message]:
        """What has arrived at the broker by now."""
        arrived = [message for at_ms, message in self._delayed if at_ms <= t_ms]
        self._delayed = [(at_ms, message) for at_ms, message in self._delayed if at_ms > t_ms]
        for at_ms in self._rhythm.passed(t_ms):
            arrived += self._travelled(self._numeric(at_ms), self._seq, at_ms)
        taken = [] if self._cuffs is None else self._cuffs.go_on(t_ms)
        if not self._begun:
            # Of what was measured before the bridge came up, a monitor still shows the last.
            self._begun, taken = True, taken[-1:]
        return arrived + [self._episodic(one) for one in taken]

    def born(self) -> list[Message]:
        """Online, retained."""
        return [self._status("online")]

    def will(self) -> Message:
        """Offline, retained, in the broker's hands."""
        return self._status("offline", reason="will")

    def _numeric(self, t_ms: int) -> Message:
        self._seq += 1
        stamp = self._host.text(t_ms) if self._clock == "host" else self._own.at(t_ms).isoformat()
        values = [(vital, *self._value(vital, t_ms)) for vital in self._vitals]
        payload = encode_numeric(
            self._device, self._boot, self._seq, stamp, values, clock=self._clock, age_ms=AGE_MS
        )
        return Message(f"{self._topic}/numeric", payload)

    def _value(self, vital: Vital, t_ms: int) -> tuple[float | None, str]:
        value = _measured(self._patient, vital, t_ms)
        contact = self._patient.contact(t_ms)
        if vital in OF_THE_PROBE and not contact.good:
            return None, "invalid"
        if value is None:
            return None, "unavailable"
        doubted = vital in OF_THE_PROBE and (contact.motion or contact.weak)
        return value, "questionable" if doubted else "valid"

    def _travelled(self, message: Message, number: int, t_ms: int) -> list[Message]:
        """What of a message arrives now: mostly itself."""
        luck, how_late = (float(u) for u in uniforms(self._seed, "network", number, 2))
        if not self._lossy or luck >= LOST + TWICE + LATE:
            return [message]
        if luck < LOST:
            return []
        if luck < LOST + TWICE:
            return [message, message]
        self._delayed.append((t_ms + round(1000 + 4000 * how_late), message))
        return []

    def _episodic(self, taken: Taken) -> Message:
        self._readings += 1
        result = taken.result
        pressures = None
        if result.systolic is not None and result.diastolic is not None and result.mean is not None:
            pressures = (result.systolic, result.diastolic, result.mean)
        payload = encode_episodic(
            self._device,
            self._boot,
            self._readings,
            self._host.text(taken.at_ms),
            pressures,
            pulse=result.pulse,
            error=None if result.failed is None else ERRORS[result.failed],
        )
        return Message(f"{self._topic}/episodic", payload, qos=1)

    def _status(self, state: str, reason: str = "") -> Message:
        payload = encode_status(self._device, state, boot=self._boot, reason=reason)
        return Message(f"{self._topic}/status", payload, qos=1, retain=True)


def _vitals(given: object) -> tuple[Vital, ...]:
    if given is None:
        return ALL
    known = {vital.value: vital for vital in ALL}
    if not isinstance(given, Sequence) or isinstance(given, str) or not given or not set(given) <= set(known):
        raise ValueError(f"vitals is a list of {', '.join(known)}")
    return tuple(known[name] for name in given)


def _measured(patient: AnyPatient, vital: Vital, t_ms: int) -> float | None:
    """One vital of the patient, as fine as monitors give it."""
    digits = {Vital.TEMPERATURE: 1, Vital.PERFUSION: 2}.get(vital, 0)
    ask = {
        Vital.SPO2: patient.spo2,
        Vital.PULSE_SPO2: patient.pulse,
        Vital.PERFUSION: patient.perfusion,
        Vital.HEART_RATE: patient.heart_rate,
        Vital.RESPIRATION: patient.respiration,
        Vital.TEMPERATURE: patient.temperature,
    }[vital]
    value = ask(t_ms)
    return None if value is None else round(value, digits) if digits else float(round(value))
