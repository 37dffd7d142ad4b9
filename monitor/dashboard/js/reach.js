// Whether pages reach those on duty: one line for the bar, a row for each person on Duty, and one tap to find out.

import { html } from "./html.js";
import { isWell, named } from "./look.js";
import { treatmentOf } from "./treatment.js";
import { clock, words } from "./words.js";

const BEFORE = new Set(["check_in", "baseline", "timeout"]);
const seconds = (took_ms) => Math.max(1, Math.round(took_ms / 1000));

/** What is known of all on duty: {is: "tested" | "waiting" | "untested" | "failed", text}; null where no test pages are sent or nobody is on. */
export function reached(state) {
  const people = state.duty.test?.people ?? [], who = (...kinds) => people.filter((p) => kinds.includes(p.reach)).map((p) => named(state, p.staff));
  if (people.every((p) => p.reach === "no pager")) return null;
  const failed = who("failed", "unanswered"), untested = who("untested");
  if (failed.length) return { is: "failed", text: words.testMissed(failed), brief: words.testMissedBrief(failed) };
  if (untested.length) return { is: "untested", text: untested.length === people.length ? words.untested : words.untestedOf(untested), brief: words.untestedBrief };
  if (who("waiting").length) return { is: "waiting", text: words.testOut, brief: words.testOut };
  const slowest = people.reduce((a, b) => (b.took_ms > a.took_ms ? b : a));
  return { is: "tested", text: words.tested(named(state, slowest.staff), seconds(slowest.took_ms)) };
}

/** In the bar: a wall says all of it, a station what is still missing. That paging is down has a chip of its own. */
export function PagingMark({ state, brief }) {
  if (!isWell(state, "paging")) return null;
  const known = reached(state);
  if (!known) return !brief && html`<li class="wide"><span>${words.paging}</span></li>`;
  if (brief) return known.is !== "tested" && html`<li data-reach=${known.is}><a href="/duty"><span class="sr">${known.text}</span><span aria-hidden="true">${known.brief}</span></a></li>`;
  return html`<li class="wide" data-reach=${known.is}><span>${known.text}</span></li>`;
}

/** On Duty: everybody on duty with what came of their test page, and the one button that sends another. */
export function Reached({ app }) {
  const { state } = app, test = state.duty.test;
  if (!test) return null;
  const out = test.people.some((p) => p.reach === "waiting");
  return html`<section aria-labelledby="reached"><h2 id="reached">${words.reachedTitle}</h2>
    <ul class="reached">${test.people.map((p) => html`<li key=${p.staff} data-reach=${p.reach}><b>${named(state, p.staff)}</b><span>${words.reach[p.reach](p.at_ms, p.took_ms === null ? null : seconds(p.took_ms))}</span></li>`)}</ul>
    ${test.people.length > 0 && html`<div class="row-of-acts"><button disabled=${out} onClick=${() => app.acts.sendTest()}>${words.sendTest}</button></div>`}
    ${test.asked_by && html`<p class="hint">${words.testAsked(named(state, test.asked_by), test.asked_at_ms)}</p>`}</section>`;
}

/** Before the drug: that nothing has shown yet that a page reaches this bed's nurse. One tap finds out, and it stands in nobody's way. */
export function Untested({ app, bed }) {
  const { state } = app, t = treatmentOf(state.beds[bed]), nurse = state.duty.beds.find((b) => b.bed === bed)?.staff;
  const reach = (state.duty.test?.people ?? []).find((p) => p.staff === nurse)?.reach ?? "answered", out = reach === "waiting";
  if (!t || !BEFORE.has(t.phase) || reach === "answered") return null;
  return html`<aside class="untested" aria-label=${words.untested}><p>${out ? words.testOut : words.untested}</p>${!out && html`<button onClick=${() => app.acts.sendTest()}>${words.sendTest}</button>`}</aside>`;
}

/** What became of a page, each state with its time (ALM-083), in the order in which it came. */
export function statesOf(page) {
  const said = [{ is: "queued", at_ms: page.ordered_at_ms }, ...page.outcomes.map((o) => ({ is: o.outcome, at_ms: o.at_ms, way: o.way, why: o.why }))];
  if (page.answer) said.push({ is: page.answer, at_ms: page.answered_at_ms });
  if (page.over && !page.answer && page.over_at_ms) said.push({ is: "cancelled", at_ms: page.over_at_ms });
  return said.sort((a, b) => a.at_ms - b.at_ms);
}

/** The same as a list to unfold, one page a line. */
export const States = ({ state, pages }) => pages.length > 0 && html`<details class="states"><summary>${words.statesOf(pages.length)}</summary>
  <div>${pages.map((p) => html`<p key=${p.page_id}><b>${named(state, p.to)}</b> ${statesOf(p).map((s, i) => html`${i > 0 && ", "}<span>${words.pageState[s.is] ?? s.is} <time>${clock(s.at_ms)}</time>${s.way && ` (${words.pageWay[s.way] ?? s.way})`}</span>`)}</p>`)}</div></details>`;

/** Whether a page is a test of the paging: it has no alarm. */
export const isTest = (page) => page.why === "a test of the paging";
