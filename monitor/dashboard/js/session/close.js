// The signature by PIN, the close, and what is still owed after it.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { named } from "../look.js";
import { words } from "../words.js";
import { move } from "./acts.js";
import { CuffButton } from "./baseline.js";
import { Decide } from "./decide.js";
import { draftOf, forget, keep } from "./drafts.js";
import { Lacks } from "./lacking.js";
import { Proof } from "./proof.js";
import { moveOf } from "./stage.js";
import { said } from "./words.js";

export function Close({ app, bed, t }) {
  const { state } = app, signed = t.sign_off, sign = moveOf(t, "sign"), close = moveOf(t, "close"), pressures = t.over ? [] : t.pressures.filter((p) => p.missing);
  const lacks = (sign?.missing ?? []).filter((line) => !pressures.some((p) => p.missing === line));
  const shut = async () => {
    const answer = await move(app, t, words.closeSession, { kind: "close" }, said.savedOf(said.closed));
    if (answer.ok) keep(bed.bed, { closed: { session: t.session, alias: bed.session.alias, form: t.form?.words ?? null } });
  };
  return html`<section class="close" data-field="sign"><h3>${said.sign}</h3>
    ${pressures.map((p) => html`<${Pressure} key=${p.pressure} app=${app} bed=${bed} t=${t} p=${p} />`)}
    ${lacks.length > 0 && html`<${Lacks} app=${app} bed=${bed} lines=${lacks} />`}
    ${signed.signed.length > 0 && html`<ul class="given">${signed.signed.map((s) => html`<li key=${s.at_ms}>${said.signed(named(state, s.by), s.role, s.at_ms)}</li>`)}</ul>`}
    ${signed.missing.length > 0 && sign && sign.missing.length === 0 && html`<p class="hint">${said.signMeaning} ${signed.missing.join(" ")}</p>
      <${Proof} key=${signed.signed.length} app=${app} roles=${[...new Set([...signed.alone, ...signed.roles])]} preset=${signed.alone.includes(state.me?.role) ? state.me.name : null} title=${said.sign} prove=${(by) => move(app, t, said.sign, { kind: "sign", meaning: said.signMeaning, by }, said.savedOf(said.sign))} />`}
    ${signed.missing.length === 0 && close && html`${t.form && html`<p>${said.owed}: ${t.form.words}.</p>`}<div class="foot"><button class="main giant" disabled=${close.missing.length > 0} onClick=${shut}>${words.closeSession}</button></div>`}</section>`;
}

function Pressure({ app, bed, t, p }) {
  const [deciding, setDeciding] = useState(false);
  return html`<div class="pressure" data-field="pressure-${p.pressure}"><p>${p.missing}</p>${p.pressure === "final" && html`<${CuffButton} app=${app} bed=${bed} main=${false} text=${words.startCuff} />`}
    ${p.may.length > 0 && (deciding ? html`<${Decide} app=${app} t=${t} what=${p.override} may=${p.may} done=${() => setDeciding(false)} />` : html`<button class="quiet" onClick=${() => setDeciding(true)}>${said.decisions.pressure}</button>`)}</div>`;
}

/** After the close the bed is empty; what is owed of who has gone stays here until the next patient. */
export function Closed({ app, bed }) {
  const { closed } = draftOf(bed.bed), [sent, setSent] = useState(false);
  const mark = async (how) => { if ((await app.acts.move(closed.session, said.formSent, { kind: "form_sent", how }, said.savedOf(said.formSent))).ok) setSent(true); };
  return html`<div class="form closed stands"><p class="this">${said.closedOf(closed.alias)}</p><p>${closed.form && !sent ? `${said.owed}: ${closed.form}.` : said.nothingOwed}</p>
    <a class="button big" href="/api/v1/sessions/${closed.session}/report.pdf" target="_blank" rel="noopener">${said.report}</a>
    ${closed.form && !sent && html`<fieldset class="choice"><legend>${said.formSent}</legend><div>${said.hows.map((how) => html`<button key=${how} onClick=${() => mark(how)}>${how}</button>`)}</div></fieldset>`}
    <div class="foot"><a class="button" href="/">${words.floor}</a><button class="main" onClick=${() => { forget(bed.bed); app.redrawNow(); }}>${said.nextPatient}</button></div></div>`;
}
