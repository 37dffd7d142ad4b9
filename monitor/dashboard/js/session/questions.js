// Page three: the questions of the check-in, each in a row of its own with yes and no. Nothing is preset.
// Medicines and conditions that only set a flag are read out as one list: one press says that none of them is so, and each is recorded apart. What can stop or must be decided is answered by itself.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { words } from "../words.js";
import { move, moves, step } from "./acts.js";
import { Field } from "./controls.js";
import { keep } from "./drafts.js";
import { afterAnswer, unanswered } from "./stage.js";
import { said } from "./words.js";

export function Questions({ app, bed, t }) {
  const open = unanswered(t), done = t.phase !== "check_in";
  const onward = () => { keep(bed.bed, { page: null }); app.redrawNow(); };
  const answer = async (q, yes) => {
    const taken = await move(app, t, q.asks, { kind: "answer", question: q.question, yes }, said.savedOf(yes ? said.yes : said.no));
    // The last answer is what the check-in was waiting for.
    if (taken.ok && !done && open.every((each) => each.question === q.question)) await step(app, t, "checked_in", said.checkedIn);
  };
  const flags = t.questions.filter((q) => q.kind === "flag"), others = flags.filter((q) => q.yes === null), first = t.questions.indexOf(flags[0]), none = others.length < flags.length ? said.noneOther : said.noneOf;
  const noneOf = async () => {
    const taken = await moves(app, t, none, others.map((q) => ({ kind: "answer", question: q.question, yes: false })), said.savedOf(none));
    if (taken.ok && !done && open.every((each) => others.includes(each))) await step(app, t, "checked_in", said.checkedIn);
  };
  const rows = (some) => some.length > 0 && html`<ul>${some.map((q) => html`<${Row} key=${q.question} app=${app} t=${t} q=${q} answer=${answer} />`)}</ul>`;
  return html`<div class="questions stands"><p class="count" role="status">${said.answered(t.questions.length - open.length, t.questions.length)}</p>
    ${rows(t.questions.filter((q, i) => q.kind !== "flag" && (first < 0 || i < first)))}
    ${flags.length > 0 && html`<section class="any"><h3>${said.anyOf}</h3>${rows(flags)}${others.length > 1 && html`<button class="none" onClick=${noneOf}>${none}</button>`}</section>`}
    ${rows(t.questions.filter((q, i) => q.kind !== "flag" && first >= 0 && i > first))}
    ${(done || open.length === 0) && html`<div class="foot"><button class="main" onClick=${done ? onward : () => step(app, t, "checked_in", said.checkedIn)}>${done ? said.next : said.checkedIn}</button></div>`}</div>`;
}

function Row({ app, t, q, answer }) {
  const after = afterAnswer(q), flag = q.flag && q.yes ? t.flags.find((f) => f.flag === q.flag) : null;
  const opens = q.yes === true && q.kind !== "must";
  return html`<li data-field="question-${q.question}" data-after=${after ?? undefined}><fieldset><legend>${q.asks}</legend>
    <div class="pair">${[[true, said.yes], [false, said.no]].map(([value, text]) => html`<button key=${text} aria-pressed=${q.yes === value} onClick=${() => answer(q, value)}>${text}</button>`)}</div></fieldset>
    ${after && said.after[after] && html`<p class="after"><span class="mark" aria-hidden="true">!</span>${said.after[after]}</p>`}${flag && html`<p class="after">${flag.words}</p>`}
    ${opens && html`<${More} app=${app} t=${t} q=${q} />`}</li>`;
}

/** A yes opens one line: it may stay empty. */
function More({ app, t, q }) {
  const [text, setText] = useState(q.note), [open, setOpen] = useState(q.note !== "");
  const label = q.question === "escort" ? said.escortWho : said.more;
  if (!open) return html`<button class="quiet" onClick=${() => setOpen(true)}>${label}</button>`;
  const save = (event) => { event.preventDefault(); if (text.trim() !== q.note) move(app, t, q.asks, { kind: "answer", question: q.question, yes: true, note: text.trim() }, words.savedPlain); };
  return html`<form class="more" onSubmit=${save} noValidate><${Field} name="note-${q.question}" label=${label} value=${text} change=${setText} first=${q.note === ""} /><button>${said.keep}</button></form>`;
}
