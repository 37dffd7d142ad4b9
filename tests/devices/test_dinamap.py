"""The DINAMAP as its host sees it: one question at a time, one cuff reading a measurement."""

from __future__ import annotations

from collections.abc import Callable

from monitor.devices.codecs.dinamap import (
    DRIVER,
    NIBP,
    OXIMETER,
    RATE,
    RATE_FROM_CUFF,
    TEMPERATURE,
    Decoder,
    encode_nibp,
    encode_oximeter,
    encode_question,
    encode_rate,
    encode_temperature,
)
from monitor.model import Cuff, Fault, Notice, Quality, Said, Sample, Vital

QUIET = {
    encode_question(NIBP): encode_nibp(600, 120, 70, 87),
    encode_question(OXIMETER): encode_oximeter(97),
    encode_question(RATE): encode_rate(72),
    encode_question(TEMPERATURE): encode_temperature(12, 37.0),
}


class Bedside:
    """A decoder on its cable and a monitor that answers from a table; time goes on when it is told to."""

    def __init__(self) -> None:
        """Everything is quiet: an old pressure, a saturation, a pulse."""
        self.decoder = Decoder()
        self.answers: dict[bytes, bytes | Callable[[], bytes]] = dict(QUIET)
        self.asked: list[bytes] = []
        self.now_ms = 1_000_000

    def runs(self, seconds: float) -> list[Said]:
        """Let time pass in tenths of a second; everything that is said meanwhile."""
        said: list[Said] = []
        for _ in range(round(seconds * 10)):
            self.decoder.tick(self.now_ms)
            while question := self.decoder.to_send():
                self.asked.append(question)
                answer = self.answers.get(question, b"")
                answer = answer() if callable(answer) else answer
                said += self.decoder.feed(answer)
                self.decoder.tick(self.now_ms)
            self.now_ms += 100
        return said


def _cuffs(said: list[Said]) -> list[Cuff]:
    return [one for one in said if isinstance(one, Cuff)]


def _faults(said: list[Said]) -> list[str]:
    return [one.reason for one in said if isinstance(one, Fault)]


def test_each_parameter_is_asked_for_once_a_second() -> None:
    bed = Bedside()
    said = bed.runs(5)
    assert bed.asked == [b" NA!2\r", b" OA!3\r", b" RA!6\r", b" TC!:\r"] * 5
    assert sum(isinstance(one, Sample) and one.vital is Vital.SPO2 for one in said) == 5


def test_the_next_question_waits_for_the_answer() -> None:
    decoder = Decoder()
    decoder.tick(0)
    assert decoder.to_send() == b" NA!2\r"
    assert decoder.to_send() == b""
    decoder.feed(encode_nibp(60, 120, 70, 87)[:10])
    assert decoder.to_send() == b""
    decoder.feed(encode_nibp(60, 120, 70, 87)[10:])
    assert decoder.to_send() == b" OA!3\r"


def test_one_measurement_is_one_reading_however_often_it_is_asked_for() -> None:
    bed = Bedside()
    age = iter(range(600, 700))
    bed.answers[encode_question(NIBP)] = lambda: encode_nibp(next(age), 120, 70, 87)
    assert _cuffs(bed.runs(30)) == [Cuff(120, 70, 87, age_ms=600_000)]


def test_the_numbers_of_a_running_cuff_are_never_published() -> None:
    bed = Bedside()
    bed.runs(2)
    bed.answers[encode_question(NIBP)] = encode_nibp(602, 120, 70, 87, status=0)
    said = bed.runs(30)
    assert _cuffs(said) == []
    assert Notice("cuff measuring") in said
    bed.answers[encode_question(NIBP)] = encode_nibp(0, 152, 94, 113)
    assert _cuffs(bed.runs(2)) == [Cuff(152, 94, 113, age_ms=0)]


