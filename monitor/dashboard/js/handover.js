// Handing over: who goes off duty gives beds and open pages to another in one step.

import { useState } from "preact/hooks";
import { html } from "./html.js";
import { named } from "./look.js";
import { words } from "./words.js";

const NURSES = new Set(["nurse", "charge nurse"]);

/** Who could take over: nurses where there are beds to take, those on duty first. */
export function takers(state, was) {
  const has_beds = state.duty.beds.some((b) => b.staff === was), on = (p) => state.duty.on.includes(p.name);
  const able = state.staff.filter((p) => p.name !== was && p.role !== "display" && p.role !== "machine" && (!has_beds || NURSES.has(p.role)));
  return [...able.filter(on), ...able.filter((p) => !on(p))];
}

/** `was` is given on one's own phone; on Duty it is chosen. */
export function HandOver({ app, was = null, done = () => {} }) {
  const { state } = app, [from, setFrom] = useState(was ?? ""), [to, setTo] = useState("");
  const people = from ? takers(state, from) : [];
  const give = async () => {
    const answer = await app.acts.handOver(from, to, named(state, to));
    if (answer.ok) { setFrom(was ?? ""); setTo(""); done(); }
  };
  return html`<div class="form hand-over"><div class="fields">
    ${was === null && html`<label>${words.handOverFrom}<select value=${from} onChange=${(e) => { setFrom(e.currentTarget.value); setTo(""); }}><option value="">${words.choose}</option>${state.duty.on.map((name) => html`<option value=${name}>${named(state, name)}</option>`)}</select></label>`}
    <label>${words.handOverTo}<select value=${to} disabled=${!from} onChange=${(e) => setTo(e.currentTarget.value)}><option value="">${words.choose}</option>${people.map((p) => html`<option value=${p.name}>${p.display}</option>`)}</select></label></div>
    <div class="row-of-acts"><button class="main" disabled=${!from || !to} onClick=${give}>${to ? words.handOverAll(named(state, to)) : words.handOver}</button></div></div>`;
}
