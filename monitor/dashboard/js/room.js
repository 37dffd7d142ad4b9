// A quiet screen inside a treatment room, beside somebody who is dreaming: that bed's clock, and nothing that sounds, flashes or tells of an alarm.

import { ring } from "./draw.js";
import { html } from "./html.js";
import { look } from "./look.js";
import { clock, words } from "./words.js";

export function Room({ app, bed }) {
  const { state, now_ms } = app, seen = state.beds[bed] ? look(state, bed, now_ms) : null, away = state.link.is !== "up" && state.link.is !== "back";
  return html`<div id="screen" aria-busy=${state.server ? undefined : "true"} class="room" data-screen="room">
    <main id="room"><h1 class="sr">${words.bed(bed)}</h1><p class="clock">${now_ms === null || away ? "––:––" : clock(now_ms, false)}</p>
      ${seen && !seen.empty && !away && ring(seen.ring)}
      <p class="nothing">${state.server && (away ? words.roomAway : seen ? seen.empty && words.empty : words.noSuchBed)}</p></main>
    <footer class="disclaimer"><span>${words.disclaimer}</span></footer></div>`;
}
