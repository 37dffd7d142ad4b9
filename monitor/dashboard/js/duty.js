// Duty: who is on, and who has which bed, by select. Saved as one list.

import { useState } from "preact/hooks";
import { HandOver } from "./handover.js";
import { html } from "./html.js";
import { loads, named } from "./look.js";
import { Plain, Told } from "./plain.js";
import { Reached } from "./reach.js";
import { Unheard } from "./sounds.js";
import { words } from "./words.js";

const draftOf = (duty) => ({ on: [...duty.on], beds: Object.fromEntries(duty.beds.map((b) => [b.bed, b.staff])) });

export function Duty({ app }) {
  const { state } = app, people = state.staff.filter((s) => s.role !== "display" && s.role !== "machine");
  return html`<${Plain} app=${app} here="/duty" title=${words.duty}>${people.length === 0 ? html`<p class="nothing">${state.server ? words.noStaff : ""}</p>` : html`<${Form} app=${app} people=${people} />`}<${Reached} app=${app} />${state.duty.on.length > 0 && html`<section aria-labelledby="hand-over"><h2 id="hand-over">${words.handOverTitle}</h2><${HandOver} app=${app} /></section>`}<${Load} state=${state} /><${Unheard} app=${app} /><a class="button" href="/sound">${words.soundCheck}</a><//>`;
}

/** How many beds each has, and at how many the drug is at its strongest now: as words and as dots, one a bed. */
const Load = ({ state }) => loads(state).length > 0 && html`<section aria-labelledby="loads"><h2 id="loads">${words.loads}</h2>
  <ul class="loads">${loads(state).map((one) => html`<li key=${one.staff}><b>${one.name}</b><span aria-hidden="true">${Array.from({ length: one.beds }, (_, i) => html`<i class=${i < one.at_peak ? "peak" : ""}></i>`)}</span><span>${words.loadOf(one.beds, one.at_peak)}</span></li>`)}</ul></section>`;

function Form({ app, people }) {
  const { state } = app, [draft, setDraft] = useState(null), [from, setFrom] = useState(null);
  const changed = draft !== null && from !== null && from !== state.duty;
  if (changed) { setDraft(null); setFrom(null); }
  const shown = draft ?? draftOf(state.duty);
  const edit = (next) => { setFrom(state.duty); setDraft(next); };
  const toggle = (name) => {
    const on = shown.on.includes(name) ? shown.on.filter((n) => n !== name) : [...shown.on, name];
    edit({ on, beds: Object.fromEntries(Object.entries(shown.beds).filter(([, who]) => on.includes(who))) });
  };
  const save = async (event) => {
    event.preventDefault();
    const answer = await app.acts.setDuty({ on: shown.on, beds: Object.entries(shown.beds).filter(([, staff]) => staff).map(([bed, staff]) => ({ bed, staff })) });
    if (answer.ok) { setDraft(null); setFrom(null); }
  };
  return html`<form class="form duty" onSubmit=${save}>
    <fieldset><legend>${words.onDuty}</legend><div class="names">${people.map((p) => html`<label class="check" key=${p.name}><input type="checkbox" checked=${shown.on.includes(p.name)} onChange=${() => toggle(p.name)} />${p.display}<small>${p.role}</small></label>`)}</div></fieldset>
    <fieldset><legend>${words.whoHas}</legend><div class="fields">${state.order.map((bed) => html`<label key=${bed}>${words.bed(bed)}<select value=${shown.beds[bed] ?? ""} onChange=${(e) => edit({ ...shown, beds: { ...shown.beds, [bed]: e.currentTarget.value } })}><option value="">${words.nobodyYet}</option>${people.filter((p) => shown.on.includes(p.name)).map((p) => html`<option value=${p.name}>${p.display}</option>`)}</select></label>`)}</div></fieldset>
    <p class="hint">${state.duty.set_by ? words.dutySet(named(state, state.duty.set_by), state.duty.set_at_ms) : ""}</p><${Told} state=${state} />
    <div class="row-of-acts"><button class="main">${words.saveDuty}</button></div></form>`;
}
