"""The SunTech module as its host sees it: stopped first, started on order, polled, fetched, and let go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from monitor.devices.codecs.suntech import (
    ABORT,
    BUSY_TRIES,
    DRIVER,
    FETCH,
    POLL,
    START,
    WAKE,
    Decoder,
    encode_packet,
    encode_pressure,
    encode_result,
)
from monitor.model import Cuff, Fault, Notice, Quality, Said
from tests.devices.cuffs import Host, cuffs_of, whys

GOOD = encode_result(138, 86, 103, 78, beats=24, status=1)
OLD = encode_result(199, 99, 133, 60, beats=24, status=1)


class Bedside(Host):
    """A module at rest, with an old result in it."""

    step_ms = 20

    def __init__(self) -> None:
        """Nothing has been said yet."""
        super().__init__(
            Decoder(),
            {ABORT: encode_packet(b"A"), POLL: encode_pressure(2), START: encode_packet(b"O"), FETCH: OLD},
        )

    def starts(self) -> list[Said]:
        """Connect, order a cuff, and run until it measures."""
        said = self.runs(1)
        assert self.decoder.start_cuff() is None
        self.answers[POLL] = encode_pressure(120)
        return said + self.runs(2)

    def ends(self, letter: bytes = b"K") -> list[Said]:
        """The reading is over."""
        self.answers[POLL] = encode_pressure(3)
        return self.decoder.feed(encode_packet(letter)) + self.runs(5)


def test_whatever_runs_is_stopped_before_anything_else() -> None:
    bed = Bedside()
    bed.runs(10)
    assert bed.commands()[:2] == [ABORT, POLL]


def test_a_stop_that_is_not_answered_is_sent_again_until_it_is() -> None:
    bed = Bedside()
    answer = bed.answers.pop(ABORT)
    assert cuffs_of(bed.runs(10)) == []
    assert set(bed.commands()) == {ABORT}
    bed.answers[ABORT] = answer
    bed.runs(4)
    assert POLL in bed.commands()


def test_at_rest_the_pressure_is_the_sign_of_life() -> None:
    bed = Bedside()
    bed.runs(2)
    bed.commands()
    assert bed.runs(10).count(Notice("cuff at rest")) == 5
    assert DRIVER.silent_after_ms == 9_000


def test_commands_are_a_tenth_of_a_second_apart() -> None:
    bed = Bedside()
    bed.starts()
    bed.decoder.cancel_cuff()
    bed.runs(2)
    times = [at_ms for at_ms, _ in bed.sent]
    assert min(after - before for before, after in pairwise(times)) >= 100


def test_an_ordered_cuff_is_started_watched_fetched_and_told_once() -> None:
    bed = Bedside()
    assert cuffs_of(bed.starts()) == []
    sent = bed.commands()
    assert sent.count(START) == 1
    assert FETCH not in sent
    assert sent.count(POLL) >= 8
    bed.answers[FETCH] = GOOD
    assert cuffs_of(bed.ends()) == [Cuff(138, 86, 103, 78)]
    assert cuffs_of(bed.runs(60)) == []
    assert bed.decoder.start_cuff() is None


def test_a_poll_that_is_answered_in_front_of_the_end_is_read() -> None:
    bed = Bedside()
    bed.starts()
    bed.answers[FETCH] = GOOD
    said = bed.decoder.feed(encode_pressure(31) + encode_packet(b"K")) + bed.runs(1)
    assert cuffs_of(said) == [Cuff(138, 86, 103, 78)]


def test_one_at_a_time() -> None:
    bed = Bedside()
    bed.starts()
    assert bed.decoder.start_cuff() == "a cuff reading has already been started"
    bed.commands()
    bed.runs(5)
    assert START not in bed.commands()


def test_a_result_of_before_is_nobodys() -> None:
    bed = Bedside()
    bed.runs(5)
    assert bed.decoder.feed(OLD) == [Fault("a result nobody asked for", 24)]
    assert cuffs_of(bed.decoder.feed(encode_packet(b"K")) + bed.runs(5)) == []
    bed.starts()
    assert cuffs_of(bed.decoder.feed(OLD)) == []


def test_a_failed_reading_has_no_numbers_and_says_why() -> None:
    bed = Bedside()
    for code, words in ((0x57, "leak"), (0x02, "movement"), (0x59, "over-pressure"), (0x7E, "code 7Eh")):
        bed.starts()
        bed.answers[FETCH] = encode_result(138, 86, 103, 78, error=code)
        (told,) = cuffs_of(bed.ends())
        assert (told.systolic, told.diastolic, told.quality) == (None, None, Quality.INVALID)
        assert words in str(told.why)


@pytest.mark.parametrize("numbers", [(120, 130, 125), (120, 80, 120), (120, 80, 70), (0, 0, 0), (120, 0, 60)])
def test_pressures_that_cannot_be_one_reading_are_none(numbers: tuple[int, int, int]) -> None:
    (told,) = Decoder().feed(encode_result(*numbers, 70))
    assert isinstance(told, Cuff)
    assert (told.systolic, told.quality) == (None, Quality.INVALID)


def test_a_busy_module_is_asked_again_after_two_seconds_and_not_for_ever() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.answers[START] = encode_packet(b"B")
    assert bed.decoder.start_cuff() is None
    assert whys(bed.runs(30)) == ["the module stays busy"]
    starts = [at_ms for at_ms, command in bed.sent if command == START]
    assert len(starts) == BUSY_TRIES + 1
    assert all(after - before >= 2_000 for before, after in pairwise(starts))


def test_a_sleeping_module_is_woken_and_started() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.answers[START] = encode_packet(b"S")
    bed.decoder.start_cuff()
    bed.runs(0.1)
    bed.answers[START] = encode_packet(b"O")
    bed.commands()
    bed.runs(1)
    assert bed.commands()[:2] == [WAKE, START]


@pytest.mark.parametrize("letter", [b"E", b"T", b"N", b"D"])
def test_a_refused_start_is_a_failure_in_words(letter: bytes) -> None:
    bed = Bedside()
    bed.runs(1)
    bed.answers[START] = encode_packet(letter)
    bed.decoder.start_cuff()
    (why,) = whys(bed.runs(2))
    assert why is not None
    assert why.startswith("the module")


@pytest.mark.parametrize("letter", [b"A", b"E", b"T"])
def test_a_reading_that_ends_otherwise_is_a_failure(letter: bytes) -> None:
    bed = Bedside()
    bed.starts()
    bed.commands()
    (told,) = cuffs_of(bed.ends(letter))
    assert told.systolic is None
    assert FETCH not in bed.commands()


def test_a_start_that_is_not_answered_is_stopped_for_it_may_run() -> None:
    bed = Bedside()
    bed.runs(1)
    del bed.answers[START]
    bed.decoder.start_cuff()
    bed.commands()
    assert whys(bed.runs(5)) == ["the cuff did not answer the start: stopped"]
    sent = bed.commands()
    assert sent.count(START) == 1
    assert sent[sent.index(START) + 1] == ABORT


def test_a_result_that_does_not_come_is_asked_for_three_times() -> None:
    bed = Bedside()
    bed.starts()
    bed.commands()
    del bed.answers[FETCH]
    bed.ends()
    assert whys(bed.runs(10)) == ["the module gave no result"]
    assert bed.commands().count(FETCH) == 3


def test_a_cuff_without_an_end_is_stopped_after_three_minutes() -> None:
    bed = Bedside()
    bed.starts()
    assert cuffs_of(bed.runs(177)) == []
    bed.commands()
    assert whys(bed.runs(3)) == ["no cuff result within 180 s: stopped"]
    assert ABORT in bed.commands()


def test_a_cuff_is_stopped_at_any_moment() -> None:
    for after_s in (0.0, 0.02, 0.5, 5.0, 40.0):
        bed = Bedside()
        bed.runs(1)
        bed.decoder.start_cuff()
        bed.answers[POLL] = encode_pressure(120)
        bed.runs(after_s)
        bed.commands()
        bed.decoder.cancel_cuff()
        bed.answers[POLL] = encode_pressure(0)
        assert whys(bed.runs(0.2)) == ["cancelled from here"]
        assert bed.commands()[:1] == [ABORT]
        assert cuffs_of(bed.decoder.feed(encode_packet(b"K")) + bed.runs(10)) == []
        assert bed.decoder.start_cuff() is None


def test_a_stop_is_taken_while_nothing_runs() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.commands()
    bed.decoder.cancel_cuff()
    assert cuffs_of(bed.runs(1)) == []
    assert ABORT in bed.commands()


def test_a_cuff_that_stays_full_after_a_stop_is_stopped_again_and_said() -> None:
    bed = Bedside()
    bed.starts()
    bed.decoder.cancel_cuff()
    bed.runs(1)
    bed.commands()
    said = bed.runs(20)
    assert Notice("the cuff is still under pressure after a stop: take it off the arm") in said
    assert bed.commands().count(ABORT) >= 2
    assert bed.decoder.start_cuff() == "the cuff is still under pressure"
    bed.answers[POLL] = encode_pressure(3)
    bed.runs(2)
    bed.commands()
    bed.runs(20)
    assert ABORT not in bed.commands()


def test_a_line_that_is_lost_ends_the_reading_and_the_next_begins_with_a_stop() -> None:
    bed = Bedside()
    bed.starts()
    assert whys(bed.decoder.close()) == ["the line to the cuff was lost while it was measuring"]
    bed.answers[POLL] = encode_pressure(0)
    bed.commands()
    assert cuffs_of(bed.runs(5)) == []
    assert bed.commands()[0] == ABORT
    assert bed.decoder.start_cuff() is None


def test_noise_that_begins_like_a_packet_does_not_keep_the_answers_waiting() -> None:
    bed = Bedside()
    bed.runs(2)
    bed.decoder.feed(b"\x3e\x43")
    said = bed.runs(12)
    assert Notice("cuff at rest") in said
    assert sum(one.dropped for one in said if isinstance(one, Fault)) == 2


def test_it_has_no_options() -> None:
    with pytest.raises(ValueError, match="it has none"):
        DRIVER.decoder({"speed": 3})
