// The phone's own first screen: the pages that are open for me, my beds as rows, and whether I am on duty.

import { useState } from "preact/hooks";
import { chem, icon } from "./draw.js";
import { HandOver } from "./handover.js";
import { html } from "./html.js";
import { look, marks, named, priorityOf, ranked, whoOf } from "./look.js";
import { Plain, Told } from "./plain.js";
import { isTest } from "./reach.js";
import { running, words } from "./words.js";

export function Home({ app }) {
  const { state, now_ms } = app, me = state.me && state.me.role !== "display" ? state.me.name : null;
  if (!me) return html`<${Plain} app=${app} here="/me" title=${words.mine}>${state.server && html`<p>${words.whoseBeds}</p><a class="button main" href="/signin">${words.signIn}</a>`}<//>`;
  // The newest page of each alarm, worst alarm first; what a worse alarm speaks for has no row of its own.
  const pages = Object.values(state.pages).filter((p) => p.to === me && !p.over).sort((a, b) => a.ordered_at_ms - b.ordered_at_ms);
  const tests = pages.filter(isTest).slice(-1);
  const newest = new Map(pages.map((p) => [p.alarm_id, p]));
  const shown = ranked([...newest.keys()].map((id) => state.alarms[id]).filter(Boolean)).map((alarm) => newest.get(alarm.alarm_id));
  const beds = state.duty.beds.filter((b) => b.staff === me).map((b) => b.bed).filter((b) => state.beds[b]);
  return html`<${Plain} app=${app} here="/me" title=${named(state, me)}><${Told} state=${state} />
    <section aria-labelledby="my-pages"><h2 id="my-pages">${words.myPages}</h2>
      ${tests.map((p) => html`<div class="test-page" key=${p.page_id}><p><b>${words.testPage}</b> ${words.pagedYou(now_ms - p.ordered_at_ms)}</p><button class="main" onClick=${() => app.acts.accept(p.page_id, words.haveIt)}>${words.haveIt}</button></div>`)}
      ${shown.length === 0 ? tests.length === 0 && html`<p class="nothing">${words.noPages}</p>` : html`<ul class="rows">${shown.map((p) => pageRow(state, p, me, now_ms))}</ul>`}</section>
    <section aria-labelledby="my-beds"><h2 id="my-beds">${words.myBeds}</h2>
      ${beds.length === 0 ? html`<p class="nothing">${words.noBedsOfMine}</p>` : html`<ul class="rows">${state.order.filter((b) => beds.includes(b)).map((b) => bedRow(look(state, b, now_ms)))}</ul>`}</section>
    <${OnDuty} app=${app} me=${me} beds=${beds} /><//>`;
}

function pageRow(state, page, me, now_ms) {
  const alarm = state.alarms[page.alarm_id], mine = alarm.accepted_by === me;
  const said = mine && alarm.state === "active" ? `${words.youAreGoing}.` : alarm.state === "active" && !alarm.accepted_by ? `${words.nobody}.` : whoOf(state, alarm, now_ms);
  return html`<li class="lamp" key=${page.page_id} ...${marks(alarm)}><a href="/pages/${page.page_id}">
    <span class="what"><span class="sr">${words.priority[alarm.priority]}: </span><span class="stars" aria-hidden="true">${words.stars[alarm.priority]}</span>${alarm.technical && icon("unplugged")}<b>${page.bed ? words.bed(page.bed) : words.system}</b><span>${chem(alarm.text)}</span></span>
    <span class="facts">${words.pagedYou(now_ms - page.ordered_at_ms)} ${said}</span></a></li>`;
}

function bedRow(seen) {
  if (seen.empty) return html`<li key=${seen.name}><a href="/bed/${seen.name}"><span class="what"><b>${words.bed(seen.name)}</b><span>${words.empty}</span></span></a></li>`;
  const { top, line, bp } = seen;
  return html`<li class="lamp" key=${seen.name} ...${marks(top)}><a href="/bed/${seen.name}">
    <span class="what">${top && html`<span class="sr">${words.priority[top.priority]}: </span><span class="stars" aria-hidden="true">${words.stars[top.priority]}</span>`}<b>${words.bed(seen.name)}</b><span>${chem(line.text)}</span>${line.time_ms !== undefined && html`<span class="time">${running(line.time_ms)}</span>`}</span>
    <span class="vitals">${seen.rows.map((r) => html`<span key=${r.row}><small>${chem(words.vital[r.vital])}</small> <b data-hot=${priorityOf(r.hot)}>${r.number.live ? r.number.text : "––"}</b>${r.number.doubtful && "?"}</span>`)}
      <span><small>${words.vital.bp}</small> <b class=${bp.old ? "old" : ""} data-hot=${priorityOf(bp.hot)}>${bp.taken ? `${bp.systolic}/${bp.diastolic}` : "––"}</b></span></span></a></li>`;
}

/** Going off duty with beds is asked first: they would have nobody. */
function OnDuty({ app, me, beds }) {
  const { on, beds: given } = app.state.duty, is_on = on.includes(me), [asking, setAsking] = useState(false);
  const set = async (now_on) => {
    setAsking(false);
    await app.acts.setDuty({ on: now_on ? [...on, me] : on.filter((n) => n !== me), beds: now_on ? given : given.filter((b) => b.staff !== me) });
  };
  return html`<section aria-labelledby="my-duty"><h2 id="my-duty">${words.duty}</h2><p>${is_on ? words.youAreOn : words.youAreOff}</p>
    ${asking ? html`<p>${words.offAsk(beds.map(words.bed))}</p><${HandOver} app=${app} was=${me} done=${() => setAsking(false)} /><div class="row-of-acts"><button onClick=${() => set(false)}>${words.offWithBeds(beds.length)}</button><button onClick=${() => setAsking(false)}>${words.cancel}</button></div>`
      : html`<div class="row-of-acts"><button onClick=${() => (is_on ? (beds.length ? setAsking(true) : set(false)) : set(true))}>${is_on ? words.goOff : words.goOn}</button></div>`}</section>`;
}
