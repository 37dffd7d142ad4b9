"""The real host and the simulated IntelliVue on one cable."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.devices.codecs.intellivue import (
    DRIVER,
    Decoder,
    encode_abort,
    encode_association_request,
    encode_error,
    encode_extended_poll,
    encode_mds_create_result,
    encode_poll,
    encode_refuse,
    encode_release_request,
    encode_release_response,
)
from monitor.devices.codecs.intellivue.association import Association
from monitor.devices.codecs.intellivue.export import MdsCreated, Message, Result
from monitor.devices.codecs.intellivue.frame import Frames, framed
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital
from simulators.intellivue import Twin
from simulators.patient import Patient
from simulators.scenario import FirstCuff, Motion, Person, Probe, Story
from tests.devices.cuffs import cuffs_of
from tests.devices.intellivue import (
    messages_of,
    said_of,
    samples_of,
)


class Room:
    """The real host and the twin on one cable."""

    def __init__(self, patient: Patient, options: dict[str, Any] | None = None, **host: Any) -> None:
        """Nothing is said yet."""
        self.twin = Twin(patient, 4, options or {})
        self.host: Decoder = DRIVER.decoder(host)
        self.wire = b""

    def plays(self, from_ms: int, to_ms: int) -> list[tuple[int, Said]]:
        """What is said meanwhile, and when; the monitor's bytes are kept."""
        heard: list[tuple[int, Said]] = []
        for t_ms in range(from_ms, to_ms, 100):
            self.host.tick(t_ms)
            came = self.twin.tick(t_ms)
            if asked := self.host.to_send():
                came += self.twin.hear(asked, t_ms)
            self.wire += came
            heard += [(t_ms, said) for said in self.host.feed(came)]
        return heard


def quiet(**tables: Any) -> Patient:
    return Patient(Story(name="quiet", drug="none", **tables), 4)


@pytest.mark.parametrize("options", [{}, {"modules": True}])
@pytest.mark.parametrize("poll", ["single", "extended"])
def test_the_host_reads_the_patient_through_a_whole_session(options: dict[str, Any], poll: str) -> None:
    patient = quiet()
    room = Room(patient, options, poll=poll)
    heard = room.plays(250_000, 400_000)
    said = [one for _, one in heard]
    assert not [one for one in said if isinstance(one, Fault)]
    assert len(samples_of(said, Vital.SPO2)) >= 140
    for t_ms, one in heard:
        if isinstance(one, Sample) and one.vital is Vital.SPO2:
            assert one.value in {patient.spo2(t_ms - late) for late in range(0, 1_100, 8)}
    for vital in (Vital.HEART_RATE, Vital.PULSE_SPO2, Vital.PERFUSION, Vital.RESPIRATION, Vital.TEMPERATURE):
        assert all(one.quality is Quality.VALID for one in samples_of(said, vital))
        assert samples_of(said, vital)
    assert Notice("cuff measuring") in said
    ages = [cuff.age_ms for cuff in cuffs_of(said)]
    assert len(ages) == 2
    assert ages[0] > 100_000
    assert ages[1] <= 1_100
    assert all(cuff.pulse for cuff in cuffs_of(said) if cuff.systolic)
    one_sided = [one for one in Decoder().feed(room.wire) if isinstance(one, Sample | Cuff)]
    assert one_sided == [one for one in said if isinstance(one, Sample | Cuff)]


def test_a_monitor_that_is_asked_too_late_has_ended_the_session_and_opens_another() -> None:
    room = Room(quiet())
    room.plays(0, 5_000)
    assert messages_of(room.twin.tick(15_000)) == messages_of(encode_abort())
    assert room.twin.tick(30_000) == b""
    said = [one for _, one in room.plays(30_000, 34_000)]
    assert samples_of(said, Vital.SPO2)


def test_a_host_that_starts_again_while_the_monitor_still_waits_for_it_is_let_in() -> None:
    room = Room(quiet())
    room.plays(0, 5_000)
    room.host = Decoder()
    said = [one for _, one in room.plays(5_000, 9_000)]
    assert said[0] == Notice("the monitor refuses the connection: does another computer read it?")
    assert samples_of(said, Vital.SPO2)


def test_a_demonstration_is_nobodys() -> None:
    said = [one for _, one in Room(quiet(), {"demo": True}).plays(300_000, 400_000)]
    assert [one for one in said if isinstance(one, Sample) and one.value is not None] == []
    assert cuffs_of(said) == []
    assert Notice("the monitor shows demonstration or test data, not a patient") in said


