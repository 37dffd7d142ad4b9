"""Who talks to whom: the messages that open, refuse and end an association, and what was agreed in them.

The presentation part of each is the same in every client and in a recorded session, so it stands here as it
is; only what the two sides agree on (`Terms`) is written and read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from monitor.devices.codecs.intellivue.frame import framed
from monitor.devices.codecs.intellivue.wire import Cursor, Malformed, attribute_list, attributes, u32

TICKS_PER_MS = 8

# Connection time-out of the monitor by the agreed poll period (fact sheet, 3).
SHORT_PERIOD_MS, SHORT_TIMEOUT_MS = 3_300, 10_000
LONG_PERIOD_MS, LONG_TIMEOUT_MS = 43_000, 130_000

LONG_LENGTH = 255
LONG_ASN = 0x81


class Step(IntEnum):
    """The first byte of an association message: what it does."""

    RELEASE = 0x09
    RELEASED = 0x0A
    REFUSE = 0x0C
    REQUEST = 0x0D
    ACCEPT = 0x0E
    ABORT = 0x19


STEPS = frozenset(Step)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one side offers or grants: the least poll period in 1/8 ms, payload bytes each way, packages."""

    poll_period: int = 8_000
    mtu_in: int = 1_000
    mtu_out: int = 1_000
    packages: int = 0x88000000
    """Bits: 80000000 numerics every second, 08000000 waves, 04000000 enumerations, 02000000 priorities."""


@dataclass(frozen=True, slots=True)
class Association:
    """One message of the association; `terms` are there in a request and an accept that can be read."""

    step: Step
    terms: Terms | None = None


def timeout_ms(poll_period: int) -> int:
    """How long the monitor waits for a word from us before it gives up an association of this poll period."""
    period_ms = poll_period // TICKS_PER_MS
    if period_ms <= SHORT_PERIOD_MS:
        return SHORT_TIMEOUT_MS
    return 3 * period_ms if period_ms <= LONG_PERIOD_MS else LONG_TIMEOUT_MS


_SESSION = bytes.fromhex("0508130100160102800014020002")
_REQUEST = bytes.fromhex(
    "3180a0808001010000a280a003000001a4803080020101060452010001308006025101000000003080020102060c2a86"
    "48ce14020100000001013080060c2a8648ce140201000000020100000000000061803080020101a0806080a180060c2a"
    "8648ce14020100000003010000be802880060c2a8648ce140201000000010102010281"
)
_ACCEPT = bytes.fromhex(
    "3180a0808001010000a280a003000001a58030808001008102510100003080800100810c2a8648ce1402010000000201"
    "0000000061803080020101a0806180a180060c2a8648ce14020100000003010000a203020100a305a103020100be8028"
    "8002010281"
)
_TAIL = bytes(16)
_REFUSE = bytes.fromhex("0c03320100")
_RELEASE = bytes.fromhex("0918c11661803080020101a08062808001000000000000000000")
_RELEASED = bytes.fromhex("0a18c11661803080020101a08063808001000000000000000000")
_ABORT = bytes.fromhex(
    "192e110103c129a080a0803080020101060251010000000061803080020101a080648080010100000000000000000000"
)

_VERSIONS = bytes.fromhex("8000000040000000")
_CLIENT, _SERVER = bytes.fromhex("80000000"), bytes.fromhex("00800000")
_COLD, _HOT = bytes.fromhex("20000000"), bytes.fromhex("80000000")
_POLL_PROFILE, _PROFILE_REVISION = 0x0001, 0x80000000
_NO_BANDWIDTH_LIMIT, _DYNAMIC_OBJECTS = 0xFFFFFFFF, 0x60000000
_PACKAGES = 0xF001


def read(payload: bytes) -> Association | None:
    """What an association message says; None for any other payload."""
    if not payload or payload[0] not in STEPS:
        return None
    step = Step(payload[0])
    return Association(step, _terms(payload) if step in {Step.REQUEST, Step.ACCEPT} else None)


def _terms(payload: bytes) -> Terms | None:
    # The lengths before it have a short and a long form, and some clients send a second profile: the two
    # version fields with which it begins are found more safely than counted to.
    begins = payload.find(_VERSIONS)
    if begins < 0:
        return None
    info = Cursor(payload[begins + len(_VERSIONS) :])
    try:
        info.take(12)  # functional units, system type, start-up mode
        info.counted()
        profile = Cursor(dict(attributes(info)).get(_POLL_PROFILE, b""))
        profile.u32()
        period, mtu_in, mtu_out = profile.u32(), profile.u32(), profile.u32()
        profile.take(8)  # bandwidth, options
        packages = Cursor(dict(attributes(profile)).get(_PACKAGES, bytes(4)))
        return Terms(period, mtu_in, mtu_out, packages.u32())
    except Malformed:
        return None


def _user_info(terms: Terms, *, system: bytes, start_up: bytes) -> bytes:
    profile = (
        u32(_PROFILE_REVISION)
        + u32(terms.poll_period)
        + u32(terms.mtu_in)
        + u32(terms.mtu_out)
        + u32(_NO_BANDWIDTH_LIMIT)
        + u32(_DYNAMIC_OBJECTS)
        + attribute_list([(_PACKAGES, u32(terms.packages) + attribute_list([]))])
    )
    profiles = attribute_list([(_POLL_PROFILE, profile)])
    return _VERSIONS + u32(0) + system + start_up + attribute_list([]) + profiles


def _opening(step: Step, presentation: bytes, info: bytes) -> bytes:
    told = presentation + bytes((len(info),)) + info + _TAIL
    inside = _SESSION + bytes((0xC1, len(told))) + told
    return framed(bytes((step, len(inside))) + inside)


def encode_association_request(
    *, poll_period: int = 8_000, mtu_in: int = 1_000, mtu_out: int = 1_000, packages: int = 0x88000000
) -> bytes:
    """The host's first message: what it would like, as in `Terms`."""
    terms = Terms(poll_period, mtu_in, mtu_out, packages)
    return _opening(Step.REQUEST, _REQUEST, _user_info(terms, system=_CLIENT, start_up=_COLD))


def encode_association_accept(
    *, poll_period: int = 8_000, mtu_in: int = 996, mtu_out: int = 996, packages: int = 0x8E000000
) -> bytes:
    """The monitor's answer to it: what it grants."""
    terms = Terms(poll_period, mtu_in, mtu_out, packages)
    return _opening(Step.ACCEPT, _ACCEPT, _user_info(terms, system=_SERVER, start_up=_HOT))


def encode_refuse() -> bytes:
    """The monitor has another association, or does not want this one (one source)."""
    return framed(_REFUSE)


def encode_release_request() -> bytes:
    """The host ends the association politely."""
    return framed(_RELEASE)


def encode_release_response() -> bytes:
    """The monitor agrees that it has ended."""
    return framed(_RELEASED)


def encode_abort() -> bytes:
    """Either side ends it at once; nobody answers."""
    return framed(_ABORT)
