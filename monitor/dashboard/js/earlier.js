// Earlier sessions of the same patient: as thin traces behind today's, moved so that the drug begins at the same place, and as what the pressure did.

import { html } from "./html.js";
import { day, words } from "./words.js";

const MINUTE_MS = 60_000;

/** Their traces on today's time line: {vitals: {row: [[at_ms, value]]}, cuffs: [[at_ms, upper, lower]]}. A minute without a value is a hole. */
export const tracesOf = (earlier, zero_ms) => (earlier?.sessions ?? []).map((one) => ({
  vitals: { hr: lineOf(one.heart_rate, zero_ms), spo2: lineOf(one.spo2, zero_ms) },
  cuffs: one.cuffs.map((c) => [zero_ms + c.minute * MINUTE_MS, c.systolic, c.diastolic]),
}));

function lineOf(minutes, zero_ms) {
  const line = [];
  let before = null;
  for (const { minute, value } of minutes) {
    if (before !== null && minute - before > 2) line.push([zero_ms + (before + 1) * MINUTE_MS, null]);
    line.push([zero_ms + minute * MINUTE_MS, value]);
    before = minute;
  }
  return line;
}

/** What the upper pressure did each time: today first, then the earlier ones, the newest first. */
export function Responses({ earlier }) {
  if (!earlier) return null;
  const rows = [earlier.now && { key: "now", name: words.todayIs, of: earlier.now }, ...earlier.sessions.map((one) => ({ key: one.session, name: day(one.start_at_ms), of: one.response }))].filter(Boolean);
  return html`<section class="responses" aria-labelledby="responses"><h2 id="responses">${words.responses}</h2>
    ${earlier.sessions.length === 0 ? html`<p>${earlier.why_not}</p>` : html`<ul>${rows.map((row) => html`<li key=${row.key} class=${row.key === "now" ? "now" : ""}><b>${row.name}</b><span>${words.response(row.of)}</span></li>`)}</ul>`}</section>`;
}
