// Who may leave: what is missing stands on top with the act that fills it in one tap, what is true is folded. Then the signature, and the close.

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { named } from "../look.js";
import { clock, words } from "../words.js";
import { move, moves, saveScores, step, symptomOver } from "./acts.js";
import { CuffButton } from "./baseline.js";
import { Close } from "./close.js";
import { Field, lacking } from "./controls.js";
import { Decide } from "./decide.js";
import { Entries } from "./now.js";
import { Scores } from "./scales.js";
import { moveOf, scoreOf } from "./stage.js";
import { said } from "./words.js";

const STANDING = 2, SITTING = 1;   // sessions/scores.py, the scale of posture

export function Leave({ app, bed, t, entries = true }) {
  useSitting(app, bed, t);
  const ready = moveOf(t, "ready"), signing = t.phase === "ready" || t.over, items = t.over ? [] : t.ready_items.filter((i) => !(i.item === "signed")), lacks = items.filter((i) => !i.holds), holds = items.filter((i) => i.holds);
  return html`<div class="leave stands">
    ${lacks.length > 0 && html`<ul class="items">${lacks.map((i) => html`<li key=${i.item} data-field="item-${i.item}"><h3>${i.title}</h3><p>${i.missing.join(" ")}</p><${Fill} app=${app} bed=${bed} t=${t} item=${i} /></li>`)}</ul>`}
    ${holds.length > 0 && html`<details class="true"><summary>${said.trueItems(holds.length)}</summary><ul>${holds.map((i) => html`<li key=${i.item}><b>${i.title}</b> <span>${i.decided ? said.decided(named(app.state, i.decided.by), i.decided.why) : i.values.map((v) => [v.words, v.who && named(app.state, v.who), v.at_ms && clock(v.at_ms, false)].filter(Boolean).join(", ")).join("; ")}</span></li>`)}</ul></details>`}
    ${signing && html`<${Close} app=${app} bed=${bed} t=${t} />`}
    ${entries && !t.over && html`<${Entries} app=${app} bed=${bed} t=${t} />`}
    ${ready && html`<div class="foot"><button class="main giant" disabled=${ready.missing.length > 0} onClick=${() => step(app, t, "ready", words.ready)}>${words.ready}</button></div>`}</div>`;
}

/** One tap for what is missing; what only time can fill says so; what the therapy lets be decided is decided apart. */
function Fill({ app, bed, t, item }) {
  const [deciding, setDeciding] = useState(false), { fills } = item, scores = fills.filter((name) => scoreOf(t, name));
  const decide = item.override && item.may.length > 0 && !deciding ? html`<button class="quiet" onClick=${() => setDeciding(true)}>${said.decideWithout}</button>` : null;
  const act = item.item === "steady" ? html`<${Steady} app=${app} bed=${bed} t=${t} also=${decide} />`
    : item.item === "escort" ? html`<${Escort} app=${app} t=${t} also=${decide} />`
      : html`${scores.length > 0 && html`<${Scores} app=${app} t=${t} names=${scores} main=${false} also=${decide} />`}
        ${fills.includes("symptom") && t.symptoms.some((s) => s.symptom === "vomiting" && s.open) && html`<button onClick=${() => symptomOver(app, t, "vomiting")}>${said.vomitingOver}</button>`}
        ${fills.includes("bp") && html`<${CuffButton} app=${app} bed=${bed} main=${false} text=${words.startCuff} />`}${fills.includes("rr") && html`<${Breaths} app=${app} bed=${bed} />`}`;
  const line = scores.length > 0 || item.item === "steady" || item.item === "escort";
  return html`${act}${!line && decide && html`<div class="row-of-acts">${decide}</div>`}${deciding && html`<${Decide} app=${app} t=${t} what=${item.override} may=${item.may} done=${() => setDeciding(false)} />`}`;
}

/** One reading of somebody standing: the posture is said before it, and the patient sits again once it is there. */
function Steady({ app, bed, t, also }) {
  const posture = scoreOf(t, "posture"), stands = posture.value === STANDING;
  const stand = async () => {
    const answer = await saveScores(app, t, { posture: STANDING, gait: 1 }, 0, said.usual(["gait"]));
    if (answer.ok) await app.acts.startCuff(bed.bed);
  };
  if (stands) return html`<p>${said.standing}</p><div class="row-of-acts"><${CuffButton} app=${app} bed=${bed} main=${false} text=${words.startCuff} /><button onClick=${() => sit(app, t)}>${said.sitsAgain}</button>${also}</div>`;
  return html`<button class="usual" onClick=${stand} disabled=${bed.cuff_refusal !== null && !bed.cuff?.running_since_ms}>${said.stand}</button>${bed.cuff_refusal && html`<p class="refusal">${bed.cuff_refusal}</p>`}
    <div class="row-of-acts"><button class="quiet" onClick=${() => saveScores(app, t, { gait: 0 }, 0, said.unsteady)}>${said.unsteady}</button>${also}</div>`;
}
const sit = (app, t) => move(app, t, said.sitsAgain, { kind: "score", score: "posture", value: SITTING }, said.savedOf(said.sitsAgain));

function useSitting(app, bed, t) {
  const posture = scoreOf(t, "posture"), measured_ms = bed.cuff?.measured_at_ms ?? 0, over = posture.value === STANDING && measured_ms > posture.at_ms;
  useEffect(() => { if (over) sit(app, t); }, [over, posture.at_ms]);
}

function Escort({ app, t, also }) {
  const told = t.questions.find((q) => q.question === "escort"), known = told?.yes && told.note, [other, setOther] = useState(null), [error, setError] = useState(null);
  const here = (name) => moves(app, t, said.escort.hint, [{ kind: "score", score: "escort", value: 1, ...(name ? { note: name } : {}) }, { kind: "score", score: "driving", value: 1 }], said.savedOf(said.escort.hint));
  if (known) return html`<button class="usual" onClick=${() => here("")}>${said.escort.hint}: ${told.note}</button>${also && html`<div class="row-of-acts">${also}</div>`}`;
  const send = (event) => { event.preventDefault(); const wrong = lacking("escort", other, said.escort.name); setError(wrong); if (!wrong) here(other.trim()); };
  return html`<p class="hint">${said.escort.hint}</p><div class="words">${said.escort.who.map((who) => html`<button key=${who} onClick=${() => here(who)}>${who}</button>`)}</div>
    ${other === null ? html`<div class="row-of-acts"><button class="quiet" onClick=${() => setOther("")}>${said.escort.other}</button>${also}</div>` : html`<form class="more" onSubmit=${send} noValidate><${Field} name="escort" label=${said.escort.name} value=${other} change=${setOther} error=${error} first /><button>${said.keep}</button></form>`}`;
}

/** Where no device counts the breaths. */
function Breaths({ app, bed }) {
  const [text, setText] = useState(""), [error, setError] = useState(null), [open, setOpen] = useState(false);
  if (!open) return html`<button onClick=${() => setOpen(true)}>${said.countBreaths}</button>`;
  const send = async (event) => {
    event.preventDefault();
    const n = Number(text), wrong = text.trim() !== "" && n >= 0 && n <= 100 ? null : { at: "rr", text: said.needBreaths };
    setError(wrong);
    if (!wrong && (await app.acts.rrByHand(bed.bed, n)).ok) setOpen(false);
  };
  return html`<form class="more" onSubmit=${send} noValidate><${Field} name="rr" label=${said.breaths} mode="numeric" value=${text} change=${setText} error=${error} first max=${3} /><button>${words.save(text)}</button></form>`;
}
