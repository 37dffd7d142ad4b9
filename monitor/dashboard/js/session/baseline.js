// Page four: today's own normal. The first cuff is started here, the next follows by itself; people only say what no device can know.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { named } from "../look.js";
import { clock, running, words } from "../words.js";
import { move } from "./acts.js";
import { Field, lacking } from "./controls.js";
import { Lacks } from "./lacking.js";
import { Scores } from "./scales.js";
import { wantedScores } from "./stage.js";
import { said } from "./words.js";

export function Baseline({ app, bed, t }) {
  const { now_ms, state } = app, { readings, next_at_ms, numbers, missing } = t.baseline, wanted = wantedScores(t), cuff = bed.cuff;
  const given = t.scores.filter((s) => !s.wanted && s.value !== null && s.at_ms >= t.since_at_ms), runs = cuff?.running_since_ms;
  const next_ms = next_at_ms === null ? null : next_at_ms - now_ms, rows = Math.max(2, readings.length + (missing.length && readings.length >= 2 ? 1 : 0));
  const steady = [numbers.heart_rate && `HR ${numbers.heart_rate}`, numbers.spo2 && `SpO2 ${numbers.spo2}`, numbers.respiration && `RR ${numbers.respiration}`].filter(Boolean);
  return html`<div class="baseline form stands">
    <section aria-label=${words.vital.bp}><ol class="readings">${Array.from({ length: rows }, (_, i) => readings[i] ?? null).map((r, i) => html`<li key=${i} class=${r ? "" : "empty"}><span>${said.reading(i + 1)}</span>
      ${r ? html`<b>${said.pressureAt(r)}</b><small>${[r.by ? said.hand(named(state, r.by)) : r.device, clock(r.at_ms)].filter(Boolean).join(", ")}</small>`
        : html`<b aria-hidden="true">––</b><small>${i === readings.length ? (runs ? said.cuffRuns(now_ms - runs) : next_ms !== null && next_ms > 0 ? said.cuffFollows(next_ms) : said.noReading) : said.noReading}</small>`}</li>`)}</ol></section>
    ${wanted.length > 0 && html`<${Scores} key=${wanted.join()} app=${app} t=${t} names=${wanted} main=${readings.length > 0 || Boolean(runs)} />`}
    ${given.length > 0 && html`<ul class="given">${given.map((s) => html`<li key=${s.score}><span>${s.title}</span> <b>${said.scaleWord(s.words)}</b></li>`)}</ul>`}
    ${missing.length > 0 && html`<section class="lacks"><h3>${said.stillMissing}</h3><${Lacks} app=${app} bed=${bed} lines=${missing} /></section>`}
    ${steady.length > 0 && html`<p class="hint">${words.phase.baseline}: ${steady.join(", ")}</p>`}
    ${readings.length > 0 && html`<${Anew} app=${app} t=${t} />`}
    <div class="foot"><${CuffButton} app=${app} bed=${bed} main=${missing.length > 0 && next_ms === null} /></div></div>`;
}

/** The cuff in one tap, wherever it stands; while it runs it can be stopped. */
export function CuffButton({ app, bed, main = true, text = said.startCuff }) {
  const runs = bed.cuff?.running_since_ms;
  if (runs) return html`<button onClick=${() => app.acts.stopCuff(bed.bed)}>${words.stopCuff} ${running(app.now_ms - runs)}</button>`;
  return html`${bed.cuff_refusal && html`<p class="refusal" id="cuff-refusal">${bed.cuff_refusal}</p>`}<button class=${main ? "main" : ""} data-field="cuff" disabled=${bed.cuff_refusal !== null} aria-describedby=${bed.cuff_refusal ? "cuff-refusal" : undefined} onClick=${() => app.acts.startCuff(bed.bed)}>${text}</button>`;
}

/** The readings so far are no baseline: with a reason. */
export function Anew({ app, t }) {
  const [open, setOpen] = useState(false), [why, setWhy] = useState(""), [error, setError] = useState(null);
  if (!open) return html`<button class="quiet" onClick=${() => setOpen(true)}>${said.anew}</button>`;
  const send = async (event) => {
    event.preventDefault();
    const wrong = lacking("why", why, words.needReason);
    setError(wrong);
    if (!wrong && (await move(app, t, said.anew, { kind: "baseline_restart", why: why.trim() }, said.savedOf(said.anew))).ok) setOpen(false);
  };
  return html`<form class="form inset" onSubmit=${send} noValidate><p>${said.anewAsk}</p><${Field} name="why" label=${words.reason} value=${why} change=${setWhy} error=${error} first />
    <div class="row-of-acts"><button class="main">${said.anew}</button><button type="button" class="quiet" onClick=${() => setOpen(false)}>${words.cancel}</button></div></form>`;
}
