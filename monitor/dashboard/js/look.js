// What is shown, in what order, in what colour, and what sounds: decided here and nowhere else. Pure.
// Drawing asks `look(state, bed, now_ms)`; the loudspeaker asks `sounding(state)`.

import { flagWords, ringOf, treatmentLine, treatmentOf } from "./treatment.js";
import { words } from "./words.js";

const RANK = { HIGH: 0, MEDIUM: 1, LOW: 2 };
const DUE_SOON_MS = 5 * 60_000;
export const ROWS = ["spo2", "hr", "rr"];
export const SCALE = { spo2: [80, 100], hr: [40, 140], rr: [4, 32], bp: [50, 200] };

/** The row in which an alarm of this vital is marked. */
const ROW = { spo2: "spo2", hr: "hr", pr_spo2: "hr", pr_nibp: "hr", rr: "rr", nibp_sys: "bp", nibp_dia: "bp", nibp_map: "bp", bp: "bp" };

// Order.

/** Worst first, then longest. A bed never moves; only chips and lists are sorted. */
const worst = (a, b) => RANK[a.priority] - RANK[b.priority] || a.since_ms - b.since_ms || a.alarm_id - b.alarm_id;

export const isOpen = (alarm) => alarm.state === "active" || alarm.state === "acked" || alarm.state === "latched";

/** The alarms that are shown as such, worst first. What a worse alarm of the same cause speaks for is not counted again. */
export function ranked(alarms) {
  const open = alarms.filter(isOpen);
  const own = open.filter((a) => !a.spoken_for);
  return (own.length ? own : open).sort(worst);
}

/** Alarm paused, alarm off: no light either; the banner on tile and bed says so instead, and the list has it still. */
const isDark = (alarm) => alarm.quiet === "alarm paused" || alarm.quiet === "alarm off";

export const ofBed = (state, bed) => ranked(Object.values(state.alarms).filter((a) => a.bed === bed && !isDark(a)));

/** One chip a bed for its worst alarm, and one for each trouble of the service itself. */
export function chips(state) {
  const beds = state.order.map((bed) => ofBed(state, bed)[0]).filter(Boolean);
  return [...beds, ...ofService(state)].sort(worst);
}

const PARTS = { journal: "not-recording", paging: "paging-down" };

function ofService(state) {
  const alarms = ofBed(state, "");
  const said = new Set(alarms.map((a) => a.rule));
  const parts = Object.values(state.parts).filter((p) => !p.ok && PARTS[p.part] && !said.has(PARTS[p.part])).map((p) => local(PARTS[p.part], "HIGH", p.since_ms));
  const silent = state.sound === "off" ? [local("sound-off", "MEDIUM", 0)] : [];   // ALM-031: of this screen alone
  return [...alarms, ...parts, ...silent];
}

const local = (rule, priority, since_ms) => ({
  alarm_id: `here-${rule}`, bed: "", rule, priority, technical: true, vital: null, state: "active", since_ms, value: null, limit: null,
  text: rule === "sound-off" ? words.soundOffShort : words.alarmNames[rule], note: "", quiet: null, spoken_for: false, accepted_by: null, local: true,
});

/** A part of the service is called well only while we hear the server and it says so. */
export const isWell = (state, part) => state.link.is === "up" && state.parts[part]?.ok !== false && !Object.values(state.alarms).some((a) => a.rule === PARTS[part] && isOpen(a));

/** What is due next anywhere, soonest first; a form is owed by days and stands in its own list. */
export function nextDue(state, now_ms, n = 2) {
  const all = state.order.flatMap((bed) => duesOf(state.beds[bed], now_ms).map((due) => ({ bed, ...due })));
  return all.sort((a, b) => a.in_ms - b.in_ms).slice(0, n);
}

function duesOf(bed, now_ms) {
  const t = treatmentOf(bed);
  if (t) return t.dues.filter((due) => due.what !== "form").map((due) => ({ what: shortOf(due), in_ms: due.priority === null ? Math.max(0, due.due_at_ms - now_ms) : due.due_at_ms - now_ms }));
  return bed.session && bed.cuff?.next_due_at_ms ? [{ what: words.vital.bp, in_ms: bed.cuff.next_due_at_ms - now_ms }] : [];
}

