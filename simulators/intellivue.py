"""A Philips IntelliVue on its data export port: silent until it is asked for an association, then polled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.devices.codecs.intellivue import (
    encode_abort,
    encode_association_accept,
    encode_error,
    encode_mds_create,
    encode_refuse,
    encode_release_response,
    encode_result,
    read_message,
)
from monitor.devices.codecs.intellivue.association import TICKS_PER_MS, Association, Step, Terms, timeout_ms
from monitor.devices.codecs.intellivue.export import (
    ACTIONS,
    MTU,
    Action,
    Context,
    Error,
    Group,
    Kind,
    MdsResult,
    Object,
    Poll,
)
from monitor.devices.codecs.intellivue.frame import Frames
from monitor.devices.codecs.intellivue.replies import TICKS_SPAN
from monitor.devices.codecs.intellivue.wire import Malformed
from simulators.intellivue_screen import Screen
from simulators.patient import AnyPatient
from simulators.twin import CATCH_UP_MS, checked

OPTIONS = {
    "cycle_s": "the monitor's own cuff interval in seconds (default 300); 0 is a monitor without one",
    "demo": "true for a monitor in demonstration mode: every number is marked as nobody's (default false)",
    "modules": "true for a monitor with many modules: its answers come in linked parts (default false)",
}

STREAM_MS = 1_024
"""How often numerics come by themselves (fact sheet, 5)."""

CREATED = 1
"""The monitor's own invoke id of its create event."""

NEVER = 2**62


@dataclass(slots=True)
class _Stream:
    """Results that come by themselves until their period ends."""

    asked: Poll
    until_ms: int
    next_ms: int
    sequence: int = 0


class Twin:
    """The monitor on one patient."""

    def __init__(
        self,
        patient: AnyPatient,
        seed: int,
        options: Mapping[str, Any],
        jumps: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Attach it; `seed` says how wrong its clock is, and how long it has been running."""
        checked("intellivue", options, OPTIONS)
        self._screen = Screen(patient, seed, options, jumps)
        self._running_ms = 86_400_000 + seed * 60_000
        self._frames = Frames()
        self._associations = 0
        self._terms: Terms | None = None
        self._created = False
        self._heard_ms = 0
        self._streams: dict[tuple[int, int], _Stream] = {}

    def due_ms(self) -> int:
        """The next result that comes by itself, or the end of its patience with the host."""
        if self._terms is None:
            return NEVER
        patient_until_ms = self._heard_ms + timeout_ms(self._terms.poll_period)
        streams = self._streams.values()
        return min([patient_until_ms, *(min(one.next_ms, one.until_ms) for one in streams)])

    def tick(self, t_ms: int) -> bytes:
        """What comes by itself; an abort where the host has been silent for too long."""
        if self._terms is None:
            return b""
        if t_ms - self._heard_ms >= timeout_ms(self._terms.poll_period):
            self._forget()
            return encode_abort()
        return b"".join(self._streamed(stream, t_ms) for stream in tuple(self._streams.values()))

    def hear(self, data: bytes, t_ms: int) -> bytes:
        """The answers to the frames in these bytes; silence to what is damaged."""
        return b"".join(
            self._heard(payload, t_ms) for payload in self._frames.feed(data) if isinstance(payload, bytes)
        )

    def _heard(self, payload: bytes, t_ms: int) -> bytes:
        try:
            message = read_message(payload)
        except Malformed:
            return b""
        self._heard_ms = t_ms
        match message:
            case Association():
                return self._agree(message, t_ms)
            case MdsResult() if self._terms is not None:
                self._created = True
            case Poll() if self._created:
                return self._polled(message, t_ms)
            case _:
                pass
        return b""

    def _agree(self, message: Association, t_ms: int) -> bytes:
        match message.step:
            case Step.REQUEST if message.terms is not None:
                if self._terms is not None:
                    return encode_refuse()
                self._terms = message.terms
                self._associations += 1
                accept = encode_association_accept(
                    poll_period=message.terms.poll_period, packages=message.terms.packages
                )
                ticks = self._ticks(t_ms)
                presented = self._screen.presented(self._associations, ticks, t_ms)
                return accept + encode_mds_create(CREATED, presented, time=ticks)
            case Step.RELEASE:
                self._forget()
                return encode_release_response()
            case Step.ABORT:
                self._forget()
            case _:
                pass
        return b""

    def _forget(self) -> None:
        self._terms, self._created = None, False
        self._streams.clear()

    def _polled(self, poll: Poll, t_ms: int) -> bytes:
        if poll.action not in ACTIONS:
            return encode_error(poll.invoke_id, Error.NO_SUCH_ACTION)
        if poll.action == Action.SINGLE:
            return self._result(poll, None, t_ms)
        until_ms = t_ms + (poll.period or 0) // TICKS_PER_MS
        stream = self._streams.get((poll.kind, poll.group))
        if stream is not None:
            stream.until_ms = until_ms
            return b""
        self._streams[poll.kind, poll.group] = _Stream(poll, until_ms, t_ms + STREAM_MS, 1)
        return self._result(poll, 0, t_ms)

    def _streamed(self, stream: _Stream, t_ms: int) -> bytes:
        told = b""
        if t_ms - stream.next_ms > CATCH_UP_MS:
            stream.next_ms = t_ms
        while stream.next_ms <= min(t_ms, stream.until_ms):
            told += self._result(stream.asked, stream.sequence, stream.next_ms)
            stream.next_ms += STREAM_MS
            stream.sequence = (stream.sequence + 1) % 0x10000
        if t_ms >= stream.until_ms:
            del self._streams[stream.asked.kind, stream.asked.group]
        return told

    def _result(self, poll: Poll, sequence: int | None, t_ms: int) -> bytes:
        contexts: tuple[Context, ...] = ()
        if poll.kind == Kind.NUMERICS:
            contexts = self._screen.numerics(t_ms, labelled=poll.group == Group.EVERYTHING)
        elif poll.kind == Kind.ALARMS:
            contexts = ((1, (Object(1, self._screen.alarms(t_ms)),)),)
        return encode_result(
            poll.invoke_id,
            poll.poll_number,
            self._ticks(t_ms),
            contexts,
            sequence=sequence,
            kind=poll.kind,
            group=poll.group,
            mtu=MTU,
        )

    def _ticks(self, t_ms: int) -> int:
        return (self._running_ms + t_ms) * TICKS_PER_MS % TICKS_SPAN
