// Opening a watch session: a short word for the patient, today's baseline from the live values, the cuff timer.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Told } from "../plain.js";
import { problem } from "../signin.js";
import { minutes, words } from "../words.js";

const SPANS = { systolic_mmhg: [40, 280], diastolic_mmhg: [15, 200], heart_rate_per_min: [10, 300], spo2_percent: [30, 100], respiration_per_min: [0, 100] };   // physiology.md 1, HARD
const INTERVALS_S = [150, 300, 600, 900, 1200, 1800];

/** Today's normal, as it is on the screen now; a field without a live value stays empty. */
export function liveBaseline(bed, now_ms) {
  const live = (v) => (v && v.value !== null && now_ms <= v.fresh_until_ms ? Math.round(v.value) : null);
  const cuff = bed.cuff && bed.cuff.systolic_mmhg !== null && (bed.cuff.old_after_at_ms === null || now_ms <= bed.cuff.old_after_at_ms) ? bed.cuff : null;
  return {
    systolic_mmhg: cuff ? Math.round(cuff.systolic_mmhg) : null, diastolic_mmhg: cuff ? Math.round(cuff.diastolic_mmhg) : null,
    heart_rate_per_min: live(bed.vitals.hr) ?? live(bed.vitals.pr_spo2), spo2_percent: live(bed.vitals.spo2), respiration_per_min: live(bed.vitals.rr),
  };
}

export function Watch({ app, bed, alias: given = "" }) {
  const { now_ms } = app;
  const text = (values) => Object.fromEntries(Object.entries(values).map(([k, v]) => [k, v === null ? "" : String(v)]));
  const [alias, setAlias] = useState(given), [base, setBase] = useState(() => text(liveBaseline(bed, now_ms))), [interval, setInterval] = useState("300"), [error, setError] = useState(null), [busy, setBusy] = useState(false);

  const send = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!alias.trim()) return fail("alias", words.needAlias);
    for (const [key, [low, high]] of Object.entries(SPANS)) {
      if (base[key].trim() !== "" && !(Number(base[key]) >= low && Number(base[key]) <= high)) return fail(key, words.needNumber(low, high));
    }
    if (base.systolic_mmhg && base.diastolic_mmhg && Number(base.diastolic_mmhg) >= Number(base.systolic_mmhg)) return fail("diastolic_mmhg", words.bpErrorLower);
    setError(null);
    setBusy(true);
    const baseline = Object.fromEntries(Object.entries(base).map(([k, v]) => [k, v.trim() === "" ? null : Number(v)]));
    const answer = await app.acts.openSession({ bed: bed.bed, alias: alias.trim(), baseline, profile: "watch", cuff_interval_s: interval === "" ? null : Number(interval) });
    setBusy(false);
    if (answer.ok) app.go(`/bed/${bed.bed}`, { replace: true });
  };
  const fail = (at, text) => { setError({ at, text }); document.querySelector(`[name="${at}"]`)?.focus(); };

  return html`<form class="form" onSubmit=${send} noValidate>
    <label>${words.alias}<input name="alias" autocomplete="off" maxlength="40" value=${alias} onInput=${(e) => setAlias(e.currentTarget.value)} aria-invalid=${error?.at === "alias"} aria-describedby="alias-hint error-alias" /></label><p class="hint" id="alias-hint">${words.aliasHint}</p>${problem(error, "alias")}
    <fieldset><legend>${words.baselineNow}</legend><div class="fields">${Object.keys(SPANS).map((key) => html`<div key=${key}><label>${words.fields[key]}<input name=${key} inputmode="numeric" autocomplete="off" value=${base[key]} onInput=${(e) => { const { value } = e.currentTarget; setBase((b) => ({ ...b, [key]: value })); }} aria-invalid=${error?.at === key} aria-describedby="error-${key}" /></label>${problem(error, key)}</div>`)}</div>
      <button type="button" onClick=${() => setBase(text(liveBaseline(bed, now_ms)))}>${words.takeLive}</button></fieldset>
    <label>${words.cuffTimer}<select value=${interval} onChange=${(e) => setInterval(e.currentTarget.value)}><option value="">${words.noInterval}</option>${INTERVALS_S.map((s) => html`<option value=${String(s)}>${s === 150 ? "2.5 min" : minutes(s * 1000)}</option>`)}</select></label>
    <${Told} state=${app.state} /><div class="row-of-acts"><button class="main" aria-busy=${busy}>${words.startSession}</button><a class="button" href="/">${words.cancel}</a></div></form>`;
}
