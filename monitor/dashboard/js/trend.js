// The trends of one bed: four uPlot panels on one time line, behind each the expected course and, if wished, this patient's
// earlier sessions; limits dashed, what was given and checked as upright lines, cuffs as bars.

import { Component, createRef } from "preact";
import uPlot from "uplot";
import { courseOf } from "./course.js";
import { html } from "./html.js";
import { SCALE } from "./look.js";
import { treatmentOf } from "./treatment.js";
import { clock, words } from "./words.js";

const BEFORE_MS = 10 * 60_000, LEAST_MS = 60 * 60_000, STEP_MS = 20 * 60_000, RIGHT = 44;
const LABEL = 46;   // px that a time of day takes
const PAPER = { width: 890, spo2: 64, hr: 64, rr: 58, bp: 215, axis: 46 };   // css/print.css, A4 on its side
const TICKS = { spo2: [80, 90, 100], hr: [60, 100, 140], rr: [10, 20, 30], bp: [60, 90, 120, 150, 180] };

/** What the API answers, as points and cuffs; what was measured before this session is left out. */
export function readTrend(wire, opened_at_ms) {
  const vitals = Object.fromEntries(Object.entries(wire.vitals).map(([vital, rows]) => [vital, lineOf(rows.filter(([t]) => t >= opened_at_ms))]));
  const cuffs = wire.cuffs.filter((c) => c.systolic_mmhg !== null && c.measured_at_ms >= opened_at_ms).map((c) => [c.measured_at_ms, c.systolic_mmhg, c.diastolic_mmhg]);
  return { vitals, cuffs };
}

/** A stretch is [at_ms, lowest, highest]: the line goes through both, the nearer one first, so that no dip is lost. */
function lineOf(rows) {
  const line = [];
  for (const [t, low, high] of rows) {
    const before = line.at(-1)?.[1] ?? low;
    if (low === high || low === null) line.push([t, low]);
    else line.push(...(Math.abs(before - low) <= Math.abs(before - high) ? [[t, low], [t, high]] : [[t, high], [t, low]]));
  }
  return line;
}

/** Where the minutes are counted from: the start of the drug; before it, and where only watched, the opening of the session. */
export const zeroOf = (bed) => treatmentOf(bed)?.clocks.start_at_ms ?? bed.session.opened_at_ms;

/** From ten minutes before the start to the end of the least stay, or past now: the goal is in sight, the present never at the edge. */
export function span(bed, now_ms) {
  const zero = zeroOf(bed), goal = treatmentOf(bed)?.clocks.ring_until_at_ms ?? zero + LEAST_MS, run = now_ms - zero + STEP_MS / 2;
  return [zero - BEFORE_MS, Math.max(goal + BEFORE_MS / 2, zero + Math.ceil(run / STEP_MS) * STEP_MS)];
}

// Two and a half points missing is a gap: of the live line's, or of a long stay's wider stretches.
const gapOf = (points) => Math.max(25_000, points.length ? ((points.at(-1)[0] - points[0][0]) / 600) * 2.5 : 0);

const columns = (points) => {
  const t = [], v = [], gap_ms = gapOf(points);
  for (const [at, value] of points) {
    if (t.length && at - t.at(-1) > gap_ms && v.at(-1) !== null) { t.push(t.at(-1) + 1); v.push(null); }   // no bridge over a gap
    t.push(at); v.push(value);
  }
  return [t, v];
};

export class Trend extends Component {
  #place = createRef(); #plot = null; #watch = null; #theme = null;

