"""The data export messages: the event that opens a session, polls, and their results, whole or linked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import msgspec

from monitor.devices.codecs.intellivue.frame import framed
from monitor.devices.codecs.intellivue.wire import (
    Attribute,
    Cursor,
    Malformed,
    absolute_digits,
    absolute_time,
    attribute_list,
    attributes,
    counted,
    sized,
    u16,
    u32,
)

EXPORT = b"\xe1\x00\x00\x02"
"""How every data export message begins: session id and presentation context."""

MDS = u16(0x0021, 0, 0)
"""The monitor itself as a managed object."""

MTU = 996
"""What a real monitor grants."""

EVENT, ACTION = 1, 7  # confirmed, both
MDS_CREATED = 0x0D06
PERIOD = 0xF13E
NUMERIC_PARTITION = 1


class Operation(IntEnum):
    """What a message does with the object it names."""

    INVOKE = 1
    RESULT = 2
    ERROR = 3
    LINKED = 5


class Action(IntEnum):
    """The two polls: one answer, or one every 1.024 s until the period ends."""

    SINGLE = 0x0C16
    EXTENDED = 0xF13B


ACTIONS = frozenset(Action)


class Kind(IntEnum):
    """The object classes that are asked for here."""

    NUMERICS = 0x0006
    ALARMS = 0x0036


class Group(IntEnum):
    """Which attributes are asked for."""

    EVERYTHING = 0x0000
    ALARMS = 0x0801
    OBSERVED = 0x0803


class Link(IntEnum):
    """Which part of a linked result this is."""

    FIRST = 1
    MIDDLE = 2
    LAST = 3


class Error(IntEnum):
    """The error values that something here depends on."""

    NO_SUCH_ACTION = 9


class Object(msgspec.Struct, frozen=True):
    """One object of a result by its handle, which holds for this session only."""

    handle: int
    attributes: tuple[Attribute, ...] = ()


Context = tuple[int, tuple[Object, ...]]
"""A naming context, and the objects in it."""


@dataclass(frozen=True, slots=True)
class MdsCreated:
    """The monitor presents itself, and waits for the result."""

    invoke_id: int
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class MdsResult:
    """The host has heard it."""

    invoke_id: int


@dataclass(frozen=True, slots=True)
class Poll:
    """The host asks. `period` is how long an extended poll shall go on, in 1/8 ms."""

    invoke_id: int
    action: int
    poll_number: int
    kind: int
    group: int
    period: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The monitor answers a poll: one whole record, or one part of several (`link`, counted from 1).

    `relative_time` is in 1/8 ms since the monitor was started.
    """

    invoke_id: int
    action: int
    poll_number: int
    relative_time: int
    absolute: datetime | None
    kind: int
    group: int
    contexts: tuple[Context, ...]
    sequence: int | None = None
    link: Link | None = None
    count: int = 0

    @property
    def objects(self) -> Iterator[Object]:
        """All objects, of whatever context."""
        for _, objects in self.contexts:
            yield from objects


@dataclass(frozen=True, slots=True)
class Refusal:
    """The monitor cannot do what was asked."""

    invoke_id: int
    error: int


Message = MdsCreated | MdsResult | Poll | Result | Refusal


def read(payload: bytes) -> Message | None:
    """What a data export message says; None where it is of no concern here. Malformed if it is damaged."""
    cursor = Cursor(payload)
    if cursor.take(4) != EXPORT:
        return None
    operation = cursor.u16()
    body = Cursor(cursor.take(cursor.u16()))
    match operation:
        case Operation.INVOKE:
            return _invoked(body)
        case Operation.RESULT:
            return _result(body)
        case Operation.LINKED:
            state, count = body.take(2)
            try:
                return _result(body, Link(state), count)
            except ValueError as unknown:
                raise Malformed from unknown
        case Operation.ERROR:
            return Refusal(body.u16(), body.u16())
        case _:
            return None


def _invoked(body: Cursor) -> MdsCreated | Poll | None:
    invoke_id, command = body.u16(), body.u16()
    argument = Cursor(body.take(body.u16()))
    argument.take(len(MDS))
    if command == EVENT:
        argument.u32()
        event = argument.u16()
        told = Cursor(argument.take(argument.u16()))
        if event != MDS_CREATED:
            return None
        told.take(len(MDS))
        return MdsCreated(invoke_id, attributes(told))
    if command == ACTION:
        argument.u32()
        action = argument.u16()
        asked = Cursor(argument.take(argument.u16()))
        poll_number = asked.u16()
        asked.u16()
        kind, group = asked.u16(), asked.u16()
        more = dict(attributes(asked)) if asked else {}
        period = int.from_bytes(more[PERIOD]) if PERIOD in more else None
        return Poll(invoke_id, action, poll_number, kind, group, period)
    return None


