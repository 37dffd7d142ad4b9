// The small things that the working screens are made of: a choice of words, one field with its error beside it, when it was done.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { problem } from "../signin.js";
import { said } from "./words.js";

/** One of a few words, each a button; `chosen` is a value or null. The buttons of one choice are a group with a name. */
export const Choice = ({ name, options, chosen, choose, hidden = false, columns }) => html`<fieldset class="choice" data-columns=${columns}><legend class=${hidden ? "sr" : undefined}>${name}</legend>
  <div>${options.map(([value, text]) => html`<button type="button" key=${String(value)} aria-pressed=${value === chosen} onClick=${() => choose(value)}>${text}</button>`)}</div></fieldset>`;

/** One field. `error` is {at, text} of the whole form. */
export const Field = ({ name, label, value, change, error, hint, mode = "text", first = false, max = 200 }) => html`<div class="field"><label>${label}<input name=${name} inputmode=${mode} autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength=${max} value=${value} ref=${first ? focusOnce : undefined}
    onInput=${(e) => change(e.currentTarget.value)} aria-invalid=${error?.at === name} aria-describedby=${`error-${name}${hint ? ` hint-${name}` : ""}`} /></label>${hint && html`<p class="hint" id="hint-${name}">${hint}</p>`}${problem(error, name)}</div>`;

// Opened by a press, or by a page that waits for a scanner: the focus goes there once, not at each drawing.
export function focusOnce(el) {
  if (el && !el.dataset.focused) { el.dataset.focused = "yes"; el.focus({ preventScroll: true }); }
}

const EARLIER_MIN = [1, 2, 5, 10];

/** When it was done: now, unless somebody says earlier. `[minutes, control]`. */
export function useEarlier() {
  const [minutes, setMinutes] = useState(0), [open, setOpen] = useState(false);
  const control = open
    ? html`<${Choice} name=${said.whenDone} hidden columns="5" options=${[[0, said.now], ...EARLIER_MIN.map((m) => [m, said.ago(m)])]} chosen=${minutes} choose=${setMinutes} />`
    : html`<button type="button" class="quiet" aria-expanded="false" onClick=${() => setOpen(true)}>${said.earlier}</button>`;
  return [minutes, control, () => { setMinutes(0); setOpen(false); }];
}

/** Text that has to be there before anything is sent: the field's own error, or null. */
export const lacking = (name, value, text) => (value.trim() ? null : { at: name, text });
