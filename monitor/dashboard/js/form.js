// The monitoring form of one session as a list to copy from: what the form asks, what the record answers, each number with its source and its age.

import { useEffect, useState } from "preact/hooks";
import { api } from "./api.js";
import { chem, icon } from "./draw.js";
import { html } from "./html.js";
import { named } from "./look.js";
import { Plain, Told } from "./plain.js";
import { said } from "./session/words.js";
import { formFile } from "./sessions.js";
import { clock, day, minutes, words } from "./words.js";

export function FormView({ app }) {
  const { state, of } = app, [form, setForm] = useState(null), [brief, setBrief] = useState(null), [copied, setCopied] = useState(null), who = state.me?.name;
  useEffect(() => {
    let here = true;
    setForm(null);
    api.form(of).then((answer) => { if (here) setForm(answer.ok ? answer.data : { refused: answer.detail }); });
    api.session(of).then((answer) => { if (here && answer.ok) setBrief(answer.data.treatment); });
    return () => { here = false; };
  }, [of, who]);
  const title = form?.alias ? words.formOf(form.alias) : words.form;
  if (form === null) return html`<${Plain} app=${app} here="/sessions" title=${title}><p class="nothing">${words.reading}</p><//>`;
  if (form.refused) return html`<${Plain} app=${app} here="/sessions" title=${title}><p class="error">${form.refused}</p><div class="row-of-acts"><a class="button" href="/sessions">${words.sessions}</a>${!who && html`<a class="button main" href="/signin">${words.signIn}</a>`}</div><//>`;
  const lacks = form.sections.flatMap((s) => s.fields).filter((f) => f.required && f.state === "missing");
  const copy = async (name, text) => setCopied({ name, ok: await toClipboard(text) });
  const send = async (how) => { if ((await app.acts.move(Number(of), said.formSent, { kind: "form_sent", how }, words.savedPlain)).ok) setBrief((await api.session(of)).data?.treatment ?? brief); };
  return html`<${Plain} app=${app} here="/sessions" title=${title}><div class="rems"><p class="not-official"><strong>${words.notOfficial}</strong> ${words.copyOnly}</p>
    <p class="facts">${[`${form.title}.`, `${form.edition}.`].join(" ")} ${words.mapVersion(form.map_version)}</p>
    <p class="row-of-acts"><a class="button" href="/sessions">${words.sessions}</a><a class="button" href=${formFile(of, "pdf")} target="_blank" rel="noopener">${words.formPdf}</a><button onClick=${() => print()}>${words.print}</button></p>
    ${brief?.form && html`<section class="sending"><h2>${brief.form.words}</h2><p>${brief.form.sent_at_ms === null ? words.formDueAt(day(brief.form.due_at_ms), clock(brief.form.due_at_ms, false)) : words.formSentBy(day(brief.form.sent_at_ms), clock(brief.form.sent_at_ms, false), named(state, brief.form.sent_by), brief.form.how)}</p><${Told} state=${state} />
      ${brief.form.sent_at_ms === null && brief.ended_at_ms !== null && html`<div class="row-of-acts">${said.hows.map((how) => html`<button key=${how} onClick=${() => send(how)}>${words.formSentHow(how)}</button>`)}</div>`}</section>`}
    ${lacks.length > 0 && html`<section class="lacking"><h2>${words.missingFields(lacks.length)}</h2><ul class="lacks">${lacks.map((f) => html`<li key=${f.name}><a href="#field-${f.name}">${f.asks}: ${f.note || words.notThere}</a></li>`)}</ul></section>`}
    ${form.sections.map((s) => html`<section key=${s.title}><h2>${s.title}${!s.known && html` <small>${words.unsureSection}</small>`}</h2>${s.note && html`<p class="hint">${s.note}</p>`}
      <dl class="fields">${s.fields.map((f) => html`<${Row} key=${f.name} state=${state} f=${f} copy=${copy} copied=${copied?.name === f.name ? copied : null} />`)}</dl></section>`)}</div><//>`;
}

function Row({ state, f, copy, copied }) {
  const has = f.state === "filled" || f.state === "proposed";
  return html`<div id="field-${f.name}" data-state=${f.state}><dt>${f.asks}${f.required && html`<span class="req" title=${words.required}> *<span class="sr"> ${words.required}</span></span>`}</dt>
    <dd class="value">${has ? chem(f.words) : f.state === "by hand" ? words.byHandField : words.notThere}</dd>
    <dd class="source">${[f.state === "proposed" && words.proposed, has && source(state, f), f.note, f.mark.includes("U") && words.holdAgainst].filter(Boolean).map((text) => html`<span key=${text}>${chem(text)}</span>`)}</dd>
    <dd class="act">${has && html`<button class="small" aria-label=${words.copyOf(f.asks)} onClick=${() => copy(f.name, f.words)}>${copied ? (copied.ok ? html`${icon("check")}${words.copied}` : words.copyFailed) : words.copy}</button>`}</dd></div>`;
}

/** From what or whom a value is, when it was measured, and how old it was when it was taken for this. */
function source(state, { device, by, at_ms, age_ms }) {
  const from = device ?? (by && words.byWhom(named(state, by)));
  return [from, at_ms !== null && clock(at_ms, false), age_ms !== null && age_ms >= 60_000 && words.oldBy(minutes(age_ms))].filter(Boolean).join(", ");
}

/** A page that is not from https has no clipboard of its own: then what is selected is copied the old way. */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text, readOnly: true }));
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