/** The bar has room for a word. */
const shortOf = ({ what, title }) => (what === "check_40" ? words.check : what === "nibp" || what === "final" ? words.vital.bp : what.endsWith("_scores") ? words.scores : title);

/** What the beds come to for each nurse who has one, the most at the peak of the drug first. */
export const loads = (state) => state.load.filter((one) => one.beds > 0).sort((a, b) => b.at_peak - a.at_peak || b.beds - a.beds).map((one) => ({ ...one, name: named(state, one.staff) }));

// Colour and form of one alarm.

export const priorityOf = (alarm) => alarm?.priority.toLowerCase();
export const isHeld = (alarm) => alarm?.state === "acked" || alarm?.state === "latched";

/** The attributes that every alarm surface carries; the style sheets decide nothing but how they look. */
export const marks = (alarm) => ({
  "data-priority": priorityOf(alarm),
  "data-technical": alarm?.technical ? "" : undefined,
  "data-held": isHeld(alarm) ? alarm.state : undefined,
});

export const named = (state, name) => state.staff.find((s) => s.name === name)?.display ?? name;
export const textOf = (alarm) => alarm.text || words.alarmNames[alarm.rule] || alarm.rule;

// Numbers.

const whole = (vital, value) => (vital === "temp" || vital === "pi" ? value.toFixed(1) : String(Math.round(value)));

/** One vital as it may be shown now: live, or gone with its last value and age. */
export function numberOf(state, vital, now_ms) {
  if (!vital) return { live: false, text: null, last: null, age_ms: null };
  const live = vital.value !== null && now_ms <= vital.fresh_until_ms && state.link.is !== "lost";
  const last = vital.value ?? vital.last_value, last_at_ms = vital.value !== null ? vital.at_ms : vital.last_at_ms;
  return {
    live, text: live ? whole(vital.vital, vital.value) : null, doubtful: live && vital.quality === "questionable",
    why: vital.why, by: vital.by, last: last === null ? null : whole(vital.vital, last), age_ms: last_at_ms === null ? null : now_ms - last_at_ms, unit: vital.unit,
  };
}

/** HR of the ECG where there is one, else the pulse of the oximeter under its own name. */
function rateOf(bed, now_ms) {
  const { hr, pr_spo2 } = bed.vitals;
  const isLive = (v) => v && v.value !== null && now_ms <= v.fresh_until_ms;
  if (isLive(hr) || !pr_spo2) return "hr";
  if (isLive(pr_spo2) || !hr) return "pr_spo2";
  return (hr.last_at_ms ?? 0) >= (pr_spo2.last_at_ms ?? 0) ? "hr" : "pr_spo2";
}

export const vitalOf = (bed, row, now_ms) => (row === "hr" ? rateOf(bed, now_ms) : row);

// One bed.

