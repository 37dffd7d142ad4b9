// Which screens an alarm can be heard at, as each says of itself: the list, and the sign that points to it.

import { icon } from "./draw.js";
import { html } from "./html.js";
import { named, sounds, unheard } from "./look.js";
import { words } from "./words.js";

export function Sounds({ app }) {
  const { state, now_ms } = app, all = sounds(state, now_ms);
  return html`<section aria-labelledby="sounds"><h2 id="sounds">${words.soundsOf}</h2>
    ${all.length === 0 ? html`<p class="nothing">${state.server ? words.noSounds : ""}</p>` : html`<ul class="sounds">${all.map((s) => row(state, s, now_ms))}</ul>`}</section>`;
}

const row = (state, s, now_ms) => html`<li key=${s.screen} data-is=${s.is}>${icon(s.is === "off" ? "silent" : "sound")}<b>${words.soundIs[s.is](s, now_ms)}</b>
  <span>${s.is === "off" ? words.soundSince(s.at_ms, s.by && named(state, s.by)) : s.is === "heard" ? words.soundChecked(s.checked_at_ms, s.checked_by && named(state, s.checked_by)) : ""}</span></li>`;

/** Where duty is set: the stations on which nobody can rely, all of them. */
export function Unheard({ app }) {
  const found = unheard(app.state, app.now_ms);
  return found.length > 0 && html`<section class="unheard" aria-labelledby="unheard"><h2 id="unheard">${words.toSounds}</h2>
    <ul class="sounds">${found.map((s) => row(app.state, s, app.now_ms))}</ul></section>`;
}

/** In the bar: the first station whose sound is off, by name, and how many more. */
export function SoundMark({ state, now_ms, wall = false }) {
  const [first, ...more] = unheard(state, now_ms).filter((s) => s.is === "off");
  if (!first) return null;
  const others = more.length ? ` +${more.length}` : "";
  const whole = `${words.soundIs.off(first)}${others}`;
  // Beside the navigation is room for the name alone: the struck-out loudspeaker says the rest.
  return wall ? html`<p class="silent">${icon("silent")}<span>${whole}</span></p>`
    : html`<a class="silent" href="/sound">${icon("silent")}<span class="sr">${whole}</span><span aria-hidden="true">${first.name}${others}</span></a>`;
}
