// The steps of a treatment beside its trends: what is done with its time and value, where it is with what is due, what comes later.

import { chem, icon } from "./draw.js";
import { html } from "./html.js";
import { named } from "./look.js";
import { said } from "./session/words.js";
import { dueWhen, flagWords, isLate, readyCount, SIDE, toFloor } from "./treatment.js";
import { clock, words } from "./words.js";

const BEFORE = ["check_in", "baseline"], AFTER = ["ready", "closed"];
const NASAL = [...BEFORE, "dosing", "onset", "check_40", "decline", ...AFTER];
const INFUSION = [...BEFORE, "timeout", "infusion", "early_recovery", "late_recovery", ...AFTER];

/** The steps of this therapy as {step, is, at_ms}: done, now or later. A therapy without the check has no step of it; a wait is one while it lasts. */
export function stepsOf(t) {
  const all = (t.way === "IV" ? INFUSION : NASAL).filter((step) => (step !== "check_40" || t.checks.some((c) => c.check === step)) && (step !== "onset" || t.onward === step));
  if (t.over) return ended(t, all);
  const at = all.indexOf(t.onward);
  return all.map((step, i) => ({ step, is: i < at ? "done" : i === at ? "now" : "later", at_ms: i < at ? doneAt(t, all, i) : null }));
}

/** Of a session that is over only what it came to: where it was when it ended was not done, unless it was closed as it should be. */
function ended(t, all) {
  const came = all.filter((step) => t.entered[step] !== undefined), done = t.phase === "closed" ? came : came.slice(0, -1);
  return [...done.map((step) => ({ step, is: "done", at_ms: doneAt(t, all, all.indexOf(step)) })), ...(t.phase === "closed" ? [] : [{ step: came.at(-1), is: "now", at_ms: null }])];
}

/** A step was done when the next one began; a check when it was recorded. */
function doneAt(t, all, i) {
  if (all[i] === "check_40") return t.checks.find((c) => c.check === "check_40").at_ms ?? null;
  if (all[i] === "dosing") return t.clocks.last_device_at_ms;
  return all.slice(i + 1).map((later) => t.entered[later]).find((at_ms) => at_ms !== undefined) ?? (t.over ? t.clocks.ended_at_ms : null);
}

/** What a step came to, in one line. */
function didOf(step, t) {
  const n = t.baseline.numbers, at = (ms) => clock(ms, false);
  switch (step) {
    case "check_in": return flagWords(t).length ? words.flagsAre(flagWords(t)) : words.noFlags;
    case "baseline": return n.systolic === null ? "" : words.baselineOf(n, t.baseline.readings.length);
    case "dosing": return t.devices.length ? words.devicesAt(t.devices.map((d) => at(d.at_ms)), [...new Set(t.devices.map((d) => d.lot).filter(Boolean))]) : "";
    case "timeout": return t.dose ? words.doseIs(t.dose) : "";
    case "infusion": return t.clocks.start_at_ms === null ? "" : words.ranFrom(at(t.clocks.start_at_ms), t.clocks.end_at_ms === null ? null : at(t.clocks.end_at_ms));
    case "check_40": return checkOf(t.checks.find((c) => c.check === step));
    case "ready": return t.ready_first_at_ms === null ? "" : words.readyFirst(at(t.ready_first_at_ms));
    default: return "";
  }
}

const SHORT = new Set(["nibp", "hr", "spo2", "rr"]);
const checkOf = ({ state, filled }) => (state === "missed" ? words.checkMissed : filled.filter((f) => SHORT.has(f.item)).map((f) => words.checkValue(f)).join(", "));

export function Steps({ app, bed, t }) {
  return html`<ol class="steps">${stepsOf(t).map((one) => (one.is === "done" ? html`<${Done} key=${one.step} t=${t} ...${one} />` : one.is === "now" ? html`<${Now} key=${one.step} app=${app} bed=${bed} t=${t} />` : html`<${Later} key=${one.step} app=${app} t=${t} step=${one.step} />`))}</ol>`;
}

const nameOf = (step) => words.stepNames[step] ?? words.phase[step];