def test_two_measurements_with_the_same_numbers_are_two() -> None:
    bed = Bedside()
    bed.answers[encode_question(NIBP)] = encode_nibp(40, 120, 70, 87)
    bed.runs(2)
    bed.answers[encode_question(NIBP)] = encode_nibp(1, 120, 70, 87)
    assert _cuffs(bed.runs(1)) == [Cuff(120, 70, 87, age_ms=1_000)]


def test_a_measurement_during_a_lost_line_is_noticed_though_its_age_is_larger() -> None:
    bed = Bedside()
    bed.answers[encode_question(NIBP)] = encode_nibp(300, 120, 70, 87)
    bed.runs(1)
    bed.decoder.close()
    bed.now_ms += 600_000
    bed.answers[encode_question(NIBP)] = encode_nibp(400, 120, 70, 87)
    assert _cuffs(bed.runs(1)) == [Cuff(120, 70, 87, age_ms=400_000)]


def test_a_lost_line_does_not_tell_the_last_measurement_again() -> None:
    bed = Bedside()
    bed.answers[encode_question(NIBP)] = encode_nibp(300, 120, 70, 87)
    bed.runs(1)
    bed.decoder.close()
    bed.now_ms += 60_000
    bed.answers[encode_question(NIBP)] = encode_nibp(361, 120, 70, 87)
    assert _cuffs(bed.runs(1)) == []


def test_staff_start_a_cuff_and_get_its_result() -> None:
    bed = Bedside()
    bed.runs(1)
    assert bed.decoder.start_cuff() is None
    assert bed.decoder.start_cuff() == "a cuff reading has already been started"
    bed.answers[b" NC0!E\r"] = encode_question(b" NC")
    bed.runs(0.1)
    assert bed.asked[4] == b" NC0!E\r"
    bed.answers[encode_question(NIBP)] = encode_nibp(605, 120, 70, 87, status=0)
    bed.runs(20)
    assert bed.decoder.start_cuff() == "the cuff is already measuring"
    bed.answers[encode_question(NIBP)] = encode_nibp(0, 138, 84, 102)
    assert _cuffs(bed.runs(2)) == [Cuff(138, 84, 102)]
    assert bed.decoder.start_cuff() is None


def test_any_single_line_answers_the_start_of_a_cuff() -> None:
    bed = Bedside()
    bed.answers[b" NC0!E\r"] = b" some words nobody has published\r"
    bed.decoder.start_cuff()
    said = bed.runs(2)
    assert _faults(said) == []
    assert bed.asked[:3] == [b" NC0!E\r", b" NA!2\r", b" OA!3\r"]


def test_a_start_that_is_not_answered_is_not_sent_twice() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.decoder.start_cuff()
    bed.runs(10)
    assert bed.asked.count(b" NC0!E\r") == 1


def test_a_cuff_without_a_result_is_given_up_after_three_minutes() -> None:
    bed = Bedside()
    bed.answers[b" NC0!E\r"] = encode_question(b" NC")
    bed.answers[b" ND!5\r"] = encode_question(b" ND")
    bed.runs(1)
    bed.decoder.start_cuff()
    bed.answers[encode_question(NIBP)] = encode_nibp(600, 120, 70, 87, status=0)
    assert _cuffs(bed.runs(178)) == []
    said = _cuffs(bed.runs(4))
    assert [(one.systolic, one.quality) for one in said] == [(None, Quality.INVALID)]
    assert said[0].why == "no cuff result within 180 s: cancelled"
    assert b" ND!5\r" in bed.asked


def test_a_cuff_can_always_be_cancelled() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.decoder.start_cuff()
    bed.decoder.cancel_cuff()
    bed.answers[b" ND!5\r"] = encode_question(b" ND")
    bed.runs(1)
    assert b" NC0!E\r" not in bed.asked
    assert bed.asked[4] == b" ND!5\r"


