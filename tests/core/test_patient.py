"""A simulated patient answers to the tables of physiology.md, and gives the same answer twice."""

from __future__ import annotations

import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.noise import wander
from simulators.patient import MINUTE_MS, CuffResult, Patient, esk_label, iv_yale
from simulators.scenario import Course, Drug, FirstCuff, Motion, Person, Probe, Story

# physiology.md 5.2 and 5.3: minute, share of the peak, rise of SBP and DBP at the mean amplitude.
IV_TABLE = (
    (0, 0, 0, 0),
    (5, 0.30, 4.9, 3.4),
    (10, 0.52, 8.4, 5.8),
    (15, 0.68, 10.9, 7.5),
    (20, 0.79, 12.7, 8.7),
    (30, 0.93, 14.9, 10.2),
    (40, 1.00, 16.0, 11.0),
    (50, 0.61, 9.7, 6.7),
    (60, 0.37, 5.9, 4.0),
    (75, 0.17, 2.8, 1.9),
    (90, 0.08, 1.3, 0.9),
    (100, 0.05, 0.8, 0.5),
    (120, 0.02, 0.3, 0.2),
)
ESK_TABLE = (
    (0, 0, 0, 0),
    (5, 0.03, 0.4, 0.2),
    (10, 0.15, 2.0, 1.3),
    (15, 0.34, 4.6, 3.0),
    (20, 0.56, 7.5, 4.9),
    (30, 0.89, 11.9, 7.8),
    (40, 1.00, 13.3, 8.7),
    (60, 0.75, 10.0, 6.6),
    (75, 0.48, 6.4, 4.2),
    (90, 0.27, 3.6, 2.3),
    (105, 0.14, 1.8, 1.2),
    (120, 0.07, 0.9, 0.6),
    (150, 0.01, 0.2, 0.1),
)
SLOW_TAIL = ((40, 1), (60, 0.72), (75, 0.56), (90, 0.43), (105, 0.34), (120, 0.26), (150, 0.16))


def _drawn(drug: Drug, age: int = 45, spread: float = 1.0) -> Story:
    return Story(
        name="drawn", drug=drug, person=Person(age=age, spread=spread), course=Course(amplitude="drawn")
    )


def _mean(drug: Drug) -> Story:
    return Story(name="mean", drug=drug)


@pytest.mark.parametrize(("t_min", "share", "systolic", "diastolic"), IV_TABLE)
def test_an_infusion_raises_the_pressure_as_the_table_says(
    t_min: int, share: float, systolic: float, diastolic: float
) -> None:
    patient = Patient(_mean("iv"), seed=1)
    t_ms = t_min * MINUTE_MS
    assert iv_yale(t_min) == pytest.approx(share, abs=0.0051)
    assert patient.systolic(t_ms) - patient.systolic(-1) == pytest.approx(systolic, abs=0.051)
    assert patient.diastolic(t_ms) - patient.diastolic(-1) == pytest.approx(diastolic, abs=0.051)


@pytest.mark.parametrize(("t_min", "share", "systolic", "diastolic"), ESK_TABLE)
def test_a_spray_raises_the_pressure_as_the_table_says(
    t_min: int, share: float, systolic: float, diastolic: float
) -> None:
    patient = Patient(_mean("esk"), seed=1)
    t_ms = t_min * MINUTE_MS
    assert esk_label(t_min) == pytest.approx(share, abs=0.0051)
    assert patient.systolic(t_ms) - patient.systolic(-1) == pytest.approx(systolic, abs=0.051)
    assert patient.diastolic(t_ms) - patient.diastolic(-1) == pytest.approx(diastolic, abs=0.08)


@pytest.mark.parametrize(("t_min", "share"), SLOW_TAIL)
def test_some_sprays_wear_off_slowly(t_min: int, share: float) -> None:
    assert esk_label(t_min, 60) == pytest.approx(share, abs=0.006)


def test_an_infusion_that_is_stopped_peaks_where_it_was_stopped() -> None:
    assert iv_yale(15, stopped_min=15) == iv_yale(15)
    assert iv_yale(35, stopped_min=15) == pytest.approx(iv_yale(15) * np.exp(-1))
    assert iv_yale(40, stopped_min=15) < iv_yale(15)


