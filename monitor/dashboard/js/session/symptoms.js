// What a patient says or shows: twelve large words, one tap each; the emergency signs stand apart, at the bottom.

import { html } from "../html.js";
import { words } from "../words.js";
import { noteSymptom, step, symptomOver } from "./acts.js";
import { useEarlier } from "./controls.js";
import { moveOf } from "./stage.js";
import { said } from "./words.js";

export function Symptoms({ app, t, close }) {
  const [minutes, earlier] = useEarlier(), plain = t.symptoms.filter((s) => !s.emergency), signs = t.symptoms.filter((s) => s.emergency), open = t.symptoms.filter((s) => s.open);
  const word = (s) => html`<button key=${s.symptom} aria-pressed=${s.open} data-severe=${s.severe ? "" : undefined} onClick=${() => noteSymptom(app, t, s.symptom, s.open, minutes)}>${said.symptomNames[s.symptom]}${s.open && html`<small>${s.severe ? said.severe : said.there}</small>`}</button>`;
  return html`<section class="beside symptoms"><div class="head"><h2>${said.symptoms}</h2><button class="quiet" onClick=${close}>${words.close}</button></div>
    <p class="hint">${said.tapAgain}</p><div class="words">${plain.map(word)}</div>
    ${open.length > 0 && html`<h3>${said.open}</h3><div class="row-of-acts">${open.map((s) => html`<button class="quiet" key=${s.symptom} onClick=${() => symptomOver(app, t, s.symptom)}>${said.over(said.symptomNames[s.symptom])}</button>`)}</div>`}
    ${earlier}
    <h3>${said.emergencySigns}</h3><div class="words">${signs.map(word)}</div>
    ${moveOf(t, "emergency") && html`<button class="wide" onClick=${() => step(app, t, "emergency", said.moves.emergency[0])}>${said.moves.emergency[0]}</button>`}</section>`;
}
