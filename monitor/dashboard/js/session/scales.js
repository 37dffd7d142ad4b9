// Scores in one tap: what is as usual is one button for all of them, and beneath it every step of each scale.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { named } from "../look.js";
import { clock, words } from "../words.js";
import { saveScores } from "./acts.js";
import { Choice, useEarlier } from "./controls.js";
import { scoreOf } from "./stage.js";
import { said } from "./words.js";

/** Steps of a scale as they are read, the best of sedation and orientation first. */
const FALLING = new Set(["moaas", "oriented"]);
const stepsOf = ({ score, scale }) => { const steps = scale.map((word, value) => [value, /^\d+$/.test(word) ? word : said.scaleWord(word)]); return FALLING.has(score) ? steps.reverse() : steps; };

/** One scale with every step; a tap records it. */
export function Scale({ app, t, name, minutes = 0 }) {
  const score = scoreOf(t, name), numbers = score.scale.length > 6;
  const choose = (value) => saveScores(app, t, { [name]: value }, minutes, `${score.title}: ${score.scale[value]}`);
  return html`<section class="scale" data-field="score-${name}"><h3>${score.title}</h3>${score.value !== null && html`<p class="newest">${said.scaleWord(score.words)}, ${named(app.state, score.by)} ${clock(score.at_ms, false)}</p>`}
    <${Choice} name=${score.title} hidden columns=${numbers ? "numbers" : score.scale.length === 2 ? "2" : "1"} options=${stepsOf(score)} chosen=${score.wanted ? null : score.value} choose=${choose} /></section>`;
}

/** Several scores that are asked for together. */
/** `also` stands in the same line as the other ways. */
export function Scores({ app, t, names, main = true, also = null }) {
  const [open, setOpen] = useState(false), [minutes, earlier] = useEarlier();
  const usual = names.filter((name) => said.usualValue(name) !== undefined), others = names.filter((name) => said.usualValue(name) === undefined);
  const text = usual.length ? said.usual(usual) : "";
  return html`<div class="scores">
    ${usual.length > 0 && html`<button class=${main ? "main usual" : "usual"} data-field=${usual.map((name) => `score-${name}`).join(" ")} onClick=${() => saveScores(app, t, Object.fromEntries(usual.map((name) => [name, said.usualValue(name)])), minutes, text)}>${text}</button>`}
    ${others.map((name) => html`<${Scale} key=${name} app=${app} t=${t} name=${name} minutes=${minutes} />`)}
    <div class="row-of-acts">${usual.length > 0 && !open && html`<button class="quiet" aria-expanded="false" onClick=${() => setOpen(true)}>${said.otherwise}</button>`}${earlier}${also}</div>
    ${open && usual.map((name) => html`<${Scale} key=${name} app=${app} t=${t} name=${name} minutes=${minutes} />`)}</div>`;
}

/** Every scale there is, for what nobody has asked for: the form of key S. */
const FIRST = ["moaas", "dissociation", "nausea", "pain", "anxiety", "mood", "oriented", "confusion", "oxygen", "posture"];
export function AllScores({ app, t, close }) {
  const [minutes, earlier] = useEarlier();
  return html`<section class="beside"><div class="head"><h2>${said.sedation}</h2><button class="quiet" onClick=${close}>${words.close}</button></div>${earlier}
    ${FIRST.filter((name) => scoreOf(t, name)).map((name) => html`<${Scale} key=${name} app=${app} t=${t} name=${name} minutes=${minutes} />`)}</section>`;
}
