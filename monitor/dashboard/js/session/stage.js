// Where a session stands on its working screens: which page is next, what the server still lacks, what fills it. Pure.

import { treatmentOf } from "../treatment.js";

/** The pages of a start, in their order; a gate has one only while it is shut. */
export const PAGES = ["who", "plan", "questions", "baseline", "gate", "dose"];

const BEFORE = new Set(["check_in", "baseline", "timeout"]);

/** The page that this bed's session waits on. `draft` is what somebody here has begun and not sent. */
export function pageOf(bed, draft) {
  const t = treatmentOf(bed);
  if (!t) return draft.alias && draft.years !== null ? "plan" : "who";
  if (t.phase === "check_in") return "questions";
  if (t.phase === "baseline" || t.phase === "timeout") {
    if (lacksBaseline(t)) return "baseline";
    return shut(t).length > 0 ? "gate" : "dose";
  }
  if (t.phase === "dosing") return "dose";
  return leaving(t) ? "leave" : "now";
}

/** Which pages may be looked at now, in order: those behind, and the one that waits. */
export function within(bed, draft) {
  const t = treatmentOf(bed), at = pageOf(bed, draft);
  if (!t) return PAGES.slice(0, PAGES.indexOf(at) + 1);
  if (!BEFORE.has(t.phase)) return [at];
  return PAGES.slice(2, PAGES.indexOf(at) + 1).filter((page) => page !== "gate" || t.gates.length > 0);
}

export const lacksBaseline = (t) => t.baseline.missing.length > 0 || wantedScores(t).length > 0;

/** The scores that somebody is to ask now. */
export const wantedScores = (t) => t.scores.filter((s) => s.wanted).map((s) => s.score);

export const shut = (t) => t.gates.filter((g) => !g.open);

export const scoreOf = (t, name) => t.scores.find((s) => s.score === name);
export const moveOf = (t, kind) => t.moves.find((m) => m.kind === kind) ?? null;

/** Whether the list of who may leave is what this session waits for: the least stay is over. Where there is none, the list is opened by hand. */
export const leaving = (t) => t.phase === "ready" || t.over || (moveOf(t, "ready") !== null && t.clocks.floor_until_at_ms !== null && t.at_ms >= t.clocks.floor_until_at_ms);

/** The question that is answered next, and how many are not. */
export const unanswered = (t) => t.questions.filter((q) => q.yes === null);

/** What an answer leads to, by the kind of its question; null where it is as hoped. */
export function afterAnswer({ kind, yes }) {
  if (yes === null) return null;
  if (kind === "must" || kind === "confirm") return yes ? null : kind;
  return yes ? kind : null;
}

const isOnce = (t, due) => t.checks.some((c) => c.check === due.what);

/** What somebody has to do something about now: a check once its window is open, scores that come again once they are due. A cuff runs by itself. */
export const todo = (t) => t.dues.filter((d) => d.asks.length > 0 || isOnce(t, d)).filter((d) => (isOnce(t, d) ? d.state !== "ahead" : d.state === "due" || d.state === "late"));
