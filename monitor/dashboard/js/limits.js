// The limits in force for one row of a bed: what they are and who changed them, this session's own within the clinic's span, and a short pause.

import { useState } from "preact/hooks";
import { chem, icon } from "./draw.js";
import { html } from "./html.js";
import { isQuiet, limitsOf, named, ofAlarms } from "./look.js";
import { Told } from "./plain.js";
import { problem } from "./signin.js";
import { layerOf, treatmentOf } from "./treatment.js";
import { running, words } from "./words.js";

const ALARM_PAUSE_S = 180;   // alarms.md 5: an alarm pause lasts 3 minutes at most

export function Limits({ app, bed, row, close }) {
  const { state, now_ms } = app, [open, setOpen] = useState(null);   // the rule that is being set, "pause", or nothing
  const limits = limitsOf(bed, row), name = words.vital[row];
  const pausable = [...new Set(limits.map((l) => l.vital))];   // as the rules name them: a pulse is the bed's one heart rate
  const pauses = bed.pauses.filter((p) => (ofAlarms(p) || p.kind === "audio off") && isQuiet(p, now_ms) && (p.vital === null || pausable.includes(p.vital)));
  const done = () => setOpen(null), t = treatmentOf(bed);
  return html`<section class="beside limits" aria-labelledby="limits-of"><h2 id="limits-of">${chem(words.limits(name))}</h2>
    ${limits.length === 0 && html`<p>${words.noLimits}</p>`}
    ${row === "bp" && t?.layers.filter((l) => l.words.length > 0).map((l) => html`<p class="layer" key=${l.layer}>${words.byLayer(l.why, l.words.join(", "))}</p>`)}
    <ul>${limits.filter((l) => !limits.some((o) => o.rule === open) || l.rule === open).map((l) => html`<li key=${l.rule}><p class="limit"><span class="stars">${words.stars[l.priority]}</span><b>${chem(words.vital[l.vital])} ${valueOf(l)}</b> <span>${words.held(l.hold_ms)}</span>
        ${l.low_span !== null && open !== l.rule && html`<button class="small" aria-label=${words.setLimitOf(words.limitName(l))} onClick=${() => setOpen(l.rule)}>${words.setLimit}</button>`}</p>
      ${l.severe !== null && l.severe !== undefined && html`<p class="severe">${words.severe(`${l.side === "low" ? "<" : ">"} ${l.severe}`)}</p>`}
      <p>${l.set_by ? words.limitSet(named(state, l.set_by), l.set_why, l.default === null ? null : words.edge({ ...l, limit: l.default })) : layerOf(t, l) ? words.limitLayer(layerOf(t, l).why, l.default === null ? null : words.edge({ ...l, limit: l.default })) : words.limitDefault}</p>
      ${open === l.rule && html`<${Change} app=${app} bed=${bed} limit=${l} done=${done} />`}</li>`)}</ul>
    ${pauses.map((p) => html`<p class="paused" key=${p.pause_id}>${icon("alarm-paused")}<span>${chem(words[p.until_ms === null ? "vitalOff" : "vitalPaused"](words.vital[p.vital] ?? name, p.until_ms - now_ms, named(state, p.by), p.why))}</span>
      <button onClick=${() => app.acts.endPause(bed.bed, p.pause_id)}>${words.endAlarmPause}</button></p>`)}
    ${words.quieten[open] && html`<${Pause} app=${app} bed=${bed} kind=${open} name=${name} vitals=${pausable} done=${done} />`}
    <${Told} state=${state} />
    <div class="row-of-acts"><button onClick=${close}>${words.close}</button>
      ${pausable.length > 0 && pauses.length === 0 && !words.quieten[open] && offered(state.me?.role, t).map((kind) => html`<button key=${kind} onClick=${() => setOpen(kind)}>${icon(kind === "audio off" ? "audio-paused" : "alarm-paused")}<span>${chem(words.quieten[kind](name))}</span></button>`)}</div></section>`;
}