def test_a_failed_cuff_is_told_once_with_its_reason() -> None:
    bed = Bedside()
    bed.runs(1)
    for status, why in (
        (3, "failed"),
        (4, "pumped up"),
        (6, "too long"),
        (7, "one pressure"),
        (8, "too much air"),
    ):
        bed.answers[encode_question(NIBP)] = encode_nibp(610, 120, 70, 87, status=0)
        bed.runs(2)
        bed.answers[encode_question(NIBP)] = encode_nibp(612, 120, 70, 87, status=status)
        (told,) = _cuffs(bed.runs(5))
        assert told.systolic is None
        assert told.quality is Quality.INVALID
        assert told.why is not None
        assert why in told.why


def test_a_failure_from_before_we_came_is_not_told_as_new() -> None:
    bed = Bedside()
    bed.answers[encode_question(NIBP)] = encode_nibp(612, 120, 70, 87, status=3)
    assert _cuffs(bed.runs(5)) == []


def test_a_refusal_is_flushed_and_the_question_asked_once_more() -> None:
    bed = Bedside()
    bed.answers[encode_question(OXIMETER)] = b" *NAK??\r and half an answ"
    said = bed.runs(1)
    assert bed.asked == [b" NA!2\r", b" OA!3\r", b" OA!3\r", b" RA!6\r", b" TC!:\r"]
    assert _faults(said) == ["not an answer", "flushed before asking again"] * 2
    bed.answers[encode_question(OXIMETER)] = encode_oximeter(96)
    assert Sample(Vital.SPO2, 96) in bed.runs(1)


def test_an_answer_to_another_question_is_a_refusal() -> None:
    bed = Bedside()
    bed.answers[encode_question(OXIMETER)] = encode_rate(190)
    said = bed.runs(0.9)
    assert "an answer to another question" in _faults(said)
    assert Sample(Vital.PULSE_SPO2, 190) not in said


def test_a_backlog_after_a_broken_line_is_never_live() -> None:
    bed = Bedside()
    bed.runs(1)
    said = bed.decoder.feed(encode_oximeter(84) * 60)
    assert [one for one in said if isinstance(one, Sample)] == []
    assert _faults(said) == ["an answer nobody asked for"] * 60


def test_silence_is_three_questions_of_three_seconds() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.answers.clear()
    bed.asked.clear()
    bed.runs(9.5)
    assert len(bed.asked) == 4
    assert DRIVER.silent_after_ms == 9_000
    bed.answers = dict(QUIET)
    assert Sample(Vital.SPO2, 97) in bed.runs(5)


def test_half_an_answer_is_dropped_and_counted_when_its_time_is_over() -> None:
    bed = Bedside()
    bed.runs(1)
    bed.answers[encode_question(NIBP)] = encode_nibp(600, 120, 70, 87)[:9]
    assert Fault("an answer that never ended", 9) in bed.runs(5)


def test_the_decoder_says_when_it_wants_to_be_called() -> None:
    decoder = Decoder()
    decoder.tick(5_000)
    assert decoder.due_ms() == 5_000
    assert decoder.to_send() == encode_question(NIBP)
    decoder.tick(5_010)
    assert decoder.due_ms() == 6_010  # the first question only asks whether there is a monitor
    decoder.feed(QUIET[encode_question(NIBP)])
    for question in (OXIMETER, RATE, TEMPERATURE):
        assert decoder.to_send() == encode_question(question)
        decoder.tick(5_020)
        decoder.feed(QUIET[encode_question(question)])
    assert decoder.to_send() == b""
    assert decoder.due_ms() == 6_000


def test_a_wrong_checksum_is_dropped_or_read_as_the_clinic_has_chosen() -> None:
    wrong = encode_oximeter(97)[:-3] + b"!!\r"
    assert DRIVER.decoder({}).feed(wrong) == [Fault("wrong checksum", 12)]
    assert DRIVER.decoder({"checksum": "warn"}).feed(wrong) == [
        Fault("wrong checksum, read all the same", 0),
        Sample(Vital.SPO2, 97.0),
    ]


def test_no_rate_is_not_a_rate_of_nought() -> None:
    for body in (b" RA2000", b" RA2-99"):
        answer = body + _sum(body) + b"\r"
        assert Decoder().feed(answer) == [Sample(Vital.PULSE_SPO2, None, Quality.MISSING, "no reading")]


