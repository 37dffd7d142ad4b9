"""The PAR module as its host sees it: stopped by a letter, started by three commands, asked at the end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from monitor.devices.codecs.par_nibp import (
    DRIVER,
    STOP,
    Decoder,
    encode_command,
    encode_pressure,
    encode_status,
    encode_word,
)
from monitor.devices.driver import line_of, vitals_of
from monitor.model import Cuff, Notice, Quality, Said, Sample, Vital
from simulators.par_nibp import Twin
from simulators.patient import Patient
from simulators.scenario import Probe, Story
from tests.devices.cuffs import Host, beside, cuffs_of, whys

ASK, ADULT, MANUAL, MEASURE = map(encode_command, ("18", "24", "03", "01"))
OLD = encode_status(199, 99, 133, 60)
GOOD = encode_status(142, 92, 109, 88)
END = encode_word("999")


class Bedside(Host):
    """A module at rest, with an old result in its status."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        super().__init__(Decoder(), {ASK: OLD})

    def starts(self) -> list[Said]:
        """Connect, order a cuff, and run until it measures."""
        said = self.runs(8)
        assert self.decoder.start_cuff() is None
        said += self.runs(4)
        self.stream = encode_pressure(120)
        return said + self.runs(2)

    def ends(self, status: bytes) -> list[Said]:
        """The reading is over; this stands in the status."""
        self.stream, self.answers[ASK] = b"", status
        return self.decoder.feed(END) + self.runs(3)


def test_whatever_runs_is_stopped_before_anything_else() -> None:
    bed = Bedside()
    bed.runs(10)
    assert bed.commands()[:2] == [STOP, ASK]


def test_at_rest_the_status_is_the_sign_of_life_and_its_old_result_nobodys() -> None:
    bed = Bedside()
    said = bed.runs(60)
    assert said.count(Notice("cuff at rest")) >= 12
    assert cuffs_of(said) == []
    assert DRIVER.silent_after_ms == 15_000


def test_an_ordered_cuff_is_adult_manual_start_a_second_apart_and_told_once() -> None:
    bed = Bedside()
    assert cuffs_of(bed.starts()) == []
    sent = [command for command in bed.commands() if command not in {STOP, ASK}]
    assert sent == [ADULT, MANUAL, MEASURE]
    assert cuffs_of(bed.ends(GOOD)) == [Cuff(142, 92, 109, 88)]
    assert cuffs_of(bed.runs(60)) == []
    assert bed.decoder.start_cuff() is None


def test_two_commands_are_never_less_than_a_second_apart() -> None:
    bed = Bedside()
    bed.starts()
    bed.ends(GOOD)
    bed.runs(30)
    times = [at_ms for at_ms, _ in bed.sent]
    assert min(after - before for before, after in pairwise(times)) >= 1_000


def test_while_it_measures_nothing_is_asked() -> None:
    bed = Bedside()
    bed.starts()
    bed.commands()
    said = bed.runs(30)
    assert bed.commands() == []
    assert Notice("cuff measuring") in said
    assert bed.decoder.start_cuff() == "a cuff reading has already been started"


def test_an_end_that_nobody_ordered_is_no_result() -> None:
    bed = Bedside()
    bed.runs(10)
    assert cuffs_of(bed.decoder.feed(encode_pressure(60)) + bed.ends(GOOD)) == []


def test_an_end_of_a_reading_that_was_stopped_is_no_result() -> None:
    bed = Bedside()
    bed.starts()
    bed.decoder.cancel_cuff()
    assert whys(bed.ends(GOOD)) == ["cancelled from here"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (encode_status(state=2, message=6), "loose"),
        (encode_status(142, 92, 109, 88, state=2, message=11), "movement"),
        (encode_status(142, 92, 109, 88, state=1, message=7), "leaks"),
        (encode_status(142, 92, 109, 88, message=42), "code 42"),
        (encode_status(142, 92, 109, 88, state=4), "no pressures"),
        (encode_status(142, None, 109, 88), "no pressures"),
        (encode_status(142, 92, 142, 88), "fit together"),
        (encode_status(92, 142, 109, 88), "fit together"),
    ],
)
def test_a_reading_without_a_good_end_has_no_numbers_and_says_why(status: bytes, why: str) -> None:
    bed = Bedside()
    bed.starts()
    (told,) = cuffs_of(bed.ends(status))
    assert (told.systolic, told.diastolic, told.quality) == (None, None, Quality.INVALID)
    assert why in str(told.why)


def test_after_a_failure_the_arm_rests_for_a_minute() -> None:
    bed = Bedside()
    bed.starts()
    bed.ends(encode_status(state=2, message=6))
    bed.commands()
    assert str(bed.decoder.start_cuff()).startswith("the arm must rest after a failed reading: ")
    bed.runs(61)
    assert bed.decoder.start_cuff() is None


