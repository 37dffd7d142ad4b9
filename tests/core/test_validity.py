"""The plausible bands and the consistency rules, edge by edge."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.devices.validity import CLAIMS, HARD, SOFT, screen
from monitor.model import Cuff, Doubt, Fault, Notice, Quality, Sample, Vital


def _sample(vital: Vital, value: float | None, **said: object) -> Sample:
    screened = screen(Sample(vital, value, **said))  # type: ignore[arg-type]
    assert isinstance(screened, Sample)
    return screened


def _cuff(systolic: float | None, diastolic: float | None, mean: float | None = None, **said: object) -> Cuff:
    screened = screen(Cuff(systolic, diastolic, mean, **said))  # type: ignore[arg-type]
    assert isinstance(screened, Cuff)
    return screened


@pytest.mark.parametrize("vital", list(Vital))
def test_every_vital_has_its_two_bands(vital: Vital) -> None:
    assert HARD[vital][0] <= SOFT[vital][0] < SOFT[vital][1] <= HARD[vital][1]


@pytest.mark.parametrize("vital", list(Vital))
def test_the_edges_of_the_bands_belong_to_them(vital: Vital) -> None:
    for edge in SOFT[vital]:
        assert _sample(vital, edge) == Sample(vital, edge)
    for edge, out in zip(HARD[vital], (-0.01, 0.01), strict=True):
        kept = _sample(vital, edge)
        assert (
            kept.quality is Quality.VALID or kept.doubt is Doubt.UNUSUAL or edge in SOFT[vital] or edge == 0
        )
        gone = _sample(vital, edge + out)
        assert (gone.value, gone.quality, gone.doubt) == (None, Quality.INVALID, Doubt.NONE)
        assert gone.why


@pytest.mark.parametrize(
    ("vital", "value"), [(Vital.SPO2, 65), (Vital.HEART_RATE, 25), (Vital.RESPIRATION, 3)]
)
def test_an_unusual_value_is_kept_and_doubted(vital: Vital, value: float) -> None:
    kept = _sample(vital, value)
    assert (kept.value, kept.quality, kept.doubt) == (value, Quality.QUESTIONABLE, Doubt.UNUSUAL)
    assert kept.why


@pytest.mark.parametrize("vital", [vital for vital in Vital if vital in CLAIMS])
def test_no_beat_and_no_breath_are_claims_and_stand(vital: Vital) -> None:
    assert _sample(vital, 0) == Sample(vital, 0)


def test_no_beat_with_a_probe_that_is_off_is_no_claim() -> None:
    gone = _sample(Vital.PULSE_SPO2, 0, quality=Quality.INVALID, why="probe off")
    assert (gone.value, gone.quality, gone.why) == (None, Quality.INVALID, "probe off")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -999, -1, 32767, 8388607])
@pytest.mark.parametrize("vital", list(Vital))
def test_a_marker_for_nothing_is_nothing(vital: Vital, value: float) -> None:
    assert _sample(vital, value).value is None
    assert _cuff(120, value).systolic is None
    assert _cuff(value, 80).systolic is None
    assert _cuff(120, 80, value).systolic is None


def test_more_than_all_the_oxygen_is_rejected() -> None:
    assert _sample(Vital.SPO2, 100).value == 100
    assert _sample(Vital.SPO2, 101).value is None


def test_a_wrong_unit_is_named() -> None:
    assert "Fahrenheit" in str(_sample(Vital.TEMPERATURE, 98.6).why)
    assert "kPa" in str(_cuff(16, 10.4).why)


def test_what_the_device_doubts_stays_doubted() -> None:
    said = Sample(Vital.SPO2, 88, Quality.QUESTIONABLE, "motion", Doubt.POOR_SIGNAL)
    assert screen(said) == said
    low = _sample(Vital.SPO2, 65, quality=Quality.QUESTIONABLE, why="motion", doubt=Doubt.POOR_SIGNAL)
    assert (low.doubt, low.why) == (Doubt.POOR_SIGNAL, "motion")


def test_a_value_that_is_not_there_is_missing_and_never_valid() -> None:
    assert _sample(Vital.SPO2, None).quality is Quality.MISSING
    assert _sample(Vital.SPO2, 97, quality=Quality.MISSING).value is None


def test_an_ordinary_pressure_passes_as_it_is() -> None:
    said = Cuff(120, 78, 93, 66, age_ms=5_000, device_time="x")
    assert screen(said) == said


@pytest.mark.parametrize(
    ("systolic", "diastolic", "mean", "why"),
    [
        (80, 120, None, "not below"),
        (80, 80, None, "not below"),
        (120, 80, 80, "not between"),
        (120, 80, 120, "not between"),
        (120, 80, 130, "not between"),
        (120, 111, None, "too close"),
        (39, 20, None, "cannot be right"),
        (281, 120, None, "cannot be right"),
        (120, 14, None, "cannot be right"),
    ],
)
def test_a_pressure_that_contradicts_itself_is_rejected_whole(
    systolic: float, diastolic: float, mean: float | None, why: str
) -> None:
    gone = _cuff(systolic, diastolic, mean, pulse=70, age_ms=7_000)
    assert (gone.systolic, gone.diastolic, gone.mean, gone.pulse) == (None, None, None, None)
    assert gone.quality is Quality.INVALID
    assert gone.age_ms == 7_000
    assert why in str(gone.why)


def test_a_missing_mean_is_derived_and_marked() -> None:
    cuff = _cuff(120, 90)
    assert (cuff.mean, cuff.derived_mean, cuff.quality) == (100, True, Quality.VALID)
    assert screen(cuff) == cuff


def test_a_mean_that_does_not_fit_is_doubted() -> None:
    for mean in (83, 110):  # (mean - 80) / 45 is outside 0.20 to 0.60
        assert _cuff(125, 80, mean).doubt is Doubt.UNUSUAL
    for mean in (89, 107):
        assert _cuff(125, 80, mean).quality is Quality.VALID


def test_a_wide_pulse_pressure_is_questionable_but_a_severe_one_stands_meanwhile() -> None:
    error = _cuff(201, 62, 108)
    assert (error.systolic, error.quality, error.doubt) == (201, Quality.QUESTIONABLE, Doubt.NONE)
    assert "pulse pressure" in str(error.why)
    narrow = _cuff(100, 88, 92)
    assert (narrow.quality, narrow.doubt) == (Quality.QUESTIONABLE, Doubt.NONE)


def test_an_unusual_pressure_is_doubted() -> None:
    for systolic, diastolic in ((68, 40), (245, 130), (110, 33), (190, 152)):
        assert _cuff(systolic, diastolic).doubt is Doubt.UNUSUAL


def test_one_pressure_without_the_other_is_none() -> None:
    for cuff in (_cuff(120, None), _cuff(None, 80), _cuff(None, None)):
        assert (cuff.systolic, cuff.diastolic, cuff.quality) == (None, None, Quality.INVALID)


def test_a_failed_cuff_keeps_its_reason() -> None:
    assert _cuff(None, None, quality=Quality.INVALID, why="cuff loose").why == "cuff loose"


def test_a_cuff_pulse_that_cannot_be_does_not_cost_the_pressures() -> None:
    for pulse in (0, -1, 400, math.nan):
        cuff = _cuff(120, 78, 93, pulse=pulse)
        assert (cuff.systolic, cuff.pulse) == (120, None)


def test_notices_and_faults_pass() -> None:
    assert screen(Notice("probe off")) == Notice("probe off")
    assert screen(Fault("noise", 3)) == Fault("noise", 3)


numbers = st.one_of(st.none(), st.floats(), st.floats(-10, 350))


@given(st.sampled_from(Vital), numbers, st.sampled_from(Quality))
def test_a_sample_screened_twice_is_as_once_and_its_value_is_real(
    vital: Vital, value: float | None, quality: Quality
) -> None:
    once = _sample(vital, value, quality=quality)
    assert screen(once) == once
    assert (once.value is None) == (once.quality in {Quality.INVALID, Quality.MISSING})
    assert once.value is None or HARD[vital][0] <= once.value <= HARD[vital][1] or once.value == 0


@given(numbers, numbers, numbers, numbers, st.sampled_from(Quality))
def test_a_cuff_screened_twice_is_as_once_and_its_pressures_are_in_order(
    systolic: float | None, diastolic: float | None, mean: float | None, pulse: float | None, quality: Quality
) -> None:
    once = _cuff(systolic, diastolic, mean, pulse=pulse, quality=quality)
    assert screen(once) == once
    if once.systolic is None:
        assert (once.diastolic, once.mean, once.pulse) == (None, None, None)
        assert once.quality in {Quality.INVALID, Quality.MISSING}
    else:
        assert once.diastolic is not None
        assert once.mean is not None
        assert once.diastolic < once.mean < once.systolic


@pytest.mark.parametrize("vital", [Vital.HEART_RATE, Vital.PULSE_SPO2])
def test_a_byte_full_of_ones_is_no_heart_rate(vital: Vital) -> None:
    assert _sample(vital, 255).value is None
    assert _sample(vital, 254).value == 254