def test_the_rate_of_the_cuff_is_told_once_while_it_is_new() -> None:
    bed = Bedside()
    bed.answers[encode_question(RATE)] = encode_rate(88, source=RATE_FROM_CUFF)
    told = [one for one in bed.runs(5) if isinstance(one, Sample) and one.vital is Vital.PULSE_NIBP]
    assert told == []  # the pressures are ten minutes old, and so is the rate
    bed.answers[encode_question(NIBP)] = encode_nibp(1, 130, 80, 97)
    told = [one for one in bed.runs(5) if isinstance(one, Sample) and one.vital is Vital.PULSE_NIBP]
    assert told == [Sample(Vital.PULSE_NIBP, 88)]


def _temperatures(said: list[Said]) -> list[Sample]:
    return [one for one in said if isinstance(one, Sample) and one.vital is Vital.TEMPERATURE]


def test_one_temperature_is_told_once_with_its_age() -> None:
    bed = Bedside()
    age = iter(range(12, 100))
    bed.answers[encode_question(TEMPERATURE)] = lambda: encode_temperature(next(age), 37.0)
    assert _temperatures(bed.runs(30)) == [Sample(Vital.TEMPERATURE, 37.0, age_ms=12_000)]
    bed.answers[encode_question(TEMPERATURE)] = encode_temperature(1, 38.6, counter='"')
    assert _temperatures(bed.runs(5)) == [Sample(Vital.TEMPERATURE, 38.61, age_ms=1_000)]


def test_the_unit_a_monitor_shows_changes_no_temperature() -> None:
    shown_in_f = encode_temperature(12, 37.0, shown_in_c=False)
    assert _temperatures(Decoder().feed(shown_in_f)) == [Sample(Vital.TEMPERATURE, 37.0, age_ms=12_000)]


def test_a_temperature_older_than_a_quarter_of_an_hour_is_history() -> None:
    assert [one.late for one in _temperatures(Decoder().feed(encode_temperature(900, 37.0)))] == [False]
    assert [one.late for one in _temperatures(Decoder().feed(encode_temperature(901, 37.0)))] == [True]
    assert _temperatures(Decoder().feed(encode_temperature(99_999, 37.0))) == []


def test_a_thermometer_that_goes_on_measuring_is_told_at_every_answer() -> None:
    bed = Bedside()
    body = b" TC01!0001209861"
    bed.answers[encode_question(TEMPERATURE)] = body + _sum(body) + b"\r"
    assert len(_temperatures(bed.runs(5))) == 5


def test_the_number_of_a_running_or_a_failed_temperature_is_never_published() -> None:
    bed = Bedside()
    bed.runs(2)
    for status, why in ((1, None), (2, "too long"), (3, "without contact"), (4, "unplugged")):
        body = b" TC%d0!0001209861" % status
        bed.answers[encode_question(TEMPERATURE)] = body + _sum(body) + b"\r"
        told = _temperatures(bed.runs(5))
        assert [one.value for one in told] == ([] if why is None else [None])
        assert all(why in (one.why or "") for one in told if why)


def test_a_monitor_without_a_thermometer_does_not_keep_the_other_questions_waiting() -> None:
    bed = Bedside()
    del bed.answers[encode_question(TEMPERATURE)]
    bed.runs(20)
    bed.asked.clear()
    bed.runs(5)
    assert bed.asked == [b" NA!2\r", b" OA!3\r", b" RA!6\r"] * 5


def test_a_silent_line_does_not_tell_that_there_is_no_thermometer() -> None:
    bed = Bedside()
    bed.runs(2)
    bed.answers.clear()
    bed.runs(120)
    bed.answers = dict(QUIET)
    bed.runs(10)
    bed.asked.clear()
    bed.runs(2)
    assert b" TC!:\r" in bed.asked


def _sum(body: bytes) -> bytes:
    from monitor.devices.codecs.dinamap import checksum

    return checksum(body)
