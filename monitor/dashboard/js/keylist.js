// The list of keys, and the switch that turns the single ones off.

import { useState } from "preact/hooks";
import { html } from "./html.js";
import { keysAreOn, setKeys } from "./keys.js";
import { Plain } from "./plain.js";
import { words } from "./words.js";

export function Keys({ app }) {
  const [on, setOn] = useState(keysAreOn());
  const toggle = () => { setKeys(!on); setOn(!on); };
  return html`<${Plain} app=${app} here="/keys" title=${words.keys}>
    <dl class="keys">${words.keyList.map(([key, does]) => html`<div><dt>${key}</dt><dd>${does}</dd></div>`)}</dl>
    <p>${on ? words.keysOn : words.keysOff}</p><button onClick=${toggle}>${on ? words.turnOff : words.turnOn}</button><//>`;
}
