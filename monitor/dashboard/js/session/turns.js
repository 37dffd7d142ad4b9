// The turns a session may take: held, resumed, stopped, an emergency, transferred, ended before the drug. Each says first what follows of it.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { words } from "../words.js";
import { step } from "./acts.js";
import { Field, lacking, useEarlier } from "./controls.js";
import { moveOf } from "./stage.js";
import { said } from "./words.js";

const KINDS = ["hold", "resume", "stop", "transfer", "abort"];

/** The turns that can be taken from here; `running` ones only while a drug runs. */
export const turnsOf = (t) => KINDS.filter((kind) => moveOf(t, kind) && (kind !== "hold" || t.running || !t.clocks.start_at_ms) && (kind !== "stop" || t.running || t.phase === "held"));

export function Turn({ app, t, kind, close }) {
  const [why, setWhy] = useState(""), [error, setError] = useState(null), [minutes, earlier] = useEarlier(), move = moveOf(t, kind), [, title, follows] = said.moves[kind];
  if (!move) return null;
  const send = async (event) => {
    event.preventDefault();
    const wrong = move.reason ? lacking("why", why, words.needReason) : null;
    setError(wrong);
    if (!wrong && (await step(app, t, kind, title, { why: why.trim(), minutes: move.earlier ? minutes : 0 })).ok) close();
  };
  return html`<form class="beside form" onSubmit=${send} noValidate><div class="head"><h2>${title}</h2><button type="button" class="quiet" onClick=${close}>${words.cancel}</button></div><p>${follows}</p>
    ${move.reason && html`<${Field} name="why" label=${words.reason} value=${why} change=${setWhy} error=${error} first />`}${move.earlier && earlier}
    <div class="row-of-acts"><button class="main">${title}</button></div></form>`;
}
