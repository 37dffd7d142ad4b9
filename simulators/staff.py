"""The staff of a demonstration: they do at a treated bed what its screen asks for, through the API. Pure.

`next_act` looks at a bed as the API shows it and says what somebody would do there now, or nothing. It does
what is ordinary: a gate, an alarm, a missed check or a late form is left to whoever is looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.treatment import Score
from simulators.patient import AnyPatient

IV_MINUTES = 40
WEIGHT_KG, DOSE_MG_PER_KG, MG_PER_ML = 70.0, 0.5, 1.0
RATE_ML_PER_H = WEIGHT_KG * DOSE_MG_PER_KG / MG_PER_ML * 60 / IV_MINUTES
LOT, EXPIRES = "DEMO-{number}", "2099-12-31"
"""What stands on devices that do not exist."""

WELL: Mapping[str, int] = {
    Score.MOAAS: 5,
    Score.DISSOCIATION: 0,
    Score.NAUSEA: 0,
    Score.PAIN: 0,
    Score.MOOD: 5,
    Score.ANXIETY: 2,
    Score.ORIENTED: 3,
    Score.CONFUSION: 0,
    Score.GAIT: 1,
    Score.OXYGEN: 0,
    Score.SUICIDE_CHECK: 1,
    Score.ESCORT: 1,
    Score.DRIVING: 1,
    Score.LINE_OUT: 1,
    Score.INSTRUCTIONS: 1,
    Score.PUMP: 1,
}
"""What an ordinary patient is judged to be; of POSTURE, which goes with a reading, see `_stands`."""

ESCORT = "a friend"
"""Who takes everybody home."""
AGAIN_MS = 300_000
"""Nobody is asked the same again within this time."""

SITTING, STANDING = 1, 2
AGREED = ("must", "confirm")
"""The kinds of questions to which an ordinary patient's answer is yes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Who proves who they are, and with which password."""

    name: str
    password: str

    def body(self) -> dict[str, str]:
        """As it is sent."""
        return {"name": self.name, "password": self.password}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do: `path` under the API, `body` to post there."""

    path: str
    body: Mapping[str, Any]


def next_act(
    tile: Mapping[str, Any], patient: AnyPatient, at_ms: int, *, second: Proof, prescriber: Proof
) -> Act | None:
    """What to do at a bed now: `tile` is the `bed` of `GET /beds/{bed}`, `at_ms` the time since the drug."""
    now: Mapping[str, Any] | None = tile["treatment"]
    if now is None or now["over"]:
        return None
    ward_path, moves_path = f"/beds/{tile['bed']}", f"/sessions/{now['session']}/moves"
    body = (
        _answer(now)
        or _score(now)
        or _stands(tile, now)
        or _check(now)
        or _step(now, at_ms, second, prescriber)
    )
    if body is not None:
        return Act(moves_path, body)
    if _wants_breaths(now):
        breaths = patient.respiration(at_ms)
        if breaths is not None:
            return Act(f"{ward_path}/vitals", {"kind": "respiration", "per_min": round(breaths)})
    return Act(f"{ward_path}/cuff", {}) if _wants_cuff(tile, now) else None


def _answer(now: Mapping[str, Any]) -> dict[str, Any] | None:
    for question in now["questions"]:
        if now["phase"] == "check_in" and question["yes"] is None:
            return {"kind": "answer", "question": question["question"], "yes": question["kind"] in AGREED}
    return None


def _score(now: Mapping[str, Any]) -> dict[str, Any] | None:
    asked = {score for due in now["dues"] if due["state"] in ("due", "late") for score in due["asks"]}
    for scale in now["scores"]:
        score = scale["score"]
        if score not in WELL or now["at_ms"] - (scale["at_ms"] or 0) < AGAIN_MS:
            continue
        if (scale["wanted"] and scale["value"] is None) or score in asked or score in _lacking(now):
            peak = score == Score.DISSOCIATION and now["at_peak"]
            note = ESCORT if score == Score.ESCORT else ""
            return {"kind": "score", "score": score, "value": 1 if peak else WELL[score], "note": note}
    return None


def _lacking(now: Mapping[str, Any]) -> set[str]:
    """What who may leave is waiting for, once the least stay is over or somebody might be asked about it."""
    until_ms = now["clocks"]["floor_until_at_ms"]
    last = now["phase"] in ("decline", "late_recovery", "ready")
    if not last or now["at_ms"] < (until_ms or 0):
        return set()
    return {fill for item in now["ready_items"] if not item["holds"] for fill in item["fills"]}


def _stands(tile: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any] | None:
    """Somebody who may go is asked to stand for a reading, and to sit down again after it."""
    if Score.POSTURE not in {scale["score"] for scale in now["scores"]}:
        return None
    newest = next(scale for scale in now["scores"] if scale["score"] == Score.POSTURE)
    standing = newest["value"] == STANDING
    if standing and (tile["cuff"]["measured_at_ms"] or 0) > newest["at_ms"]:
        return {"kind": "score", "score": Score.POSTURE, "value": SITTING}
    if not standing and Score.POSTURE in _lacking(now):
        return {"kind": "score", "score": Score.POSTURE, "value": STANDING}
    return None


def _check(now: Mapping[str, Any]) -> dict[str, Any] | None:
    for check in now["checks"]:
        ready = check["state"] in ("open", "late") and now["at_ms"] >= check["due_at_ms"]
        if ready and not any(item["required"] for item in check["lacking"]):
            return {"kind": "check_done", "check": check["check"]}
    return None


def _step(  # noqa: PLR0911  a line a move
    now: Mapping[str, Any], at_ms: int, second: Proof, prescriber: Proof
) -> dict[str, Any] | None:
    """The next step that nothing is missing for; the drug is given when the patient's own course begins."""
    for move in now["moves"]:
        if move["missing"]:
            continue
        match move["kind"]:
            case "checked_in" | "ready" | "close":
                return {"kind": move["kind"]}
            case "to_timeout" | "infusion_start" if at_ms >= 0:
                return {"kind": move["kind"]}
            case "dose" if now["dose"] is None and at_ms >= 0:
                return _dose(second)
            case "device" if at_ms >= 0:
                return _device(now)
            case "infusion_end" if at_ms >= IV_MINUTES * 60_000:
                return {"kind": "infusion_end"}
            case "sign" if now["sign_off"]["missing"]:
                return {"kind": "sign", "by": prescriber.body()}
            case _:
                pass
    return None


