// The working screen of one bed, from the first question to the close: short pages, one thing a page, and the server knows where it stands.
// A reload, or another station, goes on where the session is; what was typed and not sent stays with who typed it.

import { useEffect } from "preact/hooks";
import { Chips, Clock, Footer, Lost, Who as WhoIs } from "./bar.js";
import { BpByHand } from "./bphand.js";
import { chem, icon, ring } from "./draw.js";
import { html } from "./html.js";
import { look, marks } from "./look.js";
import { Told } from "./plain.js";
import { Untested } from "./reach.js";
import { Baseline } from "./session/baseline.js";
import { Closed } from "./session/close.js";
import { Devices } from "./session/devices.js";
import { draftOf, keep } from "./session/drafts.js";
import { formOf } from "./session/forms.js";
import { Gate } from "./session/gate.js";
import { Infusion } from "./session/infusion.js";
import { Lacks } from "./session/lacking.js";
import { Leave } from "./session/leave.js";
import { Now } from "./session/now.js";
import { Plan } from "./session/plan.js";
import { Questions } from "./session/questions.js";
import { pageOf, PAGES, within } from "./session/stage.js";
import { Watch } from "./session/watch.js";
import { Who } from "./session/who.js";
import { said } from "./session/words.js";
import { SignInBeside } from "./signin.js";
import { line, pressure } from "./tile.js";
import { treatmentOf } from "./treatment.js";
import { ago, words } from "./words.js";

const SHOWN = { who: Who, plan: Plan, questions: Questions, baseline: Baseline, gate: Gate, now: Now, leave: Leave };

export function Start({ app }) {
  const { state, of } = app, bed = state.beds[of];
  if (!bed) return html`<${Frame} app=${app}><p class="nothing">${state.server ? words.noSuchBed : ""}</p><//>`;
  const draft = draftOf(of), t = treatmentOf(bed);
  if (bed.session && !t) return html`<${Frame} app=${app} bed=${bed} title=${words.opening(of)}><p>${words.alreadyOpen(of)}</p><div class="foot"><a class="button main" href="/bed/${of}">${words.toBed(of)}</a></div><//>`;
  if (!t && draft.closed) return html`<${Frame} app=${app} bed=${bed} title=${said.closed}><${Closed} app=${app} bed=${bed} /><//>`;
  const toWatch = () => { keep(of, { page: "watch" }); app.redrawNow(); };
  if (!t && (draft.page === "watch" || state.therapies.length === 0)) return html`<${Frame} app=${app} bed=${bed} title=${words.opening(of)}><${Watch} key=${of} app=${app} bed=${bed} alias=${draft.alias} /><//>`;
  const waits = pageOf(bed, draft), may = within(bed, draft), page = may.includes(draft.page) ? draft.page : waits;
  const form = app.shown === "bp" && t ? html`<${BpByHand} app=${app} bed=${bed} close=${() => app.beside(null)} />` : formOf(app, bed);
  const Page = page === "dose" ? (t.devices_planned ? Devices : Infusion) : SHOWN[page];
  return html`<${Frame} app=${app} bed=${bed} t=${t} page=${page} may=${may} waits=${waits} title=${said.steps[page]}>
    ${!form && t && html`<${Untested} app=${app} bed=${of} />`}
    ${form ?? html`<${Page} key="${of} ${bed.session?.session}" app=${app} bed=${bed} t=${t} watch=${toWatch} />`}<//>`;
}

/** While the drug is given or at its strongest a screen that is touched, and so lies beside the patient, takes its light away by itself; who has chosen a brightness for this device keeps it. */
function useNight(app, t) {
  const dim = Boolean(t && (t.running || t.at_peak)) && app.theme.theme === "auto" && !new URLSearchParams(location.search).has("theme") && matchMedia("(pointer: coarse)").matches;
  useEffect(() => {
    if (!dim) return undefined;
    document.documentElement.dataset.theme = "night";
    return () => dispatchEvent(new Event("storage"));   // as theme.js chooses it
  }, [dim]);
}

