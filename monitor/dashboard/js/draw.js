// Word-sized pictures as SVG. Every bed uses the same scales, so equal heights mean equal numbers.

import { Component } from "preact";
import { courseOf } from "./course.js";
import { html } from "./html.js";
import { priorityOf, SCALE } from "./look.js";
import { treatmentOf } from "./treatment.js";
import { words } from "./words.js";

const SPAN_MS = 30 * 60_000, W = 200, H = 60;
const GAP_MS = 25_000;   // two and a half points of the trace missing: the line is not drawn across

const f = (n) => n.toFixed(1);
const axes = (key, now_ms) => {
  const [low, high] = SCALE[key];
  return {
    x: (t) => ((t - (now_ms - SPAN_MS)) / SPAN_MS) * W,
    y: (v) => H - ((Math.min(high, Math.max(low, v)) - low) / (high - low)) * H,
  };
};

/** A line with holes where nothing was measured. */
export function path(points, { x, y }) {
  let d = "", before = null;
  for (const [t, v] of points) {
    if (v === null) { before = null; continue; }
    d += `${before !== null && t - before <= GAP_MS ? "L" : "M"}${f(x(t))} ${f(y(v))}`;
    before = t;
  }
  return d;
}

/** The stretches in which nothing was measured, from the first point on to now. */
export function gaps(points, now_ms) {
  const found = [];
  let from = null, last = null;
  for (const [t, v] of points) {
    if (v !== null) {
      if (from !== null) { found.push([from, t]); from = null; } else if (last !== null && t - last > GAP_MS) found.push([last, t]);
      last = t;
    } else from ??= last ?? t;
  }
  if (from !== null) found.push([from, now_ms]);
  else if (last !== null && now_ms - last > GAP_MS) found.push([last, now_ms]);
  return found;
}

/** The expected course, behind everything. */
const course = (bed, key, now_ms, { x, y }) => {
  const band = courseOf(bed, key, now_ms - SPAN_MS, now_ms);
  return band && html`<path class="course" d=${`M${band.map(([t, , high]) => `${f(x(t))} ${f(y(high))}`).join("L")}L${band.toReversed().map(([t, low]) => `${f(x(t))} ${f(y(low))}`).join("L")}Z`} />`;
};

/** The start of the drug, or of a session that is only watched. */
const startOf = (bed) => (treatmentOf(bed) ? bed.treatment.clocks.start_at_ms : bed.session.opened_at_ms);
const startLine = (bed, now_ms, { x }) => {
  const at_ms = startOf(bed);
  return at_ms !== null && at_ms > now_ms - SPAN_MS && html`<line class="start" x1=${f(x(at_ms))} x2=${f(x(at_ms))} y1="0" y2=${H} />`;
};

/** Off the scale: an arrow head where the line leaves the picture. */
const beyond = (points, key, { x }) => {
  const [t, v] = points.at(-1) ?? [0, null], [low, high] = SCALE[key];
  if (v === null || v === undefined || (v <= high && v >= low)) return null;
  const at = x(t), up = v > high;
  return html`<path class="arrow" d=${up ? `M${f(at - 5)} 7L${f(at)} 0L${f(at + 5)} 7Z` : `M${f(at - 5)} ${H - 7}L${f(at)} ${H}L${f(at + 5)} ${H - 7}Z`} />`;
};

const hatch = html`<defs><pattern id="hatch" width="6" height="6" patternTransform="rotate(45)" patternUnits="userSpaceOnUse"><rect class="stripe" width="2" height="6" /></pattern></defs>`;

/** Thirty minutes of one vital. Redrawn every five seconds, not with every number. */
export class Spark extends Component {
  shouldComponentUpdate(next) {
    const was = this.props;
    return next.redraw !== was.redraw || next.trace?.filled !== was.trace?.filled || next.trace?.cuffs !== was.trace?.cuffs || next.bed.session.session !== was.bed.session.session || next.hot?.alarm_id !== was.hot?.alarm_id || next.hot?.priority !== was.hot?.priority;
  }

