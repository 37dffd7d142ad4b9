// Page two: what is given. One tap opens the session, and says whether it is the first of this patient.

import { html } from "../html.js";
import { words } from "../words.js";
import { draftOf, forget, keep } from "./drafts.js";
import { said } from "./words.js";

const upTo = ([least, most]) => Array.from({ length: most - least + 1 }, (_, i) => least + i);

/** Every plan that the clinic's therapies allow, one line each. */
export const plansOf = (therapies) => therapies.filter((t) => t.refusal === null)
  .flatMap((t) => (t.devices === null ? [{ ...t, n: 0, name: t.way }] : upTo(t.devices).map((n) => ({ ...t, n, name: said.mg(t.way, n) }))))
  .map((plan, _, all) => ({ ...plan, spoken: all.some((other) => other.name === plan.name && other.therapy !== plan.therapy) ? `${plan.name}, ${plan.title}` : plan.name }));

/** Why a therapy cannot be chosen; what somebody does about it in the settings is not for the bedside. */
const firstOf = (text) => text.split(/(?<=\.) /)[0];

export function Plan({ app, bed, watch }) {
  const { therapies } = app.state, draft = draftOf(bed.bed), refused = therapies.filter((t) => t.refusal !== null), plans = plansOf(therapies);
  const open = async (plan, first) => {
    const answer = await app.acts.openSession({ bed: bed.bed, alias: draft.alias, therapy: plan.therapy, age_years: draft.years, devices: plan.n, first });
    if (answer.ok) forget(bed.bed);
  };
  const line = (plan) => {
    const [youngest, oldest] = plan.age_years, fits = draft.years >= youngest && draft.years <= oldest;
    return html`<li key="${plan.therapy} ${plan.n}"><h3>${plan.name}</h3><p class="hint">${[plan.n > 0 && said.devices(plan.n), plan.title !== plan.name && plan.title].filter(Boolean).join(" · ")}</p>
      ${fits ? html`<div class="pair"><button class="big" aria-label=${said.beforeOf(plan.spoken)} onClick=${() => open(plan, false)}>${said.before}</button><button class="big" aria-label=${said.firstOf(plan.spoken)} onClick=${() => open(plan, true)}>${said.first}</button></div>` : html`<p>${said.ages(youngest, oldest)}</p>`}</li>`;
  };
  return html`<div class="form stands"><p class="for">${said.forWhom(draft.alias, draft.years)}</p>
    ${plans.length === 0 && html`<p class="nothing">${said.noTherapies}</p>`}<ul class="plans">${plans.map(line)}</ul>
    ${refused.length > 0 && html`<section><h3>${said.notNow}</h3><ul class="refused">${refused.map((t) => html`<li key=${t.therapy}>${t.title}: ${firstOf(t.refusal)}</li>`)}</ul></section>`}
    <div class="foot"><button onClick=${() => { keep(bed.bed, { page: "who" }); app.redrawNow(); }}>${said.back}</button><button class="quiet" onClick=${watch}>${said.watchOnly}</button></div></div>`;
}
