"""The UA-767PC as its host sees it: woken, started, never stopped; its first number is no pressure."""

from __future__ import annotations

import pytest

from monitor.devices.catalogue import described, markdown
from monitor.devices.codecs.and_ua767pc import (
    DRIVER,
    END,
    NAK,
    OPEN,
    START,
    WAKE,
    Decoder,
    encode_answer,
    encode_result,
    encode_stored,
)
from monitor.devices.driver import line_of
from monitor.model import Cuff, Fault, Notice, Quality, Said
from simulators.and_ua767pc import Twin
from simulators.patient import Patient
from simulators.scenario import Story
from tests.devices.cuffs import Host, beside, cuffs_of, whys

GOOD = encode_result(120, 70, 72)
TAKEN = encode_answer()


class Bedside(Host):
    """A monitor that is awake."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        super().__init__(Decoder(), {OPEN: TAKEN, START: TAKEN, END: TAKEN}, silent=(WAKE,))

    def starts(self) -> list[Said]:
        """Connect, order a cuff, and run until it measures."""
        said = self.runs(3)
        assert self.decoder.start_cuff() is None
        return said + self.runs(3)


@pytest.mark.parametrize(
    ("digits", "pressures"),
    [
        (b"8032464800", (120, 70)),
        (b"80647d4800", (225, 125)),
        (b"8000464800", (None, None)),
        (b"8032004800", (None, None)),
    ],
)
def test_the_first_number_is_the_pulse_pressure(
    digits: bytes, pressures: tuple[int | None, int | None]
) -> None:
    (told,) = cuffs_of(Decoder().feed(digits + b"\r"))
    assert (told.systolic, told.diastolic) == pressures


def test_digits_are_a_result_only_when_their_end_is_sure() -> None:
    decoder = Decoder()
    assert decoder.feed(GOOD) == []
    assert [one.systolic for one in cuffs_of(decoder.close())] == [120]
    bed = Bedside()
    bed.runs(3)
    assert cuffs_of(bed.decoder.feed(GOOD) + bed.runs(0.9)) == []
    assert cuffs_of(bed.runs(0.5)) == [Cuff(120, 70, None, 72)]


@pytest.mark.parametrize("noise", [b"8", b"80", b"3", b"80324648"])
def test_digits_glued_to_noise_are_no_result(noise: bytes) -> None:
    assert cuffs_of(Decoder().feed(noise + GOOD + b"\r")) == []
    assert len(cuffs_of(Decoder().feed(noise + b"\r" + GOOD + b"\r"))) == 1


def test_it_is_woken_now_and_then_as_a_sign_of_life() -> None:
    bed = Bedside()
    said = bed.runs(60)
    assert bed.commands() == [OPEN] * 3
    assert said.count(Notice("cuff at rest")) == 3


def test_an_ordered_cuff_is_opened_started_and_told_once() -> None:
    bed = Bedside()
    bed.runs(3)
    bed.commands()
    bed.decoder.start_cuff()
    assert bed.decoder.start_cuff() == "a cuff reading has already been started"
    bed.runs(30)
    assert bed.commands() == [OPEN, START]
    said = bed.decoder.feed(GOOD) + bed.runs(30)
    assert cuffs_of(said) == [Cuff(120, 70, None, 72)]
    assert bed.commands()[0] == END
    assert bed.decoder.start_cuff() is None


def test_the_first_command_after_its_sleep_may_go_unanswered() -> None:
    bed = Bedside()
    bed.runs(3)
    bed.commands()
    del bed.answers[OPEN]
    bed.decoder.start_cuff()
    bed.runs(2)
    bed.answers[OPEN] = TAKEN
    bed.runs(5)
    assert bed.commands() == [OPEN, OPEN, START]


def test_a_monitor_that_does_not_wake_is_a_failure_in_words() -> None:
    bed = Bedside()
    bed.answers.clear()
    bed.runs(3)
    bed.commands()
    bed.decoder.start_cuff()
    assert whys(bed.runs(15)) == ["the monitor does not answer: not started"]
    assert START not in bed.commands()


def test_a_refused_start_is_a_failure_in_words() -> None:
    bed = Bedside()
    bed.answers[START] = encode_answer(NAK)
    assert whys(bed.starts()) == ["the monitor refused the start"]


def test_a_start_that_is_not_answered_may_run_and_its_result_is_waited_for() -> None:
    bed = Bedside()
    del bed.answers[START]
    assert cuffs_of(bed.starts() + bed.runs(40)) == []
    assert cuffs_of(bed.decoder.feed(GOOD) + bed.runs(3)) == [Cuff(120, 70, None, 72)]
    assert bed.commands().count(START) == 1


def test_an_error_has_no_numbers_and_its_code() -> None:
    bed = Bedside()
    bed.starts()
    (told,) = cuffs_of(bed.decoder.feed(b"8132464800") + bed.runs(3))
    assert (told.systolic, told.quality) == (None, Quality.INVALID)
    assert told.why == "the cuff measurement failed (code 81 of the monitor)"


def test_a_reading_of_its_own_button_is_told_and_a_failed_one_is_no_failure_of_ours() -> None:
    bed = Bedside()
    bed.runs(3)
    assert cuffs_of(bed.decoder.feed(GOOD) + bed.runs(3)) == [Cuff(120, 70, None, 72)]
    said = bed.decoder.feed(b"8232464800") + bed.runs(3)
    assert cuffs_of(said) == []
    assert Notice("a reading at the monitor has failed") in said


def test_a_cuff_without_a_result_is_given_up_after_three_minutes() -> None:
    bed = Bedside()
    bed.starts()
    assert cuffs_of(bed.runs(176)) == []
    assert whys(bed.runs(4)) == ["no cuff result within 180 s: look at the monitor"]


def test_a_cancel_is_always_taken_and_says_that_only_its_button_stops_it() -> None:
    bed = Bedside()
    bed.starts()
    bed.commands()
    bed.decoder.cancel_cuff()
    assert whys(bed.runs(1)) == ["cancelled from here: press the monitor's own button to let the air out"]
    assert bed.commands() == [END]
    # The button makes it an error, which is nobody's failure.
    assert cuffs_of(bed.decoder.feed(b"8132464800") + bed.runs(3)) == []
    assert bed.decoder.start_cuff() is None
    bed.decoder.cancel_cuff()
    assert whys(bed.runs(1)) == ["cancelled from here"]
    assert START not in bed.commands()


def test_a_line_that_is_lost_ends_the_reading() -> None:
    bed = Bedside()
    bed.starts()
    assert whys(bed.decoder.close()) == ["the line to the cuff was lost while it was measuring"]


def test_stored_readings_are_history_of_a_capture_and_nobodys_at_a_bed() -> None:
    stored = encode_stored(128, 79, 66, time=(2026, 11, 22, 2, 10, 5))
    (told,) = cuffs_of(Decoder().feed(stored))
    assert (told.systolic, told.diastolic, told.device_time) == (128, 79, "2026-11-22 02:10:05")
    assert cuffs_of(Decoder().feed(stored + stored)) == [told]
    bed = Bedside()
    bed.runs(3)
    assert bed.decoder.feed(stored) == [Fault("stored readings nobody asked for", len(stored))]


def test_two_stop_bits_and_one_source() -> None:
    assert line_of(DRIVER, {}).stop == 2
    assert "A&D UA-767PC (known from one source only)" in markdown()
    (row,) = [row for row in described() if row["driver"] == "and-ua767pc"]
    assert row["remark"] == "known from one source only"


# The simulated monitor.


def test_the_button_of_a_simulated_monitor_is_heard() -> None:
    twin = Twin(Patient(Story(name="quiet", drug="none"), 4), 4, {"cycle_s": 120})
    cuffs = cuffs_of([one for _, one in beside(twin, Decoder(), 130_000, 900_000)])
    assert 4 <= len(cuffs) <= 7