  render({ bed, trace, row, vital, hot, now_ms, label }) {
    const a = axes(row, now_ms), from = now_ms - SPAN_MS;
    const known = (trace?.vitals[vital] ?? []).filter(([t]) => t <= now_ms), points = known.filter(([t]) => t >= from);
    // What was last heard before this half hour: without it, a loss that is older than the picture would look like nothing.
    const last_ms = bed.vitals[vital]?.last_at_ms ?? null, older = known.filter(([t]) => t < from).slice(-1);
    const before = older.length || points.length || last_ms === null || last_ms >= from ? older : [[last_ms, 0]];
    const lost = gaps([...before, ...points], now_ms).map(([t1, t2]) => [Math.max(t1, from), t2]).filter(([t1, t2]) => t2 > t1);
    const limit = hot?.limit ?? null, low = hot && hot.value !== null && hot.value <= limit;
    const breach = limit === null ? [] : points.map(([t, v]) => [t, v !== null && (low ? v < limit : v > limit) ? v : null]);
    // A stretch with a doubtful end is dotted as a whole.
    const unsure = points.map(([t, v], i) => [t, points.slice(Math.max(0, i - 1), i + 2).some((p) => p[2]) ? v : null]);
    const sure = points.map(([t, v, doubtful]) => [t, doubtful ? null : v]);
    return html`<svg class="spark" viewBox="0 0 ${W} ${H}" preserveAspectRatio="none" role="img" aria-label=${label}>${hatch}
      ${course(bed, row, now_ms, a)}
      ${startLine(bed, now_ms, a)}
      ${limit !== null && html`<line class="limit" x1="0" x2=${W} y1=${f(a.y(limit))} y2=${f(a.y(limit))} />`}
      ${lost.map(([t1, t2]) => html`<rect class="gap" fill="url(#hatch)" x=${f(a.x(t1))} width=${f(Math.max(1, a.x(t2) - a.x(t1)))} y="0" height=${H} />`)}
      <path class="line" d=${path(sure, a)} />${unsure.some(([, v]) => v !== null) && html`<path class="line doubtful" d=${path(unsure, a)} />`}
      ${limit !== null && html`<path class="breach" data-priority=${priorityOf(hot)} d=${path(breach, a)} />`}${beyond(points, row, a)}</svg>`;
  }
}

/** Thirty minutes of cuff readings: an upright bar from diastolic to systolic each. */
export class Cuffs extends Spark {
  render({ bed, trace, hot, now_ms, label }) {
    const a = axes("bp", now_ms), from = now_ms - SPAN_MS, limit = hot?.limit ?? null;
    const hit = (s) => limit !== null && hot.value !== null && (hot.value >= limit ? s >= limit : s <= limit);
    return html`<svg class="spark" viewBox="0 0 ${W} ${H}" preserveAspectRatio="none" role="img" aria-label=${label}>
      ${course(bed, "systolic", now_ms, a)}${course(bed, "diastolic", now_ms, a)}
      ${startLine(bed, now_ms, a)}
      ${limit !== null && html`<line class="limit" x1="0" x2=${W} y1=${f(a.y(limit))} y2=${f(a.y(limit))} />`}
      ${(trace?.cuffs ?? []).filter(([t]) => t > from + 20_000).map(([t, s, d]) => html`<line class="cuff" data-priority=${hit(s) ? priorityOf(hot) : undefined} x1=${f(a.x(t))} x2=${f(a.x(t))} y1=${f(a.y(s))} y2=${f(a.y(d))} />`)}</svg>`;
  }
}

