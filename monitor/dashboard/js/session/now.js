// While the patient is watched: what is due stands open with its values in it, what comes next is said, and every entry is one tap away.

import { html } from "../html.js";
import { named } from "../look.js";
import { dueText, dueWhen, readyCount, toFloor } from "../treatment.js";
import { ago, words } from "../words.js";
import { move, step } from "./acts.js";
import { CuffButton } from "./baseline.js";
import { useEarlier } from "./controls.js";
import { correctable } from "./correct.js";
import { Lacks } from "./lacking.js";
import { Scale, Scores } from "./scales.js";
import { leaving, moveOf, scoreOf, todo } from "./stage.js";
import { turnsOf } from "./turns.js";
import { said } from "./words.js";

export function Now({ app, bed, t }) {
  const { now_ms } = app, open = todo(t), ahead = t.dues.filter((d) => !open.includes(d)), ends = moveOf(t, "infusion_end"), resumes = moveOf(t, "resume");
  const left = toFloor(t, now_ms);
  return html`<div class="during stands">${left && html`<p class="stay">${left}</p>`}<${Tasks} app=${app} bed=${bed} t=${t} open=${open} />
    ${ahead.length > 0 && html`<section class="ahead" aria-label=${said.later}><h3>${said.later}</h3><ul>${ahead.map((d) => html`<li key=${d.what}><span>${d.title}${d.what === "nibp" && bed.cuff_refusal === null ? `, ${said.byItself}` : ""}</span> <b>${dueWhen(d, now_ms)}</b></li>`)}</ul></section>`}
    <${Entries} app=${app} bed=${bed} t=${t} />
    ${(ends || resumes) && html`<div class="foot">${resumes && html`<button class="main" onClick=${() => step(app, t, "resume", said.moves.resume[1])}>${said.moves.resume[0]}</button>`}${ends && html`<${End} app=${app} t=${t} />`}</div>`}</div>`;
}

/** Every thing that is due, each with its form open. It stands beside the trends as well. */
export const Tasks = ({ app, bed, t, open = todo(t) }) => (open.length === 0 ? html`<p class="nothing">${said.nothingDue}</p>`
  : open.map((d) => html`<section class="task" key=${d.what} data-field="check-${d.what}"><h3>${dueText(d, app.now_ms)}</h3>${t.checks.some((c) => c.check === d.what) ? html`<${Check} app=${app} bed=${bed} t=${t} check=${t.checks.find((c) => c.check === d.what)} asks=${d.asks} />` : html`<${Scores} app=${app} t=${t} names=${d.asks} />`}</section>`));

/** A check that comes once: its numbers from the devices, with source and age; what only people can say; and the press that keeps it. */
function Check({ app, bed, t, check, asks }) {
  const { state, now_ms } = app, save = moveOf(t, "check_done"), judged = new Set(t.scores.map((s) => s.score)), lacks = check.lacking.filter((l) => !judged.has(l.item));
  const source = (f) => [f.by ? said.hand(named(state, f.by)) : f.device, ago(Math.max(0, now_ms - f.at_ms))].filter(Boolean).join(", ");
  return html`<ul class="filled">${check.filled.map((f) => html`<li key=${f.item}><span>${f.title}</span><b>${f.words}</b><small>${judged.has(f.item) ? "" : source(f)}</small></li>`)}
      ${lacks.map((l) => html`<li key=${l.item} class="empty"><span>${l.title}</span><b>––</b><small>${!l.required ? said.optional : bed.cuff_refusal === null && check.state === "open" && now_ms < check.due_at_ms ? said.byItself : said.lacks}</small></li>`)}</ul>
    ${lacks.some((l) => l.item === "nibp") && html`<${CuffButton} app=${app} bed=${bed} main=${false} text=${words.startCuff} />`}
    ${asks.map((name) => (scoreOf(t, name).scale.length > 2 ? html`<${Scores} key=${name} app=${app} t=${t} names=${[name]} />` : html`<${Scale} key=${name} app=${app} t=${t} name=${name} />`))}
    <button class="main" disabled=${!save || save.missing.length > 0} onClick=${() => move(app, t, said.saveCheck(check.title), { kind: "check_done", check: check.check }, said.savedOf(check.title))}>${said.saveCheck(check.title)}</button>
    ${save?.missing.length > 0 && !lacks.some((l) => l.required) && html`<${Lacks} app=${app} bed=${bed} lines=${save.missing} />`}`;
}

const SOON_MIN = 1;

/** Large once the dose has run; before that an end is possible, and no habit. */
function End({ app, t }) {
  const [minutes, earlier] = useEarlier(), ends_ms = t.clocks.start_at_ms + ((t.dose?.lasts_min ?? 0) - SOON_MIN) * 60_000, soon = app.now_ms >= ends_ms;
  return html`${earlier}<button class=${soon ? "main giant" : "early"} onClick=${() => step(app, t, "infusion_end", said.infusionEnded, { minutes })}>${said.infusionEnded}</button>`;
}

/** What may be entered at any moment: each opens its form, keys S, Y, N, C and B do the same. */
export function Entries({ app, bed, t }) {
  const open = (form) => app.beside(`session ${form}`);
  return html`<section class="entries" aria-label=${said.anytime}>
    <button onClick=${() => open("scores")}>${said.sedation}</button><button onClick=${() => open("symptoms")}>${said.symptom}</button>
    <button onClick=${() => open("note")}>${said.note}</button><button onClick=${() => open("adverse")}>${said.adverse}</button>
    <${CuffButton} app=${app} bed=${bed} main=${false} text=${words.startCuff} /><button onClick=${() => app.beside("bp")}>${words.bpByHand}</button>
    ${correctable(t).length > 0 && html`<button onClick=${() => open("correct")}>${said.corrects}</button>`}
    ${moveOf(t, "ready") && !leaving(t) && html`<button onClick=${() => open("leave")}>${said.leaving}, ${said.holds(...readyCount(t))}</button>`}
    ${turnsOf(t).map((kind) => html`<button key=${kind} class="turn" onClick=${() => open(`turn ${kind}`)}>${said.moves[kind][0]}</button>`)}
    ${moveOf(t, "emergency") && html`<button class="turn wide" onClick=${() => step(app, t, "emergency", said.moves.emergency[0])}>${said.moves.emergency[0]}</button>`}</section>`;
}