function Done({ step, t, at_ms }) {
  const did = didOf(step, t);
  return html`<li class="step">${icon("check")}<span>${nameOf(step)}</span><time>${at_ms ? clock(at_ms, false) : ""}</time>${did && html`<span class="did">${chem(did)}</span>`}</li>`;
}

/** Where it is: how long yet, and each thing that is due; one that asks people opens its form. */
function Now({ app, bed, t }) {
  const { now_ms } = app, side = SIDE.has(t.phase), until = toFloor(t, now_ms), before = t.clocks.start_at_ms === null, dues = t.dues.filter((d) => d.what !== "form");
  return html`<li class="step current" aria-current="step"><span class="dot"></span><strong>${words.phase[t.phase]}${side && !t.over && t.onward !== t.phase ? html` <small>${words.inPhase(words.phase[t.onward])}</small>` : ""}</strong><span>${until ?? words.sinceClock(t.since_at_ms)}</span>
    ${dues.length > 0 && html`<ul class="dues">${dues.map((d) => html`<li key=${d.what} class=${isLate(d, now_ms) ? "late" : d.state === "ahead" ? "" : "soon"}><b>${d.title}</b><span>${d.what === "nibp" && bed.session.cuff_interval_ms ? `${words.every(bed.session.cuff_interval_ms)}, ` : ""}<mark>${d.what === "nibp" ? words.nextOf(dueWhen(d, now_ms)) : dueWhen(d, now_ms)}</mark></span>
      ${d.state !== "ahead" && (d.asks?.length > 0 || t.checks.some((c) => c.check === d.what)) && html`<button class="small" onClick=${() => app.beside("session due")}>${words.enter(d.title)}</button>`}</li>`)}</ul>`}
    ${(before || t.onward === "ready") && t.next && dues.every((d) => d.state === "ahead") && html`<p class="wants">${chem(t.next)}</p>`}
    ${!t.over && (before || t.phase === "dosing") && html`<a class="button main" href="/bed/${bed.bed}/start">${words.goOnSession}</a>`}
    ${(t.onward === "ready" || t.ready || t.over) && html`<button class="main" onClick=${() => app.beside("session leave")}>${t.over ? words.signClose : said.leaving}</button>`}</li>`;
}

function Later({ app, t, step }) {
  const from_ms = t.clocks.floor_until_at_ms, dosed = t.clocks.start_at_ms !== null;
  if (step !== "ready") return html`<li class="step"><span class="dot"></span><span>${step === "closed" ? words.signClose : nameOf(step)}</span><span></span></li>`;
  return html`<li class="step"><span class="dot"></span><span>${nameOf(step)}</span><span>${from_ms ? words.fromClock(from_ms) : ""}</span>
    ${dosed && html`<button class="did" onClick=${() => app.beside("session leave")}>${words.readyNow(...readyCount(t))}</button>`}</li>`;
}

/** What is not as the therapy says by itself, in words; and who said so. */
export const Layers = ({ state, t }) => html`${t.flags.map((f) => html`<div key=${f.flag}><dt>${f.words}${f.on ? "" : `, ${words.withdrawn}`}</dt><dd>${[f.why, f.by && named(state, f.by), f.at_ms && clock(f.at_ms, false)].filter(Boolean).join(", ")}</dd></div>`)}`;

/** Everything that has happened, newest first. */
export const Timeline = ({ app, state, t }) => (t.timeline ?? []).length > 0 && html`<details class="timeline"><summary>${words.timeline(t.timeline.length)}</summary><ol>${t.timeline.toReversed().map((one, i) => html`<li key=${i} data-kind=${one.kind}><time>${clock(one.at_ms, false)}</time><span>${one.struck ? html`<del>${chem(one.words)}</del>` : chem(one.words)}${one.struck ? html` <b>${said.struckBy(named(state, one.struck.by), one.struck.at_ms, one.struck.why)}</b>` : ""}${one.replaces ? ` (${said.replaces})` : ""}${one.entered_at_ms - one.at_ms >= 60_000 ? ` (${words.enteredAt(one.entered_at_ms)})` : ""}</span><small>${one.who ? named(state, one.who) : ""}${one.may_correct && html` <button class="quiet" aria-label=${`${words.correct}: ${one.words}`} onClick=${() => app.beside(`session correct ${one.entry}`)}>${words.correct}</button>`}</small></li>`)}</ol></details>`;
