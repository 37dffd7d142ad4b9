// What the working screens do: moves of the session, said the same on button, answer and record. An entry is never deleted; a later one stands instead.

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
  said.savedOf(text), () => ({ text: words.correct, act: () => { app.dispatch({ kind: "told", told: null }); app.beside("session scores"); } }));

/** A symptom that is there; taken back it is marked as over, at once. */
export const noteSymptom = (app, t, symptom, severe, minutes) => move(app, t, said.symptomNames[symptom], { kind: "symptom", symptom, severe, ...timed(minutes) },
  said.savedOf(severe ? `${said.symptomNames[symptom]}, ${said.severe}` : said.symptomNames[symptom]),
  () => ({ text: words.undo, act: () => move(app, t, words.undo, { kind: "symptom", symptom, over: true }, said.taken(said.symptomNames[symptom])) }));

export const symptomOver = (app, t, symptom) => move(app, t, said.over(said.symptomNames[symptom]), { kind: "symptom", symptom, over: true }, said.savedOf(said.over(said.symptomNames[symptom])));

/** One step of the session. */
export const step = (app, t, kind, what, { why = "", minutes = 0 } = {}) => move(app, t, what, { kind, ...(why ? { why } : {}), ...timed(minutes) }, said.savedOf(what));
