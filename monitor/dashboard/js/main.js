// The dashboard's own composition: one state, one stream, one clock, one loudspeaker, and the screen that the address names.

import { render } from "preact";
import { Alarms } from "./alarms.js";
import { api } from "./api.js";
import { Bed } from "./bed.js";
import { Duty } from "./duty.js";
import { Floor } from "./floor.js";
import { FormView } from "./form.js";
import { Home } from "./home.js";
import { html } from "./html.js";
import { Keys } from "./keylist.js";
import { listenForKeys } from "./keys.js";
import { keepInPhase } from "./lamp.js";
import { follow, Link, openLink } from "./link.js";
import { isSilent, ofBed, reminding, sounding, titleOf } from "./look.js";
import { Page } from "./page.js";
import { readyForPaper } from "./paper.js";
import { Room } from "./room.js";
import { utterances, Voice } from "./say.js";
import { Sessions } from "./sessions.js";
import { SignIn } from "./signin.js";
import { Speaker } from "./sound.js";
import { SoundReport } from "./soundreport.js";
import { SoundCheck } from "./soundcheck.js";
import { Start } from "./start.js";
import { now, reduce, start } from "./state.js";
import { connect } from "./stream.js";
import { readTrend } from "./trend.js";
import { NumbersOfWeeks } from "./numbers.js";
import { WhatIf } from "./whatif.js";
import { words } from "./words.js";

const asked_for = new URLSearchParams(location.search), room = asked_for.get("room");
const wall = asked_for.has("wall") || room !== null;   // no controls, no keys
const REDRAW_MS = 5_000, SLOW_MS = 5_000, GAP_PAUSE_MS = 5_000;

let state = start(performance.now()), beside = null, closed = false, drawn = 0, reopened_perf_ms = -GAP_PAUSE_MS;

// A PIN ends by itself when nobody has touched the screen for a while (the service decides); a touch says that somebody is there.
const HERE_MS = 20_000;
let idle_ms = null, here_perf_ms = 0;
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { if (idle_ms !== null && performance.now() - here_perf_ms > HERE_MS) whoAmI(); }, { capture: true, passive: true });

async function whoAmI() {
  here_perf_ms = performance.now();
  const answer = await api.me();
  if (!answer.ok) return answer;
  idle_ms = answer.data.screen && answer.data.role !== "display" ? answer.data.idle_ms ?? null : null;
  dispatch({ kind: "me", me: answer.data });
  return answer;
}

function dispatch(event) {
  const was = state;
  state = reduce(state, { perf_ms: performance.now(), ...event });
  if (state === was) return;
  if (room === null && (!wall || state.link.is !== was.link.is)) for (const said of utterances(was, state)) voice.say(said);
  speaker?.fail(!isSilent(state) && state.link.is === "lost");
  speaker?.sound(sounding(state, speaker.heard) ?? reminding(state, now(state, performance.now()), speaker.heard));
  document.title = room === null ? titleOf(state, nameOf(route())) : words.title("", words.bed(room), "");
  if (state.gap && performance.now() - reopened_perf_ms > GAP_PAUSE_MS) {
    reopened_perf_ms = performance.now();
    stream.reopen();
  }
  for (const bed of state.order) if (state.beds[bed].session && !asked.has(state.beds[bed].session.session)) remember(bed);
  draw();
}

// The last half hour of each bed, asked for once a session: the traces need not begin empty.
const asked = new Set();
async function remember(bed) {
  const { session, opened_at_ms } = state.beds[bed].session, to_ms = now(state, performance.now());
  asked.add(session);
  const answer = await api.trend(bed, Math.max(opened_at_ms, to_ms - 30 * 60_000), to_ms, 180);
  if (answer.ok) dispatch({ kind: "history", bed, session, ...readTrend(answer.data, opened_at_ms) });
}

// The address.

