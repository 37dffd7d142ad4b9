// Somebody proves who they are for one act: a name, and the PIN of this very moment. Nobody is signed in by it.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { problem } from "../signin.js";
import { words } from "../words.js";
import { said } from "./words.js";

/** Calls `prove({name, pin})` or `({name, password})` and stands until it is taken. `roles` may, the first of them first; `not` may not; `preset` is chosen already. */
export function Proof({ app, roles, not = null, preset = null, title, prove, check = () => null, children }) {
  const { state } = app, people = state.staff.filter((s) => roles.includes(s.role) && s.name !== not).sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
  const paired = state.screen !== null || state.me?.role === "display";
  const only = people.length === 1 ? people[0].name : people.some((p) => p.name === preset) ? preset : null;
  const [withPin, setWithPin] = useState(paired), [name, setName] = useState(only), [secret, setSecret] = useState(""), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  if (people.length === 0) return html`<p class="nothing">${said.proof.nobody(roles)}</p>`;

  const send = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (check()) return;   // it says so beside its own field
    if (!name) return setError({ at: "who", text: said.proof.needWho });
    if (withPin && !/^\d{4,6}$/.test(secret)) return setError({ at: "proof", text: said.proof.needPin });
    if (!secret) return setError({ at: "proof", text: said.proof.needPassword });
    setError(null);
    setBusy(true);
    const answer = await prove({ name, [withPin ? "pin" : "password"]: secret });
    setBusy(false);
    setSecret("");
    if (!answer.ok && (answer.status === 403 || answer.status === 429)) setError({ at: "proof", text: answer.detail });
  };

  return html`<form class="form proof" onSubmit=${send} noValidate>${children}
    ${people.length > 1 && html`<fieldset><legend class="sr">${title}</legend><div class="names">${people.map((p) => html`<button type="button" key=${p.name} aria-pressed=${p.name === name} onClick=${() => { setName(p.name); setError(null); }}>${p.display}</button>`)}</div>${problem(error, "who")}</fieldset>`}
    <label>${people.length === 1 ? `${people[0].display}: ` : ""}${withPin ? said.proof.pin : words.password}<input name="proof" type="password" inputmode=${withPin ? "numeric" : undefined} autocomplete="off" value=${secret} onInput=${(e) => setSecret(e.currentTarget.value)} aria-invalid=${error?.at === "proof"} aria-describedby="error-proof" /></label>${problem(error, "proof")}
    <div class="row-of-acts"><button class="main" aria-busy=${busy}>${title}</button>${paired && html`<button type="button" class="quiet" onClick=${() => { setWithPin(!withPin); setSecret(""); setError(null); }}>${withPin ? words.usePassword : words.usePin}</button>`}</div></form>`;
}
