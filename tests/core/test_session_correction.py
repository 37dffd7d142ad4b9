"""An entry that was wrong is struck and still there to be read; what stands instead counts in its place."""

from __future__ import annotations

import pytest

from monitor.model import Priority
from monitor.sessions.therapy import Item
from monitor.treatment import (
    AdverseEvent,
    CheckFilled,
    Corrected,
    DeviceGiven,
    Move,
    Phase,
    Score,
    Scored,
    Struck,
    Symptom,
    SymptomNoted,
    TreatmentEvent,
    TreatmentNote,
)
from monitor.treatment_now import LineNow
from monitor.ward.treating.timeline import timeline
from tests.core.visit import DANA, LEE, Visit


def corrects(visit: Visit, entry: int, instead: object, why: str = "typed wrong") -> Corrected:
    """A correction by somebody else than who entered it."""
    return Corrected(visit.now_ms, 7, entry, instead, why, LEE)  # type: ignore[arg-type]


def newest(visit: Visit) -> int:
    """The number of the newest entry."""
    return len(visit.record.events)


def line(visit: Visit, entry: int) -> LineNow:
    """The line of one entry."""
    return next(one for one in timeline(visit.record) if one.entry == entry)


def dosed() -> Visit:
    """Both devices have been given."""
    visit = Visit()
    visit.doses()
    return visit


def test_a_correction_says_who_when_what_it_replaces_and_why() -> None:
    visit = dosed()
    visit.scores(moaas=3)
    entry, said_ms = newest(visit), visit.now_ms
    visit.waits(4)
    visit.does(corrects(visit, entry, visit.score(Score.MOAAS, 5), "it was bed 4"))
    struck, instead = visit.record.events[-2:]
    assert struck == Struck(visit.now_ms, 7, entry, entry + 2, "it was bed 4", LEE)
    assert instead == Scored(visit.now_ms, 7, Score.MOAAS, 5, said_ms, LEE)


def test_the_old_value_stays_readable_and_struck() -> None:
    visit = dosed()
    visit.scores(moaas=3)
    entry = newest(visit)
    visit.waits(4)
    visit.does(corrects(visit, entry, visit.score(Score.MOAAS, 5)))
    old, new, told = line(visit, entry), line(visit, entry + 2), line(visit, entry + 1)
    assert old.words == "Sedation (MOAA/S): only to loud or repeated name"
    assert old.who == DANA
    assert old.struck is not None
    assert (old.struck.by, old.struck.why, old.struck.instead) == (LEE, "typed wrong", entry + 2)
    assert (new.replaces, new.struck, new.at_ms) == (entry, None, old.at_ms)
    assert told.words == f"Corrected: {old.words}. typed wrong"
    assert (told.kind, told.who) == ("correction", LEE)


def test_a_corrected_score_is_the_one_that_counts_everywhere() -> None:
    visit = dosed()
    visit.scores(moaas=2)
    assert visit.raised()["sedation-m"] is Priority.MEDIUM
    visit.does(corrects(visit, newest(visit), visit.score(Score.MOAAS, 5)))
    assert visit.record.value(Score.MOAAS) == 5
    assert "sedation-m" not in visit.raised()


def test_a_readiness_item_takes_the_corrected_score() -> None:
    visit = dosed()
    visit.waits(100)
    visit.scores(moaas=5, oriented=3, dissociation=0)
    assert visit.missing(Item.AWAKE) == ""
    visit.does(corrects(visit, newest(visit), visit.score(Score.DISSOCIATION, 1)))
    assert visit.missing(Item.AWAKE) == "Dissociation: yes."


def test_what_was_corrected_stays_older_than_what_came_after_it() -> None:
    visit = dosed()
    visit.scores(moaas=3)
    entry = newest(visit)
    visit.waits(5)
    visit.scores(moaas=5)
    visit.does(corrects(visit, entry, visit.score(Score.MOAAS, 4)))
    assert visit.record.value(Score.MOAAS) == 5
    assert [one.value for one in visit.record.scores[Score.MOAAS]][-2:] == [4, 5]


def test_an_entry_may_be_withdrawn_with_nothing_in_its_place() -> None:
    visit = dosed()
    visit.scores(moaas=5)
    visit.scores(moaas=1)
    visit.does(corrects(visit, newest(visit), None, "that was bed 4"))
    assert visit.record.value(Score.MOAAS) == 5
    assert line(visit, newest(visit)).words.startswith(
        "Withdrawn: Sedation (MOAA/S): after a painful squeeze"
    )


def test_a_withdrawn_emergency_sign_alarms_no_more() -> None:
    visit = dosed()
    visit.symptom(Symptom.CHEST_PAIN)
    assert visit.raised()["emergency-sign"] is Priority.HIGH
    visit.does(corrects(visit, newest(visit), None, "the wrong bed"))
    assert "emergency-sign" not in visit.raised()
    assert Symptom.CHEST_PAIN not in visit.record.symptoms


def test_a_symptom_that_is_over_stays_over_when_its_beginning_is_corrected() -> None:
    visit = dosed()
    visit.symptom(Symptom.NAUSEA)
    entry = newest(visit)
    visit.waits(5)
    visit.symptom(Symptom.NAUSEA, over=True)
    severe = SymptomNoted(visit.now_ms, 7, Symptom.NAUSEA, True, False, visit.now_ms, LEE)  # noqa: FBT003
    visit.does(corrects(visit, entry, severe))
    assert visit.record.symptoms[Symptom.NAUSEA].over