const ROUTES = [
  [/^\/$/, Floor, () => words.floor], [/^\/bed\/([^/]+)$/, Bed, () => ""], [/^\/bed\/([^/]+)\/start$/, Start, () => words.startSession], [/^\/alarms$/, Alarms, () => words.alarms],
  [/^\/pages\/(\d+)$/, Page, () => ""], [/^\/signin$/, SignIn, () => words.signIn], [/^\/link$/, Link, () => words.linkOpening], [/^\/me$/, Home, () => words.mine], [/^\/sessions$/, Sessions, () => words.sessions], [/^\/sessions\/(\d+)\/form$/, FormView, () => words.form], [/^\/numbers$/, NumbersOfWeeks, () => words.numbers], [/^\/admin$/, WhatIf, () => words.whatIf], [/^\/duty$/, Duty, () => words.duty], [/^\/sound$/, SoundCheck, () => words.soundCheck], [/^\/keys$/, Keys, () => words.keys],
];

function route() {
  for (const [pattern, Screen, name] of ROUTES) {
    const found = location.pathname.match(pattern);
    if (found) return { Screen, name: name(), of: found[1] ? decodeURIComponent(found[1]) : null };
  }
  return { Screen: Floor, name: words.floor, of: null };
}
const nameOf = ({ name, of, Screen }) => name || (Screen === Bed ? words.bed(of) : words.product);

