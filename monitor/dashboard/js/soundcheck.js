// The sound check of a station: each of the three sounds, heard or not, in under a minute.

import { useState } from "preact/hooks";
import { icon } from "./draw.js";
import { html } from "./html.js";
import { Plain } from "./plain.js";
import { Sounds } from "./sounds.js";
import { words } from "./words.js";

const KINDS = ["HIGH", "MEDIUM", "LOW"];

export function SoundCheck({ app }) {
  const [heard, setHeard] = useState({}), busy = app.speaker.busy;
  const play = (kind) => { app.speaker.wake(); app.speaker.play(kind); setHeard((h) => ({ ...h, [kind]: "played" })); };
  const said = (kind, what) => {
    const now = { ...heard, [kind]: what };
    setHeard(now);
    // One that was not heard: until a check succeeds, nobody is to rely on this screen's sound.
    if (what === "not") app.report.say("off"); else if (KINDS.every((k) => now[k] === "heard")) app.report.say("checked");
  };
  const all = KINDS.every((kind) => heard[kind] === "heard"), some = KINDS.some((kind) => heard[kind] === "not");
  return html`<${Plain} app=${app} here="/sound" title=${words.soundCheck}><p>${busy ? words.silentNow : words.soundAsk}</p>
    <ul class="checks">${KINDS.map((kind) => html`<li key=${kind}><button class="main" disabled=${busy} onClick=${() => play(kind)}>${icon("sound")}${words.play(kind)}</button>
      <button disabled=${!heard[kind]} aria-pressed=${heard[kind] === "heard"} aria-label="${words.heard}: ${kind}" onClick=${() => said(kind, "heard")}>${words.heard}</button>
      <button disabled=${!heard[kind]} aria-pressed=${heard[kind] === "not"} aria-label="${words.notHeard}: ${kind}" onClick=${() => said(kind, "not")}>${words.notHeard}</button></li>`)}</ul>
    <p class="told">${all ? words.heardAll : some ? words.notHeardThen : ""}</p><${Sounds} app=${app} /><//>`;
}
