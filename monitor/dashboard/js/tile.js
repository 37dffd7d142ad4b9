// One bed on the Floor: a drawing of what `look` decided. No buttons on a live tile: acts live on Bed, so that a sleeve acknowledges nothing.

import { Cuffs, Spark, chem, icon, ring } from "./draw.js";
import { html } from "./html.js";
import { marks, priorityOf } from "./look.js";
import { ago, running, words } from "./words.js";

export function Tile({ bed, seen, trace, now_ms, redraw, wall }) {
  if (seen.empty) return empty(seen, wall);
  const { top } = seen;
  return html`<article class="tile lamp" aria-labelledby="bed-${seen.name}" data-bed=${seen.name} ...${marks(top)}>
    <header>
      <h2 id="bed-${seen.name}">${link(seen.name, wall)}</h2>
      <p class="where"><strong>${seen.phase}</strong><span>${[seen.way, seen.nurse ?? words.noNurse].filter(Boolean).join(" · ")}</span>${seen.flags.map((flag) => html`<span class="flag" key=${flag}>${chem(flag)}</span>`)}</p>
      ${header(seen.pauses).map(pause)}${ring(seen.ring)}
    </header>
    ${line(seen)}
    <dl>${seen.rows.map((r) => row(bed, r, trace, now_ms, redraw))}${cuff(bed, seen.bp, trace, now_ms, redraw)}</dl>
  </article>`;
}

const heading = (name) => html`<span class="sr">${words.number}</span><span class="number">${name}</span>`;
const link = (name, wall) => (wall ? heading(name) : html`<a href="/bed/${name}">${heading(name)}</a>`);

const empty = ({ name, place }, wall) => html`<article class="tile empty" aria-labelledby="bed-${name}" data-bed=${name}>
  <h2 id="bed-${name}">${heading(name)}</h2><p>${words.empty}${place && place !== name ? ` · ${place}` : ""}</p>
  ${!wall && html`<a class="button" href="/bed/${name}/start">${words.startSession}</a>`}</article>`;

/** One symbol a kind in the header: of several paused alarms the one that lasts longest. */
const header = (pauses) => ["alarm off", "alarm paused", "audio off", "audio paused"].map((kind) => pauses.filter((p) => p.kind === kind).sort((a, b) => b.left_ms - a.left_ms)[0]).filter(Boolean);

const pause = (p) => html`<p class="mute" key=${p.pause_id}>${icon(p.kind.startsWith("audio") ? "audio-paused" : "alarm-paused")}
  <span aria-hidden="true">${p.until_ms === null ? words.off : running(p.left_ms)}<br />${p.who}</span><span class="sr">${words.paused[p.kind](p.left_ms, p.who)}</span></p>`;

const SHORT = 16, NOTE = 50;

/** The one line. A tile has room for a short remark beside who knows; a longer one stands on Bed. A long text is set smaller, never cut. */
export function line({ top, line }, room = SHORT) {
  const also = line.also && ((line.also.length <= room && (room === Infinity || line.note.length + line.also.length < NOTE)) || !line.note) ? `${line.note && " "}${line.also}` : "";
  const time = line.time_ms === undefined ? "" : running(line.time_ms), n = line.text.length + time.length + (top?.technical ? 3 : 0);
  return html`<div class="line ${line.due ? "due" : ""} ${line.ready ? "ready" : ""} ${n > 33 ? "two" : n > 27 ? "longest" : n > 17 ? "long" : ""}">
    <p class="what">${top && html`<span class="sr">${words.priority[top.priority]}: </span><span class="stars" aria-hidden="true">${words.stars[top.priority]}</span>`}${top?.technical && icon("unplugged")}${line.ready && icon("check")}
      <span class="text">${chem(line.text)}</span>${time && html`<span class="time">${time}</span>`}</p>
    <p class="note">${line.more > 0 && html`<b>${words.more(line.more)} </b>`}${chem(line.note)}${also}</p></div>`;
}

