// One bed: its alarm with the two acts, its trends on one time line, its steps, and beside them the form that was asked for.

import { Component } from "preact";
import { api } from "./api.js";
import { BpByHand } from "./bphand.js";
import { Chips, Clock, Footer, Health, Lost, Nav, Who } from "./bar.js";
import { chem, icon, ring } from "./draw.js";
import { Responses, tracesOf } from "./earlier.js";
import { html } from "./html.js";
import { Limits } from "./limits.js";
import { limitsOf, look, marks, named, numberOf, priorityOf, sentence, textOf } from "./look.js";
import { Told } from "./plain.js";
import { formOf } from "./session/forms.js";
import { Lacks } from "./session/lacking.js";
import { turnsOf } from "./session/turns.js";
import { said } from "./session/words.js";
import { SignInBeside } from "./signin.js";
import { Layers, Steps, Timeline } from "./steps.js";
import { ageOf, digits, line, nextOf, pressure } from "./tile.js";
import { checkedAt, layerOf, marksOf, treatmentOf } from "./treatment.js";
import { readTrend, Trend, zeroOf } from "./trend.js";
import { ago, clock, running, words } from "./words.js";

const POINTS = 600, REFRESH_MS = 5 * 60_000;
const SHOWN = new Set(["spo2", "hr", "pr_spo2", "rr", "nibp_sys", "nibp_dia", "nibp_map", "pr_nibp"]);

const NONE = [];

export class Bed extends Component {
  state = { past: null, failed: false, over: [], earlier: null, behind: localStorage.getItem("earlier") !== "off" };
  #asked = null; #traces = { of: null, zero_ms: null, drawn: [] };

