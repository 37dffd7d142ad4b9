// What if: sessions that are kept, judged again as the limits are set and as somebody proposes. It shows; it changes nothing.

import { useState } from "preact/hooks";
import { api } from "./api.js";
import { chem } from "./draw.js";
import { html } from "./html.js";
import { LeaderPages } from "./numbers.js";
import { Plain } from "./plain.js";
import { problem } from "./signin.js";
import { clock, day, minutes, words } from "./words.js";

const LAST = ["5", "10", "20", "50"], WEEKS = ["1w", "4w", "8w"], TERMS = ["limit", "baseline_percent", "baseline_delta", "hold_s"];
const PRIORITIES = ["HIGH", "MEDIUM", "LOW"];

/** Every limit that is known here, once, as the profile has it. */
export function limitsKnown(state) {
  const found = new Map();
  for (const bed of Object.values(state.beds)) for (const l of bed.limits) if (!found.has(l.rule)) found.set(l.rule, l);
  return [...found.values()].sort((a, b) => a.rule.localeCompare(b.rule));
}

/** The rows that are asked for: {"spo2-low-m": {limit: 91}}. */
export const proposed = (rows) => rows.reduce((all, row) => ({ ...all, [row.rule]: { ...all[row.rule], [row.term]: row.value } }), {});

/** How many sessions or weeks: "20" are the last 20, "4w" those of the last four weeks. */
const asked = (which) => (which.endsWith("w") ? { weeks: Number.parseInt(which, 10) } : { last: Number(which) });
const wished = () => { const weeks = `${new URLSearchParams(location.search).get("weeks")}w`; return WEEKS.includes(weeks) ? weeks : "20"; };
const saying = (which, of, ofWeeks) => (which.endsWith("w") ? ofWeeks : of)(Number.parseInt(which, 10));

const nameOf = (known, { rule }) => {
  const limit = rule in words.alarmNames ? null : known.find((l) => l.condition === rule);
  return limit ? words.limitSide(limit) : words.condition(rule);
};

export function WhatIf({ app }) {
  const { state } = app, known = limitsKnown(state), [rows, setRows] = useState([]), [which, setWhich] = useState(wished), [found, setFound] = useState(null), [busy, setBusy] = useState(false), [error, setError] = useState(null);
  const judge = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    const answer = await api.whatIf({ ...asked(which), limits: rows.length ? proposed(rows) : null });
    setBusy(false);
    if (answer.ok) setFound({ ...answer.data, rows });
    else setError({ at: "whatif", text: answer.detail });
  };
  return html`<${Plain} app=${app} here="/admin" title=${words.whatIf}><div class="whatif"><${LeaderPages} here="/admin" /><p>${words.whatIfIs}</p>
    <${Proposal} known=${known} rows=${rows} add=${(row) => setRows([...rows.filter((r) => r.rule !== row.rule || r.term !== row.term), row])} drop=${(row) => setRows(rows.filter((r) => r !== row))} />
    <form class="form" onSubmit=${judge}><label>${words.onWhich}<select value=${which} onChange=${(e) => setWhich(e.currentTarget.value)}>${[...LAST, ...WEEKS].map((each) => html`<option value=${each}>${saying(each, words.lastSessions, words.lastWeeks)}</option>`)}</select></label>
      ${problem(error, "whatif")}<div class="row-of-acts"><button class="main" aria-busy=${busy} disabled=${busy}>${busy ? words.judging : saying(which, words.judge, words.judgeWeeks)}</button></div></form>
    ${found && html`<${Found} known=${known} found=${found} />`}</div><//>`;
}

