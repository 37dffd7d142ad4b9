// The Floor: every bed on one screen, in room order, always. `?wall` has no controls.

import { Chips, Clock, Footer, Health, Lost, Nav, Next, Who } from "./bar.js";
import { html } from "./html.js";
import { look } from "./look.js";
import { SoundMark } from "./sounds.js";
import { Tile } from "./tile.js";
import { words } from "./words.js";

const columns = (n) => (n <= 4 ? 2 : n <= 6 ? 3 : n <= 16 ? 4 : 5);

export function Floor({ app }) {
  const { state, now_ms, redraw, wall } = app, n = state.order.length;
  return html`<div id="screen" aria-busy=${app.state.server ? undefined : "true"} class="floor" data-screen="floor">
    <header id="bar"><${Clock} now_ms=${now_ms} />${!wall && html`<${Nav} here="/" me=${state.me} />`}
      <${Chips} state=${state} wall=${wall} /><${Next} state=${state} now_ms=${now_ms} /><${SoundMark} state=${state} now_ms=${now_ms} wall=${wall} /><${Health} state=${state} brief=${!wall} />${!wall && html`<${Who} state=${state} signOut=${app.signOut} lockIn_ms=${app.lockIn_ms} />`}<${Lost} state=${state} /></header>
    ${app.strips}
    <main id="beds" tabindex="-1" aria-label=${words.beds} style=${{ "--columns": columns(n) }}><h1 class="sr">${words.floor}</h1>
      ${n === 0 && html`<p class="nothing">${words.noBeds}</p>`}
      ${state.order.map((name) => html`<${Tile} key=${name} bed=${state.beds[name]} seen=${look(state, name, now_ms)} trace=${state.traces[name]} now_ms=${now_ms} redraw=${redraw} wall=${wall} />`)}</main>
    <${Footer} state=${state} wall=${wall} traces ...${app.theme} /></div>`;
}