export function look(state, name, now_ms) {
  const bed = state.beds[name];
  if (!bed.session) return { name, place: bed.place, empty: true };
  const alarms = ofBed(state, name), top = alarms[0] ?? null;
  const pending = Object.values(state.alarms).filter((a) => a.bed === name && a.state === "pending");
  const hot = {};
  for (const alarm of [...alarms].reverse()) if (alarm.state !== "latched" && ROW[alarm.vital]) hot[ROW[alarm.vital]] = alarm;
  const pauses = bed.pauses.filter((p) => isQuiet(p, now_ms)).map((p) => ({ ...p, left_ms: p.until_ms === null ? Infinity : p.until_ms - now_ms, ran_ms: now_ms - p.since_ms, who: named(state, p.by) }));
  const paused = new Set(pauses.filter(ofAlarms).map((p) => ROW[p.vital]));
  const bp = bpOf(state, bed, now_ms), treatment = treatmentOf(bed);
  const isPending = (row) => pending.some((a) => ROW[a.vital] === row) && !hot[row];
  return {
    name, place: bed.place, empty: false, flags: flagsOf(bed, pauses, treatment), session: bed.session, alarms, top, nurse: bed.nurse ? named(state, bed.nurse) : null,
    treatment, way: treatment?.way ?? null, phase: words.phase[treatment?.phase ?? bed.session.phase] ?? treatment?.phase_title ?? bed.session.phase, pauses, own: new Set(bed.limits.filter((l) => l.set_by).map((l) => ROW[l.vital])), ring: treatment ? ringOf(treatment, now_ms) : watchRing(bed.session, now_ms),
    line: top ? alarmLine(state, bed, alarms, now_ms) : treatment ? treatmentLine(treatment, now_ms, { note: baselineText(bed), running_ms: bp.running_ms }) : quietLine(bed, now_ms),
    rows: ROWS.map((row) => {
      const vital = vitalOf(bed, row, now_ms);
      return { row, vital, source: sourceOf(bed.vitals[vital]), number: numberOf(state, bed.vitals[vital], now_ms), hot: hot[row] ?? null, pending: isPending(row), paused: paused.has(row) };
    }),
    bp: { ...bp, hot: hot.bp ?? null, pending: isPending("bp"), paused: paused.has("bp"), hand: handOf(state, bed, bp, pending) },
  };
}

export function bpOf(state, bed, now_ms) {
  const c = bed.cuff, taken = c && c.systolic_mmhg !== null && c.measured_at_ms !== null;
  const next_ms = c?.next_due_at_ms ? c.next_due_at_ms - now_ms : null;
  return {
    taken: Boolean(taken), systolic: taken ? Math.round(c.systolic_mmhg) : null, diastolic: taken ? Math.round(c.diastolic_mmhg) : null,
    mean: taken && c.mean_mmhg !== null ? Math.round(c.mean_mmhg) : null, by: taken ? c.by : null, age_ms: taken ? Math.max(0, now_ms - c.measured_at_ms) : null,
    doubtful: Boolean(taken && c.quality === "questionable"), why: c?.why ?? null,
    old: state.link.is === "lost" || Boolean(taken && c.old_after_at_ms !== null && now_ms > c.old_after_at_ms),
    next_ms, late: next_ms !== null && next_ms <= -60_000, running_ms: c?.running_since_ms ? now_ms - c.running_since_ms : null,
    failed_ms: c?.failed_at_ms && (!taken || c.failed_at_ms > c.measured_at_ms) ? now_ms - c.failed_at_ms : null, failed_why: c?.failed_why ?? null,
  };
}

/** Where a reading is wanted now (it is due, it has failed, an alarm waits for a second one) and none can be started from here: what to do, in short. */
function handOf(state, bed, bp, pending) {
  const wanted = (bp.next_ms !== null && bp.next_ms <= 0) || bp.failed_ms !== null || pending.some((a) => ROW[a.vital] === "bp");
  if (!wanted || bed.cuff_refusal === null || bp.running_ms !== null) return null;
  const able = bed.devices.map((d) => state.links[d]).filter((link) => link?.can_start_cuff);
  if (able.length === 0) return words.pressButton;
  return able.some((link) => link.state === "up") ? null : words.cuffAway;   // one that is up is refused while a reading runs: it is on its way
}

/** The device a vital comes from, where that is not the one it should come from. */
const sourceOf = (vital) => (vital?.instead_of ? vital.device : null);

/** What is paused has an end, what is off has none of its own (null). */
export const isQuiet = (pause, now_ms) => pause.until_ms === null || pause.until_ms > now_ms;
export const ofAlarms = (pause) => pause.kind === "alarm paused" || pause.kind === "alarm off";

/** The limits of one row, as the rules name their vitals. */
export const limitsOf = (bed, row) => bed.limits.filter((l) => ROW[l.vital] === row);