/** One limit at a time: which, which of its terms, and what it would be. */
function Proposal({ known, rows, add, drop }) {
  const [rule, setRule] = useState(""), [term, setTerm] = useState("limit"), [text, setText] = useState(""), [error, setError] = useState(null);
  const chosen = known.find((l) => l.rule === rule) ?? null, value = Number(text.trim().replace(",", "."));
  const take = (event) => {
    event.preventDefault();
    if (!rule) return setError({ at: "rule", text: words.needRule });
    if (text.trim() === "" || !Number.isFinite(value)) return setError({ at: "value", text: words.needValue });
    setError(null);
    setText("");
    add({ rule, term, value, limit: chosen });
  };
  return html`<form class="form proposal" noValidate onSubmit=${take}>
    <div class="fields"><div><label>${words.whichLimit}<select name="rule" value=${rule} onChange=${(e) => setRule(e.currentTarget.value)} aria-describedby="error-rule"><option value="">${words.choose}</option>${known.map((l) => html`<option value=${l.rule}>${words.limitRow(l)}</option>`)}</select></label>${problem(error, "rule")}</div>
      <label>${words.whichTerm}<select value=${term} onChange=${(e) => setTerm(e.currentTarget.value)}>${TERMS.map((t) => html`<option value=${t}>${words.terms[t]}</option>`)}</select></label>
      <div><label>${words.wouldBe(term, chosen ? words.unit[chosen.unit] ?? chosen.unit : "")}<input name="value" inputmode="decimal" autocomplete="off" value=${text} onInput=${(e) => setText(e.currentTarget.value)} aria-describedby="error-value" /></label>${problem(error, "value")}</div></div>
    <div class="row-of-acts"><button>${words.propose}</button></div>
    ${known.length === 0 && html`<p class="hint">${words.noLimitsKnown}</p>`}
    ${rows.length > 0 && html`<ul class="proposed">${rows.map((row) => html`<li key=${`${row.rule} ${row.term}`}><b>${chem(words.proposedRow(row))}</b><button type="button" class="small" aria-label=${words.dropOf(words.proposedRow(row))} onClick=${() => drop(row)}>${words.drop}</button></li>`)}</ul>`}</form>`;
}

function Found({ known, found }) {
  const { all, sessions, rows } = found, other = all.proposed !== null, judged = sessions.filter((one) => !one.why_not), most = Math.max(1, ...all.rules.flatMap((r) => [r.recorded, r.as_set, r.proposed ?? 0]));
  return html`<section class="found" aria-labelledby="found"><h2 id="found">${words.foundIn(judged.length, all.bed_hours)}</h2>
    ${rows.length > 0 && html`<p>${chem(rows.map(words.proposedRow).join("; "))}</p>`}
    <table><thead><tr><th scope="col">${words.sums}</th><th scope="col">${words.asSet}</th>${other && html`<th scope="col">${words.asProposed}</th>`}</tr></thead>
      <tbody>${PRIORITIES.map((p) => html`<tr key=${p}><th scope="row"><span class="stars" aria-hidden="true">${words.stars[p]}</span> ${words.priority[p]}</th><td>${raised(all.as_set, p)}</td>${other && html`<td>${raised(all.proposed, p)}</td>`}</tr>`)}
        <tr><th scope="row">${words.pagesSent}</th><td>${all.as_set.pages}</td>${other && html`<td>${all.proposed.pages}</td>`}</tr>
        <tr><th scope="row">${words.perSession}</th><td>${each(all.as_set, judged)}</td>${other && html`<td>${each(all.proposed, judged)}</td>`}</tr></tbody></table>
    <h3>${words.byLimit}</h3>
    <table class="rules"><thead><tr><th scope="col">${words.condition("")}</th><th scope="col">${words.onTheDay}</th><th scope="col">${words.asSet}</th>${other && html`<th scope="col">${words.asProposed}</th>`}</tr></thead>
      <tbody>${all.rules.map((r) => html`<tr key=${`${r.rule} ${r.priority}`} data-changed=${r.proposed !== null && r.proposed !== r.as_set ? "" : undefined}><th scope="row"><span class="stars" aria-hidden="true">${words.stars[r.priority]}</span><span class="sr">${words.priority[r.priority]}: </span>${chem(nameOf(known, r))}</th><td>${r.recorded}</td><td>${bar(r.as_set, most)}</td>${other && html`<td>${bar(r.proposed, most)}</td>`}</tr>`)}</tbody></table>
    <h3>${words.bySession}</h3>
    <ul class="judged">${sessions.map((one) => html`<li key=${one.session}><b>${one.alias || words.session(one.session)}</b> <span>${one.why_not ?? [one.opened_at_ms && `${day(one.opened_at_ms)}, ${clock(one.opened_at_ms, false)}`, words.judgedAs(total(one.as_set), one.proposed && total(one.proposed)), !one.same_numbers && words.otherNumbers].filter(Boolean).join(". ")}</span></li>`)}</ul></section>`;
}

const raised = (counts, p) => html`${counts.raised[p]}${counts.alarmed_s[p] >= 30 && html` <small>${words.inAlarm(minutes(counts.alarmed_s[p] * 1000))}</small>`}`;
const total = (counts) => Object.values(counts.raised).reduce((a, b) => a + b, 0);
const each = (counts, judged) => (judged.length ? (counts.pages / judged.length).toFixed(1) : "–");
const bar = (n, most) => html`<span class="count"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width=${String((n / most) * 100)} height="10" /></svg>${n}</span>`;
