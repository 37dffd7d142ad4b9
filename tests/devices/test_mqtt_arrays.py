"""Long arrays over MQTT: read at once, they say exactly what they say one by one, and so do later ones."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clock import ManualClock
from monitor.devices.codecs.mqtt_map import DRIVER, Decoder
from monitor.devices.codecs.mqtt_plan import plan_of
from monitor.devices.lines import as_line, decode, one_by_one
from monitor.devices.links.link import MessageLink
from monitor.devices.reader import MqttReader
from monitor.devices.validity import screen
from monitor.model import (
    Bed,
    Device,
    DeviceNoted,
    Event,
    Fault,
    Reading,
    Readings,
    Sample,
    Samples,
    Told,
    Vital,
)

NOW_MS = 1_795_313_704_000
ROWS = 20
Row = dict[str, Any]


def array(
    begin_ms: int = NOW_MS - 3_000, rows: int = ROWS, every_ms: int = 100, **values: float
) -> list[Row]:
    """What a gateway sends that keeps its values for a while."""
    given = values or {"spo2": 97, "bpm": 72, "pi": 4.96, "battery": 3.7}
    return [{"ts": begin_ms + every_ms * at, "values": dict(given)} for at in range(rows)]


def at_once(rows: object) -> bytes:
    return msgspec.json.encode(rows) + b" "


def one_after_another(rows: object) -> bytes:
    """The same message, and as long; but nothing that begins so is taken for an array at first sight."""
    return b" " + msgspec.json.encode(rows)


def hears(decoder: Decoder, payload: bytes, *, at_ms: int = NOW_MS, retained: bool = False) -> list[Told]:
    return list(decoder.message("gateway/3", payload, retained=retained, at_ms=at_ms))


class Bedside:
    """A reader without a broker: messages in, events out."""

    def __init__(self, **options: Any) -> None:
        """Nothing has come yet."""
        self.inbox: list[Event] = []
        self.reader = MqttReader(
            Device("g"), Bed("3"), DRIVER, _no_link, self.inbox.append, ManualClock(NOW_MS),
            random.Random(1), options,  # noqa: S311  jitter
        )  # fmt: skip

    def hears(self, payload: bytes, now_ms: int = NOW_MS) -> list[Event]:
        """What one message leads to."""
        self.inbox.clear()
        self.reader.take("gateway/3", payload, now_ms, retained=False)
        return list(self.inbox)


async def _no_link() -> MessageLink:
    raise OSError("there is no link here")


def singly(events: list[Event]) -> list[Event]:
    return [one for e in events for one in (e.each() if isinstance(e, Readings) else (e,))]


def is_table(told: list[Told]) -> bool:
    return any(isinstance(one, Samples) for one in told)


def test_a_plain_array_is_one_table() -> None:
    (table,) = hears(Decoder(), at_once(array()))
    assert isinstance(table, Samples)
    assert table.vitals == (Vital.SPO2, Vital.PULSE_SPO2, Vital.PERFUSION)
    assert table.columns == ((97.0,) * ROWS, (72.0,) * ROWS, (4.96,) * ROWS)
    first = next(table.each())
    assert first == Sample(Vital.SPO2, 97.0, device_time=str(NOW_MS - 3_000), age_ms=3_000)


def test_its_readings_come_into_the_inbox_as_one_event() -> None:
    bedside = Bedside()
    events = bedside.hears(at_once(array()))
    (table,) = (event for event in events if isinstance(event, Readings))
    assert len(table) == 3 * ROWS
    assert not any(isinstance(event, Reading) for event in events)


def test_what_came_too_late_is_history_and_the_rest_is_live() -> None:
    history, live = hears(Decoder(), at_once(array(NOW_MS - 12_000, rows=24, every_ms=500)))
    assert isinstance(history, Samples)
    assert isinstance(live, Samples)
    assert (history.late, live.late) == (True, False)
    assert history.times_ms == tuple(NOW_MS - 12_000 + 500 * at for at in range(4))
    assert live.times_ms[0] == NOW_MS - 10_000  # as old as a live value may be, and no older


ODD: dict[str, Any] = {
    "null": lambda rows: rows[7]["values"].update(spo2=None),
    "a word": lambda rows: rows[7]["values"].update(spo2="nan"),
    "a number in quotes": lambda rows: rows[7]["values"].update(spo2="97"),
    "true": lambda rows: rows[7]["values"].update(spo2=True),
    "impossible": lambda rows: rows[7]["values"].update(spo2=970),
    "unusual": lambda rows: rows[7]["values"].update(spo2=60),
    "another key": lambda rows: rows[7]["values"].update(rr=12),
    "a key less": lambda rows: rows[7]["values"].pop("spo2"),
    "keys in another order": lambda rows: rows[7].update(values=dict(reversed(rows[7]["values"].items()))),
    "a field more": lambda rows: rows[7].update(mac="aa:bb"),
    "no time": lambda rows: rows[7].pop("ts"),
    "a time in quotes": lambda rows: rows[7].update(ts=str(rows[7]["ts"])),
    "half a millisecond": lambda rows: rows[7].update(ts=rows[7]["ts"] + 0.5),
    "in the future": lambda rows: rows[7].update(ts=NOW_MS + 60_000),
    "the last in the future": lambda rows: rows[-1].update(ts=NOW_MS + 60_000),
    "the same again": lambda rows: rows.insert(8, dict(rows[7])),
    "the same time, another value": lambda rows: rows.insert(
        8, {"ts": rows[7]["ts"], "values": rows[7]["values"] | {"spo2": 95}}
    ),
    "out of order": lambda rows: rows.insert(3, rows.pop(9)),
    "newest first": lambda rows: rows.reverse(),
    "a unit that is wrong": lambda rows: rows[0].update(ts=NOW_MS // 1000),
    "a pressure": lambda rows: [row["values"].update(sys=120, dia=80) for row in rows],
    "a temperature between two ages": lambda rows: [
        (row["values"].update(temp=36.6), row.update(ts=row["ts"] - 9_000)) for row in rows
    ],
    "one vital twice": lambda rows: [row["values"].update(pulse=70) for row in rows],
    "a gap of minutes": lambda rows: [row.update(ts=row["ts"] - 9_000) for row in rows[:5]],
    "nothing of ours": lambda rows: [row.update(values={"battery": 3}) for row in rows],
    "no object": lambda rows: rows.insert(4, 97),
    "short": lambda rows: rows.__delitem__(slice(5, None)),
}


@pytest.mark.parametrize("oddity", ODD)
def test_whatever_is_odd_in_an_array_has_the_same_words_as_ever(oddity: str) -> None:
    rows = array()
    ODD[oddity](rows)
    together, apart = Decoder(), Decoder()
    plain = array(NOW_MS)
    for message in (rows, rows, plain):
        said = hears(together, at_once(message))
        assert list(one_by_one(said)) == hears(apart, one_after_another(message))
    assert is_table(said), "the next plain array is read at once again"

    first, second = Bedside(), Bedside()
    for message in (rows, rows, plain):
        assert singly(first.hears(at_once(message))) == second.hears(one_after_another(message))
        assert first.reader.faults == second.reader.faults


def test_a_value_that_is_not_JSON_spoils_nothing_but_itself() -> None:
    body = (
        at_once(array(spo2=97, rr=14)).replace(b'"rr":14.0', b'"rr":NaN').replace(b'"rr":14', b'"rr":NaN', 1)
    )
    said = hears(Decoder(), body)
    assert [one.value for one in said if isinstance(one, Sample) and one.vital is Vital.SPO2] == [97.0] * ROWS
    assert None in [one.value for one in said if isinstance(one, Sample)]


def test_an_array_of_another_device_is_refused() -> None:
    decoder = Decoder(plan_of({"device": {"is": "4", "segment": 1}}))
    (fault,) = hears(decoder, at_once(array()))
    assert isinstance(fault, Fault)


@pytest.mark.parametrize(
    "options",
    [
        {
            "map": [
                {"path": "t", "vital": "temp", "unit": "[degF]"},
                {"path": "pi", "vital": "pi", "scale": 0.1},
            ]
        },
        {"shape": "envelope", "values": "d.v", "time": {"path": "m.t", "unit": "ms"}},
        {"max_age_s": 1},
    ],
    ids=["a map", "an envelope of its own", "a younger history"],
)
def test_options_hold_for_arrays(options: dict[str, Any]) -> None:
    rows: list[Row] = array(t=98.6, pi=49.6, spo2=97)
    if "values" in options:
        rows = [{"d": {"v": row["values"]}, "m": {"t": row["ts"]}} for row in rows]
    told = hears(Decoder(plan_of(options)), at_once(rows))
    assert is_table(told)
    assert list(one_by_one(told)) == hears(Decoder(plan_of(options)), one_after_another(rows))


def test_decode_prints_the_same_lines() -> None:
    rows = array(NOW_MS - 13_000, rows=30, every_ms=500)
    captured = [
        json.dumps({"topic": "t", "payload": body.decode(), "at_ms": NOW_MS}).encode() + b"\n"
        for body in (at_once(rows), one_after_another(rows))
    ]
    at_once_said, apart_said = (list(decode(DRIVER, [line])) for line in captured)
    assert at_once_said == apart_said
    assert len(at_once_said) == 3 * 30
    decoder = Decoder()
    assert is_table(told := hears(decoder, at_once(rows)))
    assert [as_line(screen(one)) for one in one_by_one(told)] == at_once_said


def test_a_device_whose_clock_leaps_is_remarked_on_as_ever() -> None:
    first, second = Bedside(), Bedside()
    early = array(NOW_MS - 4_000)
    leaping = array(NOW_MS + 1_000)
    for row in leaping[10:]:
        row["ts"] += 6_000  # ahead of anything a delay could do, and no time of the future yet
    for message, at_ms in ((early, NOW_MS), (leaping, NOW_MS + 5_000)):
        told = first.hears(at_once(message), at_ms)
        assert singly(told) == second.hears(one_after_another(message), at_ms)
    assert any(isinstance(event, Readings) for event in told)
    assert any(isinstance(event, DeviceNoted) for event in told)


def test_an_array_that_came_slowly_teaches_nothing_new_of_the_clock() -> None:
    first, second = Bedside(), Bedside()
    for begin_ms, at_ms in ((-2_000, 0), (0, 5_000), (4_000, 13_000)):
        message = array(NOW_MS + begin_ms)
        told = first.hears(at_once(message), NOW_MS + at_ms)
        assert singly(told) == second.hears(one_after_another(message), NOW_MS + at_ms)
    late = [event.late for event in told if isinstance(event, Readings)]
    assert late == [True], "two seconds behind its clock as it was known before"


values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([97, 96.5, 84, 72]),
    st.sampled_from([97, 84]),
    st.sampled_from([None, True, "97", "nan", 0, 60, 970, 1e300, [], {}]),
)
plain_values = st.sampled_from([97, 96.5, 84, 72])


@st.composite
def messages(draw: st.DrawFn) -> list[tuple[int, list[Row]]]:
    """A few arrays, each heard at its own time: mostly plain, mostly going on where the last one stopped."""
    now_ms, device_ms = NOW_MS, NOW_MS - draw(st.integers(0, 20_000))
    told = []
    for _ in range(draw(st.integers(1, 4))):
        keys = draw(st.sampled_from([("spo2",), ("spo2", "pr"), ("pr", "temp", "hr"), ("spo2", "temp", "x")]))
        odd = draw(st.integers(0, 3)) == 0
        step_ms = draw(st.sampled_from([30, 500, 1_000]))
        rows: list[Row] = []
        for _ in range(draw(st.integers(14, 24))):
            of = values if odd and draw(st.integers(0, 9)) == 0 else plain_values
            rows.append({"ts": device_ms, "values": {key: draw(of) for key in keys}})
            device_ms += step_ms
            if draw(st.integers(0, 40)) == 0:
                device_ms += draw(st.sampled_from([-step_ms, -3_000, 0, 6_000, 20_000]))
        now_ms += draw(st.sampled_from([0, 500, 3_000, 12_000, 60_000]))
        told.append((now_ms, rows))
    return told


@settings(deadline=None)
@given(messages())
def test_at_once_or_one_by_one_never_shows(history: list[tuple[int, list[Row]]]) -> None:
    together, apart = Decoder(), Decoder()
    first, second = Bedside(), Bedside()
    for now_ms, rows in history:
        told = hears(together, at_once(rows), at_ms=now_ms)
        assert list(one_by_one(told)) == hears(apart, one_after_another(rows), at_ms=now_ms)
        events = first.hears(at_once(rows), now_ms)
        assert singly(events) == second.hears(one_after_another(rows), now_ms)
        assert first.reader.faults == second.reader.faults
