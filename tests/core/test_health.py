"""The life of a link, and the words it is told in."""

from __future__ import annotations

import random

from monitor.devices.codecs import DRIVERS, dinamap, masimo_ascii1, nellcor_ascii
from monitor.devices.health import Health, Move
from monitor.model import Fault, LinkState, Notice, Said, Sample, Vital

CONNECTING, UP, SILENT, DOWN = LinkState.CONNECTING, LinkState.UP, LinkState.SILENT, LinkState.DOWN
READING: list[Said] = [Sample(Vital.SPO2, 97)]
NOISE: list[Said] = [Fault("not a Masimo line", 40)]
MASIMO = masimo_ascii1.encode("11/22/26 10:00:07", 97, 72, 3)


def _health(name: str = "masimo-ascii1", seed: int = 1) -> Health:
    return Health(DRIVERS[name], random.Random(seed).random, 0)  # noqa: S311  jitter is no secret


def test_a_link_is_up_when_a_reading_is_understood_and_not_before() -> None:
    health = _health()
    assert health.may_open(0)
    assert [move.now for move in health.opened(10)] == [CONNECTING]
    assert not health.may_open(10)
    assert health.heard(20, b"11/22", []) == []
    assert health.heard(30, MASIMO, READING) == [
        Move(CONNECTING, UP, "readings arrive", 30),
    ]
    assert health.heard(1_030, MASIMO, READING) == []


def test_a_silence_is_told_with_the_last_thing_heard() -> None:
    health = _health()
    health.opened(0)
    health.heard(1_000, MASIMO, READING)
    assert health.due_ms() == 3_500
    assert health.tick(3_499) == []
    (move,) = health.tick(3_500)
    assert (move.was, move.now, move.since_ms) == (UP, SILENT, 1_000)
    assert move.why == f"nothing arrives: {masimo_ascii1.DRIVER.hint}"
    assert health.due_ms() is None
    assert health.tick(60_000) == []
    assert [move.now for move in health.heard(61_000, MASIMO, READING)] == [UP]


def test_bytes_that_nobody_understands_do_not_keep_a_link_up() -> None:
    health = _health()
    health.opened(0)
    health.heard(0, MASIMO, READING)
    for at_ms in range(500, 2_500, 500):
        assert health.heard(at_ms, b"\x80\xfe\x00\x12" * 20, NOISE) == []
    (move,) = health.tick(2_500)
    assert move.now is SILENT
    assert move.why == "bytes arrive but nothing can be read: check baud rate and the monitor's serial mode"


def test_the_wrong_driver_on_a_port_is_named() -> None:
    nellcor = nellcor_ascii.encode("22-Nov-26 10:00:07", 97, 72, 20)
    for name, wire, why in (
        ("masimo-ascii1", nellcor * 3, "this looks like a Nellcor printout, not Masimo ASCII 1"),
        ("nellcor-ascii", MASIMO, "this looks like a Masimo ASCII 1, not Nellcor printout"),
        (
            "nellcor-ascii",
            dinamap.encode_rate(72) * 2,
            "this looks like a GE DINAMAP host communications, not Nellcor printout",
        ),
    ):
        health = _health(name)
        health.opened(0)
        health.heard(100, wire, [Fault("not a line", len(wire))])
        (move,) = health.tick(20_000)
        assert (move.now, move.why) == (SILENT, why)


def test_a_damaged_line_of_the_right_device_points_at_the_cable() -> None:
    health = _health()
    health.opened(0)
    health.heard(100, MASIMO.replace(b"EXC", b"E\x00C"), NOISE)
    assert health.tick(20_000)[0].why == "readings arrive damaged: check the cable"


def test_a_line_that_breaks_in_the_middle_of_a_frame_is_silent_and_not_damaged() -> None:
    health = _health()
    health.opened(0)
    health.heard(1_000, MASIMO, READING)
    health.heard(2_000, MASIMO[:40], [])
    (move,) = health.tick(3_500)
    assert move.why == f"nothing arrives: {masimo_ascii1.DRIVER.hint}"


def test_damaged_frames_to_the_end_are_no_silence() -> None:
    health = _health()
    health.opened(0)
    health.heard(1_000, MASIMO, READING)
    for at_ms in (2_000, 3_000, 4_000, 5_000):
        health.heard(at_ms, MASIMO.replace(b"EXC", b"E\x00C"), NOISE)
        health.tick(at_ms + 500)
    assert (health.state, health.why) == (SILENT, "readings arrive damaged: check the cable")


def test_a_source_whose_messages_say_nothing_has_no_baud_rate() -> None:
    health = _health("mqtt-native")
    health.opened(0)
    health.heard(14_000, b"{}", [Fault("not vs-numeric/1", 2)])
    assert health.unread(16_000)
    assert health.tick(16_000)[0].why == "messages arrive, but they hold nothing that is read here"


