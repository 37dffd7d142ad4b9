// What a refused move lacks, line by line, and the way from each line to the field that fills it.

import { html } from "../html.js";
import { ofBed } from "../look.js";
import { treatmentOf } from "../treatment.js";
import { draftOf, keep } from "./drafts.js";
import { pageOf, PAGES, within } from "./stage.js";

/** Where a line of what is missing is filled: {page, field}; either may be null. The lines are the server's own, held against what it has shown. Pure. */
export function placeOf(t, line, alarms = []) {
  const gate = t.gates.find((g) => !g.open && line.includes(g.words));
  if (gate) return { page: "gate", field: `gate-${gate.gate}` };
  const question = t.questions.find((q) => line.endsWith(q.asks));
  if (question) return { page: "questions", field: `question-${question.question}` };
  const item = t.ready_items.find((i) => line.startsWith(`${i.title}: `));
  if (item) return { page: "leave", field: item.item === "signed" ? "sign" : `item-${item.item}` };
  const pressure = t.pressures.find((p) => p.missing === line);
  if (pressure) return { page: "leave", field: `pressure-${pressure.pressure}` };
  const score = t.scores.find((s) => line.startsWith(`${s.title}: `) || line.endsWith(`: ${s.title} is missing.`));
  if (score) return { page: null, field: `score-${score.score}` };
  const check = t.checks.find((c) => line.startsWith(`${c.title}: `));
  if (check) return { page: "now", field: `check-${check.check}` };
  if (t.baseline.missing.includes(line)) return { page: "baseline", field: "cuff" };
  return { page: null, field: alarms.some((text) => line.includes(text)) ? "alarm" : null };
}

const FOCUSABLE = "button:not(:disabled), input, select, summary";
const atWork = () => document.querySelector("[data-screen='start']") !== null;
const found = (field) => field && document.querySelector(`[data-field~="${CSS.escape(field)}"]`);

/** To the page, then to the field; what has none leads to the first field of the page that waits. */
function lead(app, bed, t, line) {
  const { page, field } = placeOf(t, line, ofBed(app.state, bed.bed).map((a) => a.text).filter(Boolean));
  if (!atWork() && PAGES.includes(page)) app.go(`/bed/${bed.bed}/start`);   // the pages of a start are there and nowhere else
  const start = atWork();
  if (start && !found(field)) {
    const draft = draftOf(bed.bed);
    app.beside(null);
    if (page && within(bed, draft).includes(page)) keep(bed.bed, { page: page === pageOf(bed, draft) ? null : page });
    app.redrawNow();
  }
  if (field && !found(field) && (page === "leave" || field.startsWith("score-"))) app.beside(page === "leave" ? "session leave" : "session scores");
  const place = found(field) ?? document.querySelector(start ? "#flow > .stands" : "#session"), at = place?.matches(FOCUSABLE) ? place : place?.querySelector(FOCUSABLE);
  place?.scrollIntoView({ block: "center" });
  at?.focus({ preventScroll: true });
}

/** Each line leads to its field, and puts the focus into it. */
export const Lacks = ({ app, bed, lines }) => {
  const t = treatmentOf(bed), to = (event, line) => { event.preventDefault(); lead(app, bed, t, line); };
  return html`<ul class="lacks">${lines.map((line) => html`<li key=${line}>${t ? html`<a href="/bed/${bed.bed}/start" onClick=${(event) => to(event, line)}>${line}</a>` : line}</li>`)}</ul>`;
};
