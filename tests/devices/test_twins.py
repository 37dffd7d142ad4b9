"""Each twin speaks the real device's bytes: the real codec reads the patient's values out of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest

from monitor.devices.codecs import DRIVERS
from monitor.devices.codecs import dinamap as dinamap_codec
from monitor.devices.codecs import masimo_ascii1 as masimo_codec
from monitor.devices.codecs import mqtt_map as map_codec
from monitor.devices.codecs import mqtt_native as native_codec
from monitor.devices.codecs import nellcor_ascii as nellcor_codec
from monitor.devices.lines import one_by_one
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Said, Sample, Vital
from simulators.dinamap import Twin as Dinamap
from simulators.faults import Fault as Trouble
from simulators.faults import Faults, Frame, parse
from simulators.masimo_ascii1 import Twin as Masimo
from simulators.mqtt_map import Twin as Gateway
from simulators.mqtt_native import Twin as Bridge
from simulators.nellcor_ascii import Twin as Nellcor
from simulators.patient import MINUTE_MS, Patient
from simulators.play import CALLING, ON_A_BROKER, SERIAL, twin_of
from simulators.scenario import FirstCuff, Motion, Person, Probe, ProbeState, Story
from simulators.twin import HostClock, Message

SEED = 4
NOON = 1_780_000_000_000


def _quiet(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), SEED)


def _seconds(twin: Any, from_ms: int, to_ms: int, step_ms: int = 250) -> list[tuple[int, bytes]]:
    """What a serial twin sends, and when, if it is asked every `step_ms`."""
    sent = [(t_ms, twin.tick(t_ms)) for t_ms in range(from_ms, to_ms, step_ms)]
    return [(t_ms, data) for t_ms, data in sent if data]


def _samples(said: list[Said], vital: Vital) -> list[Sample]:
    return [one for one in said if isinstance(one, Sample) and one.vital is vital]


def _cuffs(said: list[Said]) -> list[Cuff]:
    return [one for one in said if isinstance(one, Cuff)]


# Oximeters that only talk.


@pytest.mark.parametrize(
    ("twin", "decoder", "every_ms"),
    [(Masimo, masimo_codec.Decoder, 1000), (Nellcor, nellcor_codec.Decoder, 2000)],
)
def test_an_oximeter_says_what_the_patient_has(
    twin: Callable[..., Any], decoder: Callable[[], Any], every_ms: int
) -> None:
    patient = _quiet()
    device, codec = twin(patient, SEED, {}), decoder()
    phase_ms = SEED * 137 % every_ms
    lines = _seconds(device, 0, 120_000)
    assert len(lines) == 120_000 // every_ms
    for place, (_, data) in enumerate(lines):
        said = codec.feed(data)
        spoken_ms = place * every_ms + phase_ms
        (spo2,), (pulse,) = _samples(said, Vital.SPO2), _samples(said, Vital.PULSE_SPO2)
        assert spo2.value == patient.spo2(spoken_ms)
        assert pulse.value == round(patient.pulse(spoken_ms) or 0)
        assert (spo2.quality, pulse.quality) == (Quality.VALID, Quality.VALID)
        assert not [one for one in said if isinstance(one, Fault)]


@pytest.mark.parametrize(
    ("twin", "decoder"), [(Masimo, masimo_codec.Decoder), (Nellcor, nellcor_codec.Decoder)]
)
@pytest.mark.parametrize("state", get_args(ProbeState)[1:4])
def test_an_oximeter_without_its_finger_has_no_value_even_while_it_holds_the_digits(
    twin: Callable[..., Any], decoder: Callable[[], Any], state: ProbeState
) -> None:
    patient = _quiet(probe=(Probe(state=state, at_min=1, for_s=60),))
    device, codec = twin(patient, SEED, {}), decoder()
    for _, data in _seconds(device, 0, 60_000):
        codec.feed(data)
    wordings = set()
    for _, data in _seconds(device, 60_000, 118_000):
        said = codec.feed(data)
        assert all(s.value is None for s in _samples(said, Vital.SPO2) + _samples(said, Vital.PULSE_SPO2))
        assert any(isinstance(one, Notice) for one in said)
        wordings.add(data.split(b"SPO2=")[1][:4] if b"SPO2=" in data else data[18:36])
    if state == "off":
        assert len(wordings) > 1, "the last digits are held before the dashes come"
    again = [codec.feed(data) for t_ms, data in _seconds(device, 118_000, 130_000) if t_ms >= 122_000]
    assert again
    for said in again:
        assert [sample.quality for sample in _samples(said, Vital.SPO2)] == [Quality.VALID]


@pytest.mark.parametrize(
    ("twin", "decoder"), [(Masimo, masimo_codec.Decoder), (Nellcor, nellcor_codec.Decoder)]
)
def test_motion_casts_doubt_on_the_numbers(twin: Callable[..., Any], decoder: Callable[[], Any]) -> None:
    patient = _quiet(motion=(Motion(from_min=0, to_min=30, every_s=20),))
    device, codec = twin(patient, SEED, {}), decoder()
    moved = still = 0
    for _, data in _seconds(device, 0, 20 * MINUTE_MS):
        for sample in _samples(codec.feed(data), Vital.SPO2):
            if sample.quality is Quality.QUESTIONABLE:
                assert sample.doubt is Doubt.POOR_SIGNAL
                moved += 1
            else:
                still += 1
    assert moved > 50
    assert still > 50


def test_a_masimo_with_a_weak_pulse_says_low_perfusion() -> None:
    patient = _quiet(probe=(Probe(state="weak", at_min=0, for_s=60),))
    (spo2,) = _samples(
        masimo_codec.Decoder().feed(_seconds(Masimo(patient, SEED, {}), 0, 2000)[0][1]), Vital.SPO2
    )
    assert (spo2.quality, spo2.why) == (Quality.QUESTIONABLE, "low perfusion")


@pytest.mark.parametrize("layout", ["rad8", "rad87", "rad5"])
def test_every_masimo_layout_is_read(layout: str) -> None:
    lines = _seconds(Masimo(_quiet(), SEED, {"layout": layout}), 0, 5000)
    said = masimo_codec.Decoder().feed(b"".join(data for _, data in lines))
    assert [sample.quality for sample in _samples(said, Vital.SPO2)] == [Quality.VALID] * 5


def test_a_low_saturation_rings_the_monitors_own_alarm_too() -> None:
    patient = _quiet(person=Person(spo2_percent=80))
    masimo = masimo_codec.Decoder().feed(_seconds(Masimo(patient, SEED, {}), 0, 6000)[0][1])
    nellcor = nellcor_codec.Decoder().feed(_seconds(Nellcor(patient, SEED, {}), 0, 6000)[0][1])
    for said in (masimo, nellcor):
        assert Notice("monitor's own alarm: SpO2 low") in said


def test_a_nellcor_prints_its_header_again_after_25_lines() -> None:
    page = b"".join(data for _, data in _seconds(Nellcor(_quiet(), SEED, {}), 0, 110_000))
    assert page.count(b"VERSION") == 3
    between = page.split(b"Status\r\n")[1].split(b"N-560")[0]
    assert between.count(b"\r\n") == 25


def test_a_device_that_was_not_called_for_an_hour_does_not_tell_it_all() -> None:
    device = Masimo(_quiet(), SEED, {})
    device.tick(0)
    assert device.tick(3_600_000).count(b"\n") <= 1


# The monitor that is asked.


def _asked(twin: Dinamap, host: dinamap_codec.Decoder, from_ms: int, to_ms: int) -> list[tuple[int, Said]]:
    """The real host and the twin on one line, every 100 ms."""
    heard: list[tuple[int, Said]] = []
    for t_ms in range(from_ms, to_ms, 100):
        host.tick(t_ms)
        assert twin.tick(t_ms) == b""
        while question := host.to_send():
            heard += [(t_ms, said) for said in host.feed(twin.hear(question, t_ms))]
    return heard


def test_the_real_host_reads_a_dinamap_without_a_fault() -> None:
    patient = _quiet()
    heard = _asked(Dinamap(patient, SEED, {}), dinamap_codec.Decoder(), 400_000, 460_000)
    assert not [said for _, said in heard if isinstance(said, Fault)]
    for t_ms, said in heard:
        if isinstance(said, Sample) and said.vital is Vital.SPO2:
            assert said.value == patient.spo2(t_ms)
        if isinstance(said, Sample) and said.vital is Vital.PULSE_SPO2:
            assert said.value == round(patient.pulse(t_ms) or 0)
    assert len([1 for _, said in heard if isinstance(said, Sample) and said.vital is Vital.SPO2]) >= 55


def test_a_dinamap_measures_by_its_own_cycle_and_tells_each_once() -> None:
    heard = _asked(Dinamap(_quiet(), SEED, {"cycle_s": 120}), dinamap_codec.Decoder(), 290_000, 850_000)
    cuffs = [(t_ms, said) for t_ms, said in heard if isinstance(said, Cuff)]
    assert len(cuffs) == 5
    (_, before), *later = cuffs
    assert before.age_ms > 0
    good = [(t_ms, cuff) for t_ms, cuff in later if cuff.quality is Quality.VALID]
    assert len(good) >= 3
    for t_ms, cuff in good:
        assert cuff.systolic == pytest.approx(122, abs=16)
        started_s = (t_ms - cuff.age_ms) / 1000 % 120
        assert 25 <= started_s <= 62


def test_an_ordered_cuff_takes_its_time_and_the_old_numbers_are_not_told_again() -> None:
    patient = _quiet()
    twin, host = Dinamap(patient, SEED, {"cycle_s": 0}), dinamap_codec.Decoder()
    assert not _cuffs([said for _, said in _asked(twin, host, 0, 10_000)])
    assert host.start_cuff() is None
    heard = _asked(twin, host, 10_000, 90_000)
    (taken,) = [(t_ms, said) for t_ms, said in heard if isinstance(said, Cuff)]
    t_ms, cuff = taken
    assert 25_000 <= t_ms - 10_000 <= 62_000
    assert cuff.quality is Quality.VALID
    busy = [t_ms for t_ms, said in heard if said == Notice("cuff measuring")]
    assert busy
    assert max(busy) < t_ms


def test_a_cuff_that_fails_says_so_and_keeps_the_old_numbers() -> None:
    patient = _quiet(cuff=(FirstCuff(at_min=5),))
    twin, host = Dinamap(patient, SEED, {"cycle_s": 300}), dinamap_codec.Decoder()
    heard = _asked(twin, host, 200_000, 400_000)
    cuffs = _cuffs([said for _, said in heard])
    assert [cuff.quality for cuff in cuffs][-1] is Quality.INVALID
    assert cuffs[-1].systolic is None


def test_a_cancelled_cuff_has_no_result() -> None:
    twin, host = Dinamap(_quiet(), SEED, {"cycle_s": 0}), dinamap_codec.Decoder()
    _asked(twin, host, 0, 5000)
    host.start_cuff()
    _asked(twin, host, 5000, 15_000)
    host.cancel_cuff()
    cuffs = _cuffs([said for _, said in _asked(twin, host, 15_000, 120_000)])
    assert [cuff.systolic for cuff in cuffs] == [None]


@pytest.mark.parametrize("form", [b"%s\r", b"\r%s\r", b"%s\r\n"])
def test_a_dinamap_takes_all_three_forms_of_a_line_end(form: bytes) -> None:
    twin = Dinamap(_quiet(), SEED, {})
    question = form % b" OA!3"
    whole = twin.hear(question, 0)
    assert whole.startswith(b" OA1")
    assert whole.count(b"\r") == 1
    in_pieces = [twin.hear(bytes([byte]), 0) for byte in question]
    assert b"".join(in_pieces) == whole


@pytest.mark.parametrize("wrong", [b" NA!3\r", b" XX!2\r", b"\r\r\r", b"NA\r", bytes(range(256)) * 5])
def test_a_dinamap_does_not_answer_what_it_cannot_read(wrong: bytes) -> None:
    twin = Dinamap(_quiet(), SEED, {})
    assert twin.hear(wrong, 0) == b""
    assert twin.hear(b"\r NA!2\r", 1000).startswith(b" NA")


def test_a_dinamap_without_its_probe_gives_the_rate_of_the_cuff() -> None:
    patient = _quiet()
    twin = Dinamap(patient, SEED, {"oximeter": False})
    assert twin.hear(b" OA!3\r", 400_000).startswith(b" OA0")
    rate = twin.hear(b" RA!6\r", 400_000)
    assert rate.startswith(b" RA3")
    assert 40 < int(rate[4:7]) < 110


def test_a_dinamap_gives_the_temperature_in_tenths_of_a_degree_fahrenheit() -> None:
    answer = Dinamap(_quiet(person=Person(temperature_cel=37.0)), SEED, {}).hear(b" TC!:\r", 0)
    assert int(answer[11:15]) == pytest.approx(986, abs=3)


# Bridges and gateways.


def _native(messages: list[Message], decoder: native_codec.Decoder, at_ms: int) -> list[Said]:
    return [
        said for m in messages for said in decoder.message(m.topic, m.payload, retained=False, at_ms=at_ms)
    ]


def test_a_bridge_says_what_the_patient_has_and_how_far_to_believe_it() -> None:
    patient = _quiet(probe=(Probe(state="off", at_min=1, for_s=30),))
    twin = Bridge(patient, SEED, {"topic": "vs1/site/bed-5/mon-5", "lossy": False}, (), HostClock(NOON))
    decoder = native_codec.Decoder()
    phase_ms = SEED * 137 % 1000
    for second in range(90):
        at_ms = second * 1000 + phase_ms
        said = _native(twin.tick(at_ms), decoder, NOON + at_ms)
        assert not [one for one in said if isinstance(one, Fault)]
        (spo2,), (rate,), (perfusion,) = (
            _samples(said, vital) for vital in (Vital.SPO2, Vital.HEART_RATE, Vital.PERFUSION)
        )
        assert spo2.value == patient.spo2(at_ms)
        assert rate.value == round(patient.heart_rate(at_ms))
        off = 60_000 <= at_ms < 90_000
        assert spo2.quality is (Quality.INVALID if off else Quality.VALID)
        if off:
            assert perfusion.value == 0


def test_a_bridge_tells_each_cuff_once_with_its_time() -> None:
    twin = Bridge(_quiet(), SEED, {"lossy": False, "cycle_s": 120}, (), HostClock(NOON))
    decoder = native_codec.Decoder()
    cuffs = [
        (t_ms, cuff)
        for t_ms in range(250_000, 850_000, 500)
        for cuff in _cuffs(_native(twin.tick(t_ms), decoder, NOON + t_ms))
    ]
    assert len(cuffs) == 6
    assert cuffs[0][1].age_ms > 0
    assert all(cuff.age_ms <= 500 for _, cuff in cuffs[1:])


def test_a_bridge_says_why_a_cuff_failed() -> None:
    patient = _quiet(cuff=(FirstCuff(at_min=5),))
    twin = Bridge(patient, SEED, {"lossy": False}, (), HostClock(NOON))
    said = [
        one
        for t_ms in range(290_000, 370_000, 500)
        for one in _native(twin.tick(t_ms), native_codec.Decoder(), NOON + t_ms)
    ]
    assert any("failed" in (cuff.why or "") for cuff in _cuffs(said))


def test_a_network_loses_repeats_and_delays_as_much_as_networks_do() -> None:
    twin = Bridge(_quiet(), SEED, {"cuff": False}, (), HostClock(NOON))
    numbers = []
    for t_ms in range(0, 20_000_000, 1000):
        numbers += [json.loads(message.payload)["seq"] for message in twin.tick(t_ms)]
    sent = 20_000
    assert len(set(numbers)) / sent == pytest.approx(0.998, abs=0.001)
    assert 3 <= len(numbers) - len(set(numbers)) <= 25
    late = sum(number < max(numbers[max(0, i - 6) : i], default=0) for i, number in enumerate(numbers))
    assert 60 <= late <= 160


def test_a_bridge_comes_online_and_its_will_is_kept_by_the_broker() -> None:
    twin = Bridge(_quiet(), SEED, {"topic": "vs1/a/b/c"})
    (born,), will = twin.born(), twin.will()
    for message, state in ((born, "online"), (will, "offline: will")):
        assert message.retain
        said = native_codec.Decoder().message(message.topic, message.payload, retained=True, at_ms=0)
        assert said == [Notice(state)]


@pytest.mark.parametrize("shape", ["flat", "envelope", "scalar"])
def test_a_gateway_is_read_in_every_shape(shape: str) -> None:
    patient = _quiet()
    twin = Gateway(patient, SEED, {"shape": shape, "topic": "home/bed6"}, (), HostClock(NOON))
    decoder = map_codec.Decoder()
    phase_ms = SEED * 137 % 2000
    said: list[Said] = []
    for t_ms in range(400_000 + phase_ms, 700_000 + phase_ms, 2000):
        now = [
            one
            for m in twin.tick(t_ms)
            for one in one_by_one(decoder.message(m.topic, m.payload, retained=False, at_ms=NOON + t_ms))
        ]
        said += now
        assert _samples(now, Vital.SPO2)[-1].value == patient.spo2(t_ms)
        assert _samples(now, Vital.PULSE_SPO2)[-1].value == round(patient.pulse(t_ms) or 0)
    assert not [one for one in said if isinstance(one, Fault)]
    assert len(_cuffs(said)) == 2
    assert all(cuff.systolic == pytest.approx(122, abs=16) for cuff in _cuffs(said))


# All of them.


@pytest.mark.parametrize("driver", [*SERIAL, *CALLING, *ON_A_BROKER])
def test_the_same_seed_gives_the_same_bytes(driver: str) -> None:
    def spoken(seed: int) -> list[object]:
        patient = Patient(Story(name="x", motion=(Motion(from_min=0, to_min=9),)), seed)
        twin = twin_of(driver)(patient, seed, {}, ())
        host = DRIVERS[driver].decoder({})
        said: list[object] = []
        for t_ms in range(0, 400_000, 1000):
            said.append(told := twin.tick(t_ms))
            if DRIVERS[driver].polled:
                host.feed(told)
                host.tick(t_ms)
                said.append(answer := twin.hear(host.to_send(), t_ms))
                host.feed(answer)
        return said

    assert spoken(1) == spoken(1)
    assert spoken(1) != spoken(2)


@pytest.mark.parametrize("driver", [*SERIAL, *CALLING, *ON_A_BROKER])
def test_an_option_that_does_not_exist_is_named(driver: str) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        twin_of(driver)(_quiet(), SEED, {"nonsense": 1}, ())


@pytest.mark.parametrize(
    ("driver", "options", "says"),
    [
        ("masimo-ascii1", {"layout": "rad9"}, "rad87"),
        ("dinamap", {"cycle_s": -1}, "cycle_s"),
        ("mqtt-native", {"topic": "somewhere"}, "vs1/SITE"),
        ("mqtt-native", {"vitals": ["glucose"]}, "pr_spo2"),
        ("mqtt-native", {"clock": "sundial"}, "host"),
        ("mqtt-map", {"shape": "round"}, "envelope"),
    ],
)
def test_an_option_with_a_wrong_value_says_what_would_be_right(
    driver: str, options: Mapping[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        twin_of(driver)(_quiet(), SEED, options, ())


# What goes wrong on the way.


def _through(faults: list[Trouble], to_s: int = 60, seed: int = SEED) -> list[tuple[int, bytes]]:
    """A Masimo's line through a faulty cable, second by second."""
    broken = Faults(faults, seed)
    twin = Masimo(_quiet(), SEED, {}, broken.jumps())
    phase_ms = SEED * 137 % 1000
    arrived = []
    for second in range(to_s):
        t_ms = second * 1000 + phase_ms
        frames = broken.passed([Frame(data)] if (data := twin.tick(t_ms)) else [], t_ms)
        arrived.append((second, b"".join(frame.data for frame in frames)))
    return arrived