const polar = (part, r) => {
  const angle = part * 2 * Math.PI;
  return [50 + r * Math.sin(angle), 50 - r * Math.cos(angle)].map(f);
};
const arc = (from, to, r) => {
  if (to - from > 0.999) return arc(from, from + 0.5, r) + arc(from + 0.5, from + 0.999, r);   // an arc that ends where it begins is none
  const [x1, y1] = polar(from, r), [x2, y2] = polar(to, r);
  return `M${x1} ${y1}A${r} ${r} 0 ${to - from > 0.5 ? 1 : 0} 1 ${x2} ${y2}`;
};

/** The clock of one session (`ringOf`): done of the least stay, the check as a diamond in its window, the end of the infusion as a cut. */
export function ring({ minute, part, open, check, cut, label }) {
  const r = 40, from = open ? -0.375 : 0, whole = open ? 0.75 : 1, at = (p) => from + p * whole;
  const [x, y] = check ? polar(at(check.at), r) : [0, 0], [x1, y1] = polar(at(cut ?? 0), r + 7), [x2, y2] = polar(at(cut ?? 0), r - 7);
  return html`<svg class="ring" viewBox="0 0 100 100" role="img" aria-label=${label}>
    <path class="track" d=${arc(from, from + whole, r)} />${check && html`<path class="window" d=${arc(at(check.from), at(check.to), r)} />`}${part > 0 && html`<path class="run" d=${arc(from, at(part), r)} />`}
    ${cut !== null && cut !== undefined && html`<line class="cut" x1=${x1} y1=${y1} x2=${x2} y2=${y2} />`}${check && html`<rect class="mark ${check.done ? "done" : ""}" x="-7" y="-7" width="14" height="14" transform="translate(${x} ${y}) rotate(45)" />`}
    <text class=${minute > 99 ? "long" : ""} x="50" y=${minute > 99 ? 57 : 58}>${minute ?? "––"}</text>${minute !== null && html`<text class="unit" x="50" y="74">${words.min}</text>`}</svg>`;
}

const ICONS = {
  "audio-paused": "M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9M10 20a2.2 2.2 0 0 0 4 0M3 3l18 18",
  "alarm-paused": "M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 7h-17S6 15 6 9M3 3l18 18M21 3L3 21",
  sound: "M4 9.5v5h4l5 4v-13l-5 4zM16.5 9a4 4 0 0 1 0 6M19 6.5a7.5 7.5 0 0 1 0 11",
  swap: "M4 9h14l-4-4M20 15H6l4 4",
  silent: "M4 9.5v5h4l5 4v-13l-5 4zM16 9.5l5 5M21 9.5l-5 5",
  unplugged: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4M3 3l18 18",
  walk: "M13 4.5a1.5 1.5 0 1 0 0-.1M12.5 8l-3.5 3v3M12.5 8l1 5 3 2.5 1 5M13.5 13l-2 3-3.5 4.5M12.5 8l3 2.5 3 .5",
  bed: "M3 6v12M3 14h18v4M21 14v-2a3 3 0 0 0-3-3h-7v5M7 11.5a1.7 1.7 0 1 0 0-.1",
  check: "M4 12.5l5.5 5.5L20 6.5",
  note: "M5 4h14v16H5zM8.5 9h7M8.5 13h7M8.5 17h4",
  cuff: "M5 5h9a4 4 0 0 1 4 4v6a4 4 0 0 1-4 4H5zM9 5v14M18 12h3",
  plus: "M12 5v14M5 12h14",
  hand: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11m0-6.5a1.5 1.5 0 0 1 3 0V11m0-5a1.5 1.5 0 0 1 3 0v8c0 4-2 7-6 7s-5.5-2-7.5-6.5a1.6 1.6 0 0 1 2.8-1.4L8 15",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
};
export const icon = (name) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;

/** Text with the small 2 of SpO2 and CO2 where they stand in it. */
export const chem = (text) => String(text).split(/(?<=SpO|CO)(2)/).map((part, i) => (i % 2 ? html`<sub>${part}</sub>` : part));
