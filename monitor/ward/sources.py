"""Which device speaks for each vital of a bed, and which still speaks of the patient before. Pure."""

from __future__ import annotations

from monitor.model import Bed, CuffTaken, Device, Reading, SourceMoved, Vital
from monitor.ward.bedside import Bedside
from monitor.ward.equipment import Equipment

EARLIER_MS = 5_000
EARLIER_CUFF_MS = 300_000
"""How long a reading of before this patient stands for a device that shows somebody else's; a cuff's longer,
for it comes once."""

EARLIER_CUFFS = 3
"""One pressure is what any monitor still shows of the patient before, a second was in the making when this
one came; three are what it has stored."""

BACK_TOLD_MS = 60_000
"""How long it is said that a device speaks again; that it stands in for another, as long as it does."""


class Sources:
    """The newest change of the device that speaks, for each bed and vital; one object a ward."""

    def __init__(self, equipment: Equipment) -> None:
        """No device has taken another's place yet."""
        self._equipment = equipment
        self._moved: dict[tuple[Bed, Vital], SourceMoved] = {}

    def move(self, bedside: Bedside, reading: Reading, now_ms: int) -> list[SourceMoved]:
        """The first word of a device on this vital: what follows where another one spoke before."""
        vital, now = reading.vital, reading.device
        was = bedside.speaker.get(vital)
        if was is None:
            bedside.speaks(vital, now, reading.at_ms)
            return []
        if bedside.ranks(now) < bedside.ranks(was):
            why = f"{vital.label} from {now} again"
        elif self._equipment.is_up(was):
            why = f"{vital.label} now from {now}: {was} has no value"
        else:
            why = f"{vital.label} now from {now}: {was} is silent"
        return [SourceMoved(now_ms, bedside.bed, vital, was, now, why)]

    def moved(self, bedside: Bedside, moved: SourceMoved) -> None:
        """Another device speaks for a vital."""
        bedside.takes_over(moved)
        self._moved[moved.bed, moved.vital] = moved

    def new_patient(self, bed: Bed) -> None:
        """Who spoke of the last patient says nothing of this one."""
        self._moved = {key: moved for key, moved in self._moved.items() if key[0] != bed}

    def stand_ins(self, bedside: Bedside, device: Device, now_ms: int) -> tuple[str, ...]:
        """For which vitals this device speaks in another's place, or has just taken its place back."""
        ranks = bedside.ranks
        return tuple(
            moved.why
            for (where, _), moved in self._moved.items()
            if where == bedside.bed and moved.now == device
            if ranks(moved.now) > ranks(moved.was) or now_ms - moved.at_ms < BACK_TOLD_MS
        )


def tells_an_earlier_cuff(bedside: Bedside, taken: CuffTaken) -> bool:
    """Take in a pressure of before this patient; whether its device has now told too many of them."""
    if taken.device is None or bedside.tells_an_earlier_cuff(taken.device) < EARLIER_CUFFS:
        return False
    bedside.tells_of_earlier(taken.device, taken.at_ms, EARLIER_CUFF_MS)
    return True
