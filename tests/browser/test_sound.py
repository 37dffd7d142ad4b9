"""The bursts, measured sample by sample against IEC 60601-1-8 (tables 3 and 4), and what plays them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import Stage

RATE = 44_100
Samples = NDArray[np.float64]

RENDER = """async ([priority, technical, seconds]) => {
  const { schedule } = await import('/js/sound.js');
  const context = new OfflineAudioContext(1, seconds * 44100, 44100);
  schedule(context, context.destination, priority, technical, 0.1);
  return Array.from((await context.startRendering()).getChannelData(0));
}"""
FAIL = """async (seconds) => {
  const { failure } = await import('/js/sound.js');
  const context = new OfflineAudioContext(1, seconds * 8000, 8000);
  failure(context, context.destination, 0);
  const sound = (await context.startRendering()).getChannelData(0);
  const second = (s) => sound.subarray(s * 8000, (s + 1) * 8000);
  return Array.from({ length: seconds }, (_, s) => Math.max(...second(s).map(Math.abs)));
}"""

#            pulses td          x or y      burst to burst
TABLE = {
    "HIGH": (10, (75, 200), (50, 125)),
    "MEDIUM": (3, (125, 250), (125, 250)),
    "LOW": (2, (125, 250), (125, 250)),
}
RENDERED: dict[tuple[str, bool], Samples] = {}
KINDS = [(p, t) for p in TABLE for t in (False, True)]


def render(house: Page, priority: str, technical: bool) -> Samples:  # noqa: FBT001  the second axis of the table
    if (priority, technical) not in RENDERED:
        RENDERED[priority, technical] = np.array(house.evaluate(RENDER, [priority, technical, 5]))
    return RENDERED[priority, technical]


def envelope(sound: Samples, rate: int = RATE) -> Samples:
    """The loudness over time: the greatest sample within one period of the lowest tone."""
    width = rate // 440
    padded = np.pad(np.abs(sound), (width // 2, width - width // 2 - 1))
    loudest: Samples = np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1)
    return loudest


def pulses(loud: Samples) -> list[tuple[float, float]]:
    """(begin, end) in ms of every pulse, at half of the greatest loudness."""
    above = np.concatenate(([False], loud > loud.max() / 2, [False]))
    edges = np.flatnonzero(np.diff(above.astype(int))) / RATE * 1000
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@pytest.mark.shows("ALM-030")
@pytest.mark.parametrize(("priority", "technical"), KINDS)
def test_a_burst_has_the_pulses_and_gaps_of_the_standard(house: Page, priority: str, technical: bool) -> None:  # noqa: FBT001
    count, (td_min, td_max), (gap_min, gap_max) = TABLE[priority]
    found = pulses(envelope(render(house, priority, technical)))
    assert len(found) == count
    lengths = [end - begin for begin, end in found]
    gaps = [b[0] - a[1] for a, b in pairwise(found)]
    assert all(td_min <= length <= td_max for length in lengths)
    assert max(lengths) - min(lengths) <= 0.05 * max(lengths)
    if priority == "HIGH":
        td = float(np.mean(lengths))
        x = float(np.mean([gaps[i] for i in (0, 1, 3, 5, 6, 8)]))
        assert all(abs(gaps[i] - x) <= 0.05 * x + 1 for i in (0, 1, 3, 5, 6, 8))
        assert gap_min <= x <= gap_max
        for middle in (2, 7):
            assert abs(gaps[middle] - (2 * x + td)) <= 0.05 * (2 * x + td)
        assert 350 <= gaps[4] <= 1300
    else:
        assert all(gap_min <= gap <= gap_max for gap in gaps)
        assert max(gaps) - min(gaps) <= 0.05 * max(gaps) + 1


@pytest.mark.shows("ALM-030")
@pytest.mark.parametrize(("priority", "technical"), KINDS)
def test_a_pulse_rises_neither_too_fast_nor_too_slowly(house: Page, priority: str, technical: bool) -> None:  # noqa: FBT001
    loud = envelope(render(house, priority, technical))
    begin, end = pulses(loud)[0]
    first = loud[: int((begin + end) / 2 / 1000 * RATE)]
    top = first.max()
    rise_ms = (np.argmax(first >= 0.9 * top) - np.argmax(first >= 0.1 * top)) / RATE * 1000
    assert 0.10 <= rise_ms / (end - begin) <= 0.40


@pytest.mark.shows("ALM-030")
@pytest.mark.parametrize(("priority", "technical"), KINDS)
def test_a_tone_has_four_peaks_within_fifteen_decibels(house: Page, priority: str, technical: bool) -> None:  # noqa: FBT001
    sound = render(house, priority, technical)
    begin, end = pulses(envelope(sound))[0]
    steady = sound[int((begin + 30) / 1000 * RATE) : int((end - 30) / 1000 * RATE)]
    power = np.abs(np.fft.rfft(steady * np.hanning(len(steady)), RATE)) + 1e-12  # one bin is one hertz
    db = 20 * np.log10(power)
    peaks: list[tuple[int, float]] = []
    while len(peaks) < 6:
        at = int(np.argmax(db[150:4001])) + 150
        peaks.append((at, float(db[at])))
        db[max(0, at - 100) : at + 100] = -300
    four = peaks[:4]
    assert four[0][1] - four[3][1] <= 15
    assert any(150 <= at <= 1000 for at, _ in four)


@pytest.mark.shows("ALM-013", "HZ-12")
def test_patient_and_technical_alarms_have_different_timbres_at_one_rhythm(house: Page) -> None:
    one, other = (render(house, "HIGH", technical) for technical in (False, True))
    assert np.allclose(pulses(envelope(one)), pulses(envelope(other)), atol=5)
    spectra = [np.abs(np.fft.rfft(s)) for s in (one, other)]
    alike = float(np.dot(*spectra) / np.prod([np.linalg.norm(s) for s in spectra]))
    assert alike < 0.95


def test_no_sample_is_clipped(house: Page) -> None:
    for priority, technical in KINDS:
        assert 0.3 < float(np.abs(render(house, priority, technical)).max()) <= 1.0


@pytest.mark.shows("ALM-034")
def test_the_failure_tone_lasts_longer_than_two_minutes(house: Page) -> None:
    seconds = np.array(house.evaluate(FAIL, 190))
    assert (seconds[:121] > 0.2).all()
    assert (seconds[181:] == 0).all()


# The loudspeaker.

SPEAK = """async (story) => {
  const { Speaker } = await import('/js/sound.js');
  const speaker = new Speaker(() => {});
  await speaker.context.resume();
  const began = speaker.context.currentTime;
  for (const wanted of story) speaker.sound(wanted && { technical: false, alarm_ids: [1], ...wanted });
  const played = speaker.played.map((p) => ({ ...p, in_s: p.at_s - began }));
  await speaker.context.close();
  return played;
}"""


def spoken(house: Page, *story: dict[str, Any] | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.evaluate(SPEAK, list(story))
    return found


@pytest.mark.shows("ALM-030")
def test_bursts_lie_ahead_on_the_audio_clock_at_their_own_pace(house: Page) -> None:
    high = spoken(house, {"priority": "HIGH"})
    assert [round(b["in_s"] - high[0]["in_s"]) for b in high] == [0, 10, 20]
    medium = spoken(house, {"priority": "MEDIUM"})
    assert [round(b["in_s"] - medium[0]["in_s"]) for b in medium] == [0, 25]
    assert len(spoken(house, {"priority": "LOW"}, {"priority": "LOW"})) == 1


@pytest.mark.shows("ALM-035")
def test_a_new_high_interrupts_at_once_and_what_has_ended_is_taken_back(house: Page) -> None:
    both = spoken(house, {"priority": "MEDIUM"}, {"priority": "HIGH"})
    assert {b["priority"] for b in both} == {"HIGH"}
    assert both[0]["in_s"] < 0.5
    assert spoken(house, {"priority": "HIGH"}, None) == []


def test_told_the_same_again_the_bursts_keep_their_pace(house: Page) -> None:
    assert len(spoken(house, *[{"priority": "HIGH"}] * 20)) == 3


def test_a_screen_whose_browser_lets_it_sound_says_so(stage: Stage, open_page: Open) -> None:
    page = open_page(stage)
    expect(page.locator(".health")).to_contain_text("Sound on")
    assert "Sound is off" not in page.inner_text("#screen")


@pytest.mark.shows("ALM-031")
def test_a_browser_that_blocks_sound_counts_as_a_technical_medium(house: Page) -> None:
    is_off = house.evaluate("""async () => {
      const { start, reduce } = await import('/js/state.js'), { chips } = await import('/js/look.js');
      const state = reduce(start(0), { kind: 'sound', is: 'off' });
      return chips(state).map((a) => [a.priority, a.technical, a.text]);
    }""")
    assert is_off == [["MEDIUM", True, "Sound off here"]]
