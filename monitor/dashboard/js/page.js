// One page on one phone: the upper half tells, the lower half acts, with one thumb.

import { useEffect } from "preact/hooks";
import { Cuffs, Spark, chem, icon } from "./draw.js";
import { html } from "./html.js";
import { bpOf, look, marks, named, priorityOf, textOf } from "./look.js";
import { Told } from "./plain.js";
import { States, isTest } from "./reach.js";
import { SignInBeside } from "./signin.js";
import { ageOf } from "./tile.js";
import { clock, running, words } from "./words.js";

const GUARD_MS = 2_000;   // a double tap on the first button must not acknowledge
const ROW = { spo2: "spo2", hr: "hr", pr_spo2: "hr", rr: "rr" };

export function Page({ app }) {
  const { state, of } = app, page = state.pages[of];
  const unread = page && page.to === state.me?.name && !page.outcomes.some((o) => o.way === "screen" && o.outcome === "read") ? page.page_id : null;
  useEffect(() => { if (unread !== null) app.acts.opened(unread); }, [unread]);
  const alarm = page && state.alarms[page.alarm_id], bed = page && state.beds[page.bed];
  if (!page) return html`<${Frame} app=${app}><header class="top calm"><h1 class="kind">${state.server ? words.pageUnknown : ""}</h1></header><main id="page" class="body" tabindex="-1"></main>
    <div class="acts"><a class="button main" href="/">${words.floor}</a></div><//>`;
  if (isTest(page)) return html`<${Trial} app=${app} page=${page} />`;
  const me = state.me?.name ?? null, mine = page.answer === "accepted" && page.answered_by === me;
  const other = alarm?.accepted_by && alarm.accepted_by !== me ? named(state, alarm.accepted_by) : null;
  const there = alarm?.state === "acked", ended = !alarm || alarm.state === "latched";
  const stage = there || (page.over && ended) ? "over" : mine ? "going" : "offered";
  return html`<${Frame} app=${app}>
    <header class="top lamp ${stage === "offered" && !ended ? "" : "calm"}" data-priority=${page.priority.toLowerCase()} data-technical=${alarm?.technical ? "" : undefined}>
      <h1 class="kind"><span><span class="stars" aria-hidden="true">${words.stars[page.priority]}</span>${words.kind[page.priority]}</span><span>${there ? words.atBed(named(state, alarm.acked_by), app.now_ms - alarm.acked_at_ms) : mine ? words.youAreGoing : app.now_ms && clock(app.now_ms)}</span></h1>
      ${figure(app, page, alarm, bed, ended)}</header>
    <main id="page" class="body" tabindex="-1">${bed?.session && rest(app, bed, alarm)}${who(app, page, alarm, me, mine)}<${Told} state=${state} /><${SignInBeside} app=${app} /></main>
    ${acts(app, page, alarm, bed, stage, other, mine)}<//>`;
}

/** A test page: nothing is the matter, and one tap says that it has come. */
function Trial({ app, page }) {
  const said = page.answer ? words.hadIt : words.testEnded;
  return html`<${Frame} app=${app}><header class="top calm" data-priority="low"><h1 class="kind"><span>${words.testPage}</span><span>${app.now_ms && clock(app.now_ms)}</span></h1></header>
    <main id="page" class="body" tabindex="-1"><p class="said">${page.over ? said : words.testIs}</p><${States} state=${app.state} pages=${[page]} /><${Told} state=${app.state} /><${SignInBeside} app=${app} /></main>
    <div class="acts">${page.over ? html`<a class="button main" href="/me">${words.mine}</a>` : html`<button class="main" onClick=${() => app.acts.accept(page.page_id, words.haveIt)}>${icon("hand")}${words.haveIt}</button>`}</div><//>`;
}

function Frame({ app, children }) {
  const { state } = app, away = state.link.is === "lost" || state.link.is === "late";
  return html`<div id="screen" aria-busy=${app.state.server ? undefined : "true"} class="page" data-screen="page">${app.strips}${away && html`<p class="lost-phone">${words.noReach}</p>`}${children}
    <footer class="disclaimer">${words.disclaimer}</footer></div>`;
}

function figure(app, page, alarm, bed, ended) {
  const name = html`<p class="bedname">${page.bed ? words.bed(page.bed) : words.system}</p>`;
  if (!bed?.session || !alarm || alarm.technical || alarm.value === null) return html`${name}<p class="figure"><span>${chem(alarm ? textOf(alarm) : page.text)}<br />${ended ? words.endedStill : words.forTime(app.now_ms - alarm.since_ms)}</span></p>`;
  const seen = look(app.state, page.bed, app.now_ms), label = words.vital[alarm.vital];
  const number = seen.rows.find((r) => r.row === ROW[alarm.vital])?.number;
  const live = number ? number.text : seen.bp.taken && !seen.bp.old ? `${seen.bp.systolic}/${seen.bp.diastolic}` : null;
  if (ended) return html`${name}<p class="figure">${live && html`<b class=${live.length > 3 ? "long" : ""}>${live}</b>`}<span>${live ? chem(words.still(label, live)) : words.endedStill}</span></p>`;
  const dir = alarm.limit !== null && alarm.value <= alarm.limit ? "low" : "high";
  return html`${name}<p class="figure"><b class=${(live ?? "").length > 3 ? "long" : ""}>${live ?? "––"}</b><span>${chem(label)} ${words.below(dir, Math.round(alarm.limit))}<br />${words.forTime(app.now_ms - alarm.since_ms)}</span></p>`;
}