def test_a_module_that_is_still_busy_is_asked_again() -> None:
    bed = Bedside()
    bed.starts()
    said = bed.ends(encode_status(state=3))
    bed.answers[ASK] = GOOD
    assert cuffs_of(said + bed.runs(3)) == [Cuff(142, 92, 109, 88)]


def test_a_result_that_does_not_come_is_asked_for_three_times() -> None:
    bed = Bedside()
    bed.starts()
    bed.commands()
    assert whys(bed.ends(b"") + bed.runs(12)) == ["the module gave no result"]
    assert bed.commands()[:3] == [ASK, ASK, ASK]


def test_a_cuff_that_does_not_start_is_stopped_after_twenty_seconds() -> None:
    bed = Bedside()
    bed.runs(8)
    bed.decoder.start_cuff()
    assert cuffs_of(bed.runs(19)) == []
    bed.commands()
    assert whys(bed.runs(2)) == ["the cuff did not start: stopped"]
    assert STOP in bed.commands()


def test_a_cuff_without_an_end_is_stopped_after_150_seconds() -> None:
    bed = Bedside()
    bed.starts()
    assert cuffs_of(bed.runs(143)) == []
    assert whys(bed.runs(2)) == ["no cuff result within 150 s: stopped"]
    assert STOP in bed.commands()


def test_a_cuff_is_stopped_at_once_at_any_moment() -> None:
    for after_s in (0.0, 0.1, 1.5, 3.0, 15.0):
        bed = Bedside()
        bed.runs(8)
        bed.decoder.start_cuff()
        bed.runs(after_s)
        bed.commands()
        bed.decoder.cancel_cuff()
        assert whys(bed.runs(0.1)) == ["cancelled from here"]
        assert bed.commands()[:1] == [STOP]
        assert bed.decoder.start_cuff() is None


def test_a_stop_is_taken_while_nothing_runs() -> None:
    bed = Bedside()
    bed.runs(8)
    bed.commands()
    bed.decoder.cancel_cuff()
    assert cuffs_of(bed.runs(1)) == []
    assert bed.commands()[:1] == [STOP]


def test_a_line_that_is_lost_ends_the_reading_and_the_next_begins_with_a_stop() -> None:
    bed = Bedside()
    bed.starts()
    assert whys(bed.decoder.close()) == ["the line to the cuff was lost while it was measuring"]
    bed.commands()
    bed.stream = b""
    assert cuffs_of(bed.runs(5)) == []
    assert bed.commands()[0] == STOP


def test_a_capture_tells_each_result_once_and_again_behind_another_measurement() -> None:
    capture = GOOD + GOOD + encode_pressure(120) + END + GOOD
    assert cuffs_of(Decoder().feed(capture)) == [Cuff(142, 92, 109, 88)] * 2


def test_the_board_with_an_oximeter_speaks_otherwise_and_measures_more() -> None:
    options = {"board": "combo", "baud": 19200}
    decoder = DRIVER.decoder(options)
    decoder.tick(0)
    assert decoder.to_send() == STOP
    decoder.tick(1_000)
    assert decoder.to_send() == encode_command("18", "combo") == b"\xfd18;;DF\xfe"
    assert line_of(DRIVER, options).baud == 19200
    assert Vital.SPO2 in vitals_of(DRIVER, options)
    assert Vital.SPO2 not in vitals_of(DRIVER, {})


@pytest.mark.parametrize(
    ("options", "says"),
    [({"board": "big"}, "nibp, combo"), ({"checksum": "off"}, "strict"), ({"colour": 1}, "has no option")],
)
def test_an_option_that_is_wrong_says_what_would_be_right(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DRIVER.decoder(options)


# The simulated module.


@pytest.mark.parametrize("board", ["nibp", "combo"])
def test_an_oximeter_tells_its_second_while_the_cuff_measures(board: str) -> None:
    twin, host = Twin(Patient(Story(name="quiet", drug="none"), 4), 4, {"board": board}), Decoder(board)
    beside(twin, host, 0, 8_000)
    assert host.start_cuff() is None
    heard = [one for _, one in beside(twin, host, 8_000, 108_000)]
    assert cuffs_of(heard)
    spo2 = [one for one in heard if isinstance(one, Sample) and one.vital is Vital.SPO2]
    assert len(spo2) == (100 if board == "combo" else 0)


def test_without_a_finger_the_simulated_oximeter_has_no_numbers() -> None:
    patient = Patient(Story(name="q", drug="none", probe=(Probe(state="off", at_min=0, for_s=60),)), 4)
    said = [one for _, one in beside(Twin(patient, 4, {"board": "combo"}), Decoder("combo"), 0, 30_000)]
    samples = [one for one in said if isinstance(one, Sample)]
    assert samples
    assert {one.quality for one in samples} == {Quality.MISSING}