const valueOf = (l) => (l.limit === null ? words.limitOff : `${words.limitIs(l)} ${words.unit[l.unit] ?? l.unit}`);

/** A moved limit is asked first: what it will be stands on the button. */
function Change({ app, bed, limit, done }) {
  const [text, setText] = useState(""), [why, setWhy] = useState(""), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  const value = Number(text.trim().replace(",", ".")), within = text.trim() !== "" && value >= limit.low_span && value <= limit.high_span;
  const set = async (to) => {
    if (busy) return;
    if (to !== null && !within) return fail("limit", words.needLimit(limit.low_span, limit.high_span));
    if (!why.trim()) return fail("why", words.needReason);
    setError(null);
    setBusy(true);
    const answer = await app.acts.setLimit(bed.bed, limit, to, why.trim());
    setBusy(false);
    if (answer.ok) done();
  };
  const fail = (at, said) => { setError({ at, text: said }); document.querySelector(`.limits [name="${at}"]`)?.focus(); };
  return html`<form class="form" noValidate onSubmit=${(event) => { event.preventDefault(); set(value); }}>
    <label>${words.newLimit(words.unit[limit.unit] ?? limit.unit)}<input name="limit" inputmode="decimal" autocomplete="off" value=${text} ref=${focusOnce} onInput=${(e) => { setError(null); setText(e.currentTarget.value); }} aria-invalid=${error?.at === "limit"} aria-describedby="limit-span error-limit" /></label>
    <p class="hint" id="limit-span">${words.limitSpan(limit.low_span, limit.high_span)}</p>${problem(error, "limit")}
    <${Reason} why=${why} setWhy=${setWhy} error=${error} />
    <div class="row-of-acts"><button class="main" aria-busy=${busy}>${within ? chem(words.setTo(words.limitName(limit, value))) : words.setLimit}</button>
      ${limit.set_by && html`<button type="button" onClick=${() => set(null)}>${words.backToProfile(limit.default === null ? words.limitOff : words.limitIs({ ...limit, limit: limit.default }))}</button>`}
      <button type="button" onClick=${done}>${words.cancel}</button></div></form>`;
}

/** Who may have what (alarms.md 5): what is off is the charge nurse's, or the prescriber's before the drug. */
const offered = (role, t) => ["alarm paused", ...(role === "charge nurse" ? ["audio off"] : []), ...(role === "prescriber" && t && !t.clocks.start_at_ms ? ["alarm off"] : [])];

/** So is a pause of alarms: no sound and no colour, while HIGH still pages. */
function Pause({ app, bed, kind, name, vitals, done }) {
  const [why, setWhy] = useState(""), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  const pause = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!why.trim()) { setError({ at: "why", text: words.needReason }); return document.querySelector('.limits [name="why"]')?.focus(); }
    setBusy(true);
    const answer = await app.acts.quieten(bed.bed, kind, name, vitals, kind === "alarm paused" ? ALARM_PAUSE_S : undefined, why.trim());
    setBusy(false);
    if (answer.ok) done();
  };
  return html`<form class="form" noValidate onSubmit=${pause}><p>${chem(words.quietenAsk[kind](name, running(ALARM_PAUSE_S * 1000)))}</p>
    <${Reason} why=${why} setWhy=${setWhy} error=${error} focus />
    <div class="row-of-acts"><button class="main" aria-busy=${busy}>${chem(words.quieten[kind](name))}</button><button type="button" onClick=${done}>${words.cancel}</button></div></form>`;
}

const Reason = ({ why, setWhy, error, focus = false }) => html`<label>${words.reason}<input name="why" autocomplete="off" maxlength="200" value=${why} ref=${focus ? focusOnce : undefined} onInput=${(e) => setWhy(e.currentTarget.value)} aria-invalid=${error?.at === "why"} aria-describedby="error-why" /></label>${problem(error, "why")}`;

function focusOnce(el) {
  if (el && !el.dataset.focused) { el.dataset.focused = "yes"; el.focus(); }
}
