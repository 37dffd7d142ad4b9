// The forms that any screen of a bed may open for its session, by name: "session scores", "session symptoms", "session note", "session adverse",
// "session due", "session leave", "session correct 37", "session turn hold". A screen calls `formOf(app, bed)` and shows what it gives; null: the form is not of a session.

import { html } from "../html.js";
import { treatmentOf } from "../treatment.js";
import { Corrections } from "./correct.js";
import { AdverseEvent, Note } from "./entries.js";
import { Leave } from "./leave.js";
import { Tasks } from "./now.js";
import { AllScores } from "./scales.js";
import { Symptoms } from "./symptoms.js";
import { Turn } from "./turns.js";
import { words } from "../words.js";
import { said } from "./words.js";

export function formOf(app, bed) {
  const t = treatmentOf(bed), { shown } = app, close = () => app.beside(null);
  if (!t || !shown?.startsWith("session ")) return null;
  const [name, kind] = shown.slice(8).split(" ");
  switch (name) {
    case "scores": return html`<${AllScores} app=${app} t=${t} close=${close} />`;
    case "symptoms": return html`<${Symptoms} app=${app} t=${t} close=${close} />`;
    case "note": return html`<${Note} app=${app} t=${t} close=${close} />`;
    case "adverse": return html`<${AdverseEvent} app=${app} t=${t} close=${close} />`;
    case "correct": return html`<${Corrections} app=${app} t=${t} which=${kind} close=${close} />`;
    case "turn": return html`<${Turn} key=${kind} app=${app} t=${t} kind=${kind} close=${close} />`;
    case "due": return html`<section class="beside during"><div class="head"><h2>${said.dueNow}</h2><button class="quiet" onClick=${close}>${words.close}</button></div><${Tasks} app=${app} bed=${bed} t=${t} /></section>`;
    case "leave": return html`<section class="beside"><div class="head"><h2>${said.leaving}</h2><button class="quiet" onClick=${close}>${words.close}</button></div><${Leave} app=${app} bed=${bed} t=${t} entries=${false} /></section>`;
    default: return null;
  }
}
