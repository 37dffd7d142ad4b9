// Page one of a start: who lies here. A slip is scanned, or a short word and the age are typed.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { words } from "../words.js";
import { Field } from "./controls.js";
import { draftOf, keep } from "./drafts.js";
import { readSlip } from "./slips.js";
import { said } from "./words.js";

export function Who({ app, bed }) {
  const draft = draftOf(bed.bed), [alias, setAlias] = useState(draft.alias), [years, setYears] = useState(draft.years === null ? "" : String(draft.years)), [error, setError] = useState(null);
  const links = bed.devices.map((d) => app.state.links[d]).filter(Boolean);
  const send = (event) => {
    event.preventDefault();
    const slip = readSlip(alias), age = slip.years === null ? years.trim() : String(slip.years);
    setAlias(slip.alias);
    setYears(age);
    if (!slip.alias) return fail("alias", words.needAlias);
    if (!/^\d{1,3}$/.test(age) || Number(age) > 130) return fail("years", said.needAge);
    keep(bed.bed, { alias: slip.alias.slice(0, 40), years: Number(age), page: null, closed: null });
    app.redrawNow();
  };
  const fail = (at, text) => { setError({ at, text }); document.querySelector(`[name="${at}"]`)?.focus(); };
  return html`<form class="form stands" onSubmit=${send} noValidate>
    <p class="this">${said.thisIs(bed.bed)}</p>
    <p class="hint">${links.length ? `${said.devicesHere} ${links.map((l) => `${l.device}, ${words.link[l.state].toLowerCase()}`).join("; ")}.` : said.noDevices}</p>
    <${Field} name="alias" label=${words.alias} hint=${`${words.aliasHint} ${said.scanSlip}`} value=${alias} change=${(text) => { setError(null); setAlias(text); }} error=${error} first max=${60} />
    <${Field} name="years" label=${said.age} mode="numeric" value=${years} change=${(text) => { setError(null); setYears(text); }} error=${error} max=${3} />
    <div class="foot"><a class="button" href="/bed/${bed.bed}">${words.cancel}</a><button class="main">${said.next}</button></div></form>`;
}
