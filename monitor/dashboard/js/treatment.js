// What a screen says of a treatment: its phase, its ring, what is due, what comes next, its steps. Pure.
// The server says what holds (`TreatmentNow`); here it is only put into a place and into the words of the house.

import { words } from "./words.js";

export const SIDE = new Set(["held", "stopped", "emergency", "transferred", "aborted_before_dose"]);

/** The treatment of the patient who is at this bed now, and of nobody else; null where the bed is only watched. */
export const treatmentOf = (bed) => (bed?.session && bed.treatment?.session === bed.session.session ? bed.treatment : null);

/** What stands where the drug's name would be. */
export const flagWords = (t) => t.flags.filter((f) => f.on).map((f) => f.words);

/** The layer of the therapy that has made a limit other than the profile's, if one has. */
export const layerOf = (t, limit) => (t && limit.limit !== limit.default && !limit.set_by ? t.layers.find((layer) => layer.rules.includes(limit.rule)) : undefined);

// The ring.

/** The check of this therapy that comes once at a time of its own; it is the diamond of the ring. */
const timed = (t) => t.checks.find((c) => c.due_at_ms !== null) ?? null;

/** Where each thing stands on the ring, as parts of its whole; `open` where there is no least stay to fill it. */
export function ringOf(t, now_ms) {
  const { start_at_ms, ended_at_ms, end_at_ms, ring, ring_until_at_ms, floor_min, floor_until_at_ms } = t.clocks;
  if (start_at_ms === null) return { minute: null, part: 0, open: ring === "guide", label: words.notStarted };
  const at_ms = ended_at_ms ?? now_ms, whole_ms = ring_until_at_ms === null ? null : ring_until_at_ms - start_at_ms;
  const part = (t_ms) => (whole_ms === null ? 0 : Math.min(1, Math.max(0, (t_ms - start_at_ms) / whole_ms)));
  const minute = Math.max(0, Math.floor((at_ms - start_at_ms) / 60_000)), check = whole_ms === null ? null : timed(t);
  const end_ms = end_at_ms ?? (t.way === "IV" && ring === "expected" ? ring_until_at_ms - floor_min * 60_000 : null);
  return {
    minute, part: part(at_ms), open: ring === "guide" || whole_ms === null, full: floor_until_at_ms !== null && at_ms >= floor_until_at_ms,
    check: check && { at: part(check.due_at_ms), from: part(check.opens_at_ms), to: part(check.closes_at_ms), done: check.state === "done" },
    cut: end_ms !== null && whole_ms !== null ? part(end_ms) : null,
    label: [words.minutesOfDrug(minute), floor_until_at_ms === null ? null : at_ms >= floor_until_at_ms ? words.stayDone : words.toFloor(floor_until_at_ms - at_ms, floor_min)].filter(Boolean).join(", "),
  };
}

/** What stands as upright lines in the trends: start, devices, end, checks, what the patient has said, the end of the least stay. */
export function marksOf(t) {
  const { start_at_ms, end_at_ms, floor_until_at_ms, floor_min } = t.clocks, found = t.devices.map((d) => ({ at_ms: d.at_ms, words: String(d.number), before: d.number === 1 ? words.device : "" }));
  if (t.devices.length === 0 && start_at_ms !== null) found.push({ at_ms: start_at_ms, words: words.pumpStart });
  if (end_at_ms !== null) found.push({ at_ms: end_at_ms, words: words.pumpEnd });
  for (const check of t.checks) if (check.due_at_ms !== null) found.push({ at_ms: check.due_at_ms, words: check.title });
  for (const one of t.timeline ?? []) if (one.kind === "symptom" && !one.struck) found.push({ at_ms: one.at_ms, words: one.words, said: true, strong: true });
  if (floor_until_at_ms !== null) found.push({ at_ms: floor_until_at_ms, words: words.stayOf(floor_min) });
  return found;
}

/** When the pressures of checks were measured: their bars have numbers. */
export const checkedAt = (t) => t.checks.flatMap((check) => check.filled.filter((one) => one.item === "nibp").map((one) => one.at_ms));

// What is due.

export const isLate = (due, now_ms) => due.state === "late" || (due.priority !== null && now_ms >= due.late_at_ms);

/** One thing that is due, as the one line of a tile says it. */
export function dueText(due, now_ms) {
  const left_ms = due.due_at_ms - now_ms, late = left_ms <= -60_000;
  if (due.what === "form") return due.words;
  if (due.what === "nibp" || due.what === "final") return left_ms > 0 ? words.bpIn(left_ms) : late ? words.bpLate(-left_ms) : words.bpNow;
  if (due.priority === null) return left_ms > 0 ? words.deviceIn(due.title, left_ms) : words.deviceNow(due.title);
  const forty = due.what === "check_40";
  if (left_ms > 0) return forty ? words.checkIn(left_ms) : words.dueIn(due.title, left_ms);
  return !late ? words.dueNowOf(due.title) : forty ? words.checkLate(-left_ms) : words.dueLate(due.title, -left_ms);
}

/** The same beside its title. */
export function dueWhen(due, now_ms) {
  const left_ms = due.due_at_ms - now_ms;
  if (due.what === "form") return due.words;
  if (due.priority === null && due.what.startsWith("device")) return left_ms > 0 ? words.inRunning(left_ms) : words.now;
  return left_ms > 0 ? words.inTime(left_ms) : left_ms > -60_000 ? words.dueNow : words.late(-left_ms);
}

/** The one line of a bed where no alarm is: overdue, else ready, else due soon, else what comes next. */
export function treatmentLine(t, now_ms, { note, running_ms }) {
  if (t.over) return { text: t.sign_off.missing.length > 0 ? words.toSign : words.closeSession, note };
  const late = t.dues.find((due) => isLate(due, now_ms)), soon = t.dues.find((due) => due.state !== "ahead");
  if (late) return { text: dueText(late, now_ms), due: true, note };
  if (running_ms !== null) return { text: words.cuffRunning(running_ms), note };
  if (t.ready) return { text: words.ready, ready: true, note: words.readyNote(...readyCount(t), signs(t)) };
  if (soon) return { text: dueText(soon, now_ms), due: true, note };
  return { text: t.next || (t.dues[0] ? dueText(t.dues[0], now_ms) : words.phaseSince(words.phase[t.phase], t.since_at_ms)), note };
}

/** Whose signature is still wanted; empty where nobody's is. */
const signs = (t) => (t.ready_items.find((i) => i.item === "signed")?.holds ? "" : t.sign_off.alone[0] ?? t.sign_off.roles[0] ?? "");

/** How long until the patient may leave by the clock: "78 min to 2 h"; null where there is no least stay, or it is over. */
export function toFloor(t, now_ms) {
  const { floor_until_at_ms, floor_min } = t.clocks;
  return floor_until_at_ms === null || now_ms >= floor_until_at_ms ? null : words.toFloor(floor_until_at_ms - now_ms, floor_min);
}

/** How many items of the list of who may leave hold. */
export const readyCount = (t) => [t.ready_items.filter((i) => i.holds).length, t.ready_items.length];
