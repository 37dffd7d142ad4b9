"""The IntelliVue as its host sees it: an association, polls, and a session that begins again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from monitor.devices.codecs.intellivue import (
    DRIVER,
    Decoder,
    encode_abort,
    encode_association_accept,
    encode_error,
    encode_mds_create_result,
    encode_refuse,
    encode_release_request,
)
from monitor.devices.codecs.intellivue.association import Association, Step, timeout_ms
from monitor.devices.codecs.intellivue.export import Kind, Message, Poll
from monitor.model import Notice, Sample
from tests.devices.intellivue import (
    HR,
    PER_MIN,
    PERCENT,
    SPO2,
    Bedside,
    created,
    messages_of,
    number,
    result,
)


def steps_of(sent: Sequence[Association | Message | None]) -> list[Step]:
    return [one.step for one in sent if isinstance(one, Association)]


def polls_of(sent: Sequence[Association | Message | None], kind: Kind = Kind.NUMERICS) -> list[Poll]:
    return [one for one in sent if isinstance(one, Poll) and one.kind == kind]


def test_nothing_is_sent_before_there_is_time_and_nothing_answered_from_a_capture() -> None:
    decoder = Decoder()
    decoder.feed(encode_association_accept() + created() + result(number(HR, PER_MIN, 72)))
    assert decoder.to_send() == b""


def test_a_session_is_opened_and_the_monitor_is_asked_every_second() -> None:
    bed = Bedside()
    bed.connects()
    sent = bed.waits(0.1)
    assert len(polls_of(sent)) == len(polls_of(sent, Kind.ALARMS)) == 1
    for second in range(10):
        sent += bed.waits(1)
        bed.decoder.feed(result(number(HR, PER_MIN, 72), seconds=second))
    assert sent[0] == messages_of(encode_mds_create_result(1))[0]
    assert len(polls_of(sent)) == 1 + 10
    assert len(polls_of(sent, Kind.ALARMS)) == 1 + 5
    assert steps_of(sent) == []
    numbers = [one.invoke_id for one in sent if isinstance(one, Poll)]
    assert len(set(numbers)) == len(numbers)


def test_the_request_is_repeated_until_somebody_plugs_the_monitor_in() -> None:
    bed = Bedside()
    assert steps_of(bed.waits(10)) == [Step.REQUEST] * 5
    assert steps_of(bed.waits(1.5)) == [Step.ABORT, Step.REQUEST]


def test_a_refusal_is_answered_by_an_abort_and_a_new_request() -> None:
    bed = Bedside()
    bed.waits(0.1)
    assert bed.decoder.feed(encode_refuse()) == [
        Notice("the monitor refuses the connection: does another computer read it?")
    ]
    assert steps_of(bed.waits(2)) == [Step.ABORT, Step.REQUEST]


def test_the_refusal_of_a_request_that_was_repeated_in_vain_ends_nothing() -> None:
    bed = Bedside()
    bed.connects()
    assert bed.decoder.feed(encode_refuse()) == []
    assert polls_of(bed.waits(1))


def test_a_monitor_that_accepts_and_then_says_nothing_is_left() -> None:
    bed = Bedside()
    bed.waits(0.1)
    bed.decoder.feed(encode_association_accept())
    assert bed.waits(9.5) == []
    assert steps_of(bed.waits(2)) == [Step.ABORT, Step.REQUEST]


def test_a_create_event_whose_accept_was_damaged_opens_the_session_all_the_same() -> None:
    bed = Bedside()
    bed.waits(0.1)
    bed.decoder.feed(created())
    assert polls_of(bed.waits(1))


def test_five_seconds_without_an_answer_begin_a_new_session() -> None:
    bed = Bedside()
    bed.connects()
    assert steps_of(bed.waits(5)) == []
    assert steps_of(bed.waits(2)) == [Step.ABORT, Step.REQUEST]


def test_results_of_an_old_association_are_read_and_it_is_ended() -> None:
    bed = Bedside()
    bed.waits(0.1)
    said = bed.decoder.feed(result(number(SPO2, PERCENT, 97)))
    assert [one.value for one in said if isinstance(one, Sample)] == [97]
    assert steps_of(bed.waits(3.5)) == [Step.ABORT, Step.REQUEST]


@pytest.mark.parametrize(
    ("word", "answers"),
    [(encode_abort(), [Step.REQUEST]), (encode_release_request(), [Step.RELEASED, Step.REQUEST])],
)
def test_a_session_that_the_monitor_ends_is_opened_again(word: bytes, answers: list[Step]) -> None:
    bed = Bedside()
    bed.connects()
    bed.waits(1)
    assert bed.decoder.feed(word) == [Notice("the monitor ended the connection")]
    assert steps_of(bed.waits(2)) == answers


def test_a_line_that_was_lost_begins_anew_at_once() -> None:
    bed = Bedside()
    bed.connects()
    bed.waits(3)
    bed.decoder.close()
    bed.now_ms += 60_000
    assert steps_of(bed.waits(0.1)) == [Step.REQUEST]


def test_a_host_that_leaves_releases_the_monitor_or_aborts_what_it_may_not_have_accepted() -> None:
    bed = Bedside()
    assert bed.decoder.farewell() == ()
    bed.waits(1)
    assert bed.decoder.farewell() == (encode_abort(),)
    bed = Bedside()
    bed.waits(0.1)
    bed.decoder.feed(encode_association_accept())
    assert bed.decoder.farewell() == (encode_release_request(),)
    bed = Bedside()
    bed.connects()
    bed.waits(3)
    assert bed.decoder.farewell() == (encode_release_request(),)
    assert bed.decoder.farewell() == ()


def test_a_cable_that_echoes_answers_nothing() -> None:
    bed = Bedside()
    for _ in range(30):
        bed.decoder.tick(bed.now_ms)
        assert bed.decoder.feed(bed.decoder.to_send()) == []
        bed.now_ms += 1_000
    bed = Bedside()
    bed.connects()
    for _ in range(4):
        bed.decoder.tick(bed.now_ms)
        assert bed.decoder.feed(bed.decoder.to_send()) == []
        bed.now_ms += 1_000
    assert Step.ABORT in steps_of(bed.waits(3))


def test_extended_results_come_by_themselves_and_the_request_is_renewed() -> None:
    bed = Bedside(poll="extended", alarms=False)
    bed.connects()
    polls = []
    for second in range(20):
        polls += polls_of(bed.waits(1))
        bed.decoder.feed(result(number(HR, PER_MIN, 72), seconds=second, sequence=second))
    assert [poll.period for poll in polls] == [480_000] * 5


def test_a_monitor_without_extended_polls_is_asked_every_second() -> None:
    bed = Bedside(poll="extended", alarms=False)
    bed.connects()
    bed.waits(0.5)
    assert bed.decoder.feed(encode_error(1, 9)) == [Notice("the monitor refuses to answer (error 9)")]
    assert [poll.period for poll in polls_of(bed.waits(0.1))] == [None]
    assert [poll.period for poll in polls_of(bed.waits(3))] == [None] * 3


def test_a_monitor_that_does_not_tell_its_alarms_is_not_asked_again() -> None:
    bed = Bedside()
    bed.connects()
    (asked,) = polls_of(bed.waits(0.1), Kind.ALARMS)
    assert bed.decoder.feed(encode_error(asked.invoke_id, 0)) == [
        Notice("the monitor does not tell its own alarms (error 0)")
    ]
    assert polls_of(bed.waits(4), Kind.ALARMS) == []


def test_a_monitor_that_grants_a_poll_every_two_seconds_is_not_asked_more_often() -> None:
    bed = Bedside(alarms=False)
    bed.waits(0.1)
    bed.decoder.feed(encode_association_accept(poll_period=16_000) + created())
    assert len(polls_of(bed.waits(0.1))) == 1
    assert len(polls_of(bed.waits(4))) == 2


@pytest.mark.parametrize(
    ("period_s", "timeout_s"), [(0.5, 10), (1, 10), (3.3, 10), (10, 30), (43, 129), (60, 130)]
)
def test_the_monitors_patience_follows_the_poll_period(period_s: float, timeout_s: int) -> None:
    assert timeout_ms(round(8000 * period_s)) == timeout_s * 1000


def test_a_cuff_cannot_be_started_from_here() -> None:
    decoder = Decoder()
    assert decoder.start_cuff() == "a cuff cannot be started over data export: start it at the monitor"
    decoder.cancel_cuff()
    assert decoder.to_send() == b""
    assert not DRIVER.starts_cuff


@pytest.mark.parametrize(
    ("options", "words"),
    [({"poll": "often"}, 'poll is "single" or "extended"'), ({"alarms": "no"}, "alarms is true or false")],
)
def test_a_bad_option_is_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DRIVER.decoder(options)