CLEAN = _through([])


def test_a_cable_without_faults_changes_nothing() -> None:
    assert all(data.count(b"\r\n") == 1 for _, data in CLEAN)


def test_a_cut_wire_ends_in_the_middle_of_a_line() -> None:
    arrived = _through([Trouble("cut", 10_000, 5)])
    assert arrived[10][1] == CLEAN[10][1][: len(CLEAN[10][1]) // 2]
    assert all(data == b"" for _, data in arrived[11:15])
    assert arrived[15:] == CLEAN[15:]


@pytest.mark.parametrize("kind", ["silence", "unplug"])
def test_a_silent_device_says_nothing_for_as_long_as_it_was_told(kind: Any) -> None:
    arrived = _through([Trouble(kind, 10_000, 5)])
    assert [second for second, data in arrived if not data] == [10, 11, 12, 13, 14]
    assert Faults([Trouble(kind, 10_000, 5)], 1).plugged(12_000) is (kind == "silence")
    assert not Faults([Trouble(kind, 10_000, 5)], 1).listens(12_000)


def test_noise_changes_a_few_bytes_and_no_lengths() -> None:
    arrived = _through([Trouble("noise", 10_000, 20)])
    changed = sum(
        a != b
        for (_, clean), (_, noisy) in zip(CLEAN, arrived, strict=True)
        for a, b in zip(clean, noisy, strict=True)
    )
    total = sum(len(data) for second, data in CLEAN if 10 <= second < 30)
    assert changed / total == pytest.approx(0.02, abs=0.01)
    assert arrived[:10] == CLEAN[:10]
    assert arrived[30:] == CLEAN[30:]
    said = [one for _, data in arrived for one in masimo_codec.Decoder().feed(data)]
    assert any(isinstance(one, Fault) for one in said)


def test_garbage_comes_once() -> None:
    arrived = _through([Trouble("garbage", 10_000, 64)])
    assert len(arrived[10][1]) == len(CLEAN[10][1]) + 64
    assert arrived[10][1].endswith(CLEAN[10][1])
    assert [a for a in arrived if a[0] != 10] == [c for c in CLEAN if c[0] != 10]


def test_a_delay_gives_everything_back_at_its_end_in_order() -> None:
    arrived = _through([Trouble("delay", 10_000, 20)])
    assert all(data == b"" for _, data in arrived[10:30])
    assert arrived[30][1] == b"".join(data for _, data in CLEAN[10:31])
    assert arrived[31:] == CLEAN[31:]


def test_a_frozen_feed_repeats_its_last_words() -> None:
    arrived = _through([Trouble("repeat", 10_000, 20)])
    assert {data for _, data in arrived[10:30]} == {CLEAN[9][1]}
    assert arrived[30:] == CLEAN[30:]


def test_a_clock_jump_moves_the_devices_clock_and_nothing_else() -> None:
    arrived = _through([Trouble("clock_jump", 10_000, -3600)])
    assert arrived[:10] == CLEAN[:10]
    for (_, clean), (_, jumped) in zip(CLEAN[10:], arrived[10:], strict=True):
        assert clean[:17] != jumped[:17]
        assert clean[17:] == jumped[17:]


def test_half_a_frame_is_half_a_frame() -> None:
    arrived = _through([Trouble("half_frame", 10_000, 2)])
    for second in (10, 11):
        assert CLEAN[second][1].startswith(arrived[second][1])
        assert len(arrived[second][1]) == len(CLEAN[second][1]) // 2
    assert arrived[12:] == CLEAN[12:]


def test_a_flood_is_one_line_many_times() -> None:
    arrived = _through([Trouble("flood", 10_000, 300)])
    assert arrived[10][1] == CLEAN[10][1] * 300
    assert arrived[11:] == CLEAN[11:]


def test_the_same_seed_breaks_in_the_same_way() -> None:
    faults = [Trouble("noise", 5000, 30), Trouble("garbage", 20_000, 50), Trouble("cut", 40_000, 3)]
    assert _through(faults) == _through(faults)
    assert _through(faults) != _through(faults, seed=SEED + 1)


def test_a_fault_is_read_from_the_command_line() -> None:
    assert parse("unplug@30:12.5", 1_000_000) == Trouble("unplug", 1_030_000, 12.5)
    assert parse("clock_jump@0:-60", 0) == Trouble("clock_jump", 0, -60)
    assert parse("garbage@5", 0) == Trouble("garbage", 5000, 64)


@pytest.mark.parametrize("text", ["", "melt@3", "cut", "cut@", "cut@x", "cut@3:y", "cut@3:-1", "flood@1:1e9"])
def test_a_fault_that_cannot_be_read_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"fault|number"):
        parse(text, 0)


def test_the_end_of_a_fault_is_not_slept_through() -> None:
    faults = Faults([Trouble("delay", 10_000, 20)], 1)
    assert [faults.due_ms(t) for t in (0, 10_000, 15_000)] == [10_000, 30_000, 30_000]
    assert faults.due_ms(30_000) > 10**12
