"""Bed 1 at each of its working pages, brought there by the real ward, and told as the wire tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from monitor.treatment import Move
from tests.browser.clinic import Clinic, Guest, Wire

BASE = (122.0, 76.0, 68.0)
"""The upper and lower pressure and the heart rate of an ordinary patient without the drug."""
HIGH = (165.0, 102.0, 74.0)


class Unasked(Guest):
    """A patient whom nobody asks what comes due: that is for the screen to show."""

    def is_asked(self) -> None:
        """By nobody."""


def _guest(
    clinic: Clinic, therapy: str = "spravato_us", devices: int = 3, base: tuple[float, float, float] = BASE
) -> Guest:
    return Unasked(clinic, "1", therapy, seed=1, base=base, devices=devices)


def _questions(clinic: Clinic) -> None:
    guest = _guest(clinic)
    guest.does(guest.answer("identity", yes=True))
    guest.does(guest.answer("escort", yes=False))
    guest.does(guest.answer("opioids", yes=True))


def _before(clinic: Clinic, base: tuple[float, float, float] = BASE, **different: bool) -> Guest:
    guest = _guest(clinic, base=base)
    guest.to_baseline(**different)
    return guest


def _baseline(clinic: Clinic) -> None:
    guest = _before(clinic)
    guest.waits(5)
    guest.cuff(122, 76)
    guest.scores(moaas=5)


def _gate(clinic: Clinic) -> None:
    _before(clinic, HIGH, congestion=True).takes_baseline(*map(round, HIGH[:2]))


def _device(clinic: Clinic) -> None:
    _before(clinic).takes_baseline()


def _spacing(clinic: Clinic) -> None:
    guest = _before(clinic)
    guest.takes_baseline()
    guest.does(guest.device(1))
    guest.waits(2)


def _infusion(clinic: Clinic) -> Guest:
    guest = _guest(clinic, "iv_ketamine_40", 0)
    guest.to_baseline()
    guest.takes_baseline()
    return guest


def _timeout(clinic: Clinic) -> Guest:
    guest = _infusion(clinic)
    guest.steps(Move.TO_TIMEOUT)
    guest.does(guest.dose())
    return guest


def _drug(clinic: Clinic) -> None:
    guest = _timeout(clinic)
    guest.steps(Move.START)
    guest.waits(10.5)


def _given(clinic: Clinic) -> Guest:
    guest = _before(clinic)
    guest.takes_baseline()
    for number in (1, 2, 3):
        guest.does(guest.device(number))
        guest.waits(5 if number < 3 else 0)
    return guest


def _check(clinic: Clinic) -> None:
    guest = _given(clinic)
    guest.waits(30.5)
    guest.cuff(139, 85)


def _leaving(clinic: Clinic) -> Guest:
    guest = _given(clinic)
    guest.waits(30.2)
    guest.cuff(138, 84)
    guest.scores(moaas=5, dissociation=1)
    guest.does(guest.save())
    for _ in range(4):
        guest.waits(20)
        guest.cuff(124, 77)
    guest.waits(12.5)
    guest.cuff(123, 77)
    guest.scores(nausea=1, suicide_check=1)
    return guest


def _signing(clinic: Clinic) -> Guest:
    guest = _leaving(clinic)
    guest.makes_ready()
    guest.steps(Move.TO_READY)
    guest.waits(1)
    guest.cuff(122, 76)
    return guest


def _closing(clinic: Clinic) -> None:
    guest = _signing(clinic)
    guest.does(guest.sign())


PAGES: dict[str, Callable[[Clinic], object]] = {
    "who": lambda _: None,
    "questions": _questions,
    "baseline": _baseline,
    "gate": _gate,
    "device": _device,
    "spacing": _spacing,
    "dose check": _infusion,
    "time-out": _timeout,
    "infusion": _drug,
    "40-min check": _check,
    "leaving": _leaving,
    "signing": _signing,
    "closing": _closing,
}


@cache
def _told(name: str) -> str:
    clinic = Clinic()
    PAGES[name](clinic)
    return json.dumps(clinic.told())


def told(name: str) -> Wire:
    """A copy of what a screen is sent there, that a test may change."""
    found: Wire = json.loads(_told(name))
    return found
