// Page five, only where there is a finding: what a prescriber decides, and what nobody can.

import { html } from "../html.js";
import { named } from "../look.js";
import { Anew } from "./baseline.js";
import { Decide } from "./decide.js";
import { keep } from "./drafts.js";
import { shut } from "./stage.js";
import { said } from "./words.js";

export function Gate({ app, bed, t }) {
  const closed = shut(t), onward = () => { keep(bed.bed, { page: null }); app.redrawNow(); };
  return html`<div class="gates form stands"><ul>${t.gates.map((g) => html`<li key=${g.gate} data-field="gate-${g.gate}" data-result=${g.result} data-open=${g.open ? "" : undefined}>
      <h3>${g.open ? "" : `${g.result === "ask" ? said.ask : said.stop}: `}${g.words}</h3>
      ${g.decided && html`<p>${said.decided(named(app.state, g.decided.by), g.decided.why)}</p>`}
      ${!g.open && (g.may.length > 0 ? html`<${Decide} app=${app} t=${t} what=${g.override} may=${g.may} />` : html`<p class="nothing">${said.nobodyDecides}</p>`)}</li>`)}</ul>
    ${closed.length > 0 ? html`<p class="hint">${said.rest}</p><${Anew} app=${app} t=${t} />` : html`<div class="foot"><button class="main" onClick=${onward}>${said.next}</button></div>`}</div>`;
}
