"""Sparkplug B: births, aliases, numbers and deaths, and that nothing is believed that was not born."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.devices.codecs.mqtt_map import DRIVER, Decoder
from monitor.devices.codecs.sparkplug import (
    ASK_AGAIN_MS,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    Message,
    Metric,
    encode,
    is_rebirth,
    read,
)
from monitor.devices.lines import as_line, one_by_one
from monitor.devices.validity import screen
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample
from simulators.mqtt_map import METRICS, Twin
from simulators.patient import Patient
from simulators.scenario import Story
from simulators.twin import HostClock

NOW_MS = 1_795_313_704_000
MAP = [
    {"metric": "SpO2", "vital": "spo2"},
    {"metric": "Pulse", "vital": "pr_spo2"},
    {"metric": "Temp", "vital": "temp"},
    {"metric": "Sys", "vital": "nibp_sys"},
    {"metric": "Dia", "vital": "nibp_dia"},
]
ALIAS = {"SpO2": 1, "Pulse": 2, "Temp": 3, "Sys": 4, "Dia": 5}
KIND = {"SpO2": INT32, "Pulse": INT32, "Temp": FLOAT, "Sys": INT32, "Dia": INT32}


class Node:
    """A node as a test wants it: its messages are told to a decoder, well or wrongly numbered."""

    def __init__(self, device: str | None = "oxi", **options: Any) -> None:
        """`device` is the one that is wanted."""
        wanted = {} if device is None else {"device": {"is": device}}
        self.decoder: Decoder = DRIVER.decoder({"shape": "sparkplug", "map": MAP, **wanted, **options})
        self.seq = 0
        self.now_ms = NOW_MS

    def hears(
        self, kind: str, metrics: Sequence[Metric] = (), *, of: str | None = None, retained: bool = False,
        seq: int | None = None, node: str = "gw", numbered: bool = True,
    ) -> list[Said]:  # fmt: skip
        """What one message says; its number is the next one unless told otherwise."""
        if seq is not None:
            self.seq = seq
        number = self.seq if numbered and kind != "NDEATH" else None
        if number is not None:
            self.seq = (self.seq + 1) % 256
        payload = encode(metrics, seq=number, sent_ms=self.now_ms)
        topic = f"spBv1.0/clinic/{kind}/{node}" + (f"/{of}" if of else "")
        said = self.decoder.message(topic, payload, retained=retained, at_ms=self.now_ms)
        return [screen(one) for one in one_by_one(said)]

    def born(self, bd_seq: int = 7) -> list[Said]:
        """The births of the node and of its device, with no values yet."""
        self.hears("NBIRTH", [Metric("bdSeq", bd_seq, datatype=INT64)], seq=0)
        return self.hears(
            "DBIRTH", [Metric(n, None, a, datatype=KIND[n]) for n, a in ALIAS.items()], of="oxi"
        )

    def data(self, seq: int | None = None, *, ago_ms: int = 0, **values: Any) -> list[Said]:
        """Values by alias."""
        at_ms = self.now_ms - ago_ms
        metrics = [Metric(None, v, ALIAS[name], at_ms, KIND[name]) for name, v in values.items()]
        return self.hears("DDATA", metrics, of="oxi", seq=seq)

    def asked(self) -> list[str]:
        """Where it has been asked for its birth since the last time."""
        sent = self.decoder.to_send()
        assert all(is_rebirth(payload) for _, payload in sent)
        return [topic for topic, _ in sent]


def values(said: list[Said]) -> dict[str, float | None]:
    return {one.vital.value: one.value for one in said if isinstance(one, Sample) and not one.late}


def cuffs(said: list[Said]) -> list[tuple[float | None, float | None]]:
    return [(one.systolic, one.diastolic) for one in said if isinstance(one, Cuff)]


def reasons(said: list[Said]) -> list[str]:
    return [one.reason for one in said if isinstance(one, Fault)]


# Births and aliases.


def test_an_alias_means_what_the_birth_has_told() -> None:
    node = Node()
    assert Notice("online") in node.born()
    assert values(node.data(SpO2=97, Temp=36.8)) == {"spo2": 97, "temp": 36.8}
    assert node.asked() == []


def test_data_before_the_birth_are_nobodys_and_the_node_is_asked_once() -> None:
    node = Node()
    assert values(node.data(5, SpO2=97)) == {}
    assert node.asked() == ["spBv1.0/clinic/NCMD/gw"]
    node.data(SpO2=97)
    assert node.asked() == []
    assert "spBv1.0/clinic/NCMD/gw" in node.decoder.waits_for()
    node.now_ms += ASK_AGAIN_MS
    node.data(SpO2=97)
    assert node.asked() == ["spBv1.0/clinic/NCMD/gw"]
    node.born()
    assert node.decoder.waits_for() == ""
    assert values(node.data(SpO2=96)) == {"spo2": 96}


def test_after_a_gap_no_alias_is_believed_until_the_next_birth() -> None:
    node = Node()
    node.born()
    node.data(SpO2=97)
    (fault,) = node.data(node.seq + 1, SpO2=96)
    assert isinstance(fault, Fault)
    assert fault.reason.startswith("messages lost: 1;")
    assert fault.dropped > 0
    assert node.asked() == ["spBv1.0/clinic/NCMD/gw"]
    assert values(node.data(SpO2=95)) == {}
    node.born()
    assert values(node.data(SpO2=94)) == {"spo2": 94}


def test_the_numbers_go_from_255_to_0() -> None:
    node = Node()
    node.born()
    for spo2 in range(300):
        assert values(node.data(SpO2=90 + spo2 % 8)) == {"spo2": 90 + spo2 % 8}
        node.now_ms += 1_000
    assert node.asked() == []


def test_the_same_message_again_is_ignored_and_asks_for_nothing() -> None:
    node = Node()
    node.born()
    node.data(SpO2=97)
    assert reasons(node.data(node.seq - 1, SpO2=97)) == ["the same message again"]
    assert node.asked() == []
    assert values(node.data(SpO2=96)) == {"spo2": 96}


@pytest.mark.parametrize("seq", [256, 2**63])
def test_a_number_above_255_is_none(seq: int) -> None:
    node = Node()
    node.born()
    payload = encode([Metric(None, 97, 1, NOW_MS, INT32)], seq=seq, sent_ms=NOW_MS)
    said = node.decoder.message("spBv1.0/clinic/DDATA/gw/oxi", payload, retained=False, at_ms=NOW_MS)
    assert said == [Fault("a sequence number above 255", len(payload))]


def test_a_message_without_a_number_is_refused() -> None:
    node = Node()
    node.born()
    metrics = [Metric(None, 97, 1, NOW_MS, INT32)]
    assert reasons(node.hears("DDATA", metrics, of="oxi", numbered=False)) == ["no sequence number"]


def test_an_unknown_alias_makes_the_whole_table_doubtful() -> None:
    node = Node()
    node.born()
    metrics = [Metric(None, 97, 1, NOW_MS, INT32), Metric(None, 60, 99, NOW_MS, INT32)]
    assert reasons(node.hears("DDATA", metrics, of="oxi")) == ["an alias or a name that no birth has told"]
    assert node.asked() == ["spBv1.0/clinic/NCMD/gw"]
    assert values(node.data(SpO2=97)) == {}


def test_an_alias_that_was_given_twice_is_nobodys() -> None:
    node = Node()
    node.hears("NBIRTH", seq=0)
    twice = [Metric("SpO2", None, 1, datatype=INT32), Metric("Pulse", None, 1, datatype=INT32)]
    node.hears("DBIRTH", twice, of="oxi")
    assert values(node.data(SpO2=97)) == {}


def test_a_metric_may_come_by_its_name() -> None:
    node = Node()
    node.born()
    assert values(node.hears("DDATA", [Metric("SpO2", 97, None, NOW_MS, INT32)], of="oxi")) == {"spo2": 97}


def test_the_type_is_that_of_the_birth_where_data_have_none() -> None:
    node = Node()
    node.hears("NBIRTH", seq=0)
    node.hears("DBIRTH", [Metric("Temp", None, 3, datatype=INT8)], of="oxi")
    # -1 as a node writes it: eight bits of an unsigned number.
    payload = bytes([0x12, 5, 0x10, 3, 0x50, 0xFF, 1, 0x18, 2])
    said = node.decoder.message("spBv1.0/clinic/DDATA/gw/oxi", payload, retained=False, at_ms=NOW_MS)
    (sample,) = said
    assert isinstance(sample, Sample)
    assert sample.value == -1


@pytest.mark.parametrize(
    ("datatype", "value"), [(INT8, -5), (INT16, -300), (INT32, -70_000), (INT64, -(2**40)), (INT32, 97)]
)
def test_a_number_below_zero_keeps_its_sign(datatype: int, value: int) -> None:
    message = read(encode([Metric("x", value, datatype=datatype)], seq=0, sent_ms=None))
    assert isinstance(message, Message)
    assert message.metrics[0].value == value


@pytest.mark.parametrize(
    ("value", "datatype", "said"),
    [("97", STRING, 97), ("97 %", STRING, None), (True, 11, None), (float("nan"), FLOAT, None)],
)
def test_what_is_no_number_is_no_value(value: object, datatype: int, said: float | None) -> None:
    node = Node()
    node.born()
    metrics = [Metric(None, value, ALIAS["SpO2"], NOW_MS, datatype)]
    assert values(node.hears("DDATA", metrics, of="oxi")) == {"spo2": said}


# How old, and how good.


def test_the_values_of_a_birth_are_nobodys() -> None:
    node = Node()
    node.hears("NBIRTH", seq=0)
    metrics = [Metric("SpO2", 97, 1, NOW_MS, INT32), Metric("Sys", 120, 4), Metric("Dia", 78, 5)]
    assert node.hears("DBIRTH", metrics, of="oxi") == [Notice("online")]


def test_a_time_in_the_future_is_refused_and_an_old_one_is_history() -> None:
    node = Node()
    node.born()
    (fault,) = node.data(SpO2=97, ago_ms=-6_000)
    assert isinstance(fault, Fault)
    assert fault.reason == "its time is 6 s in the future"
    assert values(node.data(SpO2=97, ago_ms=-4_000)) == {"spo2": 97}
    node = Node()
    node.born()
    (late,) = node.data(SpO2=97, ago_ms=11_000)
    assert isinstance(late, Sample)
    assert (late.late, late.age_ms) == (True, 11_000)


def test_a_historical_value_is_never_live_and_disturbs_nothing() -> None:
    node = Node()
    node.born()
    assert values(node.data(SpO2=97)) == {"spo2": 97}
    node.now_ms += 1_000
    (late,) = node.hears("DDATA", [Metric(None, 80, 1, node.now_ms, INT32, historical=True)], of="oxi")
    assert isinstance(late, Sample)
    assert late.late
    assert values(node.data(SpO2=96)) == {"spo2": 96}


def test_a_value_that_its_node_does_not_call_good_is_invalid() -> None:
    node = Node()
    node.born()
    bad = [Metric(None, 97, 1, NOW_MS, INT32, bad=True), Metric(None, 70, 2, NOW_MS, INT32)]
    said = [one for one in node.hears("DDATA", bad, of="oxi") if isinstance(one, Sample)]
    assert [(one.vital.value, one.value, one.quality) for one in said] == [
        ("spo2", None, Quality.INVALID),
        ("pr_spo2", 70, Quality.VALID),
    ]
    (cuff,) = node.hears(
        "DDATA", [Metric(None, v, a, NOW_MS, INT32, bad=True) for v, a in ((120, 4), (78, 5))], of="oxi"
    )
    assert isinstance(cuff, Cuff)
    assert (cuff.systolic, cuff.quality) == (None, Quality.INVALID)


def test_a_blood_pressure_is_one_measurement_or_none() -> None:
    node = Node()
    node.born()
    assert cuffs(node.data(Sys=128, Dia=79)) == [(128, 79)]
    node.now_ms += 300_000
    assert node.data(Sys=131) == []  # by exception: the diastolic pressure has not changed
    node.now_ms += 6_000
    assert cuffs(node.data(Dia=80)) == []
    assert cuffs(node.data(Sys=140)) == [(140, 80)]
    assert node.data(Sys=None, Dia=None) == []


# Deaths.


def test_the_death_of_the_device_is_no_sign_of_life_and_ends_its_aliases() -> None:
    node = Node()
    node.born()
    assert node.hears("DDEATH", of="oxi") == [Notice("offline: the node has lost it")]
    assert values(node.data(SpO2=97)) == {}
    assert node.asked() == ["spBv1.0/clinic/NCMD/gw"]


def test_the_death_of_another_device_is_not_ours() -> None:
    node = Node()
    node.born()
    assert node.hears("DDEATH", of="cuff") == []
    assert node.hears("DBIRTH", of="cuff") == []
    assert values(node.data(SpO2=97)) == {"spo2": 97}


def test_the_will_of_an_earlier_connection_is_not_the_nodes_death() -> None:
    node = Node()
    node.born(bd_seq=8)
    late = node.hears("NDEATH", [Metric("bdSeq", 7, datatype=INT64)])
    assert reasons(late) == ["the death of an earlier connection"]
    assert values(node.data(SpO2=97)) == {"spo2": 97}
    assert node.hears("NDEATH", [Metric("bdSeq", 8, datatype=INT64)]) == [
        Notice("offline: the node has gone")
    ]
    assert values(node.data(SpO2=97)) == {}


def test_a_death_is_heard_also_by_who_has_missed_the_birth() -> None:
    node = Node()
    assert Notice("offline: the node has gone") in node.hears("NDEATH", [Metric("bdSeq", 3, datatype=INT64)])
    assert Notice("offline: the node has lost it") in node.hears("DDEATH", of="oxi")


# Whose it is.


def test_only_the_device_of_this_bed_is_taken() -> None:
    node = Node()
    node.born()
    metrics = [Metric("SpO2", 80, 1, NOW_MS, INT32)]
    assert node.hears("DBIRTH", metrics, of="other") == []
    assert node.hears("DDATA", metrics, of="other") == []
    assert node.hears("NDATA", metrics) == []
    assert values(node.data(SpO2=97)) == {"spo2": 97}


def test_without_a_device_the_nodes_own_metrics_are_read() -> None:
    node = Node(device=None)
    node.hears("NBIRTH", [Metric("SpO2", None, 1, datatype=INT32)], seq=0)
    assert values(node.hears("NDATA", [Metric(None, 97, 1, NOW_MS, INT32)])) == {"spo2": 97}
    assert node.hears("DBIRTH", [Metric("SpO2", 80, 9, NOW_MS, INT32)], of="oxi") == []
    assert "device" in node.decoder.waits_for()


def test_a_device_that_the_node_does_not_have_is_named() -> None:
    node = Node(device="oxy")
    node.born()
    assert node.decoder.waits_for() == "the node has no device 'oxy': check `device`"


def test_two_nodes_on_one_link_are_both_refused() -> None:
    node = Node()
    node.born()
    assert reasons(node.hears("DDATA", of="oxi", node="gw2"))[0].startswith("several nodes on one link")
    assert values(node.data(SpO2=97)) == {}


def test_what_is_retained_is_nobodys() -> None:
    node = Node()
    for kind, of in (("NBIRTH", None), ("DBIRTH", "oxi"), ("DDATA", "oxi"), ("NDEATH", None)):
        (fault,) = node.hears(kind, of=of, retained=True)
        assert isinstance(fault, Fault)


def test_a_new_subscription_believes_nothing_of_before() -> None:
    node = Node()
    node.born()
    node.decoder.opened()
    assert values(node.data(SpO2=97)) == {}
    assert node.asked() == ["spBv1.0/clinic/NCMD/gw"]


def test_commands_on_the_same_topics_are_passed_over() -> None:
    node = Node()
    node.born()
    ignorant = Node()
    ignorant.data(5, SpO2=97)
    ((topic, payload),) = ignorant.decoder.to_send()
    assert node.decoder.message(topic, payload, retained=False, at_ms=NOW_MS) == []
    assert values(node.data(SpO2=97)) == {"spo2": 97}


# What comes with it.


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "map: Sparkplug B needs it"),
        ({"map": [{"path": "x", "vital": "spo2"}]}, "spo2 needs the name of its metric"),
        ({"map": [*MAP, {"metric": "More", "vital": "spo2"}]}, "two metrics for one vital"),
        ({"map": MAP, "device": {"is": "a", "segment": 4}}, "device: give the device of the node"),
        ({"map": MAP, "time": {"path": "ts", "unit": "s"}}, "Sparkplug B has no option 'time'"),
        ({"map": MAP, "accept_retained": True}, "Sparkplug B has no option 'accept_retained'"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DRIVER.decoder({"shape": "sparkplug", **options})


def test_without_its_shape_it_is_named_and_not_read() -> None:
    payload = encode([Metric("SpO2", 97, 1, NOW_MS, INT32)], seq=0, sent_ms=NOW_MS)
    (fault,) = DRIVER.decoder({}).message("spBv1.0/a/NBIRTH/b", payload, retained=False, at_ms=NOW_MS)
    assert fault.reason == 'Sparkplug B: it is read with shape = "sparkplug"'


CLINIC = """
[mqtt]
[[bed]]
name = "1"
[[device]]
name = "node"
driver = "mqtt-map"
link = "mqtt:///spBv1.0/clinic/+/gw/#"
bed = "1"
options = { shape = "sparkplug", map = [{ metric = "SpO2", vital = "spo2" }] }
"""


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_missing_library_is_said_in_words(tmp_path: Path, command: str) -> None:
    (tmp_path / "clinic.toml").write_text(CLINIC)
    program = (
        "import sys; sys.modules['google.protobuf'] = None\n"  # as where the extra was not installed
        "from monitor.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, command, str(tmp_path / "clinic.toml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "clinic.toml: device.node.options: shape: Sparkplug B needs the library protobuf: "
        "pip install 'chairside[sparkplug]'\n"
    )


@given(
    payload=st.binary(max_size=300),
    kind=st.sampled_from(["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD", "STATE"]),
    of=st.sampled_from(["", "/oxi", "/other", "/a/b"]),
    at_ms=st.integers(-1, 2**45),
)
@settings(max_examples=300, deadline=None)
def test_any_payload_is_survived(payload: bytes, kind: str, of: str, at_ms: int) -> None:
    node = Node()
    node.born()
    for one in node.decoder.message(f"spBv1.0/clinic/{kind}/gw{of}", payload, retained=False, at_ms=at_ms):
        as_line(one)  # type: ignore[arg-type]


def test_turned_bytes_of_good_payloads_are_survived() -> None:
    dice = random.Random("turned bytes of a node")  # noqa: S311  a seed that can be read in the report
    birth = encode([Metric(n, None, a, datatype=KIND[n]) for n, a in ALIAS.items()], seq=1, sent_ms=NOW_MS)
    data = encode([Metric(None, 97, 1, NOW_MS, INT32, bad=True)], seq=2, sent_ms=NOW_MS)
    for _ in range(3_000):
        node = Node()
        node.hears("NBIRTH", seq=0)
        for kind, payload in (("DBIRTH", birth), ("DDATA", data)):
            turned = bytearray(payload)
            for _ in range(dice.randrange(4)):
                turned[dice.randrange(len(turned))] = dice.randrange(256)
            for one in node.decoder.message(
                f"spBv1.0/clinic/{kind}/gw/oxi", bytes(turned), retained=False, at_ms=NOW_MS
            ):
                as_line(one)  # type: ignore[arg-type]


# The twin.

TWIN_MAP = [
    {"metric": METRICS[key][0], "vital": vital}
    for key, vital in (
        ("spo2", "spo2"), ("bpm", "pr_spo2"), ("sys", "nibp_sys"), ("dia", "nibp_dia"), ("map", "nibp_map"),
        ("pulse", "pr_nibp"),
    )
]  # fmt: skip
TOPIC = "spBv1.0/clinic/gw/monitor"


def session(to_ms: int, **options: Any) -> tuple[Patient, list[tuple[int, Said]], int]:
    """A twin and its host, with nothing between them: what was said when, and how often it was asked."""
    patient = Patient(Story(name="quiet", drug="none"), 4)
    twin = Twin(patient, 4, {"shape": "sparkplug", "topic": TOPIC, **options}, (), HostClock(NOW_MS))
    host = DRIVER.decoder({"shape": "sparkplug", "device": {"is": "monitor"}, "map": TWIN_MAP})
    twin.will()
    coming = twin.born()
    heard: list[tuple[int, Said]] = []
    asked = 0
    for t_ms in range(0, to_ms, 500):
        coming += twin.tick(t_ms)
        while coming:
            message = coming.pop(0)
            told = host.message(message.topic, message.payload, retained=False, at_ms=NOW_MS + t_ms)
            heard += [(t_ms, one) for one in told]
            for topic, payload in host.to_send():
                asked += 1
                coming += twin.hear(topic, payload, t_ms)
    return patient, heard, asked


def live(heard: list[tuple[int, Said]]) -> list[tuple[int, Sample]]:
    return [(t, one) for t, one in heard if isinstance(one, Sample) and not one.late]


def test_a_node_says_what_the_patient_has() -> None:
    patient, heard, asked = session(700_000)
    spo2 = [one for _, one in live(heard) if one.vital.value == "spo2"]
    assert len(spo2) == 350
    for sample in spo2:
        assert sample.value == patient.spo2(int(sample.device_time or 0) - NOW_MS)
    taken = [one for _, one in heard if isinstance(one, Cuff)]
    assert len({one.device_time for one in taken}) == len(taken) == 4
    assert [one.age_ms <= 500 for one in taken] == [False, True, True, True]  # the first was there before
    assert not [one for _, one in heard if isinstance(one, Fault)]
    assert asked == 0


def test_a_node_that_loses_messages_is_born_again_each_time() -> None:
    _, heard, asked = session(600_000, lost_every=20, cuff=False)
    assert asked == 300 // 20 - 1  # the last one lost is not noticed yet
    assert len([one for _, one in live(heard) if one.vital.value == "spo2"]) == 300 - 300 // 20 - asked


def test_a_device_that_is_switched_off_is_dead_until_its_birth() -> None:
    _, heard, asked = session(120_000, off_s=[30, 60], cuff=False)
    deaths = [t for t, one in heard if isinstance(one, Notice) and one.what.startswith("offline")]
    births = [t for t, one in heard if one == Notice("online")]
    assert (len(deaths), len(births), asked) == (1, 2, 0)
    assert not [t for t, _ in live(heard) if deaths[0] <= t < births[1]]


def test_every_connection_has_a_death_of_its_own() -> None:
    twin = Twin(Patient(Story(name="quiet", drug="none"), 4), 4, {"shape": "sparkplug", "topic": TOPIC})
    numbers = []
    for _ in range(3):
        will, (node, _) = twin.will(), twin.born()
        for message in (will, node):
            told = read(message.payload)
            assert isinstance(told, Message)
            numbers.append(next(m.value for m in told.metrics if m.name == "bdSeq"))
    assert numbers == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"topic": "home/gw"}, "spBv1.0/GROUP/NODE/DEVICE"),
        ({"lost_every": -1}, "lost_every"),
        ({"off_s": [60, 30]}, "off_s"),
    ],
)
def test_a_wrong_option_of_the_twin_is_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Twin(Patient(Story(name="x", drug="none"), 1), 1, {"shape": "sparkplug", "topic": TOPIC, **options})