def test_the_last_word_of_a_source_that_has_gone_is_not_what_keeps_it_silent() -> None:
    health = _health("mqtt-native")
    health.opened(0)
    health.heard(1_000, b"{...}", READING)
    health.heard(2_000, b"{", [Fault("not JSON", 1)])
    assert health.unread(3_000)
    assert not health.unread(16_000)
    assert health.tick(16_000)[0].why.startswith("nothing arrives: ")


def test_the_reason_of_a_silence_is_told_better_once_it_is_known() -> None:
    health = _health()
    health.opened(0)
    (silent,) = health.tick(2_500)
    health.heard(3_000, nellcor_ascii.encode("22-Nov-26 10:00:07", 97, 72, 20), NOISE)
    (renamed,) = health.tick(3_100)
    assert (renamed.was, renamed.now, renamed.since_ms) == (SILENT, SILENT, silent.since_ms)
    assert "Nellcor" in renamed.why
    assert health.tick(3_200) == []


def test_a_pulled_cable_is_down_at_once_with_its_reason() -> None:
    health = _health()
    health.opened(0)
    health.heard(1_000, MASIMO, READING)
    assert health.closed(1_400, "the port has gone") == [Move(UP, DOWN, "the port has gone", 1_400)]
    assert not health.may_open(1_400)


def test_a_port_that_opens_again_does_not_make_the_loss_any_younger() -> None:
    health = _health()
    health.opened(0)
    health.heard(1_000, MASIMO, READING)
    health.closed(1_400, "gone")
    assert health.refused(3_000, "no such port")[0].since_ms == 1_400
    assert health.refused(5_000, "no such port") == []
    assert health.opened(9_000)[0].since_ms == 1_400
    assert health.tick(20_000)[0].since_ms == 1_400


def test_tries_come_quickly_at_first_then_seldom_and_never_in_step() -> None:
    def waits(seed: int) -> list[int]:
        health, now_ms, waited = _health(seed=seed), 0, []
        for _ in range(8):
            health.refused(now_ms, "no such port")
            due_ms = health.due_ms()
            assert due_ms is not None
            assert not health.may_open(due_ms - 1)
            assert health.may_open(due_ms)
            waited.append(due_ms - now_ms)
            now_ms = due_ms
        return waited

    one, two = waits(1), waits(2)
    assert one != two
    assert waits(1) == one
    for waited, plain_ms in zip(one, (1_000, 2_000, *[2_400] * 6), strict=True):
        assert 0.75 * plain_ms <= waited <= 1.25 * plain_ms


def test_no_wait_is_so_long_that_a_device_plugged_in_again_would_miss_its_five_seconds() -> None:
    health = Health(DRIVERS["masimo-ascii1"], lambda: 0.999, 0)
    for _ in range(20):
        health.refused(0, "no such port")
        due_ms = health.due_ms()
        assert due_ms is not None
        assert due_ms <= 5_000 - 1_000 - 1_000  # a second to open the port, and a second until it speaks


def test_a_link_that_is_cheap_to_try_is_tried_more_often() -> None:
    health = Health(DRIVERS["mqtt-native"], lambda: 0.5, 0, backoff_last_ms=500)
    for _ in range(4):
        health.refused(0, "the broker is down")
        assert health.due_ms() == 500


def test_a_link_that_has_been_up_is_tried_again_quickly() -> None:
    health = _health()
    for _ in range(6):
        health.refused(0, "no such port")
    health.opened(100_000)
    health.heard(100_100, MASIMO, READING)
    health.closed(200_000, "gone")
    due_ms = health.due_ms()
    assert due_ms is not None
    assert due_ms - 200_000 <= 1_250


def test_a_device_that_only_gives_notice_is_there() -> None:
    health = _health()
    health.opened(0)
    assert [move.now for move in health.heard(10, MASIMO, [Notice("no sensor connected")])] == [UP]


def test_a_bridge_that_says_its_device_has_gone_is_no_sign_of_life() -> None:
    health = _health("mqtt-native")
    health.opened(0)
    health.heard(10, b"{}", READING)
    assert health.heard(500, b"{}", [Notice("offline: will")]) == [
        Move(UP, SILENT, "the source says it is offline: will", 500)
    ]
    assert health.heard(600, b"{}", [Notice("offline: will")]) == []
    assert health.tick(60_000) == []
    assert [move.now for move in health.heard(61_000, b"{}", [Notice("online")])] == [UP]


def test_a_device_with_a_rhythm_of_its_own_is_silent_after_its_own_time() -> None:
    health = Health(DRIVERS["mqtt-native"], random.Random(1).random, 0, silent_after_ms=2_000_000)  # noqa: S311  jitter
    health.opened(0)
    health.heard(0, b"{}", READING)
    assert health.tick(1_999_999) == []
    assert [move.now for move in health.tick(2_000_000)] == [SILENT]