def _result(body: Cursor, link: Link | None = None, count: int = 0) -> MdsResult | Result | None:
    invoke_id, command = body.u16(), body.u16()
    result = Cursor(body.take(body.u16()))
    if command == EVENT:
        return MdsResult(invoke_id)
    if command != ACTION:
        return None
    result.take(len(MDS))
    action = result.u16()
    if action not in ACTIONS:
        return None
    reply = Cursor(result.take(result.u16()))
    poll_number = reply.u16()
    sequence = reply.u16() if action == Action.EXTENDED else None
    relative_time, absolute = reply.u32(), absolute_time(reply.take(8))
    reply.u16()
    kind, group = reply.u16(), reply.u16()
    contexts = tuple(_contexts(reply.counted()))
    return Result(
        invoke_id,
        action,
        poll_number,
        relative_time,
        absolute,
        kind,
        group,
        contexts,
        sequence,
        link,
        count,
    )


def _contexts(cursor: Cursor) -> Iterator[Context]:
    while cursor:
        number = cursor.u16()
        objects: list[Object] = []
        inside = cursor.counted()
        while inside:
            objects.append(Object(inside.u16(), attributes(inside)))
        yield number, tuple(objects)


# What the host writes.


def encode_mds_create_result(invoke_id: int, *, time: int = 0x00484700) -> bytes:
    """The answer to the create event; any time will do."""
    result = MDS + u32(time) + u16(MDS_CREATED, 0)
    return _message(Operation.RESULT, u16(invoke_id, EVENT) + sized(result))


def encode_poll(
    invoke_id: int, poll_number: int, *, kind: int = Kind.NUMERICS, group: int = Group.OBSERVED
) -> bytes:
    """Ask once."""
    asked = u16(poll_number, NUMERIC_PARTITION, kind, group)
    return _asked(invoke_id, Action.SINGLE, asked)


def encode_extended_poll(
    invoke_id: int,
    poll_number: int,
    *,
    period: int,
    kind: int = Kind.NUMERICS,
    group: int = Group.OBSERVED,
) -> bytes:
    """Ask to be told again and again for so long, in 1/8 ms."""
    asked = u16(poll_number, NUMERIC_PARTITION, kind, group) + attribute_list([(PERIOD, u32(period))])
    return _asked(invoke_id, Action.EXTENDED, asked)


def _asked(invoke_id: int, action: Action, asked: bytes) -> bytes:
    argument = MDS + u32(0) + u16(action) + sized(asked)
    return _message(Operation.INVOKE, u16(invoke_id, ACTION) + sized(argument))


# What the monitor writes.


def encode_mds_create(invoke_id: int, given: Iterable[Attribute], *, time: int = 0) -> bytes:
    """The event with which the monitor opens a session; `time` in 1/8 ms."""
    told = MDS + attribute_list(given)
    event = MDS + u32(time) + u16(MDS_CREATED) + sized(told)
    return _message(Operation.INVOKE, u16(invoke_id, EVENT) + sized(event))


def encode_error(invoke_id: int, error: int) -> bytes:
    """The monitor cannot do what was asked."""
    return _message(Operation.ERROR, u16(invoke_id, error, 0))


def encode_result(
    invoke_id: int,
    poll_number: int,
    relative_time: int,
    contexts: Sequence[Context],
    *,
    sequence: int | None = None,
    absolute: datetime | None = None,
    kind: int = Kind.NUMERICS,
    group: int = Group.OBSERVED,
    mtu: int = MTU,
) -> bytes:
    """The answer to a poll: one frame, or linked ones where its payload would exceed `mtu` bytes.

    A `sequence` makes it the answer to an extended poll. A linked answer is closed by an empty result.
    """
    numbered = u16(poll_number) if sequence is None else u16(poll_number, sequence)
    head = numbered + u32(relative_time) + absolute_digits(absolute) + u16(NUMERIC_PARTITION, kind, group)
    action = Action.SINGLE if sequence is None else Action.EXTENDED
    invoked = u16(invoke_id, ACTION)

    def record(part: Sequence[Context]) -> bytes:
        polled = counted(u16(number) + counted(_object(one) for one in objects) for number, objects in part)
        return invoked + sized(MDS + u16(action) + sized(head + polled))

    whole = _message(Operation.RESULT, record(contexts))
    parts = _parts(contexts, mtu - len(EXPORT) - 6 - len(record([])))
    if len(parts) < 2:
        return whole
    linked = [
        _message(Operation.LINKED, bytes((_link(place, len(parts)), place & 0xFF)) + record(part))
        for place, part in enumerate(parts, 1)
    ]
    return b"".join(linked) + _message(Operation.RESULT, record([]))


def _parts(contexts: Sequence[Context], room: int) -> list[list[Context]]:
    """Objects in their order, as many to a part as there is room for."""
    parts: list[list[Context]] = []
    left = 0
    for number, objects in contexts:
        for one in objects:
            size = len(_object(one))
            same = bool(parts) and parts[-1][-1][0] == number
            if not parts or size + (0 if same else 6) > left:
                parts.append([])
                left, same = room, False
            if same:
                parts[-1][-1] = (number, (*parts[-1][-1][1], one))
            else:
                parts[-1].append((number, (one,)))
                left -= 6
            left -= size
    return parts


def _link(place: int, of: int) -> Link:
    return Link.FIRST if place == 1 else Link.LAST if place == of else Link.MIDDLE


def _object(one: Object) -> bytes:
    return u16(one.handle) + attribute_list(one.attributes)


def _message(operation: Operation, body: bytes) -> bytes:
    return framed(EXPORT + u16(operation) + sized(body))
