// What a screen reader says: two live regions and no third. HIGH at once; the rest at most one sentence in 5 s.

import { isOpen, textOf } from "./look.js";
import { words } from "./words.js";

const CALM_MS = 5_000;

/** What is worth saying between two states: [{loud, text}], each once. Pure. */
export function utterances(was, is) {
  const said = [];
  if (is.link.is === "lost" && was.link.is !== "lost") said.push({ loud: true, text: words.sayLost });
  for (const alarm of Object.values(is.alarms)) {
    const before = was.alarms[alarm.alarm_id];
    const raised = alarm.state === "active" && before?.state !== "active", worse = before && before.priority !== alarm.priority && isOpen(alarm);
    if (!alarm.spoken_for && (raised || worse)) said.push({ loud: alarm.priority === "HIGH", text: words.sayRaised({ ...alarm, text: textOf(alarm) }), low: alarm.priority === "LOW" });
  }
  for (const alarm of Object.values(was.alarms)) {
    if (isOpen(alarm) && !is.alarms[alarm.alarm_id] && !alarm.spoken_for) said.push({ loud: false, text: words.sayCleared({ ...alarm, text: textOf(alarm) }) });
  }
  for (const page of Object.values(is.pages)) {
    const all = (p) => p && p.outcomes.length > 0 && p.outcomes.every((o) => o.outcome === "failed" || o.outcome === "timed out");
    if (!page.over && all(page) && !all(was.pages[page.page_id])) said.push({ loud: true, text: words.sayUnreached(words.bed(page.bed)) });
  }
  if (is.told && is.told !== was.told && is.told.is !== "refused") said.push({ loud: false, text: is.told.text });
  return said.filter((s) => !s.low);
}

export class Voice {
  #waiting = [];
  #timer = null;
  constructor(loud, calm) { this.loud = loud; this.calm = calm; }

  say({ loud, text }) {
    if (loud) return put(this.loud, text);
    this.#waiting = [...this.#waiting.filter((t) => t !== text), text].slice(-6);
    if (this.#timer === null) this.#next();
  }

  #next() {
    const text = this.#waiting.shift();
    if (text === undefined) { this.#timer = null; return; }
    put(this.calm, text);
    this.#timer = setTimeout(() => this.#next(), CALM_MS);
  }
}

// A new paragraph each time, so that the same sentence twice is said twice; the last few stay to be found again.
function put(region, text) {
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  while (region.childElementCount > 3) region.firstElementChild.remove();
}