function go(path, { replace = false } = {}) {
  if (path === location.pathname) return;
  history[replace ? "replaceState" : "pushState"](null, "", path);
  arrive();
  document.querySelector("main")?.focus({ preventScroll: true });
}
function arrive() {
  beside = null;
  dispatch({ kind: "told", told: null });
  document.title = titleOf(state, nameOf(route()));
  drawNow();
}
addEventListener("popstate", arrive);
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/']");
  if (!link || link.target || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

// What can be done. An act first, the name after: without one the act waits beside the sign-in.

/** `more(answer)` is what can still be done about it for ten seconds: {text, act}, or nothing. */
async function perform(what, act, done = words.done, more = () => null) {
  dispatch({ kind: "told", told: null });
  const answer = await act();
  const nameless = answer.status === 401 || (answer.status === 403 && (!state.me || state.me.role === "display"));
  if (nameless) {
    dispatch({ kind: "wish", wish: { what, act: () => perform(what, act, done, more) } });
    return answer;
  }
  const text = !answer.ok ? answer.detail : answer.data?.recorded === false ? words.notRecorded : done;
  dispatch({ kind: "told", told: { is: answer.ok ? "saved" : "refused", text, missing: answer.data?.missing ?? [], more: answer.ok ? more(answer) : null } });
  return answer;
}

let moved = Promise.resolve();

/** What was pressed first is sent first: a move goes out once the one before it has been answered. */
const inTurn = (act) => (moved = moved.catch(() => {}).then(act));

const undo = (act) => ({ text: words.undo, act: () => perform(words.undo, act, words.undone) });

const acts = {
  acknowledge: (bed) => perform(words.acknowledge, async () => {
    const answers = await Promise.all(ofBed(state, bed).filter((a) => a.state !== "acked").map((a) => api.acknowledge(a.alarm_id)));
    // One acknowledgement answers for every alarm of its cause: that the next of them is over then is no refusal.
    return first(answers.some((a) => a.ok) ? answers.filter((a) => a.status !== 404 && a.status !== 409) : answers);
  }),
  acknowledgeOne: (alarm_id) => perform(words.acknowledge, () => api.acknowledge(alarm_id)),
  pauseAudio: (bed) => perform(words.pauseAudio, () => api.pauseAudio(bed), words.done, ({ data }) => (data?.pause_id ? undo(() => api.endPause(bed, data.pause_id)) : null)),
  quieten: (bed, kind, name, vitals, seconds, why) => {
    let made = [];
    return perform(words.quieten[kind](name), async () => {
      const answers = await Promise.all(vitals.map((vital) => api.quieten(bed, kind, vital, seconds, why)));
      made = answers.map((a) => a.data?.pause_id).filter(Boolean);
      return first(answers);
    }, words.done, () => (made.length ? undo(() => all(made.map((pause) => api.endPause(bed, pause)))) : null));
  },
  setLimit: (bed, was, limit, why) => perform(words.setTo(words.limitName(was, limit)), () => api.setLimit(bed, was.rule, limit, why), limit === null ? words.limitBack : words.limitTaken(words.limitName(was, limit)),
    () => undo(() => api.setLimit(bed, was.rule, was.set_by ? was.limit : null, words.takenBack))),
  endPause: (bed, pause) => perform(words.endPause, () => api.endPause(bed, pause)),
  startCuff: (bed) => perform(words.startCuff, () => api.startCuff(bed)),
  stopCuff: (bed) => perform(words.stopCuff, () => api.stopCuff(bed)),
  bpByHand: (bed, s, d) => perform(words.save(`${s}/${d}`), () => api.bpByHand(bed, s, d), words.saved(`${s}/${d}`), () => ({ text: words.correct, act: () => { beside = "bp"; dispatch({ kind: "told", told: null }); drawNow(); } })),
  accept: (page, what = words.iGo) => perform(what, () => api.accept(page)),
  opened: (page) => api.openPage(page),   // said by the screen itself: nobody is told of it
  sendTest: () => perform(words.sendTest, () => api.sendTest(), words.testSent),
  handOver: (was, to, name) => perform(words.handOverAll(name), () => api.handOver(was, to), words.handedOver(name)),
  callHelp: (page) => perform(words.callMore, () => api.callHelp(page), words.helpCalled),
  reject: (page, what) => perform(what, () => api.reject(page)),
  rrByHand: (bed, n) => perform(words.save(String(n)), () => api.rrByHand(bed, n), words.saved(String(n))),
  openSession: (body) => perform(words.startSession, () => api.openSession(body)),
  move: (session, what, body, done, more) => perform(what, () => inTurn(() => api.move(session, body)), done, more),
  closeSession: (bed, session) => perform(words.confirmClose(bed), () => api.closeSession(session)),
  setDuty: (duty) => {
    const { on, beds } = state.duty;
    return perform(words.saveDuty, () => api.setDuty(duty), words.savedPlain, () => undo(() => api.setDuty({ on, beds })));
  },
};

/** Several requests of one act: the first that was refused speaks for all. */
const all = async (asked) => first(await Promise.all(asked));
const first = (answers) => answers.find((a) => !a.ok) ?? answers[0] ?? { ok: true, status: 200, data: null, detail: null };

async function signedIn() {
  await whoAmI();
  closed = false;
  stream.reopen();
  const { wish } = state;
  dispatch({ kind: "wish", wish: null });
  await wish?.act();
}

async function signOut() {
  if (!state.me || state.me.role === "display") return;
  await api.signOut();
  idle_ms = null;
  dispatch({ kind: "me", me: null });
  stream.reopen();
  if (!(await whoAmI()).ok) go("/signin");
}

// Theme, kept per device.
const theme = {
  get theme() { return localStorage.getItem("theme") ?? "auto"; },
  setTheme(chosen) {
    if (chosen === "auto") localStorage.removeItem("theme"); else localStorage.setItem("theme", chosen);
    dispatchEvent(new Event("storage"));
    draw();
  },
};

// Drawing: once a frame at most, once a second at least.

const app = () => {
  const perf_ms = performance.now(), { of, Screen } = route();
  return {
    state, wall, now_ms: now(state, perf_ms), redraw: Math.floor(perf_ms / REDRAW_MS), of, bed: (Screen === Bed || Screen === Start) && state.beds[of] ? of : null,
    acts, go, redrawNow: drawNow, signedIn, signOut, theme, speaker, report, dispatch, shown: beside, beside: (form) => { beside = form; drawNow(); },
    strips: html`<${Strips} closed=${closed} perf_ms=${perf_ms} />`, lockIn_ms: idle_ms === null ? null : Math.max(0, idle_ms - (perf_ms - here_perf_ms)),
    escape: () => { if (state.wish) dispatch({ kind: "wish", wish: null }); else if (beside) { beside = null; draw(); } else go("/"); },
  };
};

function Strips({ closed, perf_ms }) {
  const { Screen } = route();
  return html`<div class="strips">
    ${state.server === null && perf_ms > SLOW_MS && html`<p class="strip">${words.stillConnecting}</p>`}
    ${state.sound === "off" && !isSilent(state) && (wall ? html`<p class="strip">${words.soundOff}</p>` : html`<button class="strip" onClick=${() => speaker.wake()}>${words.soundOff}</button>`)}
    ${state.server && state.server.version !== state.version && html`<p class="strip">${words.upgraded} ${!wall && html`<button onClick=${() => location.reload()}>${words.reload}</button>`}</p>`}
    ${closed && Screen !== SignIn && !state.wish && !wall && html`<p class="strip"><a class="button" href="/signin">${words.signIn}</a></p>`}</div>`;
}

function draw() {
  if (!drawn) drawn = requestAnimationFrame(drawNow);
}

// At once where a hand asked for it: the next key that is typed belongs into the form that this one opened.
function drawNow() {
  cancelAnimationFrame(drawn);
  drawn = 0;
  const { Screen } = route();
  if (room !== null) return render(html`<${Room} app=${app()} bed=${room} />`, document.getElementById("app"));
  render(html`${!wall && html`<a class="skip" href="#${mainOf(Screen)}" onClick=${skip}>${words.skip}</a>`}<${Screen} app=${app()} />`, document.getElementById("app"));
}
const mainOf = (Screen) => (Screen === Floor ? "beds" : Screen === Bed ? "trends" : Screen === Start ? "flow" : Screen === Page ? "page" : "plain");
function skip(event) {
  event.preventDefault();
  document.querySelector("main")?.focus();
}

function tick() {
  dispatch({ kind: "tick" });
  draw();
  // The next whole second of the server's clock, so that every age and the clock change together.
  const at_ms = now(state, performance.now()), speed = state.server?.speed ?? 1;
  setTimeout(tick, at_ms === null ? 250 : Math.max(50, Math.min(1000, (1000 - (at_ms % 1000)) / speed)));
}

// The screen stays lit where the device allows it.
async function stayAwake() {
  if (document.visibilityState !== "visible" || !navigator.wakeLock) return dispatch({ kind: "awake", is: Boolean(navigator.wakeLock) });
  try {
    await navigator.wakeLock.request("screen");
    dispatch({ kind: "awake", is: true });
  } catch {
    dispatch({ kind: "awake", is: false });
  }
}

const voice = new Voice(document.getElementById("say-high"), document.getElementById("say"));
const report = new SoundReport((is) => api.saySound(is), (failed) => dispatch({ kind: "reported", is: !failed }));
// Treatment rooms get no sound.
const speaker = room !== null ? null : new Speaker((is) => queueMicrotask(() => { dispatch({ kind: "sound", is }); report.say(is); }));
const stream = connect((message) => {
  if (message.kind === "closed") {
    const { Screen, of } = route();
    if (followed || Screen === Link) return;
    if (!closed && state.server === null && Screen === Page) followPage(of);   // opened by its link before
    if (!closed && state.server === null && !wall && !of) go("/signin", { replace: true });
    closed = true;
    return draw();
  }
  closed = false;
  dispatch(message);
  if (message.kind === "snapshot" && speaker) report.again();   // another start of the service, or another person: it may not know
});
// A page that was opened by its link: this browser may see that page and nothing else.
let followed = false;
async function followPage(page_id) {
  followed = await follow(page_id, dispatch);
  if (followed) closed = false;
  draw();
}
if (route().Screen === Link) {
  openLink().then(({ page_id, why }) => {
    if (why) return dispatch({ kind: "told", told: { is: "refused", text: why, missing: [], more: null } });
    go(`/pages/${page_id}`, { replace: true });
    return followPage(page_id);
  });
}
keepInPhase();
readyForPaper();
if (!wall) listenForKeys(app);
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
whoAmI();
tick();