/** What is not as the profile says stays in sight on tile and bed (ALM-092): paused alarms, then limits of this session's own. */
function flagsOf(bed, pauses, treatment) {
  const off = [...new Set(pauses.filter(ofAlarms).map((p) => words.vital[ROW[p.vital]] ?? words.vital[p.vital]))].map(words.alarmsOff);
  const own = bed.limits.filter((l) => l.set_by);
  const changed = own.length > 1 ? [words.ownLimits(own.length)] : own.map(words.ownLimit);
  return [...off, ...(treatment ? [[...flagWords(treatment), ...changed].join(", ")].filter(Boolean) : changed)];
}

/** A watch has no least stay: an open arc of two hours as a guide, then the number goes on alone. */
function watchRing(session, now_ms) {
  const minute = Math.max(0, Math.floor((now_ms - session.opened_at_ms) / 60_000));
  return { minute, part: Math.min(1, minute / 120), open: true, check: null, cut: null, label: words.minutesSince(minute) };
}

const baselineText = (bed) => words.baselineIs(words.baseline(bed.session.baseline));

function quietLine(bed, now_ms) {
  const next_ms = bed.cuff?.next_due_at_ms ? bed.cuff.next_due_at_ms - now_ms : null, note = baselineText(bed);
  if (bed.cuff?.running_since_ms) return { text: words.cuffRunning(now_ms - bed.cuff.running_since_ms), note };
  if (next_ms === null) return { text: words.noTimer, note };
  if (next_ms <= -60_000) return { text: words.bpLate(-next_ms), due: true, note };
  // Every five minutes is always "within five minutes": a short timer counts as due soon in its last quarter.
  const soon_ms = Math.min(DUE_SOON_MS, (bed.session.cuff_interval_ms ?? Infinity) / 4);
  return { text: next_ms <= 0 ? words.bpNow : words.bpIn(next_ms), due: next_ms <= soon_ms, note };
}

function alarmLine(state, bed, alarms, now_ms) {
  const [top] = alarms, more = alarms.length - 1;
  if (top.state === "latched") {
    const row = ROW[top.vital], number = row && row !== "bp" ? numberOf(state, bed.vitals[vitalOf(bed, row, now_ms)], now_ms) : null;
    const bp = row === "bp" ? bpOf(state, bed, now_ms) : null;
    const value = number?.text ?? (bp?.taken && !bp.old ? `${bp.systolic}/${bp.diastolic}` : null);
    return { text: row && top.value !== null ? words.was(words.vital[top.vital], Math.round(top.value)) : textOf(top), note: value ? words.nowAcknowledge(value) : words.ended, more };
  }
  return { text: textOf(top), time_ms: now_ms - top.since_ms, note: whoOf(state, top, now_ms), also: sentence(top.note), more };
}

/** Who knows, who is going, who is there: one sentence. */
export function whoOf(state, alarm, now_ms) {
  if (alarm.state === "acked") return `${words.atBed(named(state, alarm.acked_by), now_ms - alarm.acked_at_ms)}.`;
  if (alarm.state === "latched") return words.endedNot;
  if (alarm.accepted_by) return `${words.going(named(state, alarm.accepted_by))}.`;
  const pages = Object.values(state.pages).filter((p) => p.alarm_id === alarm.alarm_id && !p.over).sort((a, b) => a.ordered_at_ms - b.ordered_at_ms);
  const names = [...new Set(pages.map((p) => named(state, p.to)))];
  if (names.length === 0) return quietOf(state, alarm);
  if (names.length === 1 && alarm.priority !== "HIGH") return words.pagedAgo(names[0], now_ms - pages[0].ordered_at_ms);
  return `${words.paged(names)} ${words.nobody}.`;
}

/** Why it is silent, with the name that the clinic uses. */
export const quietOf = (state, alarm) => words.quiet[alarm.quiet]?.(named(state, alarm.quiet_by)) ?? "";

/** A remark of the service as a sentence of its own. */
export const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "");

// Sound: one priority for the whole station (ALM-035).

/** Whether this screen sounds at all: one in a treatment room does not. */
export const isSilent = (state) => state.hears.least === null;

