"""The project's own schema: what is taken, and everything that is not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.devices.codecs.mqtt_native import (
    DRIVER,
    Decoder,
    encode_episodic,
    encode_numeric,
    encode_status,
    topic,
)
from monitor.devices.lines import decode
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital

NOW_MS = 1_795_313_704_300  # 2026-11-22T02:15:04.300Z
NOW = "2026-11-22T02:15:04.250Z"
TOPIC = topic("clinic", "room1", "rad8", "numeric")
CUFFS = topic("clinic", "room1", "rad8", "episodic")


def _numeric(seq: int = 1, *, boot: str = "b1", ts: str = NOW, **changes: Any) -> bytes:
    whole = msgspec.json.decode(encode_numeric("rad8", boot, seq, ts, [(Vital.SPO2, 97, "valid")]))
    return msgspec.json.encode(whole | changes)


def _hears(
    decoder: Decoder, payload: bytes, *, on: str = TOPIC, retained: bool = False, at_ms: int = NOW_MS
) -> list[Said]:
    return decoder.message(on, payload, retained=retained, at_ms=at_ms)


def _samples(said: list[Said]) -> list[Sample]:
    return [one for one in said if isinstance(one, Sample)]


def _reason(said: list[Said]) -> str:
    assert _samples(said) == []
    return next(one.reason for one in said if isinstance(one, Fault))


def test_a_good_message_is_live() -> None:
    (sample,) = _hears(Decoder(), _numeric())
    assert sample == Sample(Vital.SPO2, 97, device_time=NOW, age_ms=50)


@pytest.mark.parametrize("schema", ["vs-numeric/2", "vs-numeric", "", None, 1, "vs-status/2"])
def test_an_unknown_schema_is_refused(schema: Any) -> None:
    assert "not as the schema says" in _reason(_hears(Decoder(), _numeric(schema=schema)))


@pytest.mark.parametrize("key", ["schema", "device", "boot", "seq", "sample_ts", "clock", "observations"])
def test_a_message_without_one_of_its_keys_is_refused(key: str) -> None:
    whole = msgspec.json.decode(_numeric())
    del whole[key]
    assert _reason(_hears(Decoder(), msgspec.json.encode(whole)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seq", "1"),
        ("seq", -1),
        ("seq", 1.5),
        ("seq", True),
        ("clock", "sun"),
        ("observations", {}),
        ("boot", ""),
    ],
)
def test_a_key_of_the_wrong_type_refuses_the_message(key: str, value: Any) -> None:
    assert _reason(_hears(Decoder(), _numeric(**{key: value})))


def test_a_repeated_sequence_number_is_ignored() -> None:
    decoder = Decoder()
    assert _samples(_hears(decoder, _numeric(5)))
    assert _reason(_hears(decoder, _numeric(5))) == "the same message again"


def test_a_lower_sequence_number_of_the_same_boot_is_history() -> None:
    decoder = Decoder()
    _hears(decoder, _numeric(5))
    (late,) = _samples(_hears(decoder, _numeric(4)))
    assert late.late
    (next_one,) = _samples(_hears(decoder, _numeric(6)))
    assert not next_one.late


def test_a_new_boot_begins_to_count_anew_and_the_old_one_is_over() -> None:
    decoder = Decoder()
    _hears(decoder, _numeric(500, boot="b1"))
    said = _hears(decoder, _numeric(0, boot="b2"))
    assert [one.late for one in _samples(said)] == [False]
    assert [one for one in said if isinstance(one, Fault)] == []
    (straggler,) = _samples(_hears(decoder, _numeric(501, boot="b1")))
    assert straggler.late


def test_lost_messages_are_counted() -> None:
    decoder = Decoder()
    _hears(decoder, _numeric(5))
    assert Fault("messages lost: 3", 0) in _hears(decoder, _numeric(9))


@pytest.mark.parametrize("quality", [None, "good", 1, ["valid"]])
def test_without_a_known_quality_a_value_is_invalid(quality: Any) -> None:
    observation = {"vital": "spo2", "value": 97, "unit": "%"} | (
        {} if quality is None else {"quality": quality}
    )
    (sample,) = _samples(_hears(Decoder(), _numeric(observations=[observation])))
    assert (sample.value, sample.quality) == (None, Quality.INVALID)


def test_the_four_qualities() -> None:
    def said(quality: str) -> Sample:
        observation = {"vital": "spo2", "value": 97, "unit": "%", "quality": quality}
        return _samples(_hears(Decoder(), _numeric(observations=[observation])))[0]

    assert (said("valid").value, said("valid").doubt) == (97, Doubt.NONE)
    assert (said("questionable").value, said("questionable").doubt) == (97, Doubt.POOR_SIGNAL)
    assert (said("invalid").value, said("invalid").quality) == (None, Quality.INVALID)
    assert (said("unavailable").value, said("unavailable").quality) == (None, Quality.MISSING)


def test_a_wrong_unit_refuses_that_observation_and_no_other() -> None:
    observations = [
        {"vital": "temp", "value": 98.6, "unit": "[degF]", "quality": "valid"},
        {"vital": "spo2", "value": 97, "unit": "%", "quality": "valid"},
    ]
    said = _hears(Decoder(), _numeric(observations=observations))
    assert Fault("the unit of temp is not Cel", 0) in said
    assert [one.vital for one in _samples(said)] == [Vital.SPO2]


def test_two_values_of_one_vital_are_not_chosen_from() -> None:
    observations = [{"vital": "spo2", "value": value, "unit": "%", "quality": "valid"} for value in (97, 84)]
    said = _hears(Decoder(), _numeric(observations=observations))
    assert [one.value for one in _samples(said)] == [97]
    assert Fault("spo2 twice in one message", 0) in said


@pytest.mark.parametrize("value", [True, None, "97", [97]])
def test_what_is_no_number_is_no_value(value: Any) -> None:
    observation = {"vital": "spo2", "value": value, "unit": "%", "quality": "valid"}
    (sample,) = _samples(_hears(Decoder(), _numeric(observations=[observation])))
    assert (sample.value, sample.quality) == (None, Quality.MISSING)


@pytest.mark.parametrize("flag", ["demo", "test", "DEMO"])
def test_a_demonstration_is_never_a_patient(flag: str) -> None:
    for payload, on in (
        (_numeric(device_flags=["set_mode", flag]), TOPIC),
        (_cuff(device_flags=[flag]), CUFFS),
    ):
        said = _hears(Decoder(), payload, on=on)
        assert _reason(said) == "demonstration or test data"
        assert Notice("demonstration or test mode") in said
        assert not any(isinstance(one, Cuff) for one in said)


def test_a_retained_reading_is_nobodys_value_and_a_retained_status_is_fine() -> None:
    assert "retained" in _reason(_hears(Decoder(), _numeric(), retained=True))
    assert "retained" in _reason(_hears(Decoder(), _cuff(), on=CUFFS, retained=True))
    status = encode_status("rad8", "offline", reason="will")
    on = topic("clinic", "room1", "rad8", "status")
    assert _hears(Decoder(), status, on=on, retained=True) == [Notice("offline: will")]


@pytest.mark.parametrize(
    "on",
    [
        topic("clinic", "room1", "other", "numeric"),
        topic("clinic", "room1", "rad8", "episodic"),
        "vs2/clinic/room1/rad8/numeric",
        "vs1/room1/rad8/numeric",
        "rad8/numeric",
    ],
)
def test_a_device_on_another_devices_topic_changes_nothing(on: str) -> None:
    assert "the topic names another" in _reason(_hears(Decoder(), _numeric(), on=on))


def test_a_subscription_may_be_bound_to_one_device() -> None:
    assert _reason(_hears(DRIVER.decoder({"device": "rad9"}), _numeric())) == "another device's message"


def test_a_value_from_the_future_is_refused_and_an_old_one_is_history() -> None:
    assert "in the future" in _reason(_hears(Decoder(), _numeric(), at_ms=NOW_MS - 6_000))
    assert [one.late for one in _samples(_hears(Decoder(), _numeric(), at_ms=NOW_MS + 9_000))] == [False]
    (late,) = _samples(_hears(Decoder(), _numeric(), at_ms=NOW_MS + 11_000))
    assert (late.late, late.age_ms) == (True, 11_050)


def test_of_a_device_clock_only_the_counted_age_is_believed() -> None:
    payload = _numeric(clock="device", ts="2004-01-07T12:00:00Z", age_ms=40)
    (sample,) = _samples(_hears(Decoder(), payload))
    assert (sample.late, sample.age_ms, sample.device_time) == (False, 40, "2004-01-07T12:00:00Z")
    (old,) = _samples(_hears(Decoder(), _numeric(clock="device", age_ms=30_000)))
    assert old.late


@pytest.mark.parametrize("ts", ["", "yesterday", "2026-11-22T02:15:04", "2026-13-22T02:15:04Z", "9999999999"])
def test_a_time_that_cannot_be_read_refuses_the_message(ts: str) -> None:
    assert _reason(_hears(Decoder(), _numeric(ts=ts))) == "its time cannot be read"


def _cuff(seq: int = 7, **changes: Any) -> bytes:
    whole = msgspec.json.decode(encode_episodic("rad8", "b1", seq, NOW, (142, 92, 109), pulse=88))
    return msgspec.json.encode(whole | changes)


def test_a_blood_pressure_is_one_value_with_its_age() -> None:
    said = _hears(Decoder(), _cuff(), on=CUFFS, at_ms=NOW_MS + 30_000)
    assert said == [Cuff(142, 92, 109, 88, age_ms=30_050, device_time=NOW)]


def test_a_reading_told_again_under_a_new_number_is_still_the_same_reading() -> None:
    decoder = Decoder()
    first = _cuff(7)
    again = _cuff(8, reading_id=msgspec.json.decode(first)["reading_id"])
    assert len(_hears(decoder, first, on=CUFFS)) == 1
    assert _reason(_hears(decoder, again, on=CUFFS)) == "the same reading again"


def test_a_reading_without_values_is_said_to_be_one() -> None:
    assert _reason(_hears(Decoder(), _cuff(observations=[]), on=CUFFS)) == "a reading without values"


def test_a_pressure_in_kilopascal_is_refused() -> None:
    observation = {"vital": "nibp", "sys": 18.9, "dia": 12.3, "map": 14.5, "unit": "kPa", "quality": "valid"}
    said = _hears(Decoder(), _cuff(observations=[observation]), on=CUFFS)
    assert _reason(said) == "the unit of nibp is not mm[Hg]"
    assert not any(isinstance(one, Cuff) for one in said)


def test_a_temperature_may_be_a_single_reading() -> None:
    observation = {"vital": "temp", "value": 36.8, "unit": "Cel", "quality": "valid"}
    (sample,) = _hears(Decoder(), _cuff(observations=[observation]), on=CUFFS, at_ms=NOW_MS + 60_000)
    assert isinstance(sample, Sample)
    assert (sample.vital, sample.late) == (Vital.TEMPERATURE, False)


def test_the_words_of_a_bridge_carry_no_control_characters() -> None:
    said = _hears(Decoder(), _cuff(result="failed", error={"code": "E", "text": "a\x1b[2Jb\n"}), on=CUFFS)
    (cuff,) = said
    assert isinstance(cuff, Cuff)
    assert cuff.why == "a?[2Jb? (E)"
    assert _hears(Decoder(), _numeric(device_flags=["\x07"]))[-1] == Notice("?")


def test_a_message_spread_over_lines_is_one_and_a_broken_one_costs_no_other() -> None:
    spread = msgspec.json.format(_numeric(1), indent=2)
    said = list(decode(DRIVER, [spread, b'\n{"schema":\n', _numeric(2), b"\n97\n"]))
    assert [line["value"] for line in said if line["kind"] == "sample"] == [97, 97]
    assert sum(line["kind"] == "fault" for line in said) == 2
