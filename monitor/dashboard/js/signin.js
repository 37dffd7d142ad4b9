// Who is at the screen: a name tile and a PIN on a paired screen, a name and a password elsewhere.

import { useState } from "preact/hooks";
import { api } from "./api.js";
import { html } from "./html.js";
import { words } from "./words.js";
import { Footer, Lost } from "./bar.js";

/** `home` is where a phone opens: a wider screen has room for the Floor. */
const onPhone = () => matchMedia("(max-width: 44rem)").matches;

/** The screen /signin. */
export function SignIn({ app }) {
  const done = async (who) => { await app.signedIn(); app.go(onPhone() ? who.home : "/", { replace: true }); };
  return html`<div id="screen" class="plain signin" data-screen="signin"><header id="bar"><p class="product">${words.product}</p><${Lost} state=${app.state} /></header>
    <main id="plain" tabindex="-1"><h1>${words.signIn}</h1><${Form} app=${app} done=${done} /></main><${Footer} state=${app.state} ...${app.theme} /></div>`;
}

/** Beside what was being done: the act waits for a name, and is done then. */
export function SignInBeside({ app }) {
  const { wish } = app.state;
  if (!wish) return null;
  return html`<section class="beside signin" aria-labelledby="sign-first"><h2 id="sign-first">${words.signFirst(wish.what)}</h2>
    <${Form} app=${app} done=${app.signedIn} autofocus /><button onClick=${() => app.dispatch({ kind: "wish", wish: null })}>${words.cancel}</button></section>`;
}

function Form({ app, done, autofocus = false }) {
  const { state } = app, people = state.staff.filter((s) => s.role !== "display" && s.role !== "machine");
  const paired = state.me?.role === "display" || state.screen !== null;
  const [withPin, setWithPin] = useState(paired), [name, setName] = useState(""), [secret, setSecret] = useState(""), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  const pin = withPin && people.length > 0;

  const send = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!name) return setError({ at: "name", text: words.needName });
    if (!secret) return setError({ at: "secret", text: pin ? words.needPin : words.needPassword });
    setBusy(true);
    const answer = await api.signIn(pin ? { name, pin: secret } : { name, password: secret });
    setBusy(false);
    setSecret("");
    if (!answer.ok) {
      if (pin && answer.status === 429) setWithPin(false);
      return setError({ at: "secret", text: answer.status === 401 && !answer.data?.detail ? words.wrongSignIn : answer.detail });
    }
    setError(null);
    await done(answer.data);
  };

  return html`<form class="form" onSubmit=${send} noValidate>
    ${pin
      ? html`<fieldset><legend>${words.whoAreYou}</legend><div class="names">${people.map((p) => html`<button type="button" key=${p.name} aria-pressed=${p.name === name} onClick=${() => setName(p.name)}>${p.display}</button>`)}</div>${problem(error, "name")}</fieldset>`
      : html`<label>${words.name}<input name="name" autocomplete="username" autocapitalize="none" spellcheck=${false} value=${name} onInput=${(e) => setName(e.currentTarget.value.trim())} ref=${(el) => autofocus && !name && focusOnce(el)} aria-invalid=${error?.at === "name"} aria-describedby="error-name" /></label>${problem(error, "name")}`}
    <label>${pin ? words.pin : words.password}<input name="secret" type="password" inputmode=${pin ? "numeric" : undefined} autocomplete=${pin ? "off" : "current-password"} value=${secret} onInput=${(e) => setSecret(e.currentTarget.value)} aria-invalid=${error?.at === "secret"} aria-describedby="error-secret" /></label>${problem(error, "secret")}
    <div class="row-of-acts"><button class="main" aria-busy=${busy}>${words.signIn}</button>
    ${people.length > 0 && paired && html`<button type="button" onClick=${() => { setWithPin(!pin); setSecret(""); setError(null); }}>${pin ? words.usePassword : words.usePin}</button>`}</div></form>`;
}

// The sign-in was asked for by a press, so the focus may go there: once, not at each drawing.
function focusOnce(el) {
  if (el && !el.dataset.focused) { el.dataset.focused = "yes"; el.focus(); }
}

export const problem = (error, at) => html`<p class="error" id="error-${at}">${error?.at === at && html`<span class="mark" aria-hidden="true">!</span>${error.text}`}</p>`;
