// A decision against the profile: who may decide proves who they are and says why. It stands in the record with both.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { move } from "./acts.js";
import { Field, lacking } from "./controls.js";
import { Proof } from "./proof.js";
import { words } from "../words.js";
import { said } from "./words.js";

/** `what` is the `override` that a gate, an item or a pressure is shown with; `may` are the roles that decide. */
export function Decide({ app, t, what, may, done }) {
  const [why, setWhy] = useState(""), [error, setError] = useState(null), kind = what.split(":")[0], title = said.decisions[kind], follows = said.decideAsk[kind];
  if (may.length === 0) return html`<p class="nothing">${said.nobodyDecides}</p>`;
  const check = () => { const wrong = lacking("why", why, words.needReason); setError(wrong); return wrong; };
  const prove = async (by) => {
    const answer = await move(app, t, title, { kind: "override", what, why: why.trim(), by }, said.savedOf(title));
    if (answer.ok) { setWhy(""); done?.(); }
    return answer;
  };
  return html`<${Proof} app=${app} roles=${may} title=${title} prove=${prove} check=${check}>${follows && html`<p>${follows}</p>`}
    <${Field} name="why" label=${said.whyGoOn} value=${why} change=${setWhy} error=${error} /><//>`;
}
