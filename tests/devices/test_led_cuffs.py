"""Every cuff that is started from here, beside its twin: led through a session, failing, and stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from monitor.devices.codecs import DRIVERS
from monitor.devices.codecs.commands import CANCELLED
from monitor.model import Cuff, Fault, Quality, Said
from simulators.patient import Patient
from simulators.play import twin_of
from simulators.scenario import FirstCuff, Story
from simulators.twin import SerialTwin
from tests.devices.cuffs import Led, beside, cuffs_of, whys

STEP_MS = 50
SETTLED_MS = 8_000
"""By then a host has stopped what ran, and has been answered."""
QUIET = Story(name="quiet", drug="none")
FAILING = Story(name="quiet", drug="none", cuff=(FirstCuff(at_min=0),))


@dataclass(frozen=True)
class Pair:
    """A host and its device: the options of both, and how long an ordered reading may take."""

    driver: str
    within_ms: int
    device: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    stopped: str | None = CANCELLED
    """How a reading ends that is stopped from here; None where that cannot be done."""

    def __str__(self) -> str:
        """How it is called in a test report."""
        return " ".join([self.driver, *(f"{key}={value}" for key, value in self.device.items())])

    def twin(self, patient: Patient) -> SerialTwin:
        """The device; nobody presses its button."""
        twin: SerialTwin = twin_of(self.driver)(patient, 4, self.device)
        return twin

    def host(self) -> Led:
        """The decoder that leads it."""
        host: Led = DRIVERS[self.driver].decoder(self.options)
        return host


PAIRS = (
    Pair("dinamap", 62_000, {"cycle_s": 0}, stopped="the cuff measurement failed"),
    Pair("suntech", 62_000),
    Pair("suntech", 62_000, {"asleep": True}),
    Pair("par-nibp", 68_000, {"board": "nibp"}),
    Pair("par-nibp", 68_000, {"board": "combo"}, {"board": "combo"}),
    Pair("and-tm2655p", 64_000),
    Pair("and-ua767pc", 70_000, {"cycle_s": 0}, stopped=None),
)
each_pair = pytest.mark.parametrize("pair", PAIRS, ids=str)


def said_by(twin: SerialTwin, host: Led, from_ms: int, to_ms: int) -> list[Said]:
    return [one for _, one in beside(twin, host, from_ms, to_ms, STEP_MS)]


def test_every_driver_that_starts_a_cuff_is_here() -> None:
    assert {pair.driver for pair in PAIRS} == {one.name for one in DRIVERS.values() if one.starts_cuff}


@each_pair
def test_the_real_host_leads_a_simulated_device_through_a_session(pair: Pair) -> None:
    patient = Patient(QUIET, 4)
    twin, host = pair.twin(patient), pair.host()
    assert cuffs_of(said_by(twin, host, 0, SETTLED_MS)) == []
    for begin_ms in (SETTLED_MS, 200_000, 400_000):
        assert host.start_cuff() is None
        heard = beside(twin, host, begin_ms, begin_ms + 100_000, STEP_MS)
        ((at_ms, cuff),) = [(t_ms, one) for t_ms, one in heard if isinstance(one, Cuff)]
        assert 25_000 <= at_ms - begin_ms <= pair.within_ms
        assert cuff.systolic == pytest.approx(patient.systolic(at_ms), abs=16)
        assert not [one for _, one in heard if isinstance(one, Fault)]


@each_pair
def test_a_simulated_failure_is_a_failure(pair: Pair) -> None:
    twin, host = pair.twin(Patient(FAILING, 4)), pair.host()
    said_by(twin, host, 0, SETTLED_MS)
    host.start_cuff()
    (cuff,) = cuffs_of(said_by(twin, host, SETTLED_MS, 100_000))
    assert (cuff.systolic, cuff.quality) == (None, Quality.INVALID)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.stopped], ids=str)
def test_a_simulated_cuff_can_be_stopped_and_started_again(pair: Pair) -> None:
    twin, host = pair.twin(Patient(QUIET, 4)), pair.host()
    said_by(twin, host, 0, SETTLED_MS)
    host.start_cuff()
    said_by(twin, host, SETTLED_MS, 20_000)
    host.cancel_cuff()
    assert whys(said_by(twin, host, 20_000, 90_000)) == [pair.stopped]
    assert host.start_cuff() is None
    assert cuffs_of(said_by(twin, host, 90_000, 180_000))
