// What is written in words: a note, an adverse event.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { words } from "../words.js";
import { move } from "./acts.js";
import { Choice, Field, lacking } from "./controls.js";
import { said } from "./words.js";

export function Note({ app, t, close }) {
  const [text, setText] = useState(""), [error, setError] = useState(null);
  const send = async (event) => {
    event.preventDefault();
    const wrong = lacking("note", text, said.needWords);
    setError(wrong);
    if (!wrong && (await move(app, t, said.note, { kind: "note", text: text.trim() }, said.savedOf(said.note))).ok) close();
  };
  return html`<form class="beside form" onSubmit=${send} noValidate><div class="head"><h2>${said.note}</h2><button type="button" class="quiet" onClick=${close}>${words.cancel}</button></div>
    <${Field} name="note" label=${said.words} value=${text} change=${setText} error=${error} first max=${1000} /><div class="row-of-acts"><button class="main">${words.save(said.note.toLowerCase())}</button></div></form>`;
}

export function AdverseEvent({ app, t, close }) {
  const [what, setWhat] = useState(""), [serious, setSerious] = useState(null), [outcome, setOutcome] = useState(null), [related, setRelated] = useState(null), [error, setError] = useState(null);
  const pick = (list) => list.map((word) => [word, word]);
  const send = async (event) => {
    event.preventDefault();
    const wrong = lacking("what", what, said.needWords) ?? (serious === null ? { at: "serious", text: `${said.serious}, ${said.notSerious.toLowerCase()}` } : null);
    setError(wrong);
    if (wrong) return;
    const body = { kind: "adverse_event", what: what.trim(), serious, ...(outcome ? { outcome } : {}), ...(related ? { related } : {}) };
    if ((await move(app, t, said.adverse, body, said.savedOf(said.adverse))).ok) close();
  };
  return html`<form class="beside form" onSubmit=${send} noValidate><div class="head"><h2>${said.adverse}</h2><button type="button" class="quiet" onClick=${close}>${words.cancel}</button></div>
    <${Field} name="what" label=${said.whatHappened} value=${what} change=${setWhat} error=${error} first />
    <${Choice} name=${said.serious} hidden columns="2" options=${[[false, said.notSerious], [true, said.serious]]} chosen=${serious} choose=${setSerious} />${error?.at === "serious" && html`<p class="error"><span class="mark" aria-hidden="true">!</span>${error.text}</p>`}
    <${Choice} name=${said.outcome} columns="3" options=${pick(said.outcomes)} chosen=${outcome} choose=${setOutcome} /><${Choice} name=${said.related} columns="4" options=${pick(said.relatedTo)} chosen=${related} choose=${setRelated} />
    <div class="row-of-acts"><button class="main">${words.save(said.adverse.toLowerCase())}</button></div></form>`;
}
