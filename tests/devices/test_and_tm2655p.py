"""The TM-2655P as its host sees it: what stands in it is anybody's, what comes behind our start is ours."""

from __future__ import annotations

import pytest

from monitor.devices.codecs.and_tm2655p import (
    DRIVER,
    RECALL,
    START,
    STOP,
    Decoder,
    encode_answer,
    encode_result,
)
from monitor.devices.driver import line_of
from monitor.model import Cuff, Notice, Quality, Said
from simulators.and_tm2655p import Twin
from simulators.patient import Patient
from simulators.scenario import Story
from tests.devices.cuffs import Host, beside, cuffs_of, whys

OLD = encode_result(199, 99, 133, 60, time="2611261200")
GOOD = encode_result(102, 62, 87, 83, time="2611261201")
TAKEN, REFUSED = encode_answer(), encode_answer(taken=False)


class Bedside(Host):
    """A monitor at rest, with somebody's result in it."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        super().__init__(Decoder(), {STOP: TAKEN, START: TAKEN, RECALL: TAKEN + OLD})

    def starts(self) -> list[Said]:
        """Connect, order a cuff, and run until it measures."""
        said = self.runs(8)
        assert self.decoder.start_cuff() is None
        return said + self.runs(2)


def test_whatever_runs_is_stopped_first_and_what_stands_in_it_is_anybodys() -> None:
    bed = Bedside()
    said = bed.runs(60)
    assert bed.commands()[:2] == [STOP, RECALL]
    assert cuffs_of(said) == []
    assert said.count(Notice("cuff at rest")) >= 12


def test_an_ordered_cuff_is_started_waited_for_and_told_once() -> None:
    bed = Bedside()
    assert cuffs_of(bed.starts()) == []
    assert bed.decoder.start_cuff() == "a cuff reading has already been started"
    bed.commands()
    assert cuffs_of(bed.runs(40)) == []
    assert bed.commands() == []  # nothing is asked while it measures
    bed.answers[RECALL] = TAKEN + GOOD
    assert cuffs_of(bed.decoder.feed(GOOD) + bed.runs(60)) == [Cuff(102, 62, 87, 83)]
    assert bed.decoder.start_cuff() is None


def test_the_same_numbers_in_the_same_minute_are_ours_all_the_same() -> None:
    bed = Bedside()
    bed.starts()
    bed.runs(40)
    assert cuffs_of(bed.decoder.feed(OLD)) == [Cuff(199, 99, 133, 60)]


def test_a_result_that_was_on_its_way_when_we_started_is_not_ours() -> None:
    bed = Bedside()
    bed.starts()
    assert cuffs_of(bed.decoder.feed(OLD) + bed.runs(30)) == []
    assert cuffs_of(bed.decoder.feed(GOOD)) == [Cuff(102, 62, 87, 83)]


def test_a_reading_of_its_own_button_is_found_and_as_old_as_it_may_be() -> None:
    bed = Bedside()
    bed.runs(8)
    bed.answers[RECALL] = TAKEN + GOOD
    (told,) = cuffs_of(bed.runs(30))
    assert (told.systolic, told.quality) == (102, Quality.VALID)
    assert 0 < told.age_ms <= 6_000


def test_a_reading_that_was_taken_while_the_line_was_down_is_as_old_as_the_gap() -> None:
    bed = Bedside()
    bed.runs(8)
    bed.decoder.close()
    bed.now_ms += 600_000
    bed.answers[RECALL] = TAKEN + GOOD
    (told,) = cuffs_of(bed.runs(10))
    assert told.age_ms >= 600_000


def test_a_frame_that_nobody_asked_for_is_new_now() -> None:
    bed = Bedside()
    bed.runs(8)
    bed.answers[RECALL] = TAKEN + GOOD
    assert cuffs_of(bed.decoder.feed(GOOD) + bed.runs(30)) == [Cuff(102, 62, 87, 83)]


def test_somebody_elses_failed_try_is_told_and_is_no_failure_of_ours() -> None:
    bed = Bedside()
    bed.runs(8)
    said = bed.decoder.feed(encode_result(error="E07"))
    assert said == [Notice("a reading at the monitor has failed")]


def test_an_error_has_no_numbers_and_its_code() -> None:
    bed = Bedside()
    bed.starts()
    bed.runs(20)
    (told,) = cuffs_of(bed.decoder.feed(encode_result(102, 62, 87, 83, error="E07")))
    assert (told.systolic, told.quality) == (None, Quality.INVALID)
    assert told.why == "the cuff measurement failed (code E07 of the monitor)"


@pytest.mark.parametrize(
    "numbers", [(62, 102, 87), (102, 62, 62), (102, 62, 110), (0, 62, 50), (102, 0, 50), (None, None, None)]
)
def test_pressures_that_cannot_be_one_reading_are_none(
    numbers: tuple[int | None, int | None, int | None],
) -> None:
    (told,) = cuffs_of(Decoder().feed(encode_result(*numbers, 70)))
    assert (told.systolic, told.quality) == (None, Quality.INVALID)


def test_a_refused_start_is_a_failure_in_words() -> None:
    bed = Bedside()
    bed.runs(8)
    bed.answers[START] = REFUSED
    bed.decoder.start_cuff()
    assert whys(bed.runs(5)) == ["the monitor refused the start: is an arm in it?"]


def test_a_start_that_is_not_answered_is_stopped_for_it_may_run() -> None:
    bed = Bedside()
    bed.runs(8)
    del bed.answers[START]
    bed.commands()
    bed.decoder.start_cuff()
    assert whys(bed.runs(6)) == ["the cuff did not answer the start: stopped"]
    sent = bed.commands()
    assert sent.count(START) == 1
    assert sent[sent.index(START) + 1] == STOP


def test_a_cuff_without_a_result_is_stopped_after_three_minutes() -> None:
    bed = Bedside()
    bed.starts()
    assert cuffs_of(bed.runs(177)) == []
    bed.commands()
    assert whys(bed.runs(3)) == ["no cuff result within 180 s: stopped"]
    assert bed.commands()[0] == STOP


def test_a_cuff_is_stopped_at_any_moment() -> None:
    for after_s in (0.0, 0.1, 0.6, 5.0, 40.0):
        bed = Bedside()
        bed.runs(8)
        bed.decoder.start_cuff()
        bed.runs(after_s)
        bed.commands()
        bed.decoder.cancel_cuff()
        assert whys(bed.runs(1)) == ["cancelled from here"]
        assert bed.commands()[0] == STOP
        assert bed.decoder.start_cuff() is None


def test_a_stop_is_sent_until_it_is_answered() -> None:
    bed = Bedside()
    del bed.answers[STOP]
    bed.runs(20)
    assert set(bed.commands()) == {STOP}
    bed.answers[STOP] = TAKEN
    bed.runs(8)
    assert RECALL in bed.commands()


def test_a_line_that_is_lost_ends_the_reading_and_the_next_begins_with_a_stop() -> None:
    bed = Bedside()
    bed.starts()
    assert whys(bed.decoder.close()) == ["the line to the cuff was lost while it was measuring"]
    bed.commands()
    assert cuffs_of(bed.runs(8)) == []
    assert bed.commands()[0] == STOP


@pytest.mark.parametrize("value", [0x02, 0x03, 0x06, 0x15, 0x16, 0x1E])
def test_a_check_byte_may_be_any_control_byte(value: int) -> None:
    # The amplitude makes the check byte what is wanted.
    frames = [
        encode_result(102, 62, 87, 83, form="RB ", setting=s, amplitude=a)
        for s in range(100)
        for a in range(99)
    ]
    frame = next(one for one in frames if one[-1] == value)
    assert [one.systolic for one in cuffs_of(Decoder().feed(frame + GOOD))] == [102, 102]


def test_another_address_that_is_checked_by_its_text_alone_needs_to_be_allowed() -> None:
    text_only = GOOD.replace(b"\x0100\x02", b"\x010 \x02")
    assert cuffs_of(DRIVER.decoder({}).feed(text_only)) == []
    (told,) = cuffs_of(DRIVER.decoder({"checksum": "warn"}).feed(text_only))
    assert (told.systolic, told.quality) == (102, Quality.QUESTIONABLE)


def test_its_speed_is_a_setting() -> None:
    assert line_of(DRIVER, {}).baud == 2400
    assert line_of(DRIVER, {"baud": 9600}).baud == 9600
    with pytest.raises(ValueError, match="strict"):
        DRIVER.decoder({"checksum": "off"})


# The simulated monitor.


@pytest.mark.parametrize("push", [True, False])
def test_the_button_of_a_simulated_monitor_is_noticed(*, push: bool) -> None:
    twin = Twin(Patient(Story(name="quiet", drug="none"), 4), 4, {"cycle_s": 120, "push": push})
    heard = beside(twin, Decoder(), 130_000, 900_000)
    cuffs = [one for _, one in heard if isinstance(one, Cuff)]
    assert 4 <= len(cuffs) <= 7
    assert all(one.age_ms <= 120_000 for one in cuffs)
