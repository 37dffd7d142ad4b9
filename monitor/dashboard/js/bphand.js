// A blood pressure taken by hand: one field, our own keypad, read back in words before it is saved.

import { useState } from "preact/hooks";
import { html } from "./html.js";
import { Told } from "./plain.js";
import { words } from "./words.js";

const UPPER = [40, 280], LOWER = [15, 200];   // physiology.md 1, HARD
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "/", "0"];

/** "172/98", "172 98", "172-98" and "17298" are all 172 over 98; null while it is not yet two numbers. */
export function readPressure(text) {
  const divided = text.trim().match(/^(\d{2,3})\s*[/\- ]\s*(\d{2,3})$/);
  if (divided) return [Number(divided[1]), Number(divided[2])];
  const run = text.trim().match(/^\d{4,6}$/)?.[0];
  if (!run) return null;
  // Run together: the upper number has three digits unless it could only have two.
  const cut = run.length === 4 ? 2 : 3;
  return [Number(run.slice(0, cut)), Number(run.slice(cut))];
}

export function faultOf(read) {
  if (!read || read[0] < UPPER[0] || read[0] > UPPER[1]) return words.bpErrorUpper;
  if (read[1] < LOWER[0] || read[1] > LOWER[1] || read[1] >= read[0]) return words.bpErrorLower;
  return null;
}

export function BpByHand({ app, bed, close }) {
  const [text, setText] = useState(""), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  const read = readPressure(text), good = read !== null && faultOf(read) === null;
  const type = (key) => { setError(null); setText((t) => (t + key).slice(0, 7)); };
  const save = async (event) => {
    event.preventDefault();
    const fault = faultOf(read);
    setError(fault);
    if (fault || busy) return;
    setBusy(true);
    const answer = await app.acts.bpByHand(bed.bed, ...read);
    setBusy(false);
    if (answer.ok) close();
  };
  return html`<form class="beside entry" aria-labelledby="bp-title" onSubmit=${save} noValidate>
    <div class="head"><h2 id="bp-title">${words.bed(bed.bed)}: ${words.bpByHand}</h2><button type="button" onClick=${close}>${words.cancel}</button></div>
    <div class="field"><label for="bp">${words.upperLower}</label>
      <input id="bp" inputmode="none" autocomplete="off" value=${text} ref=${focusOnce} onInput=${(e) => { setError(null); setText(e.currentTarget.value.replace(/[^0-9/\- ]/g, "")); }} aria-invalid=${error !== null} aria-describedby="reads bp-error" />
      <p class="error" id="bp-error">${error && html`<span class="mark" aria-hidden="true">!</span>${error}`}</p>
      <p class="reads" id="reads">${good && back(bed, read)}</p></div>
    <section class="keys" aria-label=${words.keypad}>${KEYS.map((k) => html`<button type="button" key=${k} onClick=${() => type(k)}>${k}</button>`)}<button type="button" aria-label=${words.delete} onClick=${() => setText((t) => t.slice(0, -1))}>⌫</button></section>
    <${Told} state=${app.state} />
    <div class="acts"><button class="main" aria-busy=${busy}>${words.save(good ? `${read[0]}/${read[1]}` : "")}</button></div></form>`;
}

function back(bed, [s, d]) {
  const b = bed.session.baseline, [over, strong, rest] = words.readBack(s, d);
  const beyond = bed.limits.filter((l) => l.limit !== null && l.priority !== "LOW" && ((l.vital === "nibp_sys" && passes(l, s)) || (l.vital === "nibp_dia" && passes(l, d)))).sort((x, y) => (x.priority === "HIGH" ? -1 : 1) - (y.priority === "HIGH" ? -1 : 1))[0];
  return html`${over}<b>${strong}</b>${rest}${b.systolic_mmhg !== null && b.diastolic_mmhg !== null && html`<br />${words.delta(s - b.systolic_mmhg, d - b.diastolic_mmhg, `${b.systolic_mmhg}/${b.diastolic_mmhg}`)}`}
    ${beyond && html`<br /><span class="over">${words.beyond(beyond.side, Math.round(beyond.limit))}</span>`}`;
}
const passes = (l, v) => (l.side === "high" ? (l.inclusive ? v >= l.limit : v > l.limit) : l.inclusive ? v <= l.limit : v < l.limit);

function focusOnce(el) {
  if (el && !el.dataset.focused) { el.dataset.focused = "yes"; el.focus(); }
}
