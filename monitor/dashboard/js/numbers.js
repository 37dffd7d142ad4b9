// The alarms of the last weeks for who leads the shift: the budget week by week, then one week by condition. It shows; it changes nothing.

import { useEffect, useState } from "preact/hooks";
import { api } from "./api.js";
import { chem } from "./draw.js";
import { html } from "./html.js";
import { named } from "./look.js";
import { Plain } from "./plain.js";
import { day, minutes, words } from "./words.js";

const WEEKS = 8;

/** The two pages of who leads, each one tap from the other. */
export const LeaderPages = ({ here }) => html`<nav class="pages-of" aria-label=${words.admin}>${[["/numbers", words.numbers], ["/admin", words.whatIf]].map(([to, name]) => html`<a class="button" href=${to} aria-current=${to === here ? "page" : undefined}>${name}</a>`)}</nav>`;

export function NumbersOfWeeks({ app }) {
  const { state } = app, [found, setFound] = useState(null), [at, setAt] = useState(0), who = state.me?.name;
  useEffect(() => {
    let here = true;
    api.numbers(WEEKS).then((answer) => here && setFound(answer.ok ? answer.data : { refused: answer.detail }));
    return () => { here = false; };
  }, [who]);
  const frame = (inner) => html`<${Plain} app=${app} here="/numbers" title=${words.numbers}><div class="numbers"><${LeaderPages} here="/numbers" />${inner}</div><//>`;
  if (found === null) return frame(html`<p class="nothing">${words.reading}</p>`);
  if (found.refused) return frame(html`<p class="error">${found.refused}</p><a class="button main" href="/signin">${words.signIn}</a>`);
  const week = found.weeks[at];
  return frame(html`<p>${words.numbersAre}</p>
    <${Budget} weeks=${found.weeks} at=${at} choose=${setAt} />
    ${week && html`<${Week} week=${week} state=${state} />`}
    <a class="button" href="/admin?weeks=4">${words.whatIfWeeks}</a>`);
}

/** The weeks side by side, the newest first; each heading opens its week below. */
function Budget({ weeks, at, choose }) {
  const targets = weeks[0]?.targets ?? [];
  return html`<div class="wide"><table class="budget"><caption>${words.budget}</caption>
    <thead><tr><th scope="col">${words.week}</th>${weeks.map((w, i) => html`<th scope="col" key=${w.from_at_ms}><button class="small" aria-pressed=${i === at} onClick=${() => choose(i)}>${i === 0 ? words.thisWeek : words.weekFrom(day(w.from_at_ms))}</button></th>`)}</tr></thead>
    <tbody><tr><th scope="row">${words.sessionsOpened}</th>${weeks.map((w) => html`<td key=${w.from_at_ms}>${w.sessions}</td>`)}</tr>
      ${targets.map((t, row) => html`<tr key=${t.name}><th scope="row">${words.targets[t.name](t.bound)}</th>${weeks.map((w) => html`<td key=${w.from_at_ms} data-kept=${w.targets[row].kept}>${reached(w.targets[row])}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** Kept or missed is said by a word; a week in which nothing was judged has a dash. */
const reached = ({ name, value, kept }) => (kept === null ? html`<span aria-label=${words.nothingJudged}>–</span>` : html`${words.targetValue(name, value)} <small>${kept ? words.kept : words.missed}</small>`);

function Week({ week, state }) {
  const by = Object.entries(week.acknowledged_by);
  return html`<section aria-labelledby="week"><h2 id="week">${words.weekOf(day(week.from_at_ms))}</h2>
    <p>${words.weekSums(week)}</p>
    ${week.conditions.length === 0 ? html`<p class="nothing">${words.noAlarmsThen}</p>` : html`<div class="wide"><table class="conditions"><thead><tr>${words.conditionColumns.map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
      <tbody>${week.conditions.map((c) => html`<tr key=${`${c.condition} ${c.priority}`}><th scope="row"><span class="stars" aria-hidden="true">${words.stars[c.priority]}</span><span class="sr">${words.priority[c.priority]}: </span>${chem(words.condition(c.condition))}</th>
        <td>${c.raised}</td><td>${c.a_session === null ? "–" : c.a_session.toFixed(2)}</td><td>${c.self_cleared}</td><td>${c.lasted_s ? minutes(c.lasted_s * 1000) : "–"}</td><td>${c.paged}</td><td>${c.acted_on}</td><td>${c.unanswered}</td></tr>`)}</tbody></table></div>`}
    ${week.accepted.length + week.acknowledged.length > 0 && html`<h3>${words.howLong}</h3><ul>${[["accepted", words.toAccept], ["acknowledged", words.toCome]].flatMap(([key, text]) => week[key].map((a) => html`<li key=${key + a.priority}>${words.answering(words.priority[a.priority], text, a)}</li>`))}</ul>`}
    ${by.length > 0 && html`<h3>${words.whoCame}</h3><ul>${by.map(([name, n]) => html`<li key=${name}>${named(state, name)}: ${n}</li>`)}</ul>`}</section>`;
}