function rest(app, bed, alarm) {
  const { state, now_ms, redraw } = app, seen = look(state, bed.bed, now_ms), trace = state.traces[bed.bed], row = ROW[alarm?.vital] ?? null;
  const drawn = seen.rows.find((r) => r.row === row), others = seen.rows.filter((r) => r !== drawn), bp = bpOf(state, bed, now_ms);
  return html`<div class="trace">${drawn || !alarm
      ? html`<${Spark} bed=${bed} trace=${trace} row=${(drawn ?? seen.rows[0]).row} vital=${(drawn ?? seen.rows[0]).vital} hot=${drawn?.hot ?? null} now_ms=${now_ms} redraw=${redraw} label=${words.last30(words.spoken[(drawn ?? seen.rows[0]).vital])} />`
      : html`<${Cuffs} bed=${bed} trace=${trace} hot=${seen.bp.hot} now_ms=${now_ms} redraw=${redraw} label=${words.last30(words.spoken.bp)} />`}</div>
    <dl class="others">${others.map((r) => html`<div key=${r.row}><dt>${chem(words.vital[r.vital])}</dt><dd><span data-hot=${priorityOf(r.hot)}>${r.number.live ? r.number.text : "––"}</span>${r.number.doubtful && "?"}</dd></div>`)}
      <div><dt>${words.vital.bp}${bp.taken && `, ${ageOf(bp)}`}</dt><dd class=${bp.old ? "old" : ""}><span data-hot=${priorityOf(seen.bp.hot)}>${bp.taken ? `${bp.systolic}/${bp.diastolic}` : "––"}</span></dd></div></dl>`;
}

function who(app, page, alarm, me, mine) {
  const { state, now_ms } = app;
  const pages = Object.values(state.pages).filter((p) => p.alarm_id === page.alarm_id).sort((a, b) => a.ordered_at_ms - b.ordered_at_ms);
  const latest = [...new Map(pages.map((p) => [p.to, p])).values()];
  const name = (p) => (p.to === me ? words.you(named(state, p.to)) : named(state, p.to));
  const said = (p) => (p.answer === "accepted" ? words.accepted(name(p)) : p.answer === "rejected" ? words.rejected(name(p)) : cameOf(p) ? words.told(name(p), words.outcome[cameOf(p)]) : name(p));
  const next = alarm?.next_page_at_ms && alarm.next_page_at_ms > now_ms ? alarm.next_page_at_ms - now_ms : null;
  return html`<ul class="who" aria-label=${words.whoPaged}>${latest.map((p) => html`<li key=${p.page_id}>${p.to === me ? html`<b>${said(p)}</b>` : html`<span>${said(p)}</span>`}<span>${words.agoShort(now_ms - (p.answered_at_ms ?? p.ordered_at_ms))}</span></li>`)}
    ${next !== null && html`<li><span>${mine ? words.pagesAgain : words.nextPage}</span><span>${words.inShort(next)}</span></li>`}</ul><${States} state=${state} pages=${pages} />`;
}

/** What is known of a page: the furthest that it came by any way. */
const FURTHEST = ["read", "delivered", "sent", "failed", "timed out", "cancelled"];
const cameOf = (page) => FURTHEST.find((outcome) => page.outcomes.some((o) => o.outcome === outcome));

function acts(app, page, alarm, bed, stage, other, mine) {
  const { acts, now_ms } = app;
  const open = page.bed && html`<a class="button wide" href="/bed/${page.bed}">${words.toBed(page.bed)}</a>`;
  if (stage === "over") return html`<div class="acts"><p class="wide said">${alarm?.state === "acked" && alarm.acked_by === app.state.me?.name ? words.youAreThere : words.pageOver}</p>${open}</div>`;
  if (stage === "going") {
    const guarded = now_ms - page.answered_at_ms < GUARD_MS * (app.state.server?.speed ?? 1);
    return html`<div class="acts"><button class="main" key="there" disabled=${guarded || !alarm} onClick=${() => acts.acknowledgeOne(alarm.alarm_id)}>${icon("bed")}${words.iAmThere}</button>
      <button key="help" disabled=${guarded} onClick=${() => acts.callHelp(page.page_id)}>${words.callMore}</button><button key="back" disabled=${guarded} onClick=${() => acts.reject(page.page_id, words.handBack)}>${words.handBack}</button></div>`;
  }
  return html`<div class="acts">${other && html`<p class="wide said">${words.stay(other)}</p>`}
    <button class="main" key="go" onClick=${() => acts.accept(page.page_id)}>${icon("walk")}${other ? words.iGoToo : words.iGo}</button>
    <button class="wide" key="cant" onClick=${() => acts.reject(page.page_id, words.cantGo)}>${words.cantGo}</button></div>`;
}
