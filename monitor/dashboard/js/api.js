// The acts of staff, as the API knows them. An answer is {ok, status, data, detail}: detail is a sentence for the nurse.

import { words } from "./words.js";

const ROOT = "/api/v1";
/** After so long nobody waits any more: what was pressed has no answer, and says so. */
const PATIENCE_MS = 20_000;
/** Weeks of sessions are judged anew. */
const REPLAY_PATIENCE_MS = 900_000;

export async function ask(method, path, body, patience_ms = PATIENCE_MS) {
  let response, text;
  try {
    response = await fetch(ROOT + path, {
      method, headers: body === undefined ? {} : { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store",
      signal: AbortSignal.timeout(patience_ms),
    });
    text = await response.text();
  } catch {
    return { ok: false, status: 0, data: null, detail: words.noAnswer };
  }
  const data = text && /json/.test(response.headers.get("Content-Type") ?? "") ? JSON.parse(text) : null;
  const detail = response.ok ? null : typeof data?.detail === "string" ? data.detail : words.refused;
  return { ok: response.ok, status: response.status, data, detail };
}

const id = encodeURIComponent;

export const api = {
  me: () => ask("GET", "/me"),
  signIn: (body) => ask("POST", "/signin", body),
  signOut: () => ask("POST", "/signout"),
  acknowledge: (alarm) => ask("POST", `/alarms/${id(alarm)}/acknowledge`),
  quieten: (bed, kind, vital, seconds, why) => ask("POST", `/beds/${id(bed)}/pauses`, { kind, vital, seconds, why }),
  setLimit: (bed, rule, limit, why) => ask("PUT", `/beds/${id(bed)}/limits`, { rule, limit, why }),
  saySound: (state) => ask("POST", "/screens/sound", { state }),
  pauseAudio: (bed) => ask("POST", `/beds/${id(bed)}/pauses`, { kind: "audio paused", seconds: 120, why: "" }),
  endPause: (bed, pause) => ask("DELETE", `/beds/${id(bed)}/pauses/${id(pause)}`),
  startCuff: (bed) => ask("POST", `/beds/${id(bed)}/cuff`),
  stopCuff: (bed) => ask("DELETE", `/beds/${id(bed)}/cuff`),
  bpByHand: (bed, systolic, diastolic) => ask("POST", `/beds/${id(bed)}/vitals`, { kind: "bp", systolic_mmhg: systolic, diastolic_mmhg: diastolic }),
  accept: (page) => ask("POST", `/pages/${id(page)}/accept`),
  callHelp: (page) => ask("POST", `/pages/${id(page)}/help`),
  reject: (page) => ask("POST", `/pages/${id(page)}/reject`, { why: "" }),
  rrByHand: (bed, per_min) => ask("POST", `/beds/${id(bed)}/vitals`, { kind: "respiration", per_min }),
  openSession: (session) => ask("POST", "/sessions", session),
  move: (session, body) => ask("POST", `/sessions/${id(session)}/moves`, body),
  closeSession: (session) => ask("POST", `/sessions/${id(session)}/moves`, { kind: "close" }),
  sessions: (query) => ask("GET", `/sessions?${new URLSearchParams(query)}`),
  session: (session) => ask("GET", `/sessions/${id(session)}`),
  series: (session) => ask("GET", `/sessions/${id(session)}/series`),
  whatIf: (body) => ask("POST", "/what-if", body, REPLAY_PATIENCE_MS),
  numbers: (weeks) => ask("GET", `/numbers?weeks=${weeks}`),
  form: (session) => ask("GET", `/sessions/${id(session)}/form.json`),
  setDuty: (duty) => ask("PUT", "/duty", duty),
  handOver: (was, to) => ask("POST", "/duty/hand-over", { was, to }),
  sendTest: () => ask("POST", "/duty/test"),
  openPage: (page) => ask("POST", `/pages/${id(page)}/open`),
  openLink: (token) => ask("POST", "/link", { token }),
  page: (page) => ask("GET", `/pages/${id(page)}`),
  alarms: (query) => ask("GET", `/alarms?${new URLSearchParams(query)}`),
  trend: (bed, from_ms, to_ms, points) => ask("GET", `/beds/${id(bed)}/trend?${new URLSearchParams({ from_ms: Math.floor(from_ms), to_ms: Math.ceil(to_ms), points })}`),
};
