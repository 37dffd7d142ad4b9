"""The blood pressures of an IntelliVue: each measurement is told once, by the time it was taken."""

from __future__ import annotations

import pytest

from monitor.devices.codecs.intellivue import (
    Decoder,
)
from monitor.devices.codecs.intellivue.numerics import State
from monitor.model import Cuff, Notice, Quality, Vital
from tests.devices.cuffs import cuffs_of
from tests.devices.intellivue import (
    KPA,
    Bedside,
    created,
    cuff_pulse,
    pressure,
    result,
    said_of,
    samples_of,
)


def test_one_measurement_is_told_once_with_its_pulse_and_its_age() -> None:
    cuff = (pressure(131, 79, 96, at=-60), cuff_pulse(66, at=-60))
    said = said_of(created(), *(result(*cuff, seconds=second) for second in range(30)))
    assert cuffs_of(said) == [
        Cuff(131, 79, 96, 66, age_ms=60_000, device_time="2026-05-14T11:59:00"),
    ]


def test_two_measurements_with_the_same_numbers_are_two() -> None:
    said = said_of(
        created(),
        result(pressure(120, 70, 87, at=-60)),
        result(pressure(120, 70, 87, at=240), seconds=241),
    )
    assert [cuff.age_ms for cuff in cuffs_of(said)] == [60_000, 1_000]


def test_a_new_connection_does_not_tell_the_last_measurement_again() -> None:
    decoder = Decoder()
    assert len(cuffs_of(decoder.feed(created() + result(pressure(120, 70, 87, at=-60))))) == 1
    decoder.close()
    assert cuffs_of(decoder.feed(created() + result(pressure(120, 70, 87, at=-60)))) == []


@pytest.mark.parametrize("state", [State.ONGOING, State.EARLY, State.EARLY | State.ONGOING])
def test_an_early_pressure_is_not_final(state: int) -> None:
    early = pressure(150, None, None, at=10, states=(state, State.UNAVAILABLE, State.UNAVAILABLE))
    said = said_of(created(), result(early, seconds=10), result(early, seconds=11))
    assert cuffs_of(said) == []
    assert said.count(Notice("cuff measuring")) == 2
    whole = pressure(138, 84, 102, at=12)
    (cuff,) = cuffs_of(said_of(created(), result(early, seconds=11), result(whole, seconds=12)))
    assert (cuff.systolic, cuff.age_ms) == (138, 0)


def test_a_pressure_that_became_final_without_a_new_time_is_told() -> None:
    early = pressure(138, 84, 102, at=10, states=(State.ONGOING,) * 3)
    whole = pressure(138, 84, 102, at=10)
    assert len(cuffs_of(said_of(created(), result(early, seconds=10), result(whole, seconds=12)))) == 1


def test_without_a_time_of_its_own_a_measurement_is_known_by_its_numbers_or_by_having_run() -> None:
    first, running = pressure(120, 70, 87, at=None), (State.ONGOING,) * 3
    again = pressure(120, 70, 87, at=None, states=running)
    other = pressure(125, 70, 88, at=None)
    frames = [first, first, again, first, first, other, other]
    said = said_of(*(result(one, seconds=second) for second, one in enumerate(frames)))
    assert [cuff.systolic for cuff in cuffs_of(said)] == [120, 120, 125]


def test_a_measurement_without_numbers_is_a_failed_one() -> None:
    failed = pressure(None, None, None, at=300, states=(0x8000,) * 3)
    (good, cuff) = cuffs_of(
        said_of(created(), result(pressure(120, 70, 87, at=0)), result(failed, seconds=301))
    )
    assert good.systolic == 120
    assert (cuff.systolic, cuff.quality) == (None, Quality.INVALID)
    assert cuff.why == "no blood pressure: the monitor marks it invalid"


def test_a_pressure_that_is_no_longer_shown_is_no_failure() -> None:
    gone = pressure(None, None, None, at=0, states=(0x2000,) * 3)
    said = said_of(created(), result(pressure(120, 70, 87, at=0)), *3 * [result(gone, seconds=900)])
    assert len(cuffs_of(said)) == 1


def test_kilopascal_becomes_mmhg() -> None:
    (cuff,) = cuffs_of(said_of(result(pressure(17.5, 10.5, 12.8, at=0, unit=KPA, decimals=1))))
    assert (cuff.systolic, cuff.diastolic, cuff.mean) == (131.3, 78.8, 96.0)


def test_a_questionable_pressure_is_no_measurement() -> None:
    (cuff,) = cuffs_of(said_of(result(pressure(131, 79, 96, at=0, states=(0, 0x4000, 0)))))
    assert (cuff.systolic, cuff.diastolic, cuff.quality) == (None, None, Quality.INVALID)
    assert cuff.why == "no blood pressure: the monitor marks it questionable"


def test_the_pulse_of_another_measurement_does_not_belong_to_this_one() -> None:
    (cuff,) = cuffs_of(said_of(result(pressure(131, 79, 96, at=300), cuff_pulse(66, at=0))))
    assert cuff.pulse is None


def test_a_pulse_that_comes_later_than_its_pressure_is_told_once() -> None:
    pressures = pressure(131, 79, 96, at=0)
    said = said_of(
        result(pressures), *(result(pressures, cuff_pulse(66, at=0), seconds=one) for one in (1, 2, 3))
    )
    assert [one.value for one in samples_of(said, Vital.PULSE_NIBP)] == [66]
    assert len(cuffs_of(said)) == 1


def test_a_clock_that_was_set_does_not_make_a_new_measurement_old() -> None:
    before = result(pressure(120, 70, 87, at=0), seconds=1)
    after = result(pressure(125, 70, 88, at=-3_000), seconds=600)
    said = said_of(created(), before, result(pressure(120, 70, 87, at=0), seconds=599), after)
    assert [cuff.age_ms for cuff in cuffs_of(said)] == [1_000, 1_000]


def test_an_answer_may_tell_the_time_itself() -> None:
    (cuff,) = cuffs_of(said_of(result(pressure(120, 70, 87, at=-42), clock=True)))
    assert cuff.age_ms == 42_000


def test_a_pressure_whose_age_nobody_knows_is_not_taken_but_the_next_is() -> None:
    bed = Bedside()
    bed.connects(clock=False)
    said = bed.decoder.feed(result(pressure(120, 70, 87, at=-3_600)))
    assert said == [Notice("the monitor's last blood pressure has no known age: not taken")]
    (cuff,) = cuffs_of(bed.decoder.feed(result(pressure(125, 70, 88, at=2), seconds=2)))
    assert (cuff.systolic, cuff.age_ms) == (125, 2_000)


def test_six_days_and_more_do_not_confuse_the_relative_time() -> None:
    days = 86_400
    decoder = Decoder()
    decoder.feed(created())
    for day in range(1, 15):
        said = decoder.feed(result(pressure(120, 70, 87, at=day * days - 5), seconds=day * days))
        assert [cuff.age_ms for cuff in cuffs_of(said)] == [5_000]
