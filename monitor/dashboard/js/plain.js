// The frame of the plain screens: bar, title, one column, footer. And the one line that says what came of an act.

import { Chips, Clock, Footer, Health, Lost, Nav, Who } from "./bar.js";
import { chem } from "./draw.js";
import { html } from "./html.js";
import { SignInBeside } from "./signin.js";
import { SoundMark } from "./sounds.js";

export function Plain({ app, here, title, children }) {
  const { state, now_ms, wall } = app;
  return html`<div id="screen" aria-busy=${app.state.server ? undefined : "true"} class="plain" data-screen=${here}>
    <header id="bar"><${Clock} now_ms=${now_ms} />${!wall && html`<${Nav} here=${here} me=${state.me} />`}<${Chips} state=${state} /><${SoundMark} state=${state} now_ms=${now_ms} wall=${wall} /><${Health} state=${state} brief />${!wall && html`<${Who} state=${state} signOut=${app.signOut} lockIn_ms=${app.lockIn_ms} />`}<${Lost} state=${state} /></header>
    ${app.strips}
    <main id="plain" tabindex="-1"><h1>${title}</h1>${children}<${SignInBeside} app=${app} /></main>
    <${Footer} state=${state} ...${app.theme} /></div>`;
}

export const Told = ({ state }) => html`<p class="told" data-is=${state.told?.is}>${state.told && html`<span class="mark" aria-hidden="true">${state.told.is === "refused" ? "!" : "✓"}</span>${chem(state.told.text)}${state.told.more && html` <button class="small" onClick=${state.told.more.act}>${state.told.more.text}</button>`}`}</p>`;
