// The link that came with a page: opened once, it shows that page and goes on showing it; or it says why not.

import { api } from "./api.js";
import { html } from "./html.js";
import { Plain, Told } from "./plain.js";
import { words } from "./words.js";

const EVERY_MS = 1_000;

export const Link = ({ app }) => html`<${Plain} app=${app} here="/link" title=${words.linkOpening}><${Told} state=${app.state} />${app.state.told && html`<a class="button main" href="/signin">${words.signIn}</a>`}<//>`;

/** Opens what stands behind the # of the address: {page_id}, or {why}. */
export async function openLink() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  const answer = await api.openLink(token);
  return answer.ok ? { page_id: answer.data.page_id } : { why: answer.status === 422 ? words.linkFailed : answer.detail };
}

/** Who has opened one page has no stream: it is asked for again and again. `put` gets snapshots; ends where it is refused. */
export async function follow(page_id, put) {
  const answer = await api.page(page_id);
  if (answer.ok) put({ kind: "snapshot", data: answer.data, seq: null });
  if (answer.ok || answer.status === 0) setTimeout(follow, EVERY_MS, page_id, put);
  return answer.ok;
}