@given(
    seed=st.integers(0, 2**63),
    instants=st.lists(st.integers(-30, 150).map(lambda minute: minute * MINUTE_MS), min_size=2, max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_asking_does_not_matter(seed: int, instants: list[int], order: random.Random) -> None:
    story = Story(
        name="all",
        person=Person(spread=1),
        course=Course(amplitude="drawn"),
        motion=(Motion(from_min=0, to_min=60),),
    )
    one, other = Patient(story, seed), Patient(story, seed)
    shuffled = instants[:]
    order.shuffle(shuffled)
    first = {t_ms: _everything(one, t_ms) for t_ms in instants}
    second = {t_ms: _everything(other, t_ms) for t_ms in shuffled}
    assert first == second


def _everything(patient: Patient, t_ms: int) -> tuple[float | CuffResult | None, ...]:
    return (
        patient.heart_rate(t_ms),
        patient.pulse(t_ms),
        patient.spo2(t_ms),
        patient.perfusion(t_ms),
        patient.respiration(t_ms),
        patient.temperature(t_ms),
        patient.systolic(t_ms),
        patient.diastolic(t_ms),
        patient.cuff(t_ms, None),
    )


def test_another_seed_is_another_person_and_another_session_another_day() -> None:
    story = _drawn("iv")
    assert Patient(story, 1).systolic(0) != Patient(story, 2).systolic(0)
    today, tomorrow = Patient(story, 1, session=0), Patient(story, 1, session=1)
    assert today.systolic(-1) == tomorrow.systolic(-1)
    assert today.systolic(40 * MINUTE_MS) != tomorrow.systolic(40 * MINUTE_MS)


@pytest.mark.parametrize("tau", [20.0, 40.0])
def test_noise_keeps_its_size_and_its_memory(tau: float) -> None:
    series = np.array([wander(7, "spo2", step, tau) for step in range(20_000)])
    assert series.std() == pytest.approx(1, abs=0.1)
    assert series.mean() == pytest.approx(0, abs=0.15)
    lag = round(tau)
    assert np.corrcoef(series[:-lag], series[lag:])[0, 1] == pytest.approx(np.exp(-1), abs=0.1)


def test_noise_on_the_signals_is_as_large_as_it_should_be() -> None:
    patient = Patient(_mean("none"), seed=3)
    seconds = [t_s * 1000 for t_s in range(0, 14_400, 7)]
    # HR: SD 2.5 and a swing of 2 at most 2 / 2 more in the square root; RR 1.2; SpO2 0.5 before rounding.
    assert statistics.stdev(patient.heart_rate(t) for t in seconds) == pytest.approx(2.69, rel=0.15)
    assert statistics.stdev(patient.respiration(t) for t in seconds) == pytest.approx(1.2, rel=0.15)
    saturations = [patient.spo2(t) for t in seconds]
    assert all(value is not None and value == round(value) and value <= 100 for value in saturations)
    assert statistics.mean(value for value in saturations if value) == pytest.approx(97.6, abs=0.3)


def test_two_thousand_infusions_rise_as_much_as_was_measured() -> None:
    """Yale, 2,342 infusions: +16.0 (SD 11.2) and +11.0 (SD 8.45) at 40 min; some do not rise at all (5.1)."""
    rises = [
        (p.systolic(40 * MINUTE_MS) - p.systolic(-1), p.diastolic(40 * MINUTE_MS) - p.diastolic(-1))
        for p in (Patient(_drawn("iv"), seed) for seed in range(2000))
    ]
    systolic, diastolic = (np.array(column) for column in zip(*rises, strict=True))
    assert systolic.mean() == pytest.approx(16.0, abs=0.8)
    assert systolic.std() == pytest.approx(11.2, abs=0.6)
    assert diastolic.mean() == pytest.approx(11.0, abs=0.6)
    assert diastolic.std() == pytest.approx(8.45, abs=0.5)
    assert np.corrcoef(systolic, diastolic)[0, 1] == pytest.approx(0.6, abs=0.06)
    assert 0.04 < (systolic < 0).mean() < 0.12


def test_half_of_the_spread_of_infusions_lies_between_patients() -> None:
    peaks = np.array(
        [
            [
                p.systolic(40 * MINUTE_MS) - p.systolic(-1)
                for p in (Patient(_drawn("iv"), seed, day) for day in (0, 1))
            ]
            for seed in range(2000)
        ]
    )
    assert np.corrcoef(peaks[:, 0], peaks[:, 1])[0, 1] == pytest.approx(0.5, abs=0.06)


def test_a_cuff_takes_its_time_and_errs_as_cuffs_do() -> None:
    patient = Patient(_mean("none"), seed=5)
    cuffs = [patient.cuff(t_s * 1000, None) for t_s in range(0, 40_000, 20)]
    good = [cuff for cuff in cuffs if cuff.failed is None]
    assert 1 - len(good) / len(cuffs) == pytest.approx(0.03, abs=0.012)
    assert all(25_000 <= cuff.takes_ms <= 60_000 for cuff in cuffs)
    assert statistics.mean(cuff.takes_ms for cuff in cuffs) == pytest.approx(35_000, rel=0.03)
    assert statistics.stdev(cuff.systolic for cuff in good if cuff.systolic) == pytest.approx(4, abs=0.4)
    assert statistics.stdev(cuff.diastolic for cuff in good if cuff.diastolic) == pytest.approx(3, abs=0.3)
    assert all(cuff.systolic is None for cuff in cuffs if cuff.failed)
    for cuff in good:
        assert cuff.systolic is not None
        assert cuff.mean is not None
        assert cuff.diastolic is not None
        assert cuff.diastolic < cuff.mean < cuff.systolic


def test_a_cuff_in_motion_fails_more_often() -> None:
    story = Story(name="x", drug="none", motion=(Motion(from_min=0, to_min=700, every_s=30),))
    patient = Patient(story, seed=5)
    cuffs = [
        patient.cuff(t_s * 1000, None) for t_s in range(0, 40_000, 5) if patient.contact(t_s * 1000).motion
    ]
    assert len(cuffs) > 1000
    assert sum(cuff.failed is not None for cuff in cuffs) / len(cuffs) == pytest.approx(0.15, abs=0.03)


def test_only_the_first_cuff_after_the_moment_reads_what_the_story_says() -> None:
    first = FirstCuff(at_min=20, systolic_mmhg=201, diastolic_mmhg=62)
    patient = Patient(Story(name="x", cuff=(first,)), seed=1)
    before, during, after = 15 * MINUTE_MS, 25 * MINUTE_MS, 27 * MINUTE_MS
    assert patient.cuff(before, None).systolic != 201
    assert patient.cuff(during, before).systolic == 201
    assert patient.cuff(during, before).diastolic == 62
    assert patient.cuff(after, during).systolic != 201


def test_motion_lasts_as_long_as_motion_does() -> None:
    """A1 of physiology.md 6: median 6.7 s, 62 % under 10 s, 5 % over 60 s."""
    motion = Motion(from_min=0, to_min=10**6)
    patient = Patient(Story(name="x", motion=(motion,)), seed=9)
    lengths = np.array([patient._burst_span(0, motion, slot)[1] for slot in range(4000)])
    assert np.median(lengths) == pytest.approx(6.7, rel=0.06)
    assert (lengths < 10).mean() == pytest.approx(0.62, abs=0.03)
    assert (lengths > 60).mean() == pytest.approx(0.05, abs=0.015)


def test_motion_is_flagged_whenever_it_spoils_a_number() -> None:
    story = Story(name="x", drug="none", motion=(Motion(from_min=0, to_min=60),))
    patient, still = Patient(story, seed=2), Patient(_mean("none"), seed=2)
    moved = 0
    for t_ms in range(0, 60 * MINUTE_MS, 1000):
        if patient.contact(t_ms).motion:
            moved += 1
            shown, true = patient.spo2(t_ms), still.spo2(t_ms)
            assert shown is not None
            assert true is not None
            assert shown <= true
        else:
            assert patient.spo2(t_ms) == still.spo2(t_ms)
            assert patient.pulse(t_ms) == still.heart_rate(t_ms)
    assert moved > 30


def test_a_probe_that_is_off_shows_nothing_and_perfusion_zero() -> None:
    story = Story(name="x", probe=(Probe(state="off", at_min=1, for_s=30),))
    patient = Patient(story, seed=1)
    during, after = 70_000, 95_000
    assert patient.contact(during).probe == "off"
    assert (patient.spo2(during), patient.pulse(during), patient.perfusion(during)) == (None, None, 0.0)
    assert patient.heart_rate(during) > 40
    assert patient.spo2(after) is not None


def test_a_weak_pulse_shows_numbers_with_little_perfusion() -> None:
    story = Story(name="x", probe=(Probe(state="weak", at_min=0, for_s=600),))
    patient = Patient(story, seed=1)
    for t_ms in range(0, 600_000, 5000):
        assert patient.contact(t_ms).weak
        assert patient.spo2(t_ms) is not None
        assert 0 < patient.perfusion(t_ms) < 0.3


def test_an_older_patient_has_another_pressure() -> None:
    old = [Patient(_drawn("esk", age=70), seed) for seed in range(800)]
    assert statistics.mean(p.systolic(-1) for p in old) == pytest.approx(128, abs=1.5)
    assert statistics.mean(p.systolic(40 * MINUTE_MS) - p.systolic(-1) for p in old) == pytest.approx(
        16, abs=1.5
    )
