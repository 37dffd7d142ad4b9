"""Other people's messages: the shapes, and the rules that hold for every shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.devices.codecs.mqtt_map import DRIVER, Decoder, encode_envelope, encode_flat
from monitor.devices.codecs.mqtt_plan import plan_of
from monitor.devices.codecs.mqtt_presets import PRESETS, SHARED, laid_under
from monitor.devices.lines import as_line, one_by_one
from monitor.devices.validity import screen
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital

NOW_MS = 1_795_313_704_000


def _hears(
    decoder: Decoder, topic: str, payload: object, *, retained: bool = False, at_ms: int = NOW_MS
) -> list[Said]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    told = decoder.message(topic, body, retained=retained, at_ms=at_ms)
    return [screen(one) for one in one_by_one(told)]


def _source(**options: Any) -> Decoder:
    return Decoder(plan_of(options))


def _values(said: list[Said]) -> dict[str, float | None]:
    return {one.vital.value: one.value for one in said if isinstance(one, Sample)}


@pytest.mark.parametrize("body", [b"nan", b"NaN", b"unknown", b"unavailable", b"", b" ", b"null", b"--"])
def test_a_scalar_that_is_no_number_is_no_value(body: bytes) -> None:
    (sample,) = _hears(Decoder(), "living/sensor/spo2/state", body)
    assert isinstance(sample, Sample)
    assert (sample.value, sample.quality) == (None, Quality.MISSING)


@pytest.mark.parametrize(
    "body", [b"97%", b"9_7", b"0x61", b"97 98", b"inf", "９７".encode(), b"\xff", b"true"]
)
def test_a_scalar_must_be_a_number_from_end_to_end(body: bytes) -> None:
    assert _values(_hears(Decoder(), "patient/spo2", body)) == {}


@pytest.mark.parametrize("body", [b"97", b" 97.0\n", b"+9.7e1"])
def test_a_scalar_may_be_written_in_several_ways(body: bytes) -> None:
    assert _values(_hears(Decoder(), "patient/vitals/SpO2", body)) == {"spo2": 97}


def test_a_retained_scalar_is_nobodys_value_unless_the_clinic_has_chosen_so() -> None:
    (fault,) = _hears(Decoder(), "patient/spo2", b"97", retained=True)
    assert isinstance(fault, Fault)
    assert fault.dropped == 2
    (sample,) = _hears(_source(accept_retained=True), "patient/spo2", b"97", retained=True)
    assert isinstance(sample, Sample)
    assert sample.quality is Quality.QUESTIONABLE


def test_a_retained_message_is_judged_by_its_time_if_it_has_one() -> None:
    (sample,) = _hears(Decoder(), "t", {"ts": NOW_MS - 2_000, "values": {"spo2": 97}}, retained=True)
    assert isinstance(sample, Sample)
    assert not sample.late
    assert [type(one) for one in _hears(Decoder(), "t", {"spo2": 97}, retained=True)] == [Fault]


def test_booleans_and_null_are_no_numbers_and_text_is_one_only_as_a_whole() -> None:
    said = _hears(Decoder(), "t", b'{"spo2": true, "bpm": null, "temp": "36.8", "rr": "14/min", "pi": NaN}')
    assert _values(said) == {"spo2": None, "pr_spo2": None, "temp": 36.8, "rr": None, "pi": None}


@pytest.mark.parametrize("value", [-999, -1, 255, 32767, 1e308, 104])
def test_a_sentinel_is_not_a_saturation(value: float) -> None:
    (sample,) = _hears(Decoder(), "t", {"spo2": value})
    assert isinstance(sample, Sample)
    assert (sample.value, sample.quality) == (None, Quality.INVALID)


def test_a_message_from_the_future_is_refused_and_counted() -> None:
    payload = encode_envelope({"spo2": 97}, NOW_MS + 6_000)
    assert _hears(Decoder(), "t", payload) == [Fault("its time is 6 s in the future", len(payload))]
    assert _values(_hears(Decoder(), "t", encode_envelope({"spo2": 97}, NOW_MS + 4_000))) == {"spo2": 97}


def test_a_time_in_the_wrong_unit_is_named() -> None:
    (fault,) = _hears(Decoder(), "t", {"ts": NOW_MS // 1000, "values": {"spo2": 97}})
    assert isinstance(fault, Fault)
    assert fault.reason == "its time cannot be right: check the time unit"


def test_an_old_value_is_history() -> None:
    (sample,) = _hears(Decoder(), "t", encode_envelope({"spo2": 97}, NOW_MS - 11_000))
    assert isinstance(sample, Sample)
    assert (sample.late, sample.age_ms) == (True, 11_000)
    (warm,) = _hears(Decoder(), "t", encode_envelope({"temp": 36.8}, NOW_MS - 11_000))
    assert isinstance(warm, Sample)
    assert not warm.late
    (cuff,) = _hears(Decoder(), "t", encode_envelope({"sys": 120, "dia": 78}, NOW_MS - 600_000))
    assert isinstance(cuff, Cuff)
    assert cuff.age_ms == 600_000


def test_a_value_older_than_the_last_one_is_history() -> None:
    decoder = Decoder()
    _hears(decoder, "t", encode_envelope({"spo2": 97}, NOW_MS - 1_000))
    (sample,) = _hears(decoder, "t", encode_envelope({"spo2": 88}, NOW_MS - 3_000))
    assert isinstance(sample, Sample)
    assert sample.late


def test_a_redelivered_message_is_ignored() -> None:
    decoder, payload = Decoder(), encode_envelope({"spo2": 97, "bpm": 71}, NOW_MS)
    assert len(_values(_hears(decoder, "t", payload))) == 2
    assert _values(_hears(decoder, "t", payload)) == {}
    pressure = encode_envelope({"sys": 120, "dia": 78}, NOW_MS)
    assert any(isinstance(one, Cuff) for one in _hears(decoder, "t", pressure))
    assert not any(isinstance(one, Cuff) for one in _hears(decoder, "t", pressure, at_ms=NOW_MS + 60_000))


def test_an_unstamped_pressure_that_is_repeated_is_one_measurement() -> None:
    decoder, payload = Decoder(), encode_flat({"sys": 120, "dia": 78, "pulse": 66})
    told = [_hears(decoder, "t", payload, at_ms=NOW_MS + s * 1000) for s in range(0, 60, 10)]
    assert [len([one for one in said if isinstance(one, Cuff)]) for said in told] == [1, 0, 0, 0, 0, 0]


def test_pressures_of_separate_messages_belong_together_only_if_they_came_together() -> None:
    decoder = Decoder()
    assert _hears(decoder, "bp/sys", b"120") == []
    (cuff,) = _hears(decoder, "bp/dia", b"78", at_ms=NOW_MS + 4_000)
    assert isinstance(cuff, Cuff)
    assert (cuff.systolic, cuff.diastolic) == (120, 78)
    assert _hears(decoder, "bp/sys", b"160", at_ms=NOW_MS + 60_000) == []
    assert _hears(decoder, "bp/dia", b"95", at_ms=NOW_MS + 66_000) == []
    assert _hears(decoder, "bp/sys", b"nan", at_ms=NOW_MS + 67_000) == []
    assert _hears(decoder, "bp/sys", b"158", at_ms=NOW_MS + 68_000) == []


def test_half_a_blood_pressure_is_none() -> None:
    assert _hears(Decoder(), "t", b'{"sys": 120}') == [Fault("half a blood pressure", 12)]


def test_systolic_not_above_diastolic_is_no_pressure() -> None:
    (cuff,) = _hears(Decoder(), "t", {"sys": 78, "dia": 120})
    assert isinstance(cuff, Cuff)
    assert (cuff.systolic, cuff.quality) == (None, Quality.INVALID)


def test_an_array_of_envelopes_is_read_in_order() -> None:
    payload = [{"ts": NOW_MS - 1000 * s, "values": {"spo2": 90 + s}} for s in (20, 2, 1)]
    said = [one for one in _hears(Decoder(), "t", payload) if isinstance(one, Sample)]
    assert [(one.value, one.late) for one in said] == [(None, True), (92, False), (91, False)]


def test_a_map_names_path_unit_and_scale_and_nothing_else_is_taken() -> None:
    source = _source(
        shape="envelope",
        values="data.value",
        time={"path": "at", "unit": "s"},
        map=[
            {"path": "o2.now", "vital": "spo2"},
            {"path": "pi", "vital": "pi", "scale": 0.1},
            {"path": "t", "vital": "temp", "unit": "[degF]"},
            {"path": "hi", "vital": "nibp_sys", "unit": "kPa"},
            {"path": "lo", "vital": "nibp_dia", "unit": "kPa"},
        ],
    )
    value = {"o2": {"now": 97}, "pi": 70, "t": 98.6, "hi": 16, "lo": 10.4, "rr": 14, "name": "somebody"}
    said = _hears(source, "t", {"at": NOW_MS / 1000, "data": {"value": value}})
    assert _values(said) == {"spo2": 97, "pi": 7, "temp": pytest.approx(37.0)}
    (cuff,) = [one for one in said if isinstance(one, Cuff)]
    assert cuff.systolic == pytest.approx(120, abs=0.1)
    assert cuff.diastolic == pytest.approx(78, abs=0.1)


def test_a_scalar_map_names_topics() -> None:
    source = _source(shape="scalar", map=[{"topic": "esp/+/saturation/#", "vital": "spo2"}])
    assert _values(_hears(source, "esp/a1/saturation/now", b"97")) == {"spo2": 97}
    assert _values(_hears(source, "esp/a1/b2/saturation", b"97")) == {}


def test_a_thingsboard_gateway_is_read_below_its_root() -> None:
    source = _source(shape="envelope", root="Device A", values="values", time={"path": "ts", "unit": "ms"})
    payload = {
        "Device A": [{"ts": NOW_MS, "values": {"spo2": 97}}],
        "Device B": [{"ts": NOW_MS, "values": {"spo2": 80}}],
    }
    assert _values(_hears(source, "v1/gateway/telemetry", payload)) == {"spo2": 97}


def test_only_the_device_of_this_bed_is_taken() -> None:
    by_path = _source(device={"is": "aa:bb", "path": "mac"})
    assert _values(_hears(by_path, "t", {"mac": "aa:bb", "spo2": 97})) == {"spo2": 97}
    assert _values(_hears(by_path, "t", {"mac": "cc:dd", "spo2": 97})) == {}
    assert _values(_hears(by_path, "t", {"spo2": 97})) == {}
    by_level = _source(device={"is": "OXI5", "segment": 2})
    assert _values(_hears(by_level, "iot/GW/OXI5/data", {"spo2": 97})) == {"spo2": 97}
    assert _values(_hears(by_level, "iot/GW/OXI6/data", {"spo2": 97})) == {}
    assert _values(_hears(by_level, "iot", {"spo2": 97})) == {}


def test_a_source_says_whether_it_is_there() -> None:
    source = _source(availability={"topic": "esp/status", "offline": "gone"})
    assert _hears(source, "esp/status", b"online", retained=True) == [Notice("online")]
    assert _hears(source, "esp/status", b"gone", retained=True) == [Notice("offline")]
    assert [type(one) for one in _hears(source, "esp/status", b"\x00")] == [Fault]


def test_nothing_of_a_payload_is_ever_quoted() -> None:
    name = "Maria Muster"
    for payload in (
        {"name": name, "patient": {"name": name}},
        {"spo2": name, "sys": name, "dia": name},
        {"ts": name, "values": {"spo2": 97}},
        {"data": {"hr": name}, "metadata": {"timestamp": NOW_MS}},
        name,
        [name, {name: name}],
    ):
        assert name not in json.dumps([as_line(one) for one in _hears(Decoder(), "t", payload)])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"colour": 1}, "mqtt-map has no option 'colour'"),
        ({"shape": "protobuf"}, 'shape is "scalar", "flat", "envelope" or "sparkplug"'),
        ({"shape": "envelope"}, "time: an envelope needs it"),
        ({"time": {"path": "ts"}}, 'time: unit is "s" or "ms"'),
        ({"time": {"unit": "s"}}, "time: path is missing"),
        ({"time": "ts"}, "time is a table"),
        ({"map": [{"path": "x", "vital": "pulse"}]}, "vital 'pulse' is not one of hr"),
        ({"map": [{"path": "x", "vital": "temp", "unit": "kPa"}]}, "temp is in Cel"),
        ({"map": [{"vital": "spo2"}]}, "spo2 needs its path"),
        ({"shape": "scalar", "map": [{"path": "x", "vital": "spo2"}]}, "spo2 needs its topic"),
        ({"map": [{"path": "x", "vital": "spo2", "scale": 0}]}, "scale of spo2"),
        ({"map": [{"path": "x", "vital": "spo2", "scale": True}]}, "scale of spo2"),
        ({"map": {"spo2": "x"}}, "map is a list|map is a table"),
        ({"map": "spo2"}, "map is a list"),
        ({"device": {"is": "a"}}, "either `path` or `segment`"),
        ({"device": {"is": "a", "path": "p", "segment": 1}}, "either `path` or `segment`"),
        ({"device": {"is": "a", "segment": -1}}, "segment counts"),
        ({"availability": {"online": "x"}}, "topic is missing"),
        ({"accept_retained": "yes"}, "accept_retained is true or false"),
        ({"max_age_s": 60}, "above 0 and at most 10"),
        ({"slow_max_age_s": "long"}, "above 0 and at most 900"),
        ({"values": 5}, "values is a path"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DRIVER.decoder(options)


def test_the_pulse_beside_pressures_is_the_cuffs() -> None:
    (cuff,) = _hears(Decoder(), "t", {"bp_high": 120, "bp_low": 78, "pr": 71})
    assert isinstance(cuff, Cuff)
    assert cuff.pulse == 71
    assert _values(_hears(Decoder(), "t", {"spo2": 97, "pr": 71})) == {"spo2": 97, Vital.PULSE_SPO2.value: 71}


# Gateways by name.


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_options_that_could_be_written_by_hand(name: str) -> None:
    device = {"device": {"is": "A"}} if name in SHARED else {}
    by_hand = laid_under({"preset": name, **device})
    assert "preset" not in by_hand
    assert plan_of(by_hand) == plan_of({"preset": name, **device})
    DRIVER.decoder({"preset": name, **device})


@pytest.mark.parametrize("name", sorted(SHARED))
def test_where_many_devices_share_a_topic_the_one_of_this_bed_must_be_named(name: str) -> None:
    with pytest.raises(ValueError, match="say which"):
        DRIVER.decoder({"preset": name})


def test_a_preset_that_does_not_exist_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="there is no 'tenovi'; there are: esphome, thingsboard"):
        DRIVER.decoder({"preset": "tenovi"})


def test_options_go_over_their_preset() -> None:
    source = _source(
        preset="qube-vital", device={"is": "A", "segment": 0}, map=[{"path": "x", "vital": "rr"}]
    )
    value = {"spo2": 97, "x": 14}
    payload = {"time": NOW_MS // 1000, "type": "reportAttribute", "data": {"value": value}}
    assert _values(_hears(source, "A/t", payload)) == {"rr": 14}
    assert _values(_hears(source, "B/t", payload)) == {}


@pytest.mark.parametrize(
    ("options", "link", "beside"),
    [
        ({"preset": "esphome"}, "floor/oxi-3/sensor/+/state", ("floor/oxi-3/status",)),
        ({"preset": "esphome"}, "oxi-3/#", ()),
        ({"preset": "openmqttgateway"}, "home/gw/BTtoMQTT/AABBCC000001", ("home/gw/LWT",)),
        ({"preset": "homeassistant"}, "homeassistant/sensor/+/state", ("homeassistant/status",)),
        (
            {"preset": "thingsboard-gateway", "device": {"is": "A"}},
            "v1/gateway/telemetry",
            ("v1/gateway/connect", "v1/gateway/disconnect"),
        ),
        ({"preset": "thingsboard-gateway", "device": {"is": "A"}}, "v1/gateway/+", ()),
        ({"availability": {"topic": "gw/alive"}}, "gw/data", ("gw/alive",)),
        ({}, "gw/data", ()),
    ],
)
def test_where_a_source_speaks_of_itself_is_heard_beside_its_values(
    options: dict[str, Any], link: str, beside: tuple[str, ...]
) -> None:
    assert DRIVER.topics(link, options) == beside


def test_a_heartbeat_is_no_reading_and_its_name_is_not_told() -> None:
    source = _source(preset="qube-vital", device={"is": "A"})
    payload = {"type": "HB_Msg", "name": "Maria Muster", "time": NOW_MS // 1000, "data": {"msg": "Online"}}
    said = _hears(source, "CM4_BLE_GW_TX", payload)
    assert [type(one) for one in said] == [Fault]
    assert "Maria" not in repr(said)


def test_a_device_may_be_the_key_of_its_values_whatever_it_is_called() -> None:
    source = _source(device={"is": "Room 3. Bed 1", "key": True})
    assert _values(_hears(source, "t", {"Room 3. Bed 1": {"spo2": 97}, "Other": {"spo2": 80}})) == {
        "spo2": 97
    }
    assert _values(_hears(source, "t", {"Other": {"spo2": 80}})) == {}


def test_scalars_of_one_sensor_each_come_from_many_topics() -> None:
    source = _source(preset="esphome")
    for name, value in (("spo2", b"97"), ("bpm", b"71"), ("temperature", b"36.8")):
        (sample,) = _hears(source, f"oxi/sensor/{name}/state", value)
        assert isinstance(sample, Sample)
        assert sample.value == float(value)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"only": {"path": "type"}}, "only: give `path` and `is`"),
        ({"device": {"is": "a", "key": False}}, "key is true"),
        ({"device": {"is": "", "key": True}}, "device: give `is`"),
        ({"availability": {"before": "sensor"}}, "topic is missing"),
        ({"preset": 3}, "there is no 3"),
    ],
)
def test_a_wrong_option_of_a_gateway_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DRIVER.decoder(options)