  componentDidMount() { this.#read(); }
  componentDidUpdate() { this.#read(); }

  // The whole stay, asked for when the bed is opened and every five minutes; what is newer is drawn from the live stream.
  async #read() {
    const { app } = this.props, bed = app.state.beds[app.of], session = bed?.session;
    if (!session) return;
    const key = `${bed.bed} ${session.session} ${Math.floor(performance.now() / REFRESH_MS)}`;
    if (this.#asked?.key === key) return;
    if (this.#asked?.session !== session.session) this.setState({ earlier: null });
    this.#asked = { key, session: session.session };
    if (treatmentOf(bed)) this.#readEarlier(session.session);
    this.#readOver(bed.bed, session.session);
    const answer = await api.trend(bed.bed, session.opened_at_ms, app.now_ms, POINTS);
    if (this.#asked.key !== key) return;   // another patient meanwhile
    this.setState({ past: answer.ok ? { session: session.session, until_ms: app.now_ms, ...readTrend(answer.data, session.opened_at_ms) } : this.state.past, failed: !answer.ok });
  }

  async #readEarlier(session) {
    const answer = await api.series(session);
    if (this.#asked?.session === session && answer.ok) this.setState({ earlier: answer.data });
  }

  // Alarms that were over before this screen looked; what ends from now on it sees itself.
  async #readOver(bed, session) {
    const answer = await api.alarms({ state: "clear", bed });
    if (this.#asked?.session === session && answer.ok) this.setState({ over: answer.data.alarms.filter((a) => a.session === session) });
  }

  #setBehind = (behind) => { localStorage.setItem("earlier", behind ? "on" : "off"); this.setState({ behind }); };

  // Made once: the panels look at whether it is the same, not at what is in it.
  #behind(earlier, zero_ms) {
    if (this.#traces.of !== earlier || this.#traces.zero_ms !== zero_ms) this.#traces = { of: earlier, zero_ms, drawn: tracesOf(earlier, zero_ms) };
    return this.#traces.drawn;
  }

  render({ app }, { past, failed, over, earlier: known, behind }) {
    const { state, now_ms, of } = app, bed = state.beds[of];
    if (!bed) return html`<${Frame} app=${app}><main id="trends" tabindex="-1"><p class="nothing">${state.server ? words.noSuchBed : ""}</p></main><//>`;
    const seen = look(state, of, now_ms);
    if (seen.empty) return html`<${Frame} app=${app} seen=${seen}><main id="trends" class="vacant" tabindex="-1"><h2>${words.empty}</h2><p>${words.noSession}</p><a class="button main" href="/bed/${of}/start">${words.startSession}</a></main><//>`;
    const mine = past?.session === bed.session.session ? past : null, earlier = known?.session === bed.session.session ? known : null;
    const before = behind && earlier ? this.#behind(earlier, zeroOf(bed)) : NONE;
    return html`<${Frame} app=${app} seen=${seen}>
      <${Band} app=${app} seen=${seen} />
      <main id="trends" tabindex="-1" aria-label=${words.trendOf(words.bed(of))}>
        ${[...seen.rows, seen.bp].map((r, i) => panel(app, bed, r.row ? r : { ...r, row: "bp", vital: "bp" }, mine, seen.own, before))}
        <div class="axis"><div class="key"><p>${failed ? words.trendFailed : words.trendKey}</p>${earlier?.sessions.length > 0 && html`<button aria-pressed=${behind} onClick=${() => this.#setBehind(!behind)}>${words.earlier(earlier.sessions.length)}</button>`}</div>
          <${Trend} row="axis" bed=${bed} points=${[]} cuffs=${[]} limits=${[]} now_ms=${now_ms} redraw=${app.redraw} label="" /></div></main>
      <aside id="session" aria-label=${words.facts}>${beside(app, bed, seen, earlier, over)}</aside><//>`;
  }
}

function Frame({ app, seen, children }) {
  const { state, now_ms, of } = app;
  return html`<div id="screen" aria-busy=${app.state.server ? undefined : "true"} class="bed" data-screen="bed">
    <header id="bar"><a class="back" href="/">${words.back}</a><h1 class="number"><span class="sr">${words.number}</span>${of}</h1>
      <p class="where">${seen && !seen.empty && html`<strong>${seen.phase}</strong><span>${whereOf(seen).join(" · ")}</span>${seen.flags.length > 0 && html`<span class="flag">${chem(seen.flags.join(" · "))}</span>`}`}</p>
      <${Chips} state=${state} except=${of} label=${words.alarmsElsewhere} /><${Health} state=${state} brief /><${Who} state=${state} signOut=${app.signOut} lockIn_ms=${app.lockIn_ms} /><${Clock} now_ms=${now_ms} />
      ${seen && !seen.empty && ring(seen.ring)}<${Lost} state=${state} /></header>
    ${app.strips}${children}<${Footer} state=${state} ...${app.theme} /></div>`;
}

/** Who, what, since when, whose. */
const whereOf = ({ session, treatment: t, nurse }) => [session.alias, t && said.plan(t), t?.clocks.start_at_ms ? words.startedAt(t.clocks.start_at_ms) : words.since(session.opened_at_ms), nurse ?? words.noNurse].filter(Boolean);

/** The band over the full width is always there: with an alarm, or with what comes next. */
function Band({ app, seen }) {
  const { top, alarms } = seen, audio = seen.pauses.find((p) => p.kind === "audio off") ?? seen.pauses.find((p) => p.kind === "audio paused");
  const unseen = alarms.some((a) => a.state !== "acked");
  return html`<section id="alarm" class="lamp" aria-label=${words.alarms} ...${marks(top)}>
    ${line({ top, line: { ...seen.line, more: 0 } }, Infinity)}
    ${alarms.length > 1 && html`<ul class="rest">${alarms.slice(1).map((a) => html`<li key=${a.alarm_id}><span class="stars">${words.stars[a.priority]}</span> ${chem(textOf(a))}</li>`)}</ul>`}
    ${app.shown !== "close" && !app.shown?.startsWith("limits ") && html`<${Told} state=${app.state} />`}
    ${unseen && html`<button class="main" onClick=${() => app.acts.acknowledge(seen.name)}>${icon("hand")}${words.acknowledge}</button>`}
    ${audio
      ? html`<button onClick=${() => app.acts.endPause(seen.name, audio.pause_id)}>${icon("audio-paused")}<span>${words.paused[audio.kind](audio.left_ms, audio.who)}<br /><small>${words.endPause}</small></span></button>`
      : html`<button onClick=${() => app.acts.pauseAudio(seen.name)}>${icon("audio-paused")}${words.pauseAudio}</button>`}</section>`;
}

function panel(app, bed, r, past, changed, before) {
  const { state, now_ms, redraw } = app, { row, vital, hot } = r, t = treatmentOf(bed), own = changed.has(row) || limitsOf(bed, row).some((l) => layerOf(t, l)), spoken = words.spoken[vital] ?? words.spoken[row], trace = state.traces[bed.bed];
  const limits = limitsOf(bed, row).filter((l) => l.limit !== null);
  const drawn = drawnLimits(row, limits, hot);
  const points = row === "bp" ? [] : joined(past, trace?.vitals[vital] ?? [], vital);
  const cuffs = row === "bp" ? joinedCuffs(past, trace?.cuffs ?? []) : [];
  const lost = row !== "bp" && !r.number.live ? now_ms - (r.number.age_ms ?? 0) : null;
  return html`<div class="panel ${row} ${r.paused ? "off" : ""}" key=${row} data-hot=${priorityOf(hot)}><dl class="now">
    <dt><button class="label" aria-expanded=${app.shown === `limits ${row}`} aria-label=${words.showLimits(words.vital[vital])} onClick=${() => app.beside(app.shown === `limits ${row}` ? null : `limits ${row}`)}>${chem(words.vital[vital])}</button><small>${row === "bp" ? words.unit["mm[Hg]"] : row === "spo2" ? "%" : "/min"}</small>${own && html`<small class="own">${words.own}</small>`}</dt>
    ${row === "bp" ? html`${pressure(r)}<dd class="more">${moreOf(bed, r)}</dd>` : html`${digits(r.number)}${remark(r)}`}</dl>
    <${Trend} row=${row} bed=${bed} points=${points} cuffs=${cuffs} limits=${drawn} hot=${hot} lost=${lost} earlier=${before} marks=${t ? marksOf(t) : opening(bed)} checked=${t ? checkedAt(t) : []} now_ms=${now_ms} redraw=${redraw} label=${words.trendOf(spoken)} /></div>`;
}

const opening = (bed) => [{ at_ms: bed.session.opened_at_ms, words: "" }];

/** On the picture: of each side the limit that comes first, and the one that is crossed; the panel label opens all. */
function drawnLimits(row, limits, hot) {
  const main = row === "bp" ? limits.filter((l) => l.vital === "nibp_sys") : limits;
  const nearest = (side) => main.filter((l) => l.side === side && l.priority !== "LOW").sort((a, b) => (side === "low" ? b.limit - a.limit : a.limit - b.limit))[0];
  const crossed = hot && main.find((l) => l.priority === hot.priority && l.limit === hot.limit);
  return [...new Set([nearest("low"), nearest("high"), crossed].filter(Boolean))];
}

const joined = (past, live, vital) => {
  if (!past) return live;
  const from = past.until_ms;
  return [...(past.vitals[vital] ?? []), ...live.filter(([t]) => t > from)];
};
const joinedCuffs = (past, live) => {
  if (!past) return live;
  const known = new Set(past.cuffs.map(([t]) => t));
  return [...past.cuffs, ...live.filter(([t]) => !known.has(t))].sort((a, b) => a[0] - b[0]);
};

/** Under the number: the device that stands in for another (why stands in the facts), and why there is no number or doubt of it. */
function remark({ source, number }) {
  const said = [source && sentence(words.from(source)), number.by && number.live && sentence(`${words.byHand}, ${ago(number.age_ms)}`), (!number.live || number.doubtful) && sentence(number.why)].filter(Boolean);
  return said.length > 0 && html`<dd class="remark">${said.map((text) => html`<span key=${text}>${chem(text)}</span>`)}</dd>`;
}

function moreOf(bed, bp) {
  const b = bed.session.baseline;
  const [systolic, diastolic] = [b.systolic_mmhg, b.diastolic_mmhg].map((n) => n !== null && Math.round(n));
  const delta = bp.taken && systolic !== false && diastolic !== false ? words.delta(bp.systolic - systolic, bp.diastolic - diastolic, `${systolic}/${diastolic}`) : null;
  return html`${(bp.taken || bp.failed_ms !== null) && html`<b>${ageOf(bp)}</b>`}${bp.failed_ms !== null && bp.failed_why && html`: <span class="why">${bp.failed_why}</span>`}${bp.mean !== null && `, ${words.mean(bp.mean)}`}<br /><span class=${bp.late ? "late" : ""}>${nextOf(bp)}</span>${bp.hand && html`<br /><b class="hand">${bed.cuff_refusal}</b>`}${delta && html`<br />${delta}`}`;
}

// What stands beside: facts and log, or the one form that is open. Nothing covers the trends.

function beside(app, bed, seen, earlier, over) {
  const { shown, state } = app, close = () => app.beside(null);
  if (state.wish) return html`<${SignInBeside} app=${app} />`;
  if (shown === "bp") return html`<${BpByHand} app=${app} bed=${bed} close=${close} />`;
  if (shown === "close") return html`<section class="beside"><h2>${words.closeSession}</h2><p>${words.closeAsk}</p><${Told} state=${state} />
    <div class="row-of-acts"><button class="main" onClick=${() => app.acts.closeSession(bed.bed, bed.session.session)}>${words.confirmClose(bed.bed)}</button><button onClick=${close}>${words.cancel}</button></div></section>`;
  if (shown?.startsWith("limits ")) return html`<${Limits} key=${shown} app=${app} bed=${bed} row=${shown.slice(7)} close=${close} />`;
  const form = formOf(app, bed), t = treatmentOf(bed);
  const missing = t && state.told?.is === "refused" ? state.told.missing ?? [] : [], lacks = missing.length > 0 && html`<${Lacks} app=${app} bed=${bed} lines=${missing} />`;
  if (form) return html`${lacks}${form}`;
  return html`${lacks}<div class="facts" tabindex="0" role="group" aria-label=${words.facts}>${t && html`<${Steps} app=${app} bed=${bed} t=${t} />`}${t ? html`${log(app, bed, over)}<${Responses} earlier=${earlier} />${facts(app, bed, seen)}<${Timeline} app=${app} state=${state} t=${t} />` : html`${facts(app, bed, seen)}${log(app, bed, over)}`}</div>${actsOf(app, bed, t)}`;
}

function facts(app, bed, seen) {
  const { state, now_ms } = app, s = bed.session, others = Object.values(bed.vitals).filter((v) => !SHOWN.has(v.vital));
  const links = bed.devices.map((d) => state.links[d]).filter(Boolean);
  return html`<h2>${words.facts}</h2><dl>
    ${s.alias && html`<div><dt>${words.alias}</dt><dd>${s.alias}</dd></div>`}
    ${bed.place && html`<div><dt>${words.place}</dt><dd>${bed.place}</dd></div>`}
    <div><dt>${words.openedBy}</dt><dd>${named(state, s.opened_by)}, ${clock(s.opened_at_ms, false)}</dd></div>
    <div><dt>${words.nurse}</dt><dd>${seen.nurse ?? words.noNurse}</dd></div>
    <div><dt>${words.today}</dt><dd>${words.baseline(s.baseline) || words.baselineIs("")}</dd></div>
    <div><dt>${words.cuffEvery}</dt><dd>${s.cuff_interval_ms ? words.every(s.cuff_interval_ms) : words.onRequest}</dd></div>
    ${seen.treatment?.news2 && (seen.treatment.news2.total !== null || seen.treatment.news2.missing.length > 0) && html`<div class="news2"><dt>${seen.treatment.news2.label}</dt><dd>${said.news2(seen.treatment.news2)}</dd></div>`}
    ${seen.treatment && html`<${Layers} state=${state} t=${seen.treatment} />`}
    ${others.map((v) => { const n = numberOf(state, v, now_ms); return html`<div key=${v.vital}><dt>${words.vital[v.vital] ?? v.vital}</dt><dd>${n.live ? html`${n.text}${n.doubtful && "?"} ${words.unit[v.unit] ?? v.unit}` : n.last === null ? "––" : `–– ${words.last(n.last)}, ${ago(n.age_ms)}`}</dd></div>`; })}
    ${links.map((l) => html`<div key=${l.device}><dt>${l.device}</dt><dd>${words.link[l.state]}${l.state === "up" ? "" : `, ${running(now_ms - l.since_ms)}`}${l.notices.length > 0 && `. ${l.notices.join(", ")}`}</dd></div>`)}</dl>`;
}

function log(app, bed, over) {
  const mine = app.state.seen.filter((a) => a.bed === bed.bed && (a.raised_at_ms ?? a.since_ms) >= bed.session.opened_at_ms), known = new Set(mine.map((a) => a.alarm_id));
  const seen = [...mine, ...over.filter((a) => a.session === bed.session.session && !known.has(a.alarm_id))].sort((a, b) => b.since_ms - a.since_ms).slice(0, 30);
  return html`<section class="log" aria-label=${words.log}><h2>${words.log}</h2>${seen.length === 0 ? html`<p>${words.noLog}</p>` : html`<ul>${seen.map((a) => html`<li key=${a.alarm_id}><time>${clock(a.since_ms, false)}</time><span class="stars">${words.stars[a.priority]}</span><span>${chem(textOf(a))}, ${a.state === "active" ? words.open : words.state[a.state].toLowerCase()}</span></li>`)}</ul>`}</section>`;
}

/** Held and stopped is a drug that runs; what is held can be resumed. */
const isRunning = (t) => (kind) => (kind === "hold" ? t.running : kind === "stop" ? t.running || t.clocks.start_at_ms !== null : kind === "resume");

const actsOf = (app, bed, t) => html`<div class="acts">
  ${bed.cuff?.running_since_ms ? html`<button class="cuff main" key="stop" onClick=${() => app.acts.stopCuff(bed.bed)}>${icon("cuff")}${words.stopCuff}</button>`
    : html`<button class="cuff main" key="start" disabled=${bed.cuff_refusal !== null} aria-describedby=${bed.cuff_refusal ? "cuff-refusal" : undefined} onClick=${() => app.acts.startCuff(bed.bed)}>${icon("cuff")}${words.startCuff}</button>
      ${bed.cuff_refusal && html`<p id="cuff-refusal" class="refusal">${bed.cuff_refusal}</p>`}`}
  <button onClick=${() => app.beside("bp")}>${icon("plus")}${words.bpByHand}</button>
  ${t ? html`<button onClick=${() => app.beside("session scores")}>${said.sedation}</button><button class="third" onClick=${() => app.beside("session symptoms")}>${said.symptom}</button><button class="third" onClick=${() => app.beside("session note")}>${icon("note")}${said.note}</button><a class="button third" href="/bed/${bed.bed}/start">${words.allActs}</a>
    ${turnsOf(t).filter(isRunning(t)).map((kind) => html`<button key=${kind} onClick=${() => app.beside(`session turn ${kind}`)}>${said.moves[kind][0]}</button>`)}`
    : html`<button onClick=${() => app.beside("close")}>${words.closeSession}</button>`}</div>`;
