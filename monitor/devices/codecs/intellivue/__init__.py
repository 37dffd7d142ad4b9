"""Philips IntelliVue monitors on their MIB/RS232 port, "Data Export": an association, then polls and results.

The rooms: `frame` cuts the serial stream, `wire` reads fields, `association` and `export` are the messages,
`numerics` and `alarms` what stands in a result, `replies` what of that is said, `session` who says what next.

Until `tick` is called for the first time the decoder only listens: a capture of the monitor's side alone says
all it holds, in whatever moment it begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.devices.codecs.intellivue import association, export
from monitor.devices.codecs.intellivue.association import (
    Association,
    encode_abort,
    encode_association_accept,
    encode_association_request,
    encode_refuse,
    encode_release_request,
    encode_release_response,
)
from monitor.devices.codecs.intellivue.export import (
    MdsCreated,
    Message,
    Result,
    encode_error,
    encode_extended_poll,
    encode_mds_create,
    encode_mds_create_result,
    encode_poll,
    encode_result,
)
from monitor.devices.codecs.intellivue.frame import Frames
from monitor.devices.codecs.intellivue.replies import Replies
from monitor.devices.codecs.intellivue.session import LOST_MS, Session
from monitor.devices.codecs.intellivue.wire import Malformed
from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.framing import leftover
from monitor.model import Fault, Said, Vital

__all__ = [
    "DRIVER",
    "Decoder",
    "encode_abort",
    "encode_association_accept",
    "encode_association_request",
    "encode_error",
    "encode_extended_poll",
    "encode_mds_create",
    "encode_mds_create_result",
    "encode_poll",
    "encode_refuse",
    "encode_release_request",
    "encode_release_response",
    "encode_result",
    "looks_like",
    "read_message",
]


class Decoder:
    """Reads what the monitor sends, and keeps a session with it once it is given time."""

    def __init__(self, *, extended: bool = False, alarms: bool = True) -> None:
        """`extended`: results that come by themselves instead of a poll a second. `alarms`: read them too."""
        self._frames = Frames()
        self._replies = Replies()
        self._session = Session(extended=extended, alarms=alarms)

    def feed(self, data: bytes) -> list[Said]:
        """What the frames in these bytes say that has not been said before."""
        said: list[Said] = []
        for payload in self._frames.feed(data):
            said += [payload] if isinstance(payload, Fault) else self._payload(payload)
        return said

    def close(self) -> list[Said]:
        """What an unfinished answer had, and the unfinished frame; a cuff that was told stays told."""
        self._session.reset()
        return self._replies.flush(live=self._session.live) + leftover(self._frames.drop())

    def _payload(self, payload: bytes) -> list[Said]:
        try:
            message = read_message(payload)
            if message is None:
                return []
            said = self._replies.take(message, live=self._session.live) if isinstance(message, Result) else []
        except Malformed:
            return [Fault("a message that contradicts its own lengths", len(payload))]
        if isinstance(message, MdsCreated):
            self._replies.begin(message.attributes)
        return said + self._session.hear(message)

    def tick(self, now_ms: int) -> None:
        """Let the session go on."""
        self._session.tick(now_ms)

    def due_ms(self) -> int:
        """When it wants to go on next."""
        return self._session.due_ms()

    def to_send(self) -> bytes:
        """What the session wants written now."""
        return self._session.to_send()

    def farewell(self) -> tuple[bytes, ...]:
        """What ends the association."""
        return self._session.farewell()

    def start_cuff(self) -> str | None:
        """Never: there is no message for it."""
        return "a cuff cannot be started over data export: start it at the monitor"

    def cancel_cuff(self) -> None:
        """Nothing to cancel: no cuff was started from here."""


def read_message(payload: bytes) -> Association | Message | None:
    """What a payload says, of either side; None where it is of no concern. Malformed if it is damaged."""
    return association.read(payload) or export.read(payload)


def _decoder(options: Mapping[str, Any]) -> Decoder:
    unknown = sorted(options.keys() - DRIVER.options.keys())
    if unknown:
        raise ValueError(f"intellivue has no option {unknown[0]!r}; it has: {', '.join(DRIVER.options)}")
    poll = options.get("poll", "single")
    if poll not in {"single", "extended"}:
        raise ValueError(f'poll is "single" or "extended", not {poll!r}')
    alarms = options.get("alarms", True)
    if not isinstance(alarms, bool):
        raise ValueError(f"alarms is true or false, not {alarms!r}")  # noqa: TRY004  an option, not an argument
    return Decoder(extended=poll == "extended", alarms=alarms)


def looks_like(raw: bytes) -> bool:
    """Whether a whole frame with a right checksum is somewhere in these bytes."""
    return any(isinstance(found, bytes) for found in Frames().feed(raw))


DRIVER = Driver(
    name="intellivue",
    title="Philips IntelliVue data export",
    models=(
        "Philips IntelliVue MP2, X2, MP5",
        "Philips IntelliVue MP20-MP90",
        "Philips IntelliVue MX400-MX850",
    ),
    transport="serial",
    decoder=_decoder,
    vitals=(
        Vital.HEART_RATE,
        Vital.PULSE_SPO2,
        Vital.PULSE_NIBP,
        Vital.SPO2,
        Vital.PERFUSION,
        Vital.SYSTOLIC,
        Vital.DIASTOLIC,
        Vital.MEAN,
        Vital.RESPIRATION,
        Vital.ETCO2,
        Vital.TEMPERATURE,
    ),
    settings=SerialSettings(baud=115_200),
    cuff=True,
    polled=True,
    silent_after_ms=LOST_MS,
    hint=(
        "check the cable in the MIB/RS232 port, and that this port is set to data export (DtOut) in the "
        "monitor's configuration mode"
    ),
    looks_like=looks_like,
    known_by="frames from C0 to C1 with a right checksum",
    options={
        "poll": '"single" asks every second (default), "extended" lets the monitor send by itself',
        "alarms": "false does not ask for the monitor's own alarms (default true)",
    },
)
