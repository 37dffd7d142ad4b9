// The bar over every screen: the time, the alarms of the clinic, what is due, and whether the service itself is well.

import { chem, icon } from "./draw.js";
import { html } from "./html.js";
import { chips, isWell, loads, marks, named, nextDue, textOf } from "./look.js";
import { PagingMark } from "./reach.js";
import { clock, running, words } from "./words.js";

const SCREENS = [["/me", words.mine], ["/", words.floor], ["/alarms", words.alarms], ["/duty", words.duty], ["/sessions", words.sessions], ["/numbers", words.admin]];
const LEADERS = new Set(["charge nurse", "prescriber", "administrator"]);   // who may try other limits

const isAt = (to, here) => to === here || (to === "/numbers" && here === "/admin");

export const Clock = ({ now_ms }) => html`<p class="clock"><span class="sr">${words.time} </span>${now_ms === null ? "––:––:––" : clock(now_ms)}</p>`;

export function Nav({ here, me }) {
  return html`<nav aria-label=${words.screens}>${SCREENS.filter(([to]) => to !== "/numbers" || LEADERS.has(me?.role) || isAt(to, here)).map(([to, name]) => html`<a href=${to} class=${to === "/me" ? "mine" : undefined} aria-current=${isAt(to, here) ? "page" : undefined}>${name}</a>`)}</nav>`;
}

/** The open alarms as chips, worst first. On a bed's own screen those of the other beds. */
export function Chips({ state, except = null, wall = false, label = words.alarmsNow }) {
  const shown = chips(state).filter((a) => a.bed === "" || a.bed !== except);
  return html`<ol class="now" aria-label=${label} data-many=${shown.length > 5 ? "always" : shown.length > 4 ? "narrow" : undefined}>${shown.map((a) => html`<li class="lamp" key=${a.alarm_id} ...${marks(a)}>${chip(a, wall)}</li>`)}</ol>`;
}

function chip(alarm, wall) {
  const inner = html`<span class="sr">${words.priority[alarm.priority]}, ${alarm.bed ? words.number : ""}</span><span class="stars" aria-hidden="true">${words.stars[alarm.priority]}</span>
    ${alarm.technical && icon("unplugged")}${alarm.bed && html`<b>${alarm.bed}</b>`}<span class="brief">${chem(textOf(alarm))}</span>`;
  return wall ? html`<span class="chip">${inner}</span>` : html`<a class="chip" href=${alarm.bed ? `/bed/${alarm.bed}` : "/alarms"}>${inner}</a>`;
}

/** What is due next anywhere, and under it who has beds at the peak of the drug. */
export function Next({ state, now_ms }) {
  const due = now_ms === null ? [] : nextDue(state, now_ms), peak = loads(state).filter((one) => one.at_peak > 0);
  return html`<div class="next">${due.length > 0 && html`<p>${due.map((d, i) => html`<b key=${`${d.bed} ${d.what}`}>${i === 0 ? html`<span>${words.nextDue}</span> ` : "\u00a0· "}${words.dueAt(d.bed, d.what, d.in_ms)}</b>`)}</p>`}
    ${peak.length > 0 && html`<p><b><span>${words.atPeak}</span> ${peak.map((one) => `${one.name} ${one.at_peak}`).join(" · ")}</b></p>`}</div>`;
}

/** Grey words while all is well; what is not known is not said. */
export function Health({ state, brief = false }) {
  const { link } = state;
  if (link.is === "late" || link.is === "first") return html`<p class="strip-in-bar" data-link=${link.is}>${link.is === "late" ? words.connecting : ""}</p>`;
  if (link.is === "back") return html`<p class="strip-in-bar" data-link="back">${words.returned(link.away_ms * (state.server?.speed ?? 1))}</p>`;
  return html`<ul class="health" aria-label=${words.system}>
    ${state.sound === "on" && html`<li>${brief ? html`<a href="/sound">${icon("sound")}<span>${words.soundOn}</span></a>` : html`${icon("sound")}<span>${words.soundOn}</span>`}</li>`}
    ${!brief && isWell(state, "journal") && html`<li class="wide"><span>${words.recording}</span></li>`}
    <${PagingMark} state=${state} brief=${brief} />
    ${!state.reported && html`<li><span>${words.unreported}</span></li>`}
    ${!state.awake && html`<li><span>${words.maySleep}</span></li>`}</ul>`;
}

/** The name of who is signed in; on a paired screen it counts its last minute down. */
export const Who = ({ state, signOut, lockIn_ms = null }) => (state.me && state.me.role !== "display"
  ? html`<button class="who" onClick=${signOut} aria-label="${named(state, state.me.name)}: ${words.lock}">${icon("lock")}<span>${state.me.display ?? state.me.name}${lockIn_ms !== null && lockIn_ms < 60_000 && ` ${running(lockIn_ms)}`}</span></button>`
  : html`<a class="button who" href="/signin">${words.signIn}</a>`);

/** Ten seconds without a beat: over the whole bar, for nothing in it is true any more. */
export const Lost = ({ state }) => state.link.is === "lost" && html`<p class="lost">${words.lost(state.link.since_ms)}</p>`;

export function Footer({ state, wall, traces, theme, setTheme }) {
  return html`<footer class="disclaimer"><span>${words.disclaimer}</span>
    ${state.server?.insecure_lan && html`<span class="insecure">${words.insecure}</span>`}
    ${traces && loads(state).length > 0 && html`<span class="loads"><span class="sr">${words.loads}: </span>${loads(state).map((one) => words.load(one.name, one.beds, one.at_peak)).join(" · ")}</span>`}
    ${traces && html`<span class="traces">${words.traces}</span>`}
    ${!wall && html`<label class="theme"><span>${words.theme}</span><select value=${theme} onChange=${(e) => setTheme(e.currentTarget.value)}>${Object.entries(words.themes).map(([key, name]) => html`<option value=${key}>${name}</option>`)}</select></label>`}</footer>`;
}
