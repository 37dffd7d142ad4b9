// The sessions: who is here and who was, what each still lacks, when its form is due, and its record in every shape.

import { useEffect, useState } from "preact/hooks";
import { api } from "./api.js";
import { html } from "./html.js";
import { named } from "./look.js";
import { Plain, Told } from "./plain.js";
import { day, clock, words } from "./words.js";

const REFRESH_MS = 60_000;
const FILES = [["pdf", "PDF"], ["csv", "CSV"], ["trends.csv", "Trends"], ["json", "JSON"], ["fhir.json", "FHIR"], ["hl7", "HL7"]];

export const fileOf = (session, ending) => `/api/v1/sessions/${session}/report.${ending}`;
export const formFile = (session, ending) => `/api/v1/sessions/${session}/form.${ending}`;

export function Sessions({ app }) {
  const { state } = app, [rows, setRows] = useState(null), [more, setMore] = useState(false), [shown, setShown] = useState("all"), [alias, setAlias] = useState("");
  const who = state.me?.name;
  useEffect(() => {
    let here = true;
    const read = async () => {
      const answer = await api.sessions({});
      if (!here) return;
      setRows(answer.ok ? answer.data.sessions : { refused: answer.detail });
      setMore(answer.ok && answer.data.more);
    };
    read();
    const timer = setInterval(read, REFRESH_MS);
    return () => { here = false; clearInterval(timer); };
  }, [who]);
  if (rows === null) return html`<${Plain} app=${app} here="/sessions" title=${words.sessions}><p class="nothing">${words.reading}</p><//>`;
  if (rows.refused) return html`<${Plain} app=${app} here="/sessions" title=${words.sessions}><p class="nothing">${words.sessionsFor}</p><p class="error">${rows.refused}</p><a class="button main" href="/signin">${words.signIn}</a><//>`;
  const all = rows.map((one) => fresh(state, one)), found = all.filter((one) => KINDS[shown](one) && (!alias || (one.alias ?? "").toLowerCase().includes(alias.toLowerCase())));
  return html`<${Plain} app=${app} here="/sessions" title=${words.sessions}><${Told} state=${state} />
    <div class="filters"><fieldset class="tabs"><legend class="sr">${words.whichSessions}</legend>${Object.keys(KINDS).map((kind) => html`<button key=${kind} type="button" aria-pressed=${shown === kind} onClick=${() => setShown(kind)}>${words.sessionKinds[kind]} <small>${all.filter(KINDS[kind]).length}</small></button>`)}</fieldset>
      <label>${words.alias}<input value=${alias} autocomplete="off" onInput=${(e) => setAlias(e.currentTarget.value)} /></label></div>
    ${found.length === 0 ? html`<p class="nothing">${all.length ? words.noSuchSession : words.noSessions}</p>` : html`<ul class="sessions">${found.map((one) => html`<${Row} key=${one.session} app=${app} one=${one} />`)}</ul>`}
    ${more && html`<p class="hint">${words.olderSessions}</p>`}<//>`;
}

const owes = ({ treatment: t }) => t?.form && t.form.sent_at_ms === null;
const KINDS = { all: () => true, open: (one) => one.closed_at_ms === null, owing: owes };

/** What the stream has said since of a session whose patient is here. */
const fresh = (state, one) => Object.values(state.beds).find((bed) => bed.session?.session === one.session)?.session ?? one;

function Row({ app, one }) {
  const { state } = app, { treatment: t, session } = one, open = one.closed_at_ms === null;
  const lacks = (t?.missing ?? []).filter((line) => line !== t.form?.words), list = html`<ul>${lacks.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`;
  return html`<li class=${open ? "open" : ""}><h2><a href=${open ? `/bed/${one.bed}` : fileOf(session, "pdf")} target=${open ? undefined : "_blank"}>${one.alias ?? words.session(session)}</a></h2>
    <p class="what">${[words.bed(one.bed), t?.way ?? words.phase.watch, t ? words.phase[t.phase] : open ? null : words.phase.closed].filter(Boolean).join(" · ")}</p>
    <p class="when">${words.fromTo(day(one.opened_at_ms), clock(one.opened_at_ms, false), one.closed_at_ms === null ? null : clock(one.closed_at_ms, false))}${t?.signed_by.length > 0 && `. ${words.signedBy(t.signed_by.map((name) => named(state, name)))}`}</p>
    ${t?.form && html`<p class="form-due" data-late=${t.form.late ? "" : undefined}>${t.form.sent_at_ms === null ? html`<a href="/sessions/${session}/form">${t.form.words}</a>` : html`<a href="/sessions/${session}/form">${words.formSentAt(day(t.form.sent_at_ms))}</a>`}</p>`}
    ${lacks.length > 0 && (open ? html`<details class="lacks"><summary>${words.stillMissing(lacks.length)}</summary>${list}</details>` : html`<div class="lacks">${list}</div>`)}
    <p class="files"><span class="sr">${words.recordOf(one.alias ?? session)}</span>${FILES.map(([ending, name]) => html`<a key=${ending} href=${fileOf(session, ending)} target="_blank" rel="noopener">${words.files[name] ?? name}</a>`)}</p></li>`;
}