  componentDidMount() {
    this.#watch = new ResizeObserver(() => this.#fit());
    this.#watch.observe(this.#place.current);
    this.#theme = new MutationObserver(() => this.#plot?.redraw(false));
    this.#theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    addEventListener("beforeprint", this.#paper);
    addEventListener("afterprint", this.#fit);
    this.#fit();
  }
  componentWillUnmount() { removeEventListener("beforeprint", this.#paper); removeEventListener("afterprint", this.#fit); this.#watch.disconnect(); this.#theme.disconnect(); this.#plot?.destroy(); }

  shouldComponentUpdate(next) {
    const was = this.props;
    this.props = next;   // the hooks of the plot read it
    if (next.redraw !== was.redraw || next.points !== was.points || next.cuffs !== was.cuffs || next.earlier !== was.earlier || next.hot?.alarm_id !== was.hot?.alarm_id) this.#fill();
    return next.label !== was.label;
  }

  #fit = () => {
    const { width, height } = this.#place.current.getBoundingClientRect();
    if (width < 1 || height < 1) return;
    if (this.#plot) return this.#plot.setSize({ width, height });
    this.#plot = new uPlot(this.#options(width, height), this.#data(), this.#place.current);
  };

  // A picture that is drawn does not follow the sheet by itself.
  #paper = () => this.#plot?.setSize({ width: PAPER.width, height: PAPER[this.props.row] });

  #data() {
    const { row, points, cuffs } = this.props;
    return row === "bp" ? [cuffs.map(([t]) => t), cuffs.map(([, s]) => s)] : row === "axis" ? [[], []] : columns(points);
  }

  #fill() {
    if (!this.#plot) return;
    const [min, max] = span(this.props.bed, this.props.now_ms);
    this.#plot.batch(() => { this.#plot.setData(this.#data(), false); this.#plot.setScale("x", { min, max }); });
  }

  #options(width, height) {
    const { row, bed, now_ms } = this.props, [min, max] = span(bed, now_ms), [low, high] = SCALE[row] ?? [0, 1];
    const font = () => `13px ${getComputedStyle(document.body).fontFamily}`;
    const ink = (name) => token(name);
    const x = { scale: "x", show: row === "axis", side: 2, size: 42, gap: 2, font: font(), stroke: () => ink("--ink-2"), grid: { show: false }, ticks: { show: false },
      splits: (u) => everyTwenty(u.scales.x, zeroOf(this.props.bed), u.bbox.width / devicePixelRatio), values: (u, at) => at.map((t) => `${Math.round((t - zeroOf(this.props.bed)) / 60_000)}\n${clock(t, false)}`) };
    const y = { scale: "y", side: 1, size: RIGHT, gap: 6, show: row !== "axis", font: font(), stroke: () => ink("--ink-3"), splits: () => TICKS[row] ?? [], values: (u, at) => at.map(String), ticks: { show: false },
      grid: { show: true, stroke: () => ink("--rule"), width: 1 } };
    const pad = row === "bp" ? 12 : row === "axis" ? 0 : 9;
    return {
      width, height, padding: [pad, row === "axis" ? RIGHT : 0, pad, 0], legend: { show: false }, cursor: { show: row !== "axis", x: true, y: false, drag: { x: false, y: false }, points: { show: false }, sync: { key: `bed-${bed.bed}` } },
      scales: { x: { time: false, auto: false, min, max, range: (u, a, b) => [a, b] }, y: { auto: false, range: [low, high] } },
      axes: [x, y],
      series: [{}, { stroke: () => ink("--trace"), width: 1.8, points: { show: false }, spanGaps: false, paths: row === "bp" ? () => null : uPlot.paths.linear() }],
      hooks: { drawClear: [(u) => this.#under(u)], draw: [(u) => this.#over(u)] },
    };
  }

  #under(u) {
    const { row, bed, now_ms, lost, earlier, marks } = this.props;
    if (row === "axis") return;
    const c = u.ctx, { left, top, width, height } = u.bbox, x = (t) => u.valToPos(t, "x", true), y = (v) => u.valToPos(v, "y", true), present = x(now_ms), ratio = devicePixelRatio;
    c.save();
    c.beginPath(); c.rect(left, top, width, height); c.clip();
    const [from, to] = span(bed, now_ms);
    for (const key of row === "bp" ? ["systolic", "diastolic"] : [row]) {
      for (const [a, b, later] of [[from, now_ms, false], [now_ms, to, true]]) course(c, courseOf(bed, key, a, b), x, y, later);
    }
    for (const one of earlier ?? []) before(c, one, row, x, y);
    c.lineWidth = ratio;
    for (const mark of marks ?? []) {
      c.strokeStyle = token(mark.strong ? "--ink-2" : "--edge"); c.setLineDash(mark.said ? [2 * ratio, 3 * ratio] : []);
      const at = Math.round(x(mark.at_ms)) + 0.5;
      stroke(c, at, top, at, top + height);
    }
    c.setLineDash([]);
    if (lost) hatch(c, x(lost), top, present - x(lost), height);
    c.restore();
  }

  #over(u) {
    const { row, now_ms, limits, cuffs, hot, marks, checked } = this.props;
    if (row === "axis") return;
    const c = u.ctx, { left, top, width, height } = u.bbox, x = (t) => u.valToPos(t, "x", true), y = (v) => u.valToPos(v, "y", true), ratio = devicePixelRatio;
    const face = getComputedStyle(document.body).fontFamily;
    c.save();
    c.beginPath(); c.rect(left, top - 12 * ratio, width, height + 24 * ratio); c.clip();
    const labels = [];
    for (const limit of [...limits].sort((a, b) => (b === hotLimit(limits, hot)) - (a === hotLimit(limits, hot)))) {
      const [low, high] = SCALE[row];
      if (limit.limit === null || limit.limit < low || limit.limit > high) continue;
      const crossed = limit === hotLimit(limits, hot), at = Math.round(y(limit.limit));
      c.strokeStyle = token(crossed ? colourOf(hot.priority) : "--ink-3"); c.lineWidth = (crossed ? 2 : 1) * ratio;
      c.setLineDash(crossed ? [] : [6 * ratio, 4 * ratio]);
      stroke(c, left, at, left + width, at);
      c.setLineDash([]);
      if (labels.some((other) => Math.abs(other - at) < 18 * ratio)) continue;
      labels.push(at);
      c.fillStyle = token("--ink-3"); c.font = `${13 * ratio}px ${face}`; c.textAlign = "right";   // over what is still to come: the cuffs of the baseline stand at the left
      c.textBaseline = limit.side === "low" ? "top" : "bottom";
      const text = `${words.stars[limit.priority]} ${words.limitIs(limit)}`, wide = c.measureText(text).width + 6 * ratio, upper = limit.side === "low" ? at + 2 * ratio : at - 17 * ratio;
      const ink = c.fillStyle;
      c.fillStyle = token("--tile"); c.fillRect(left + width - wide - 4 * ratio, upper, wide, 15 * ratio); c.fillStyle = ink;
      c.fillText(text, left + width - 6 * ratio, at + (limit.side === "low" ? 3 : -3) * ratio);
    }
    if (row === "bp") { bars(u, cuffs, hot, x, y, ratio, face, checked ?? []); named(c, marks ?? [], x, left, left + width, top + height + 10 * ratio, ratio, face); }
    c.strokeStyle = token("--ink"); c.lineWidth = 1.5 * ratio;
    stroke(c, x(now_ms), top, x(now_ms), top + height);
    c.restore();
  }

  render({ label }) { return html`<figure class="plot" role=${label ? "img" : undefined} aria-hidden=${label ? undefined : "true"} ref=${this.#place} aria-label=${label || undefined}></figure>`; }
}

/** Cuff bars, with numbers on the first, the highest, those of a check and the last. */
function bars(u, cuffs, hot, x, y, ratio, face, checked) {
  const c = u.ctx;
  if (cuffs.length === 0) return;
  const highest = cuffs.reduce((a, b) => (b[1] > a[1] ? b : a));
  const told = [], room = 26 * ratio;
  for (const one of [cuffs.at(-1), highest, ...cuffs.filter(([t]) => checked.includes(t)), cuffs[0]]) if (!told.some((n) => Math.abs(x(n[0]) - x(one[0])) < room)) told.push(one);
  for (const one of cuffs) {
    const [t, s, d] = one, over = hot?.limit != null && hot.value !== null && (hot.value >= hot.limit ? s >= hot.limit : s <= hot.limit), at = x(t);
    c.strokeStyle = token(over ? colourOf(hot.priority) : "--trace"); c.lineWidth = (over ? 6 : 4) * ratio;
    stroke(c, at, y(s), at, y(d));
    if (!told.includes(one)) continue;
    c.fillStyle = token(over ? colourOf(hot.priority) : "--ink"); c.font = `600 ${13 * ratio}px ${face}`; c.textAlign = "center";
    c.textBaseline = "bottom"; c.fillText(String(Math.round(s)), at, y(s) - 3 * ratio);
    c.textBaseline = "top"; c.fillText(String(Math.round(d)), at, y(d) + 3 * ratio);
  }
}

/** What the upright lines are, at their feet; one that has no room left beside its neighbour stands a line higher, or not at all. */
function named(c, marks, x, left, right, bottom, ratio, face) {
  c.font = `${13 * ratio}px ${face}`; c.textAlign = "left"; c.textBaseline = "bottom"; c.fillStyle = token("--ink-3");
  const ends = [-Infinity, -Infinity, -Infinity];
  for (const mark of [...marks].sort((a, b) => a.at_ms - b.at_ms)) {
    const at = x(mark.at_ms) + 4 * ratio, width = c.measureText(mark.words).width, line = ends.findIndex((end) => at > end + 4 * ratio);
    if (at + width > right) { c.textAlign = "right"; c.fillText(mark.words, at - 8 * ratio, bottom); c.textAlign = "left"; continue; }
    if (line < 0) continue;
    ends[line] = at + width;
    c.fillText(mark.words, at, bottom - line * 15 * ratio);
    if (mark.before && at - 8 * ratio - c.measureText(mark.before).width > left) { c.textAlign = "right"; c.fillText(mark.before, at - 8 * ratio, bottom); c.textAlign = "left"; }
  }
}

/** The expected course between two instants; what is still to come is fainter, with a broken edge. */
function course(c, band, x, y, later) {
  if (!band || band[0][0] >= band.at(-1)[0]) return;
  const ratio = devicePixelRatio, edge = (side) => band.map((p) => [x(p[0]), y(p[side])]);
  c.beginPath();
  for (const [i, [px, py]] of [...edge(2), ...edge(1).reverse()].entries()) if (i) c.lineTo(px, py); else c.moveTo(px, py);
  c.closePath();
  c.globalAlpha = later ? 0.55 : 1; c.fillStyle = token("--course"); c.fill(); c.globalAlpha = 1;
  c.strokeStyle = token("--course-edge"); c.lineWidth = ratio; c.setLineDash(later ? [3 * ratio, 4 * ratio] : []);
  for (const side of [1, 2]) line(c, edge(side));
  c.setLineDash([]);
}

/** One earlier session of the same patient, moved so that the drug begins at the same place. */
function before(c, { vitals, cuffs }, row, x, y) {
  c.strokeStyle = token("--course-edge"); c.lineWidth = devicePixelRatio;
  if (row === "bp") for (const side of [1, 2]) line(c, cuffs.map((p) => [x(p[0]), y(p[side])]));
  else line(c, (vitals[row] ?? []).map(([t, v]) => (v === null ? null : [x(t), y(v)])));
}

function line(c, points) {
  c.beginPath();
  let on = false;
  for (const point of points) {
    if (point === null) { on = false; continue; }
    if (on) c.lineTo(...point); else c.moveTo(...point);
    on = true;
  }
  c.stroke();
}

const hotLimit = (limits, hot) => (hot ? limits.find((l) => l.limit === hot.limit && l.priority === hot.priority) : undefined);
const colourOf = (priority) => ({ HIGH: "--high", MEDIUM: "--medium-text", LOW: "--low" })[priority];
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const stroke = (c, x1, y1, x2, y2) => { c.beginPath(); c.moveTo(x1, y1); c.lineTo(x2, y2); c.stroke(); };

function hatch(c, left, top, width, height) {
  if (width <= 0) return;
  c.save();
  c.beginPath(); c.rect(left, top, width, height); c.clip();
  c.strokeStyle = token("--course-edge"); c.lineWidth = 2;
  for (let at = left - height; at < left + width; at += 9) stroke(c, at, top + height, at + height, top);
  c.restore();
}

/** Every twenty minutes, or as many times that as keeps one time of day from the next. */
function everyTwenty({ min, max }, zero_ms, width) {
  const room = (STEP_MS / (max - min)) * width, step = STEP_MS * Math.max(1, Math.ceil(LABEL / room)), found = [];
  for (let t = zero_ms; t < max - step / 4; t += step) found.push(t);
  return found;
}