function Frame({ app, bed = null, t = null, page = null, may = [], waits = null, title = words.startSession, children }) {
  useNight(app, t);
  const { state, now_ms, of } = app, seen = bed?.session ? look(state, of, now_ms) : null;
  return html`<div id="screen" aria-busy=${state.server ? undefined : "true"} class="flow" data-screen="start" data-page=${page ?? undefined}>
    <header id="bar"><a class="back" href=${bed ? `/bed/${of}` : "/"}>${bed ? html`← <span>${words.bed(of)}</span>` : words.back}</a><h1 class="number"><span class="sr">${words.number}</span>${of}</h1>
      <p class="where">${t ? html`<strong>${words.phase[t.phase]}</strong><span>${[bed.session.alias, said.plan(t)].filter(Boolean).join(" · ")}</span>${seen.flags.length > 0 && html`<span class="flag">${chem(seen.flags.join(" · "))}</span>`}` : bed && html`<strong>${bed.session ? seen.phase : words.empty}</strong>`}</p>
      <${Chips} state=${state} except=${of} label=${words.alarmsElsewhere} /><${WhoIs} state=${state} signOut=${app.signOut} lockIn_ms=${app.lockIn_ms} /><${Clock} now_ms=${now_ms} />${t && seen.ring && ring(seen.ring)}<${Lost} state=${state} /></header>
    ${app.strips}
    ${seen?.top && html`<${Band} app=${app} seen=${seen} />`}
    ${seen && html`<${Live} seen=${seen} />`}
    ${page && PAGES.includes(page) && html`<${Rail} app=${app} bed=${bed} t=${t} page=${page} may=${may} />`}
    <main id="flow" tabindex="-1" aria-label=${title}><div class="title"><h2>${title}</h2><${Refused} state=${state} app=${app} bed=${bed} /></div>${children}${state.wish && html`<${SignInBeside} app=${app} />`}</main>
    <${Footer} state=${state} ...${app.theme} /></div>`;
}

/** An alarm of this patient stands over every page of the work at this bed. */
const Band = ({ app, seen }) => html`<section id="alarm" class="lamp" data-field="alarm" aria-label=${words.alarms} ...${marks(seen.top)}>${line(seen, Infinity)}
  ${seen.alarms.some((a) => a.state !== "acked") && html`<button class="main" onClick=${() => app.acts.acknowledge(seen.name)}>${icon("hand")}${words.acknowledge}</button>`}</section>`;

/** The four numbers as they are now: what is not live is not there. */
const Live = ({ seen }) => html`<section aria-label=${said.live} class="now-live"><dl class="live">${seen.rows.map((r) => html`<div key=${r.row} data-hot=${r.hot ? r.hot.priority.toLowerCase() : undefined}><dt>${chem(words.vital[r.vital])}</dt><dd class=${r.number.live ? "" : "gone"}>${r.number.live ? r.number.text : html`<span aria-hidden="true">––</span><span class="sr">${words.gone}</span>`}</dd></div>`)}
  <div data-hot=${seen.bp.hot ? seen.bp.hot.priority.toLowerCase() : undefined}><dt>${words.vital.bp}${seen.bp.taken && html` <small>${ago(seen.bp.age_ms)}</small>`}</dt>${pressure(seen.bp)}</div></dl></section>`;

/** The steps of the start: those behind can be looked at again, nothing is lost by it. */
function Rail({ app, bed, t, page, may }) {
  const all = PAGES.filter((p) => p !== "gate" || may.includes("gate") || page === "gate"), n = all.indexOf(page);
  const go = (to) => { keep(bed.bed, { page: to }); app.redrawNow(); };
  return html`<nav class="rail" aria-label=${said.stepsOf}><p class="sr">${said.stepOf(n + 1, all.length)}</p><ol>${all.map((p, i) => html`<li key=${p} aria-current=${p === page ? "step" : undefined} data-done=${i < n ? "" : undefined}>
    ${may.includes(p) && p !== page ? html`<button onClick=${() => go(p)}>${said.steps[p]}</button>` : html`<span>${said.steps[p]}</span>`}</li>`)}</ol></nav>`;
}

/** What came of the last press. What a refused one lacks stands here until it is done, each line leads to the field that fills it. */
function Refused({ state, app, bed }) {
  const lacks = state.told?.is === "refused" ? state.told.missing ?? [] : [];
  return lacks.length > 0 && bed ? html`<p class="told" data-is="refused"><span class="mark" aria-hidden="true">!</span>${said.stillMissing}</p><${Lacks} app=${app} bed=${bed} lines=${lacks} />` : html`<${Told} state=${state} />`;
}
