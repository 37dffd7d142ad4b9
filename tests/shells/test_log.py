"""The service's log: what is said in it, what never is, and that it holds up nobody."""

from __future__ import annotations

import io
import threading

import structlog

from monitor.log import LAST_WORDS_S, WAITING_MAX, logging


class Stuck(io.StringIO):
    """A reader that has gone to sleep: nothing can be written until it is woken."""

    def __init__(self) -> None:
        """Asleep."""
        super().__init__()
        self.awake = threading.Event()

    def write(self, text: str) -> int:
        """Wait, as a full pipe does."""
        self.awake.wait()
        return super().write(text)


class Full(io.StringIO):
    """A disk without room."""

    def write(self, text: str) -> int:
        """Never."""
        raise OSError(28, "No space left on device", text[:0])


def test_an_event_is_one_line_with_its_time_and_its_words() -> None:
    out = io.StringIO()
    with logging(out):
        structlog.get_logger().warning("cuff refused", device="v100-1", why="it is measuring")
    [line] = out.getvalue().splitlines()
    assert "[warning" in line
    assert line.index("T") == 10  # an ISO time, in UTC
    assert "cuff refused" in line
    assert "why='it is measuring'" in line


def test_a_mistake_is_logged_with_its_place_and_without_the_values_there() -> None:
    out = io.StringIO()
    password = "correct horse"  # noqa: S105  made up, and searched for below
    with logging(out):
        try:
            dict[int, str]()[len(password)]
        except KeyError:
            structlog.get_logger().exception("a route has failed")
    said = out.getvalue()
    assert "Traceback (most recent call last)" in said
    assert "test_log.py" in said
    assert password not in said


def test_a_reader_that_sleeps_holds_up_nobody_and_costs_lines_only() -> None:
    out = Stuck()
    said = threading.Event()

    def speak() -> None:
        with logging(out):
            for number in range(WAITING_MAX + 1_000):
                structlog.get_logger().info("a line", number=number)
            said.set()

    speaking = threading.Thread(target=speak)
    speaking.start()
    assert said.wait(30)
    speaking.join(LAST_WORDS_S + 30)
    assert not speaking.is_alive()
    assert out.getvalue() == ""
    out.awake.set()


def test_a_disk_without_room_is_no_reason_to_stop() -> None:
    with logging(Full()):
        structlog.get_logger().error("journal not written")
