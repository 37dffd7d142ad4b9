"""The queue, the line and a receiver on a real socket that goes down, answers late, badly, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from monitor.clock import ManualClock
from monitor.config.settings import Ehr
from monitor.devices.links.link import LinkLost
from monitor.ehr.line import Line, NoAnswer
from monitor.ehr.opening import line_of
from monitor.ehr.sending import BACK_OFF_S, JITTER, TRIES_MAX, Sending
from monitor.records.hl7_out import Answer
from monitor.store.outgoing import New, Outgoing, State
from simulators.ehr import Choose, Receiver, always
from tests.shells.conftest import descriptors, dice, free_port, until
from tests.shells.databases import behind_its_back

pytestmark = pytest.mark.real

T0_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
QUICK_S = 0.2
"""How long an answer may take here: a test waits for it whenever none comes."""


class Clinic:
    """A queue on a disk and a line to a receiver, over a clock that stands until it is told to go on."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        """Nothing is open."""
        self.folder = folder
        self.receiver = receiver
        self.clock = ManualClock(T0_MS)
        self.made = 0

    async def start(self, answer_s: float = QUICK_S, tls: ssl.SSLContext | None = None) -> None:
        """As the service does."""
        self.queue = await Outgoing.open(f"sqlite:///{self.folder}/outgoing.sqlite3")
        self.line = Line("127.0.0.1", self.receiver.port, tls, connect_s=5.0, answer_s=answer_s)
        self.sending = Sending(self.queue, self.line, self.clock.now_ms, dice())

    async def kill(self) -> None:
        """As a power cut would: nothing is written any more, and nobody says goodbye."""
        self.line.hang_up()
        await self.queue.close()

    async def tells(self, count: int = 1) -> list[str]:
        """So many new messages in the queue; their MSH-10."""
        names = [f"M{self.made + n}" for n in range(count)]
        self.made += count
        await self.queue.put([message(name, self.clock.now_ms()) for name in names])
        return names

    async def turns(self) -> None:
        """Send whatever is due now."""
        while await self.sending.turn():
            pass

    async def waits(self, ms: int) -> None:
        """Let time pass, and send whatever falls due meanwhile."""
        until_ms = self.clock.now_ms() + ms
        while True:
            await self.turns()
            if self.clock.now_ms() >= until_ms:
                return
            due_ms = self.sending.not_before_ms or until_ms
            self.clock.advance(max(min(due_ms, until_ms) - self.clock.now_ms(), 1))

    async def states(self) -> Counter[str]:
        """How many messages wait and how many were put aside."""
        counts = await self.queue.counts()
        return Counter({"waiting": counts.waiting, "aside": counts.aside})


def message(name: str, at_ms: int) -> New:
    head = f"MSH|^~\\&|C||||20261122021500+0000||ORU^R01^ORU_R01|{name}|P|2.6"
    return New(name, 1, at_ms, f"{head}\rPID|||ä\rOBX|1\r")


@asynccontextmanager
async def clinic(
    folder: Path, choose: Choose | None = None, answer_s: float = QUICK_S
) -> AsyncIterator[Clinic]:
    receiver = Receiver(choose or always("AA"), late_s=QUICK_S * 3)
    await receiver.come_up()
    here = Clinic(folder, receiver)
    await here.start(answer_s)
    try:
        yield here
    finally:
        await here.line.close()
        await here.queue.close()
        await receiver.go_down()


async def test_messages_arrive_in_their_order_on_one_line(tmp_path: Path) -> None:
    async with clinic(tmp_path) as here:
        names = await here.tells(50)
        await here.turns()
        assert here.receiver.taken == names
        assert here.receiver.calls == 1
        assert here.receiver.heard[0] == message(names[0], T0_MS).body.encode()
        assert await here.states() == Counter()
        assert here.sending.health.ok


async def test_a_receiver_that_is_down_for_an_hour_loses_nothing(tmp_path: Path) -> None:
    async with clinic(tmp_path) as here:
        names = await here.tells(3)
        await here.turns()
        await here.receiver.go_down()
        began_ms = here.clock.now_ms()
        for _ in range(60):
            names += await here.tells(20)
            await here.waits(60_000)
        assert (await here.states())["waiting"] == 1_200
        health = here.sending.health
        assert not health.ok
        assert "refuses the connection" in health.why
        assert health.since_ms == began_ms
        await here.receiver.come_up()
        await here.waits(2 * 60_000)
        assert here.receiver.taken == names, "all of them, each once, in order"
        assert here.sending.health.ok
        assert await here.states() == Counter()


async def test_an_hour_without_anybody_is_not_an_hour_of_knocking(tmp_path: Path) -> None:
    receiver = Receiver()
    await receiver.come_up()
    await receiver.go_down()
    knocks: list[int] = []
    here = Clinic(tmp_path, receiver)
    await here.start()

    class Counted(Line):
        """A line that notes when it is used."""

        async def ask(self, message: bytes, control: str) -> Answer:
            knocks.append(here.clock.now_ms())
            return await super().ask(message, control)

    line = Counted("127.0.0.1", receiver.port)
    here.sending = Sending(here.queue, line, here.clock.now_ms, dice())
    await here.tells()
    await here.waits(HOUR_MS)
    gaps = [(after - before) / 1_000 for before, after in pairwise(knocks)]
    assert len(knocks) < 90
    for gap, usual in zip(gaps, [*BACK_OFF_S, *[BACK_OFF_S[-1]] * 100], strict=False):
        assert usual * (1 - JITTER) - 0.01 <= gap <= usual * (1 + JITTER) + 0.01
    assert len({round(gap, 2) for gap in gaps[6:]}) > 10, "not all the same: there is jitter"
    await here.queue.close()


@pytest.mark.parametrize("way", ["CA", "other", "twice", "drip"])
async def test_an_answer_in_an_odd_manner_is_an_answer(tmp_path: Path, way: str) -> None:
    async with clinic(tmp_path, always(way), answer_s=5.0) as here:
        names = await here.tells(5)
        await here.turns()
        assert here.receiver.taken == names
        assert await here.states() == Counter()


@pytest.mark.parametrize("way", ["silent", "late", "half", "noise", "unframed", "gone"])
async def test_what_gets_no_answer_is_sent_again_under_its_own_number(tmp_path: Path, way: str) -> None:
    async with clinic(tmp_path, lambda _, times: way if times == 1 else "AA") as here:
        names = await here.tells(3)
        await here.waits(60_000)
        heard = Counter(control for control in map(_control, here.receiver.heard))
        assert heard == Counter(dict.fromkeys(names, 2)), "at least once, always under the same number"
        assert here.receiver.taken[-1] == names[-1]
        assert [*dict.fromkeys(here.receiver.taken)] == names
        assert await here.states() == Counter()


def _control(block: bytes) -> str:
    return block.split(b"|")[9].decode()


async def test_a_late_answer_is_never_taken_for_that_of_the_next_message(tmp_path: Path) -> None:
    # M0 is answered after our patience is over; M1 is refused. The late AA of M0 must not count for M1.
    def choose(control: str, times: int) -> str:
        return "AE" if control == "M1" else "late" if times == 1 else "AA"

    async with clinic(tmp_path, choose) as here:
        await here.tells(2)
        await here.waits(60_000)
        (aside,) = await here.queue.aside()
        assert aside.control == "M1"
        assert (await here.states())["waiting"] == 0


async def test_an_error_in_a_message_puts_it_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with clinic(tmp_path, lambda control, _: "AE" if control == "M1" else "AA") as here:
        await here.tells(4)
        await here.turns()
        assert here.receiver.taken == ["M0", "M2", "M3"]
        (aside,) = await here.queue.aside()
        assert (aside.control, aside.state) == ("M1", State.REFUSED)
        assert aside.why == "AE: an error in the message"
        assert aside.body == message("M1", T0_MS).body, "it is kept, all of it"
        assert len(here.receiver.heard) == 4, "and is not sent again by itself"


@pytest.mark.parametrize("way", ["AR", "silent", "noise", "gone", "half"])
async def test_a_message_that_is_never_taken_does_not_block_the_rest_for_ever(
    tmp_path: Path, way: str
) -> None:
    async with clinic(tmp_path, lambda control, _: way if control == "M1" else "AA") as here:
        await here.tells(4)
        await here.waits(10 * 60_000)
        assert [*dict.fromkeys(here.receiver.taken)] == ["M0", "M2", "M3"]
        (aside,) = await here.queue.aside()
        assert aside.control == "M1"
        assert aside.why.endswith("it takes others")
        assert aside.tries >= TRIES_MAX
        assert here.sending.health.ok


async def test_several_bad_messages_in_a_row_do_not_block_either(tmp_path: Path) -> None:
    bad = {"M0", "M1", "M2", "M5"}
    async with clinic(tmp_path, lambda control, _: "AR" if control in bad else "AA") as here:
        await here.tells(8)
        await here.waits(HOUR_MS)
        assert sorted(here.receiver.taken) == ["M3", "M4", "M6", "M7"]
        assert {one.control for one in await here.queue.aside()} == bad


async def test_the_last_message_alone_is_tried_for_as_long_as_it_takes(tmp_path: Path) -> None:
    # Nobody can tell whether it is the message or the receiver: it waits, and the link says so.
    async with clinic(tmp_path, always("AR")) as here:
        await here.tells()
        await here.waits(HOUR_MS)
        assert await here.states() == Counter(waiting=1)
        assert "rejects messages: `chairside ehr list` says why" in here.sending.health.why
        assert "not now" not in here.sending.health.why, "what they write may be about the patient"
        assert (await here.queue.first())[0].why == "AR: not now"
        here.receiver.choose = always("AA")
        await here.waits(2 * 60_000)
        assert here.receiver.taken == ["M0"]


@pytest.mark.parametrize("way", ["silent", "AR"])
async def test_a_receiver_that_takes_nothing_for_an_hour_gets_everything_afterwards(
    tmp_path: Path, way: str
) -> None:
    async with clinic(tmp_path, always(way), answer_s=0.02) as here:
        names = await here.tells(6)
        await here.waits(HOUR_MS)
        assert await here.states() == Counter(waiting=6), "nothing is put aside: it takes no others either"
        await here.line.close()
        here.line = Line("127.0.0.1", here.receiver.port, answer_s=5.0)
        here.sending = Sending(here.queue, here.line, here.clock.now_ms, dice())
        here.receiver.choose = always("AA")
        await here.waits(2 * 60_000)
        assert sorted(here.receiver.taken) == names
        assert await here.states() == Counter()


async def test_killed_between_the_answer_and_its_writing_down_it_is_sent_again_and_collapses(
    tmp_path: Path,
) -> None:
    async with clinic(tmp_path) as here:
        names = await here.tells(3)
        first = (await here.queue.first())[0]
        answer = await here.line.ask(first.body.encode(), first.control)  # taken, and then the power goes
        assert answer.code == "AA"
        await here.kill()
        await here.start()
        await here.turns()
        assert here.receiver.taken == [names[0], *names], "at least once"
        assert [*dict.fromkeys(here.receiver.taken)] == names, "by its number it is there once, in order"


async def test_killed_again_and_again_everything_arrives_in_order(tmp_path: Path) -> None:
    chance = dice()
    ways = ["AA", "AA", "AA", "silent", "half", "gone", "noise", "late", "twice"]
    async with clinic(tmp_path, lambda *_: chance.choice(ways), answer_s=0.05) as here:
        names: list[str] = []
        for _ in range(25):
            names += await here.tells(chance.randrange(3))
            turn = asyncio.create_task(here.waits(chance.randrange(5_000)))
            await asyncio.wait({turn}, timeout=chance.uniform(0, 0.3))
            turn.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await turn
            await here.kill()
            if chance.random() < 0.3:
                await here.receiver.go_down()
                await here.receiver.come_up()
            await here.start(0.05)
        here.receiver.choose = always("AA")
        await here.kill()
        await here.start(5.0)
        await here.waits(HOUR_MS)
        assert {*here.receiver.taken} == {*names}, "whatever was killed, nothing is lost"
        assert await here.states() == Counter()


async def test_a_disk_that_cannot_be_read_stops_nothing_for_good(tmp_path: Path) -> None:
    async with clinic(tmp_path) as here:
        names = await here.tells(2)
        url = f"sqlite:///{tmp_path}/outgoing.sqlite3"
        await behind_its_back(url, "ALTER TABLE outgoing RENAME TO away")
        await here.waits(60_000)
        assert not here.sending.health.ok
        assert here.sending.health.why.startswith("The queue of messages cannot be read: ")
        await behind_its_back(url, "ALTER TABLE away RENAME TO outgoing")
        await here.waits(2 * 60_000)
        assert here.receiver.taken == names
        assert here.sending.health.ok


async def test_over_tls_only_a_receiver_that_can_prove_itself_is_told_anything(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    for authority, trusted in ((ours, True), (theirs, False)):
        own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(own)
        receiver = Receiver()
        await receiver.come_up(ssl=own)
        (tmp_path / "ca.pem").write_bytes(ours.cert_pem.bytes())
        settings = Ehr.model_validate(
            {"host": "127.0.0.1", "port": receiver.port, "tls": True, "tls_ca": tmp_path / "ca.pem"}
            | {"sender_id": "1A2B3C4D5E6F7081"}
        )
        line = line_of(settings)
        if trusted:
            assert (await line.ask(message("M0", T0_MS).body.encode(), "M0")).code == "AA"
        else:
            with pytest.raises(LinkLost, match=r"no secure connection: .*issuer"):
                await line.ask(message("M0", T0_MS).body.encode(), "M0")
            assert receiver.heard == []
        await line.close()
        await receiver.go_down()


async def test_a_receiver_without_tls_is_not_told_in_the_clear_instead() -> None:
    receiver = Receiver()
    await receiver.come_up()
    line = Line("127.0.0.1", receiver.port, ssl.create_default_context(), connect_s=2.0)
    with pytest.raises(LinkLost):
        await line.ask(message("M0", T0_MS).body.encode(), "M0")
    assert receiver.heard == []
    await receiver.go_down()


async def test_f28_a_black_hole_is_noticed_by_the_clock(tmp_path: Path) -> None:
    async with clinic(tmp_path, always("silent")) as here:
        with pytest.raises(NoAnswer, match="does not answer within"):
            await here.line.ask(b"MSH|^~\\&|\r", "M0")


async def test_nobody_there_is_said_in_words() -> None:
    line = Line("127.0.0.1", free_port())
    with pytest.raises(LinkLost, match=r"the EHR at 127\.0\.0\.1 port \d+ refuses the connection"):
        await line.ask(b"MSH", "M0")
    unknown = Line("no-such-host.invalid", 2575)
    with pytest.raises(LinkLost, match="no machine of that name is known"):
        await unknown.ask(b"MSH", "M0")


async def test_no_connection_is_left_behind(tmp_path: Path) -> None:
    async with clinic(tmp_path, lambda _, times: "silent" if times < 3 else "AA") as here:
        await here.tells()
        await here.waits(60_000)
        await here.line.close()
        await until(lambda: here.receiver.lines == 0)
        before = descriptors()
        await here.tells(10)
        await here.waits(10 * 60_000)
        assert len(here.receiver.taken) == 11
        assert here.receiver.calls > 20
        await here.line.close()
        await until(lambda: here.receiver.lines == 0)
        assert descriptors() <= before
