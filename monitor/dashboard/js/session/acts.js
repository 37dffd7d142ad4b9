// What the working screens do: moves of the session, said the same on button, answer and record. An entry is never deleted: a wrong one is struck, and what should have been entered stands instead.

import { api } from "../api.js";
import { words } from "../words.js";
import { said } from "./words.js";

/** One move. `what` names it where a name has to be signed first; `done` is said once it is taken. */
export const move = (app, t, what, body, done = words.savedPlain, more = () => null) => app.acts.move(t.session, what, body, done, more);

/** Several moves of one press, one after the other: the first that is refused ends it and speaks for all. */
export async function moves(app, t, what, bodies, done, more) {
  let answer = { ok: true };
  for (const [i, body] of bodies.entries()) {
    const last = i === bodies.length - 1;
    answer = await move(app, t, what, body, last ? done : undefined, last ? more : undefined);
    if (!answer.ok) return answer;
  }
  return answer;
}

const timed = (minutes) => (minutes ? { minutes_ago: minutes } : {});

/** Scores as {name: value}; what was said of them is offered to be corrected. */
export const saveScores = (app, t, scores, minutes, text, note = {}) => moves(app, t, text,
  Object.entries(scores).map(([score, value]) => ({ kind: "score", score, value, ...(note[score] ? { note: note[score] } : {}), ...timed(minutes) })),
  said.savedOf(text), () => ({ text: words.correct, act: () => { app.dispatch({ kind: "told", told: null }); const names = Object.keys(scores); app.beside(names.length === 1 ? `session correct ${names[0]}` : "session correct"); } }));

/** A symptom that is there; taken back at once its newest entry is struck. */
export const noteSymptom = (app, t, symptom, severe, minutes) => move(app, t, said.symptomNames[symptom], { kind: "symptom", symptom, severe, ...timed(minutes) },
  said.savedOf(severe ? `${said.symptomNames[symptom]}, ${said.severe}` : said.symptomNames[symptom]),
  () => ({ text: words.undo, act: () => withdraw(app, t, symptom) }));

/** Which entry it was stands in the session as the server knows it now; the screen may not have heard of it yet. */
async function withdraw(app, t, symptom) {
  const { data } = await api.session(t.session), line = data?.now?.timeline.findLast((one) => one.kind === "symptom" && one.may_correct && one.words.toLowerCase().startsWith(symptom));
  const body = line ? { kind: "correct", entry: line.entry, instead: null, why: said.atOnce } : { kind: "symptom", symptom, over: true };
  return move(app, t, words.undo, body, said.taken(said.symptomNames[symptom]));
}

export const symptomOver = (app, t, symptom) => move(app, t, said.over(said.symptomNames[symptom]), { kind: "symptom", symptom, over: true }, said.savedOf(said.over(said.symptomNames[symptom])));

/** One step of the session. */
export const step = (app, t, kind, what, { why = "", minutes = 0 } = {}) => move(app, t, what, { kind, ...(why ? { why } : {}), ...timed(minutes) }, said.savedOf(what));