def test_a_probe_that_is_off_gives_no_number_and_the_monitors_own_words() -> None:
    patient = quiet(probe=(Probe(state="off", at_min=0, for_s=60),))
    said = [one for _, one in Room(patient).plays(0, 10_000)]
    assert {one.quality for one in samples_of(said, Vital.SPO2)} == {Quality.INVALID}
    assert {one.quality for one in samples_of(said, Vital.HEART_RATE)} == {Quality.VALID}
    assert Notice("monitor's own message: SpO2 sensor off") in said


def test_motion_and_a_low_saturation_are_told_as_the_monitor_sees_them() -> None:
    moving = quiet(motion=(Motion(from_min=0, to_min=30, every_s=20),))
    said = [one for _, one in Room(moving).plays(0, 300_000)]
    assert {one.why for one in samples_of(said, Vital.SPO2)} == {None, "the monitor marks it questionable"}
    assert all(
        (one.value is None) is (one.quality is Quality.INVALID) for one in samples_of(said, Vital.SPO2)
    )
    low = [one for _, one in Room(quiet(person=Person(spo2_percent=80))).plays(0, 5_000)]
    assert Notice("monitor's own alarm: SpO2 low") in low


def test_a_cuff_that_fails_is_told_as_failed() -> None:
    patient = quiet(cuff=(FirstCuff(at_min=5),))
    cuffs = cuffs_of([one for _, one in Room(patient).plays(290_000, 400_000)])
    assert cuffs[-1].systolic is None
    assert cuffs[-1].age_ms <= 1_100


def hears(twin: Twin, *words: bytes, t_ms: int = 1_000) -> list[Association | Message | None]:
    return messages_of(b"".join(twin.hear(word, t_ms) for word in words))


def test_the_twin_answers_as_the_real_one_does() -> None:
    twin = Twin(quiet(), 4, {})
    assert hears(twin, encode_poll(1, 1)) == []
    accept, created = hears(twin, encode_association_request())
    assert isinstance(accept, Association)
    assert accept.terms is not None
    assert (accept.terms.poll_period, accept.terms.mtu_out) == (8_000, 996)
    assert isinstance(created, MdsCreated)
    assert hears(twin, encode_association_request()) == messages_of(encode_refuse())
    assert hears(twin, encode_poll(1, 1)) == []
    assert hears(twin, encode_mds_create_result(1)) == []
    poll = encode_poll(1, 7)
    (result,) = hears(twin, poll)
    assert isinstance(result, Result)
    assert (result.poll_number, result.sequence) == (7, None)
    assert any(not one.attributes for one in result.objects)
    assert hears(twin, poll[:-3] + b"\0" + poll[-2:]) == []
    whole = Frames().feed(poll)[0]
    assert isinstance(whole, bytes)
    unknown = framed(whole.replace(b"\x0c\x16", b"\x0c\x17"))
    assert hears(twin, unknown) == messages_of(encode_error(1, 9))
    assert hears(twin, encode_release_request()) == messages_of(encode_release_response())
    assert hears(twin, encode_poll(1, 1)) == []


def test_the_twin_sends_by_itself_until_the_period_ends_or_is_renewed() -> None:
    twin = Twin(quiet(), 4, {})
    hears(twin, encode_association_request(), encode_mds_create_result(1), t_ms=0)
    (first,) = hears(twin, encode_extended_poll(2, 2, period=3 * 8_000), t_ms=0)
    assert isinstance(first, Result)
    assert first.sequence == 0
    assert twin.due_ms() == 1_024
    assert [one.sequence for one in messages_of(twin.tick(2_100)) if isinstance(one, Result)] == [1, 2]
    assert hears(twin, encode_extended_poll(3, 3, period=3 * 8_000), t_ms=2_500) == []
    assert [one.sequence for one in messages_of(twin.tick(9_000)) if isinstance(one, Result)] == [3, 4, 5]
    assert twin.tick(10_000) == b""


def test_with_its_labels_an_answer_of_the_twin_is_longer_and_says_the_same() -> None:
    twin = Twin(quiet(), 4, {})
    hears(twin, encode_association_request(), encode_mds_create_result(1))
    short = twin.hear(encode_poll(1, 1), 1_000)
    long = twin.hear(encode_poll(1, 1, group=0), 1_000)
    assert len(long) > len(short)
    assert said_of(long) == said_of(short)
