// Page six of a nasal session: each device is scanned, read back, and said to be given; the next one counts down.

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { words } from "../words.js";
import { move } from "./acts.js";
import { Field, lacking, useEarlier } from "./controls.js";
import { draftOf, keep } from "./drafts.js";
import { hasExpired, readDevice } from "./gs1.js";
import { Lacks } from "./lacking.js";
import { Scan } from "./scan.js";
import { moveOf } from "./stage.js";
import { Turn } from "./turns.js";
import { said } from "./words.js";

const dayOf = (at_ms) => new Date(at_ms).toISOString().slice(0, 10);

export function Devices({ app, bed, t }) {
  const { now_ms } = app, next = t.next_device, draft = draftOf(bed.bed), scanned = draft.scanned?.number === next?.number ? draft.scanned : null;
  const [typing, setTyping] = useState(false), [minutes, earlier, again] = useEarlier(), can = moveOf(t, "device"), fewer = moveOf(t, "no_more_devices");
  useEffect(() => { again(); setTyping(false); }, [next?.number]);
  const hold = (found) => { keep(bed.bed, { scanned: { ...found, number: next.number } }); app.redrawNow(); };
  const read = (text) => {
    const found = readDevice(text);
    if (found === null) return said.noGs1;
    if (found.unclear) { setTyping(true); return said.unclear; }
    if (hasExpired(found.expires, dayOf(now_ms))) return said.expired(found.expires);
    if (found.serial !== null && draft.used.includes(`${found.lot} ${found.serial}`)) return said.sameDevice;
    hold(found);
    return null;
  };
  const give = async () => {
    const { lot, expires, serial } = scanned;
    const body = { kind: "device", number: next.number, lot, expires, last: next.last, ...(minutes ? { minutes_ago: minutes } : {}) };
    const answer = await move(app, t, said.given(next.number), body, said.savedOf(said.given(next.number)));
    if (answer.ok) keep(bed.bed, { scanned: null, used: serial === null ? draft.used : [...draft.used, `${lot} ${serial}`], page: null });
  };
  const wait_ms = next?.not_before_at_ms ? next.not_before_at_ms - now_ms - minutes * 60_000 : 0;
  // Only the lot of this device, the spacing is counted down here: what else is missing is said as it stands.
  const lacks = (can?.missing ?? []).filter((line) => !/^Device \d+ in /.test(line));
  return html`<div class="devices form stands"><ol>${Array.from({ length: t.devices_planned }, (_, i) => t.devices[i] ?? null).map((d, i) => html`<li key=${i} data-given=${d ? "" : undefined}><b>${i + 1}</b><span>${d ? said.givenAt(d.at_ms, d.lot) : i === (next?.number ?? 0) - 1 && scanned ? `${said.lot} ${scanned.lot}` : said.notGiven}</span></li>`)}</ol>
    ${next && (scanned ? html`<p class="readback"><b>${said.readBack(scanned.lot, scanned.expires)[0]}</b>${said.readBack(scanned.lot, scanned.expires)[1]}${scanned.serial && said.serialIs(scanned.serial)} <button class="quiet" onClick=${() => { keep(bed.bed, { scanned: null }); app.redrawNow(); }}>${words.correct}</button></p>`
      : typing ? html`<${Typed} today=${dayOf(now_ms)} hold=${hold} back=${() => setTyping(false)} />`
        : html`<${Scan} key=${next.number} name="scan" label=${`${said.scanLot} ${next.number}`} read=${read} />`)}
    ${lacks.length > 0 && html`<section class="lacks"><h3>${said.stillMissing}</h3><${Lacks} app=${app} bed=${bed} lines=${lacks} /></section>`}
    <div class="row-of-acts">${next && !scanned && !typing && html`<button class="quiet" onClick=${() => setTyping(true)}>${said.typeLot}</button>`}${next && earlier}${fewer && html`<${Fewer} app=${app} t=${t} />`}</div>
    <div class="foot">${next && html`<button class="main giant" disabled=${wait_ms > 0 || !scanned || lacks.length > 0} onClick=${give}>${wait_ms > 0 ? said.deviceIn(next.number, Math.ceil(wait_ms / 1000) * 1000) : said.given(next.number)}</button>`}</div></div>`;
}

/** Lot and date as they stand on the device, for a code that cannot be read. */
function Typed({ today, hold, back }) {
  const [lot, setLot] = useState(""), [expires, setExpires] = useState(""), [error, setError] = useState(null);
  const take = (event) => {
    event.preventDefault();
    const wrong = lacking("lot", lot, said.needLot) ?? (!/^\d{4}-\d{2}-\d{2}$/.test(expires.trim()) ? { at: "expires", text: said.expiresHint } : hasExpired(expires.trim(), today) ? { at: "expires", text: said.expired(expires.trim()) } : null);
    setError(wrong);
    if (!wrong) hold({ lot: lot.trim(), expires: expires.trim(), serial: null });
  };
  return html`<form class="form inset" onSubmit=${take} noValidate><${Field} name="lot" label=${said.lot} value=${lot} change=${setLot} error=${error} first max=${40} /><${Field} name="expires" label=${said.expires} hint=${said.expiresHint} value=${expires} change=${setExpires} error=${error} max=${10} />
    <div class="row-of-acts"><button>${said.keep}</button><button type="button" class="quiet" onClick=${back}>${said.scanLotInstead}</button></div></form>`;
}

function Fewer({ app, t }) {
  const [open, setOpen] = useState(false);
  return open ? html`<${Turn} app=${app} t=${t} kind="no_more_devices" close=${() => setOpen(false)} />` : html`<button class="quiet" onClick=${() => setOpen(true)}>${said.moves.no_more_devices[0]}</button>`;
}
