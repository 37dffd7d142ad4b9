// A wrong entry: chosen from what may be corrected, struck with the reason, and what should have been entered stands in its place. Nothing is deleted.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { named } from "../look.js";
import { clock, words } from "../words.js";
import { move } from "./acts.js";
import { Choice, Field, lacking } from "./controls.js";
import { scoreOf } from "./stage.js";
import { said } from "./words.js";

/** The lines of the timeline that may be corrected now, the newest entry first. */
export const correctable = (t) => (t.timeline ?? []).filter((line) => line.may_correct).sort((a, b) => b.entry - a.entry);

/** The line that `which` names: a number of the timeline, or a score, of which its newest entry is meant. */
export const lineOf = (t, which) => correctable(t).find((line) => line.entry === (/^\d+$/.test(which) ? Number(which) : scoreOf(t, which)?.entry));

export function Corrections({ app, t, which, close }) {
  const line = which && lineOf(t, which), open = (entry) => app.beside(`session correct ${entry}`), all = correctable(t);
  if (line) return html`<${Correct} key=${line.entry} app=${app} t=${t} line=${line} close=${close} />`;
  return html`<section class="beside corrections"><div class="head"><h2>${said.corrects}</h2><button class="quiet" onClick=${close}>${words.close}</button></div>
    ${all.length === 0 ? html`<p class="nothing">${said.nothingToCorrect}</p>` : html`<p class="hint">${said.correctHint}</p><ul class="words">${all.map((one) => html`<li key=${one.entry}><button onClick=${() => open(one.entry)}>${one.words}<small>${whoWhen(app.state, one)}</small></button></li>`)}</ul>`}</section>`;
}

const whoWhen = (state, line) => [line.who && named(state, line.who), clock(line.at_ms, false)].filter(Boolean).join(", ");

/** What stands instead is of the same kind: what may be said of it, and the body of it once all of it is said. */
function useInstead(t, line) {
  const score = line.kind === "score" ? t.scores.find((s) => line.words.startsWith(`${s.title}: `)) : null;
  const symptom = line.kind === "symptom" ? t.symptoms.find((s) => line.words.toLowerCase().startsWith(s.symptom)) : null;
  const device = line.kind === "device" ? t.devices.find((d) => line.words.startsWith(`${said.device(d.number)} `)) : null;
  const [value, setValue] = useState(null), [text, setText] = useState(line.kind === "note" ? line.words : ""), [lot, setLot] = useState(device?.lot ?? ""), [expires, setExpires] = useState(device?.expires ?? "");
  const none = lacking("instead", text, said.needWords), unsaid = value === null ? { at: "chosen", text: said.chooseInstead } : null;
  if (score) return { fields: () => html`<${Choice} name=${score.title} columns=${score.scale.length > 6 ? "numbers" : score.scale.length === 2 ? "2" : "1"} options=${score.scale.map((word, i) => [i, said.scaleWord(word)])} chosen=${value} choose=${setValue} />`,
    wrong: unsaid, body: { kind: "score", score: score.score, value } };
  if (symptom) return { fields: () => html`<${Choice} name=${said.symptomNames[symptom.symptom]} columns="1" options=${Object.entries(said.symptomIs)} chosen=${value} choose=${setValue} />`,
    wrong: unsaid, body: { kind: "symptom", symptom: symptom.symptom, severe: value === "severe", over: value === "over" } };
  if (device) return { fields: (error) => html`<${Field} name="instead" label=${said.lot} value=${lot} change=${setLot} error=${error} max=${40} /><${Field} name="expires" label=${said.expires} hint=${said.expiresHint} value=${expires} change=${setExpires} error=${error} max=${10} />`,
    wrong: lacking("instead", lot, said.lot) ?? lacking("expires", expires, said.expiresHint), body: { kind: "device", number: device.number, lot: lot.trim(), expires: expires.trim(), last: false } };
  if (line.kind === "note") return { fields: (error) => html`<${Field} name="instead" label=${said.words} value=${text} change=${setText} error=${error} max=${1000} />`, wrong: none, body: { kind: "note", text: text.trim() } };
  return { fields: (error) => html`<${Field} name="instead" label=${said.whatHappened} value=${text} change=${setText} error=${error} /><${Choice} name=${said.serious} hidden columns="2" options=${[[false, said.notSerious], [true, said.serious]]} chosen=${value} choose=${setValue} />`,
    wrong: none ?? unsaid, body: { kind: "adverse_event", what: text.trim(), serious: value } };
}

function Correct({ app, t, line, close }) {
  const [why, setWhy] = useState(""), [error, setError] = useState(null), instead = useInstead(t, line);
  const send = async (body) => {
    const wrong = lacking("why", why, words.needReason) ?? (body === null ? null : instead.wrong);
    setError(wrong);
    if (!wrong && (await move(app, t, words.correct, { kind: "correct", entry: line.entry, instead: body, why: why.trim() }, said.corrected)).ok) close();
  };
  return html`<form class="beside form correct" onSubmit=${(event) => { event.preventDefault(); send(instead.body); }} noValidate><div class="head"><h2>${said.corrects}</h2><button type="button" class="quiet" onClick=${close}>${words.cancel}</button></div>
    <p class="wrong"><del>${line.words}</del><small>${whoWhen(app.state, line)}</small></p>
    <${Choice} name=${said.whyWrong} columns="2" options=${said.slips.map((slip) => [slip, slip])} chosen=${why} choose=${setWhy} /><${Field} name="why" label=${words.reason} value=${why} change=${setWhy} error=${error} />
    <section class="instead"><h3>${said.insteadIs}</h3>${instead.fields(error)}${error?.at === "chosen" && html`<p class="error"><span class="mark" aria-hidden="true">!</span>${error.text}</p>`}</section>
    <div class="row-of-acts"><button class="main">${words.correct}</button>${line.kind !== "device" && html`<button type="button" class="quiet" onClick=${() => send(null)}>${said.strikeOnly}</button>`}</div></form>`;
}