def _dose(second: Proof) -> dict[str, Any]:
    return {
        "kind": "dose",
        "weight_kg": WEIGHT_KG,
        "dose_mg_per_kg": DOSE_MG_PER_KG,
        "concentration_mg_per_ml": MG_PER_ML,
        "rate_ml_per_h": RATE_ML_PER_H,
        "second": second.body(),
    }


def _device(now: Mapping[str, Any]) -> dict[str, Any] | None:
    device = now["next_device"]
    if device is None or now["at_ms"] < (device["not_before_at_ms"] or 0):
        return None
    number = device["number"]
    return {
        "kind": "device",
        "number": number,
        "lot": LOT.format(number=number),
        "expires": EXPIRES,
        "last": device["last"],
    }


def _wants_breaths(now: Mapping[str, Any]) -> bool:
    """Nobody but a person counts breaths where no device does."""
    if now["phase"] == "baseline":
        return any("respiration" in line.lower() for line in now["baseline"]["missing"])
    return "rr" in _lacking(now)


def _wants_cuff(tile: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a reading is asked for that the session's own schedule does not start."""
    if (
        tile["cuff_refusal"] is not None
        or tile["cuff"] is None
        or tile["cuff"]["running_since_ms"] is not None
    ):
        return False
    if now["phase"] == "baseline":
        short = len(now["baseline"]["readings"]) < 2 or now["baseline"]["next_at_ms"] is not None
        return short and now["at_ms"] >= (now["baseline"]["next_at_ms"] or 0)
    due = {each["what"] for each in now["dues"] if each["state"] in ("due", "late")}
    posture = next((scale for scale in now["scores"] if scale["score"] == Score.POSTURE), None)
    return "final" in due or (posture is not None and posture["value"] == STANDING)
