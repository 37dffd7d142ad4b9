"""The parts of one ward by their names, as one record: made here, moved by the ward alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from monitor.alerts.board import Board
from monitor.alerts.paging import Paging
from monitor.alerts.rules import RULES, Rule
from monitor.alerts.sounds import Sounds
from monitor.alerts.trials import Trials
from monitor.model import Bed
from monitor.plan import Plan
from monitor.ward.bedside import Bedside
from monitor.ward.calling import Calling
from monitor.ward.cuffs import Cuffs
from monitor.ward.equipment import Equipment
from monitor.ward.over import Over
from monitor.ward.sources import Sources
from monitor.ward.technical import explains
from monitor.ward.treatments import Treatments
from monitor.ward.visits import Visits
from monitor.ward.watch import Watch
from monitor.ward.wording import Wording


@dataclass(frozen=True, slots=True)
class Parts:
    """Every part owns its own state; whoever is given this record may read them all."""

    plan: Plan
    rules: Mapping[str, Rule]
    beds: Mapping[Bed, Bedside]
    visits: Visits
    equipment: Equipment
    sources: Sources
    watch: Watch
    board: Board
    over: Over
    paging: Paging
    trials: Trials
    wording: Wording
    calling: Calling
    cuffs: Cuffs
    sounds: Sounds
    treatments: Treatments


def parts_of(plan: Plan) -> Parts:
    """The parts of a ward that has heard nothing yet."""
    rules = {rule.name: rule for rule in RULES}
    beds = {
        bed: Bedside(index, bed, place, tuple(d.device for d in plan.devices if d.bed == bed))
        for index, (bed, place) in enumerate(plan.beds)
    }
    equipment = Equipment(plan)
    board = Board(rules, partial(explains, equipment.devices))
    paging = Paging(plan.chain, plan.ways)
    trials = Trials(plan.tests, plan.duty.on, plan.ways)
    wording = Wording(beds, equipment)
    watch = Watch(plan)
    return Parts(
        plan=plan,
        rules=rules,
        beds=beds,
        visits=Visits(beds),
        equipment=equipment,
        sources=Sources(equipment),
        watch=watch,
        board=board,
        over=Over(),
        paging=paging,
        wording=wording,
        trials=trials,
        calling=Calling(plan, beds, board, paging, trials, wording),
        cuffs=Cuffs(beds, equipment),
        sounds=Sounds(),
        treatments=Treatments(plan, beds, board, wording, watch),
    )
