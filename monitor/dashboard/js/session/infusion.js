// Page six of an infusion: the dose as two people check it, then the press that says the pump runs. The service drives no pump.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { named } from "../look.js";
import { moves, step } from "./acts.js";
import { Field, lacking, useEarlier } from "./controls.js";
import { Lacks } from "./lacking.js";
import { Proof } from "./proof.js";
import { Scan } from "./scan.js";
import { amounts, readDose } from "./slips.js";
import { moveOf } from "./stage.js";
import { words } from "../words.js";
import { said } from "./words.js";

const FIELDS = [["weight_kg", said.weight], ["dose_mg_per_kg", said.dose], ["concentration_mg_per_ml", said.concentration], ["rate_ml_per_h", said.rate]];
const CHECKERS = ["nurse", "charge nurse", "prescriber"];

export function Infusion({ app, bed, t }) {
  const [anew, setAnew] = useState(false), start = moveOf(t, "infusion_start"), dose = t.phase === "timeout" && !anew ? t.dose : null;
  return dose ? html`<${Ready} app=${app} bed=${bed} t=${t} dose=${dose} start=${start} anew=${() => setAnew(true)} />` : html`<${Dose} app=${app} t=${t} done=${() => setAnew(false)} />`;
}

function Ready({ app, bed, t, dose, start, anew }) {
  const [minutes, earlier] = useEarlier(), sum = amounts(dose), [strong, rest] = said.doseIs(sum.mg, sum.ml, dose.rate_ml_per_h, sum.min), lacks = start?.missing ?? [];
  return html`<div class="form stands"><p class="readback"><b>${strong}</b>${rest}</p><p>${said.checkedBy(named(app.state, dose.by), named(app.state, dose.second))}</p>
    ${lacks.length > 0 && html`<section class="lacks"><h3>${said.stillMissing}</h3><${Lacks} app=${app} bed=${bed} lines=${lacks} /></section>`}
    <div class="row-of-acts">${earlier}<button class="quiet" onClick=${anew}>${said.changeDose}</button></div>
    <div class="foot"><button class="main giant" disabled=${lacks.length > 0} onClick=${() => step(app, t, "infusion_start", said.infusionStarted, { minutes })}>${said.infusionStarted}</button></div></div>`;
}

function Dose({ app, t, done }) {
  const [text, setText] = useState({ weight_kg: "", dose_mg_per_kg: "", concentration_mg_per_ml: "", rate_ml_per_h: "" }), [why, setWhy] = useState(""), [asked, setAsked] = useState([]), [error, setError] = useState(null);
  const numbers = Object.fromEntries(Object.entries(text).map(([key, value]) => [key, Number(value.replace(",", "."))])), sum = amounts(numbers);
  const read = (label) => {
    const found = readDose(label);
    if (found === null) return said.noDoseLabel;
    setError(null);
    setText(Object.fromEntries(Object.entries(found).map(([key, n]) => [key, String(n)])));
    return null;
  };
  const check = () => {
    const empty = FIELDS.find(([key]) => !(numbers[key] > 0)), wrong = empty ? { at: empty[0], text: said.needDose } : asked.length ? lacking("why", why, words.needReason) : null;
    setError(wrong);
    return wrong;
  };
  const prove = async (second) => {
    // Both belong to the one press: the time-out begins with it, and is the check.
    const bodies = [...(t.phase === "timeout" ? [] : [{ kind: "to_timeout" }]), { kind: "dose", ...numbers, second, ...(why.trim() ? { why: why.trim() } : {}) }];
    const answer = await moves(app, t, said.doseChecked, bodies, said.savedOf(said.doseChecked));
    setAsked(answer.ok ? [] : (answer.data?.missing ?? []).filter((line) => line.startsWith("Is ")));
    if (answer.ok) done();
    return answer;
  };
  return html`<div class="dosecheck form stands"><${Scan} name="label" label=${said.doseLabel} hint=${said.doseHint} read=${read} />
    <div class="fields">${FIELDS.map(([key, label]) => html`<${Field} key=${key} name=${key} label=${label} mode="decimal" value=${text[key]} change=${(value) => { setError(null); setText((was) => ({ ...was, [key]: value })); }} error=${error} max=${8} />`)}</div>
    ${sum && html`<p class="readback"><b>${said.doseIs(sum.mg, sum.ml, numbers.rate_ml_per_h, sum.min)[0]}</b>${said.doseIs(sum.mg, sum.ml, numbers.rate_ml_per_h, sum.min)[1]}</p>`}
    <section class="second"><h3>${said.second}</h3><p class="hint">${said.secondChecks}</p>
      <${Proof} app=${app} roles=${CHECKERS} not=${app.state.me?.name} title=${said.doseChecked} prove=${prove} check=${check}>${asked.length > 0 && html`<ul class="lacks">${asked.map((line) => html`<li key=${line}>${line}</li>`)}</ul><${Field} name="why" label=${said.unusual} value=${why} change=${setWhy} error=${error} />`}<//></section></div>`;
}