/** An alarm of a bed that this screen stands for, or of the system itself, and bad enough to sound here. */
const isHere = ({ least, beds }) => (a) => least !== null && (a.priority === "HIGH" || a.priority === least || least === "LOW") && (beds === null || a.bed === "" || beds.includes(a.bed));

/** What this station sounds now, or null. LOW sounds once an alarm: `heard` holds those that have. */
export function sounding(state, heard = new Set()) {
  const loud = Object.values(state.alarms).filter(isHere(state.hears)).filter((a) => a.state === "active" && !a.quiet && !a.spoken_for).sort(worst);
  const urgent = loud.filter((a) => a.priority !== "LOW"), once = loud.filter((a) => a.priority === "LOW" && !heard.has(a.alarm_id));
  const top = urgent[0] ?? once[0];
  if (!top) return testSounding(state, heard);
  const same = loud.filter((a) => a.priority === top.priority);
  return { priority: top.priority, technical: same.every((a) => a.technical), alarm_ids: same.map((a) => a.alarm_id) };
}

/** A test page rings once on its person's own screen, as a LOW alarm does: that it can be heard is part of the test. */
function testSounding(state, heard) {
  const mine = Object.values(state.pages).filter((p) => p.alarm_id === 0 && !p.over && p.to === state.me?.name && !heard.has(`page ${p.page_id}`));
  return mine.length && state.hears?.least !== null ? { priority: "LOW", technical: true, alarm_ids: mine.map((p) => `page ${p.page_id}`) } : null;
}

// What is off reminds people of itself every five minutes, where nothing else sounds (ALM-051).

const REMIND_MS = 300_000, REMINDS_FOR_MS = 10_000;

/** The reminder that is due now, as `sounding` gives an alarm, or null: heard once, for it has a name of its own each time. */
export function reminding(state, now_ms, heard = new Set()) {
  const due = state.order.flatMap((bed) => state.beds[bed].pauses).filter((p) => {
    const ran_ms = now_ms - p.since_ms;
    return p.until_ms === null && ran_ms >= REMIND_MS && ran_ms % REMIND_MS < REMINDS_FOR_MS;
  });
  const names = due.map((p) => `off-${p.bed}-${p.pause_id}-${Math.floor((now_ms - p.since_ms) / REMIND_MS)}`).filter((name) => !heard.has(name));
  return names.length ? { priority: "LOW", technical: true, alarm_ids: names } : null;
}

// Where an alarm may go unheard, as each screen says of itself (ALM-031, ALM-032).

const CHECK_LASTS_MS = 12 * 3_600_000;   // one check a shift, and no shift is longer

/** Every screen that has said how its sound does: what is off first, then what nobody has checked for a shift. */
export function sounds(state, now_ms) {
  const is = (s) => (s.state === "off" ? "off" : s.checked_at_ms === null || now_ms - s.checked_at_ms > CHECK_LASTS_MS ? "unchecked" : "heard");
  const order = ["off", "unchecked", "heard"];
  return Object.values(state.sounds).map((s) => ({ ...s, is: is(s), name: s.paired ? s.screen : words.ownBrowser(named(state, s.by)) }))
    .sort((a, b) => order.indexOf(a.is) - order.indexOf(b.is) || a.name.localeCompare(b.name));
}

/** The stations among them on which nobody can rely. A browser of one's own is no station, and this screen speaks for itself while it is off. */
export function unheard(state, now_ms) {
  const here = state.me?.role === "display" ? state.me.name : state.screen;
  return sounds(state, now_ms).filter((s) => s.paired && s.is !== "heard" && !(s.screen === here && state.sound === "off"));
}

/** The name of the tab: worst alarm first. */
export function titleOf(state, screen) {
  const top = chips(state).find((a) => a.state !== "latched" || a.priority === "HIGH");
  if (state.link.is === "lost") return words.title("", words.lost(state.link.since_ms), "");
  return top && top.bed ? words.titleBed(words.stars[top.priority], words.bed(top.bed), screen) : top ? words.title(words.stars[top.priority], textOf(top), screen) : words.title("", screen, "");
}


