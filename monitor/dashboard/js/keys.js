// Single keys, outside of fields only, and only while they are turned on (WCAG 2.1.4). The wall has none.

import { chips, ofBed } from "./look.js";
import { treatmentOf } from "./treatment.js";

const inField = (target) => target.closest?.("input, select, textarea, [contenteditable]") !== null;
export const keysAreOn = () => localStorage.getItem("keys") !== "off";
export const setKeys = (on) => localStorage.setItem("keys", on ? "on" : "off");

/** Listens for keys; `app` gives state, route and what can be done. */
export function listenForKeys(app) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return app().escape();
    if (!keysAreOn() || inField(event.target) || event.repeat) return;
    const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? (/^\d$/.test(event.key) ? number : null);
    if (act) { event.preventDefault(); act(app(), event.key); }
  });
}

const number = (app, key) => {
  const bed = app.state.order[(Number(key) + 9) % 10];
  if (bed) app.go(`/bed/${bed}`);
};

const onBed = (act) => (app) => { if (app.bed) act(app, app.bed); };

function step(app, by) {
  const beds = chips(app.state).map((a) => a.bed).filter(Boolean);
  if (beds.length === 0) return;
  const at = beds.indexOf(app.bed), next = at < 0 ? (by > 0 ? 0 : beds.length - 1) : (at + by + beds.length) % beds.length;
  app.go(`/bed/${beds[next]}`);
}

const onTreatment = (form) => onBed((app, bed) => { if (treatmentOf(app.state.beds[bed])) app.beside(`session ${form}`); });

const ACTS = {
  f: (app) => app.go("/"),
  a: onBed((app, bed) => { if (ofBed(app.state, bed).some((a) => a.state !== "acked")) app.acts.acknowledge(bed); }),
  c: onBed((app, bed) => app.acts.startCuff(bed)),
  b: onBed((app) => app.beside("bp")),
  s: onTreatment("scores"),
  y: onTreatment("symptoms"),
  n: onTreatment("note"),
  p: onBed((app, bed) => app.acts.pauseAudio(bed)),
  j: (app) => step(app, 1),
  k: (app) => step(app, -1),
  l: (app) => app.signOut(),
  "?": (app) => app.go("/keys"),
};
