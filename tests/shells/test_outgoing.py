"""What the queue of messages promises, held against SQLite and PostgreSQL alike."""

# ruff: noqa: F811  a fixture is asked for by the name it was imported under

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from monitor.store.database import StoreError
from monitor.store.outgoing import DAY_MS, Counts, New, Outgoing, State
from tests.shells.databases import (  # noqa: F401  the fixtures are found by name
    T0_MS,
    Home,
    behind_its_back,
    cluster,
    home,
)

pytestmark = pytest.mark.real


def message(n: int) -> New:
    return New(f"{n}S{T0_MS}", n, T0_MS + n, f"MSH|^~\\&|{n}\rPID|ä\r")


@pytest.fixture
async def queue(home: Home) -> AsyncIterator[Outgoing]:
    opened = await Outgoing.open(home.places.outgoing)
    yield opened
    await opened.close()


async def waiting(queue: Outgoing) -> list[int]:
    return [one.session for one in await queue.first(100)]


async def test_a_new_queue_is_empty_and_has_read_nothing(queue: Outgoing) -> None:
    assert await queue.counts() == Counts(0, 0, None)
    assert await queue.read_to() is None
    assert await queue.first(5) == []
    assert await queue.aside() == []


async def test_messages_wait_in_their_order_over_a_restart_byte_for_byte(home: Home) -> None:
    before = await Outgoing.open(home.places.outgoing)
    assert await before.put([message(2), message(1)], seq=7) == 2
    assert await before.put([message(3)], seq=9) == 1
    await before.close()

    after = await Outgoing.open(home.places.outgoing)
    assert await waiting(after) == [2, 1, 3]
    assert (await after.first())[0].body == message(2).body
    assert await after.read_to() == 9
    assert await after.counts() == Counts(3, 0, T0_MS + 1)
    await after.close()


async def test_what_is_made_a_second_time_stands_there_once(queue: Outgoing) -> None:
    await queue.put([message(1)], seq=1)

    assert await queue.put([replace(message(1), body="another"), message(2)], seq=2) == 1

    assert await waiting(queue) == [1, 2]
    assert (await queue.first())[0].body == message(1).body


async def test_what_was_accepted_is_not_made_again_either(queue: Outgoing) -> None:
    await queue.put([message(1)])
    await queue.settle((await queue.first())[0].number, State.ACCEPTED, T0_MS)
    assert await queue.put([message(1)]) == 0
    assert await waiting(queue) == []


async def test_what_is_put_aside_lets_the_next_go_and_comes_back_to_its_place(queue: Outgoing) -> None:
    await queue.put([message(n) for n in (1, 2, 3)])
    first = (await queue.first())[0]
    await queue.tried(first.number, "no answer")
    await queue.settle(first.number, State.REFUSED, T0_MS + 5, "AE: unknown patient")

    assert await waiting(queue) == [2, 3]
    (aside,) = await queue.aside()
    assert (aside.state, aside.why, aside.tries) == (State.REFUSED, "AE: unknown patient", 2)
    assert await queue.counts() == Counts(2, 1, T0_MS + 2)

    assert await queue.again([first.number]) == 1
    assert await waiting(queue) == [1, 2, 3]
    assert (await queue.first())[0].tries == 0


async def test_what_could_not_be_made_waits_for_a_person_and_is_never_sent(queue: Outgoing) -> None:
    await queue.put([New("1S1", 1, T0_MS, "", State.UNMADE, "the trends cannot be read"), message(2)])
    assert await waiting(queue) == [2]
    assert [one.why for one in await queue.aside()] == ["the trends cannot be read"]
    assert await queue.again() == 0
    assert await queue.drop([(await queue.aside())[0].number], T0_MS) == 1
    assert await queue.aside() == []


async def test_only_what_was_put_aside_can_be_dropped(queue: Outgoing) -> None:
    await queue.put([message(1)])
    assert await queue.drop([(await queue.first())[0].number], T0_MS) == 0
    assert await waiting(queue) == [1]


async def test_only_what_is_over_is_taken_away_with_its_age(queue: Outgoing) -> None:
    await queue.put([message(n) for n in (1, 2, 3, 4)])
    one, two, three, _ = await queue.first(4)
    await queue.settle(one.number, State.ACCEPTED, T0_MS)
    await queue.settle(two.number, State.ACCEPTED, T0_MS + DAY_MS)
    await queue.settle(three.number, State.REFUSED, T0_MS)

    assert await queue.prune(T0_MS + 1) == 1

    assert await waiting(queue) == [4]
    assert [aside.session for aside in await queue.aside()] == [3]
    assert await queue.put([message(1)]) == 1, "taken away, and so no longer known"


async def test_a_number_is_never_given_twice(queue: Outgoing) -> None:
    await queue.put([message(1)])
    (one,) = await queue.first()
    await queue.settle(one.number, State.ACCEPTED, T0_MS)
    await queue.prune(T0_MS + 1)
    await queue.put([message(2)])
    assert (await queue.first())[0].number > one.number


async def test_of_a_write_that_fails_nothing_stands_there_and_nothing_was_read_on(home: Home) -> None:
    queue = await Outgoing.open(home.places.outgoing)
    await queue.put([message(1)], seq=1)
    await behind_its_back(home.places.outgoing, "DROP TABLE outgoing_read")
    with pytest.raises(StoreError, match="The queue of messages cannot be written: "):
        await queue.put([message(2)], seq=2)
    assert await waiting(queue) == [1]
    await queue.close()


async def test_a_queue_that_is_not_there_is_not_made_by_looking(home: Home) -> None:
    with pytest.raises(StoreError):
        await Outgoing.open(home.places.outgoing, existing=True)
    assert list(home.folder.iterdir()) == []
