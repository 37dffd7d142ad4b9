// A field that a hand scanner types into: no keyboard comes up, and what ends with Enter is read at once. The camera is offered beside it where the browser can read codes.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { problem } from "../signin.js";
import { Camera, hasCamera } from "./camera.js";
import { focusOnce } from "./controls.js";
import { said } from "./words.js";

const GS = "\u001d";

/** `read(text)` gives a sentence where the code is none of ours, else null. */
export function Scan({ name, label, hint, read }) {
  const [text, setText] = useState(""), [error, setError] = useState(null), [camera, setCamera] = useState(false);
  /** Whether it was one of ours. */
  const taken = (code) => {
    const wrong = read(code);
    setText("");
    setError(wrong && { at: name, text: wrong });
    if (!wrong) setCamera(false);
    return !wrong;
  };
  const take = (event) => { event.preventDefault(); if (text.trim()) taken(text); };
  // Scanners send the separator of GS1 as Ctrl+] or F8; neither would come into a field by itself.
  const separate = (event) => {
    if (!(event.key === "F8" || (event.ctrlKey && event.key === "]"))) return;
    event.preventDefault();
    setText((t) => t + GS);
  };
  return html`<form class="scan" onSubmit=${take} noValidate><label><span>${label}</span><input name=${name} inputmode="none" autocomplete="off" autocapitalize="none" spellcheck=${false} value=${text} ref=${focusOnce} onKeyDown=${separate}
    onInput=${(e) => setText(e.currentTarget.value)} aria-invalid=${error !== null} aria-describedby="error-${name}${hint ? ` hint-${name}` : ""}" /></label>${hint && html`<p class="hint" id="hint-${name}">${hint}</p>`}${problem(error, name)}
    ${hasCamera() && (camera ? html`<${Camera} take=${taken} close=${() => setCamera(false)} />` : html`<button type="button" class="quiet" onClick=${() => setCamera(true)}>${said.camera}</button>`)}</form>`;
}