/** The digits of a live value, or dashes with the last value and its age. */
export const digits = (number) => (number.live
  ? html`<dd class="digits">${number.text}${number.doubtful && html`<span class="doubt" title=${number.why}>?<span class="sr"> ${words.doubtful}</span></span>`}</dd>`
  : html`<dd class="digits gone"><span aria-hidden="true">––</span><span class="was"><span class="sr">${words.gone}</span>${number.last !== null && html`${words.last(number.last)}<br />${number.age_ms < 3_600_000 ? ago(number.age_ms) : words.agoShort(number.age_ms)}`}</span></dd>`);

/** Under a vital that comes from another device than it should: which. A low tile has room for the sign alone. */
const from = (source) => source && html`<small class="source">${icon("swap")}<span>${words.from(source)}</span></small>`;

/** Under a vital that somebody has counted: so, and how long ago. It stays for a while, and must not look as if it were live. */
const counted = (number) => number.by && number.live && html`<small class="source">${icon("note")}<span>${words.byHand}, ${ago(number.age_ms)}</span></small>`;

const row = (bed, { row, vital, source, number, hot, pending, paused }, trace, now_ms, redraw) => html`<div class="row ${paused ? "off" : ""}" key=${row} data-row=${row} data-hot=${priorityOf(hot)}>
  <dt>${chem(words.vital[vital])}${pending && dot}${from(source)}${counted(number)}</dt>
  ${digits(number)}
  <dd class="trace"><${Spark} bed=${bed} trace=${trace} row=${row} vital=${vital} hot=${hot} now_ms=${now_ms} redraw=${redraw} label=${words.last30(words.spoken[vital])} /></dd></div>`;

const dot = html`<span class="dot"><span class="sr">${words.pendingMark}</span></span>`;

const cuff = (bed, bp, trace, now_ms, redraw) => html`<div class="row bp ${bp.paused ? "off" : ""}" key="bp" data-row="bp" data-hot=${priorityOf(bp.hot)}>
  <dt>${words.vital.bp}${bp.pending && dot}</dt>
  ${pressure(bp)}
  <dd class="trace"><${Cuffs} bed=${bed} trace=${trace} hot=${bp.hot} now_ms=${now_ms} redraw=${redraw} label=${words.last30(words.spoken.bp)} /></dd>
  <dd class="age ${bp.hand ? "hand" : ""} ${bp.failed_ms !== null ? "failed" : ""}"><span>${ageOf(bp)}</span>${bp.hand ? asks(bp) : html`<span class=${bp.late ? "late" : ""}>${nextOf(bp)}</span>`}</dd></div>`;

/** What somebody has to do at the bed, and how late it is. */
const asks = (bp) => html`<span class="late">${bp.failed_ms === null && bp.late && `${nextOf(bp)}, `}${bp.hand}</span>`;

export const pressure = (bp) => (bp.taken
  ? html`<dd class="digits ${bp.old ? "old" : ""} ${bp.diastolic > 99 && bp.systolic > 99 ? "long" : ""}">${bp.systolic}<span class="slash">/</span>${bp.diastolic}${bp.doubtful && html`<span class="doubt">?<span class="sr"> ${words.doubtful}</span></span>`}</dd>`
  : html`<dd class="digits gone"><span aria-hidden="true">––</span><span class="sr">${words.gone}</span></dd>`);

export const ageOf = (bp) => (bp.failed_ms !== null ? words.cuffFailed(bp.failed_ms) : bp.taken ? `${ago(bp.age_ms)}${bp.by ? `, ${words.byHand}` : ""}` : "");

export const nextOf = (bp) => (bp.running_ms !== null ? words.cuffRunning(bp.running_ms)
  : bp.next_ms === null ? words.noPlan : bp.late ? words.late(-bp.next_ms) : bp.next_ms <= 0 ? words.dueNow : words.nextIn(bp.next_ms));
