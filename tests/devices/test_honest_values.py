"""Numbers that are on the wire and are nobody's: none of them may ever be a live value."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from monitor.devices.codecs import DRIVERS, dinamap, masimo_ascii1, mqtt_native, nellcor_ascii
from monitor.devices.order import Arrival, Arrivals
from monitor.devices.validity import screen
from monitor.model import Cuff, Quality, Said, Sample, Vital

NOW_MS = 1_795_313_704_000
NOW = "2026-11-22T02:15:04Z"


def _live(said: Iterable[Said], arrivals: Arrivals | None = None, now_ms: int = NOW_MS) -> list[float]:
    """The numbers that would be shown as this patient's, now."""
    arrivals = arrivals or Arrivals()
    numbers: list[float] = []
    for one in said:
        screened = screen(one)
        if not isinstance(screened, Sample | Cuff):
            continue
        if arrivals.judge(screened, now_ms).arrival is not Arrival.LIVE:
            continue
        if screened.quality in {Quality.VALID, Quality.QUESTIONABLE}:
            value = screened.value if isinstance(screened, Sample) else screened.systolic
            numbers += [] if value is None else [value]
    return numbers


def _serial(name: str, wire: bytes) -> list[Said]:
    said: list[Said] = DRIVERS[name].decoder({}).feed(wire)
    return said


def _message(name: str, topic: str, payload: bytes, *, retained: bool = False) -> list[Said]:
    said: list[Said] = DRIVERS[name].decoder({}).message(topic, payload, retained=retained, at_ms=NOW_MS)
    return said


def _numeric(value: float = 97, ts: str = NOW, flags: tuple[str, ...] = ()) -> bytes:
    return mqtt_native.encode_numeric("d", "b", 1, ts, [(Vital.SPO2, value, "valid")], flags=flags)


def test_the_measure_itself_knows_a_live_value() -> None:
    assert _live(_serial("masimo-ascii1", masimo_ascii1.encode("11/22/26 10:00:07", 97, 72, 3))) == [
        97,
        72,
        3,
    ]
    assert _live(_message("mqtt-native", "", _numeric())) == [97]
    assert _live(_serial("dinamap", dinamap.encode_nibp(0, 138, 84, 102))) == [138]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            _serial("masimo-ascii1", masimo_ascii1.encode("11/22/26 10:00:07", 95, 71, 0.35, exc=0x824)),
            id="a Masimo whose probe is off prints digits",
        ),
        pytest.param(
            _serial("masimo-ascii1", b"09/21/08 09:56:12 SpO2=097 PR=069 PI=04.69 EXC=800:SET\r\n"),
            id="a saved trend",
        ),
        pytest.param(
            _serial("nellcor-ascii", nellcor_ascii.encode("22-Nov-26 10:00:07", 97, 66, None, ["PS"])),
            id="a Nellcor holds its last digits",
        ),
        pytest.param(
            _serial("dinamap", dinamap.encode_nibp(42, 138, 84, 102, status=0)),
            id="a running cuff shows old pressures",
        ),
        pytest.param(
            _serial("dinamap", dinamap.encode_nibp(600, 138, 84, 102)), id="a pressure of ten minutes ago"
        ),
        pytest.param(
            _serial("dinamap", dinamap.encode_oximeter(97, status=6)), id="an unplugged sensor with digits"
        ),
        pytest.param(_message("mqtt-map", "patient/spo2", b"97", retained=True), id="a retained scalar"),
        pytest.param(_message("mqtt-map", "t", b'{"spo2": 97}', retained=True), id="a retained object"),
        pytest.param(_message("mqtt-native", "", _numeric(), retained=True), id="a retained message of ours"),
        pytest.param(_message("mqtt-native", "", _numeric(flags=("demo",))), id="a demonstration"),
        pytest.param(_message("mqtt-native", "", _numeric(flags=("test",))), id="a test"),
        pytest.param(_message("mqtt-native", "", _numeric(-999)), id="-999 of ours"),
        pytest.param(
            _message("mqtt-map", "t", b'{"spo2": -999, "temp": -99.9, "sys": -1, "dia": -1}'), id="-999"
        ),
        pytest.param(
            _message("mqtt-map", "t", b'{"spo2": NaN, "pr": Infinity, "rr": -Infinity}'), id="NaN, infinity"
        ),
        pytest.param(_message("mqtt-map", "patient/spo2", b"nan"), id="nan as text"),
        pytest.param(
            _message("mqtt-native", "", _numeric(ts="2026-11-22T02:14:04Z")), id="a minute old, of ours"
        ),
        pytest.param(
            _message("mqtt-map", "t", json.dumps({"ts": NOW_MS - 60_000, "values": {"spo2": 97}}).encode()),
            id="a minute old",
        ),
        pytest.param(
            _message("mqtt-map", "t", b'{"temp": 98.6, "sys": 16, "dia": 10}'), id="Fahrenheit and kPa"
        ),
    ],
)
def test_a_number_that_is_nobodys_is_never_live(said: list[Said]) -> None:
    assert _live(said) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("masimo-ascii1", masimo_ascii1.encode("11/22/26 10:00:07", 97, 72, 3)),
        ("nellcor-ascii", nellcor_ascii.encode("22-Nov-26 10:00:07", 97, 72, 20)),
    ],
)
def test_a_monitor_that_prints_one_line_for_ever_is_live_only_once(name: str, line: bytes) -> None:
    decoder, arrivals = DRIVERS[name].decoder({}), Arrivals()
    live = [_live(decoder.feed(line), arrivals, NOW_MS + second * 1000) for second in range(30)]
    assert live[0]
    assert live[1:] == [[]] * 29