def test_a_lot_number_is_corrected_and_the_time_of_the_device_is_not() -> None:
    visit = dosed()
    given = visit.record.devices[0]
    entry = visit.record.number(given)
    visit.waits(3)
    visit.does(corrects(visit, entry, visit.device(1, lot="24B7", expires=given.expires)))
    assert visit.record.devices[0] == DeviceGiven(
        visit.now_ms, 7, 1, "24B7", given.expires, given.last, given.done_at_ms, LEE
    )
    assert visit.record.start_ms == given.done_at_ms
    assert len(visit.record.devices) == 2
    assert "stays given" in visit.refused(corrects(visit, newest(visit), None))


def test_notes_and_adverse_events_are_corrected_in_their_place() -> None:
    visit = dosed()
    event = AdverseEvent(visit.now_ms, 7, "fell", True, "", "", DANA)  # noqa: FBT003
    visit.does(event)
    visit.does(TreatmentNote(visit.now_ms, 7, "calm", DANA))
    entry = newest(visit)
    visit.does(corrects(visit, entry - 1, AdverseEvent(visit.now_ms, 7, "stumbled", False, "", "", LEE)))  # noqa: FBT003
    visit.does(corrects(visit, entry, TreatmentNote(visit.now_ms, 7, "calm, eyes closed", LEE)))
    said = [one.what if isinstance(one, AdverseEvent) else one.text for one in visit.record.notes]
    assert said == ["stumbled", "calm, eyes closed"]


def test_a_corrected_entry_may_be_corrected_again_but_not_twice() -> None:
    visit = dosed()
    visit.scores(moaas=3)
    entry = newest(visit)
    visit.does(corrects(visit, entry, visit.score(Score.MOAAS, 4)))
    assert visit.refused(corrects(visit, entry, None)) == "lee has corrected this already."
    visit.does(corrects(visit, entry + 2, visit.score(Score.MOAAS, 5)))
    assert visit.record.value(Score.MOAAS) == 5
    assert line(visit, entry + 2).struck is not None


@pytest.mark.parametrize(
    ("instead", "why", "words"),
    [
        ("moaas 4", "", "A correction needs a reason."),
        ("moaas 3", "x", "This says the same as before."),
        ("moaas 9", "x", "is not on the scale"),
        ("nausea 1", "x", "of the same kind"),
    ],
)
def test_a_correction_that_says_nothing_is_refused(instead: str, why: str, words: str) -> None:
    visit = dosed()
    visit.scores(moaas=3)
    name, value = instead.split()
    assert words in visit.refused(corrects(visit, newest(visit), visit.score(Score(name), int(value)), why))


def test_what_is_answered_or_decided_is_not_corrected() -> None:
    visit = dosed()
    assert "enter it anew" in visit.refused(corrects(visit, 1, None))
    assert "no such entry" in visit.refused(corrects(visit, newest(visit) + 1, None))


def test_a_signature_counts_no_more_once_what_was_signed_is_corrected() -> None:
    visit = Visit()
    visit.to_ready()
    visit.scores(pain=3)
    entry = newest(visit)
    visit.cuff(121, 76)
    visit.does(visit.sign())
    visit.waits(1)
    visit.does(corrects(visit, entry, visit.score(Score.PAIN, 0)))
    assert "Signature" in visit.refused(visit.step(Move.CLOSE))
    visit.does(visit.sign())
    visit.steps(Move.CLOSE)
    assert visit.phase() is Phase.CLOSED
    assert visit.refused(corrects(visit, entry + 2, None)) == "This session is closed."


def test_the_first_minute_of_readiness_is_asked_again_when_what_made_it_was_wrong() -> None:
    visit = Visit()
    visit.to_decline()
    visit.waits(30)
    visit.makes_ready()
    assert visit.record.ready_first_ms is not None
    gait = visit.record.score(Score.GAIT)
    assert gait is not None
    entry = visit.record.number(gait)
    visit.does(corrects(visit, entry, visit.score(Score.GAIT, 0)))
    assert visit.record.ready_first_ms is None
    visit.scores(gait=1)
    assert visit.record.ready_first_ms == visit.now_ms


def test_a_saved_check_reads_with_the_corrected_score() -> None:
    visit = Visit()
    visit.to_decline()
    wrong = visit.record.score(Score.DISSOCIATION)
    assert wrong is not None
    entry = visit.record.number(wrong)
    visit.does(corrects(visit, entry, visit.score(Score.DISSOCIATION, 0)))
    saved = visit.record.checks["check_40"]
    assert isinstance(saved, CheckFilled)
    assert {one.item: one.value for one in saved.filled}["dissociation"] == 0
    kept: TreatmentEvent = next(one for one in visit.record.events if isinstance(one, CheckFilled))
    assert isinstance(kept, CheckFilled)
    assert {one.item: one.value for one in kept.filled}["dissociation"] == 1


def test_after_a_crash_a_corrected_session_is_the_same() -> None:
    visit = dosed()
    visit.scores(moaas=3)
    visit.does(corrects(visit, newest(visit), visit.score(Score.MOAAS, 5)))
    visit.symptom(Symptom.HEADACHE)
    visit.does(corrects(visit, newest(visit), None))
    before = timeline(visit.record)
    visit.crashes()
    assert timeline(visit.record) == before
