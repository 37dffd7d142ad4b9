// The alarm list: what is open, worst first, with its acts; then what was.

import { useEffect, useState } from "preact/hooks";
import { api } from "./api.js";
import { chem, icon } from "./draw.js";
import { html } from "./html.js";
import { isOpen, marks, named, quietOf, ranked, sentence, textOf, whoOf } from "./look.js";
import { Plain, Told } from "./plain.js";
import { States } from "./reach.js";
import { clock, running, words } from "./words.js";

export function Alarms({ app }) {
  const { state, now_ms } = app, open = ranked(Object.values(state.alarms));
  const pending = Object.values(state.alarms).filter((a) => a.state === "pending");
  return html`<${Plain} app=${app} here="/alarms" title=${words.alarms}><${Told} state=${state} />
    <h2>${words.openAlarms}</h2>
    ${open.length === 0 ? html`<p class="nothing">${words.noOpen}</p>` : html`<ul class="alarm-list">${open.map((a) => row(app, a, now_ms))}</ul>`}
    ${pending.length > 0 && html`<h2>${words.state.pending}</h2><ul class="alarm-list">${pending.map((a) => row(app, a, now_ms))}</ul>`}
    <${Past} app=${app} /><//>`;
}

const pagesOf = (state, a) => Object.values(state.pages).filter((p) => p.alarm_id === a.alarm_id).sort((p, q) => p.ordered_at_ms - q.ordered_at_ms || p.page_id - q.page_id);
const where = (a) => (a.bed ? html`<a href="/bed/${a.bed}">${words.bed(a.bed)}</a>` : words.system);

const row = (app, a, now_ms) => html`<li class="lamp" key=${a.alarm_id} ...${marks(a)} data-state=${a.state}>
  <p class="what"><span class="sr">${words.priority[a.priority]}: </span><span class="stars" aria-hidden="true">${words.stars[a.priority]}</span>${a.technical && icon("unplugged")}<b>${where(a)}</b><span>${chem(textOf(a))}</span></p>
  <p class="facts"><span class="time">${running(now_ms - a.since_ms)}</span> ${words.sinceAt(a.since_ms)}. ${[whoOf(app.state, a, now_ms), sentence(a.note), a.state === "active" && quietOf(app.state, a), a.device && `${a.device}.`].filter((text, i, all) => text && all.indexOf(text) === i).join(" ")}</p>
  <${States} state=${app.state} pages=${pagesOf(app.state, a)} />
  ${isOpen(a) && a.state !== "acked" && !a.local && html`<button onClick=${() => app.acts.acknowledgeOne(a.alarm_id)}>${icon("hand")}${words.acknowledge}</button>`}</li>`;

const NOBODY = "-";   // no staff name begins with it
const answerer = (a) => a.acked_by ?? a.accepted_by;

// What has ended: from the server's journal, and what this screen has seen end since it asked.
function Past({ app }) {
  const { state } = app, [rows, setRows] = useState(null), [bed, setBed] = useState(""), [priority, setPriority] = useState(""), [who, setWho] = useState("");
  useEffect(() => {
    let here = true;
    api.alarms({ state: "clear" }).then((answer) => { if (here) setRows(answer.ok ? answer.data.alarms : "failed"); });
    return () => { here = false; };
  }, []);
  const seen = state.seen.filter((a) => a.state === "clear"), known = new Set(seen.map((a) => a.alarm_id));
  const all = [...seen, ...(Array.isArray(rows) ? rows.filter((a) => !known.has(a.alarm_id) && a.state === "clear") : [])].sort((a, b) => b.since_ms - a.since_ms)
    .filter((a) => (!bed || a.bed === bed) && (!priority || a.priority === priority) && (!who || (answerer(a) ?? NOBODY) === who)).slice(0, 100);
  return html`<section aria-labelledby="history"><h2 id="history">${words.history}</h2>
    <div class="filters"><label>${words.bedFilter}<select value=${bed} onChange=${(e) => setBed(e.currentTarget.value)}><option value="">${words.allBeds}</option>${state.order.map((b) => html`<option value=${b}>${b}</option>`)}</select></label>
    <label>${words.priorityFilter}<select value=${priority} onChange=${(e) => setPriority(e.currentTarget.value)}><option value="">${words.allPriorities}</option>${Object.keys(words.stars).map((p) => html`<option value=${p}>${words.priority[p]}</option>`)}</select></label>
    <label>${words.answeredBy}<select value=${who} onChange=${(e) => setWho(e.currentTarget.value)}><option value="">${words.anybody}</option><option value=${NOBODY}>${words.nobodyDid}</option>${state.staff.filter((p) => p.role !== "display" && p.role !== "machine").map((p) => html`<option value=${p.name}>${p.display}</option>`)}</select></label></div>
    ${rows === "failed" && html`<p class="error">${words.historyFailed}</p>`}
    ${all.length === 0 ? html`<p class="nothing">${words.noHistory}</p>` : html`<ul class="past">${all.map((a) => html`<li key=${a.alarm_id}><time>${clock(a.since_ms)}</time><span class="stars">${words.stars[a.priority]}</span><span>${a.bed ? words.bed(a.bed) : words.system}</span><span>${chem(textOf(a))}</span><span>${answerer(a) ? named(state, answerer(a)) : ""}</span></li>`)}</ul>`}</section>`;
}
