// Everything a screen knows, changed in one pure function: reduce(state, event) gives the next state.
// Times ending in _ms are the server's; perf_ms is this browser's monotonic clock. No I/O, no clock.

export const LATE_MS = 3_000, LOST_MS = 10_000;
const TRACE_MS = 30 * 60_000, BUCKET_MS = 10_000;  // 30 minutes in at most 180 points a trace
const RETURNED_MS = 30_000, TOLD_MS = 10_000;

export const start = (perf_ms = 0) => ({
  server: null, me: null, screen: null, order: [], beds: {}, alarms: {}, pages: {}, links: {}, parts: {}, duty: { on: [], beds: [] }, load: [], therapies: [], staff: [], sounds: {},
  traces: {}, seen: [],
  seq: null, gap: false, version: null,
  anchor: null,                       // {at_ms, perf_ms}: the last instant at which the server told us its time
  link: { is: "first", heard_perf_ms: perf_ms, since_ms: null, away_ms: 0, back_perf_ms: null },
  sound: "unknown", hears: { least: "LOW", beds: null }, reported: true, awake: true, wish: null, told: null,
});

/** The server's time at this instant of our own clock; a demo may run faster than real time. */
export const now = (state, perf_ms) =>
  state.anchor ? state.anchor.at_ms + (perf_ms - state.anchor.perf_ms) * (state.server?.speed ?? 1) : null;

const by = (key, rows) => Object.fromEntries(rows.map((row) => [row[key], row]));

export function reduce(state, event) {
  switch (event.kind) {
    case "snapshot": return heard(snapshot(state, event.data, event.seq ?? null), event.perf_ms, event.data.server.at_ms);
    case "events": return events(state, event.data);
    case "beat": return beat(state, event.data, event.perf_ms);
    case "tick": return tick(state, event.perf_ms);
    case "history": return backfill(state, event);
    case "me": return { ...state, me: event.me, hears: event.me?.hears ?? state.hears, screen: event.me?.screen ?? state.screen };
    case "reported": return { ...state, reported: event.is };
    case "sound": return { ...state, sound: event.is };
    case "awake": return { ...state, awake: event.is };
    case "wish": return { ...state, wish: event.wish };
    case "told": return { ...state, told: event.told && { ...event.told, perf_ms: event.perf_ms } };
    default: throw new Error(`no such event: ${event.kind}`);
  }
}

function snapshot(state, data, seq) {
  const beds = by("bed", data.beds);
  const traces = {};
  for (const bed of data.beds) traces[bed.bed] = traceOf(state.traces[bed.bed], bed);
  const next = {
    ...state, server: data.server, version: state.version ?? data.server.version, me: data.me, order: data.beds.map((b) => b.bed), beds,
    alarms: by("alarm_id", data.alarms.filter((a) => a.state !== "clear")), pages: by("page_id", data.pages), links: by("device", data.links),
    parts: by("part", data.parts), duty: data.duty, load: data.load ?? [], therapies: data.therapies ?? [], staff: data.staff ?? [], sounds: by("screen", data.sounds), traces, seq, gap: false,
    seen: data.alarms.reduce(remember, state.seen),
  };
  return data.beds.reduce((s, bed) => Object.values(bed.vitals).reduce((t, vital) => point(t, bed.bed, vital), s), next);
}

function events(state, { seq, changes }) {
  if (state.seq !== null && seq <= state.seq) return state;   // heard already, before a reconnect
  return { ...changes.reduce(change, state), seq };
}

function change(state, what) {
  switch (what.kind) {
    case "vital": {
      const bed = state.beds[what.bed];
      if (!bed) return state;
      const { kind, bed: name, ...vital } = what;
      return point({ ...state, beds: { ...state.beds, [name]: { ...bed, vitals: { ...bed.vitals, [vital.vital]: vital } } } }, name, vital);
    }
    case "bed": {
      const name = what.bed.bed;
      return {
        ...state, beds: { ...state.beds, [name]: what.bed }, order: state.order.includes(name) ? state.order : [...state.order, name],
        traces: { ...state.traces, [name]: traceOf(state.traces[name], what.bed) },
      };
    }
    case "alarm": {
      const { [what.alarm.alarm_id]: was, ...others } = state.alarms;
      const alarms = what.alarm.state === "clear" ? others : { ...others, [what.alarm.alarm_id]: what.alarm };
      return { ...state, alarms, seen: remember(state.seen, what.alarm) };
    }
    case "page": return { ...state, pages: { ...state.pages, [what.page.page_id]: what.page } };
    case "link": return { ...state, links: { ...state.links, [what.link.device]: what.link } };
    case "part": return { ...state, parts: { ...state.parts, [what.part.part]: what.part } };
    case "duty": return { ...state, duty: what.duty };
    case "load": return { ...state, load: what.load };
    case "treatment": {
      const bed = state.beds[what.bed];
      if (!bed?.session || bed.session.session !== what.treatment.session) return state;   // a late word about a patient who is not here any more
      const timeline = what.treatment.timeline ?? bed.treatment?.timeline ?? [];
      return { ...state, beds: { ...state.beds, [what.bed]: { ...bed, treatment: { ...what.treatment, timeline } } } };
    }
    case "sound": {
      const { [what.sound.screen]: was, ...others } = state.sounds;
      return { ...state, sounds: what.sound.state === null ? others : { ...others, [what.sound.screen]: what.sound } };
    }
    default: return state;   // a newer server may say more than this page understands
  }
}

/** Alarms this screen has seen raised, for the log of a session: newest first, bounded. */
function remember(seen, alarm) {
  if (alarm.state === "pending") return seen;
  const was = seen.find((a) => a.alarm_id === alarm.alarm_id);
  if (!was && alarm.state === "clear") return seen;   // gone in its delay, or before this screen looked
  return [{ ...was, ...alarm }, ...seen.filter((a) => a.alarm_id !== alarm.alarm_id)].slice(0, 200);
}

// Traces: one point in ten seconds, and of those in one bucket the one that strayed furthest, so that a short dip is seen.

const fresh = (session) => ({ session, vitals: {}, of: {}, cuffs: [], filled: 0 });

/** The traces of a bed belong to one session: another patient starts with nothing. */
function traceOf(trace, bed) {
  const session = bed.session?.session ?? null;
  const kept = trace && trace.session === session ? trace : fresh(session);
  return session === null ? kept : cuffPoint(kept, bed.cuff);
}

function point(state, name, vital) {
  const trace = state.traces[name], session = state.beds[name].session;
  if (!session || vital.at_ms < session.opened_at_ms) return state;
  const source = vital.device ?? "", was = trace.of[vital.vital] ?? source;
  const line = trace.vitals[vital.vital] ?? [], changes = vital.value !== null && was !== source;
  const points = insert(changes ? broken(line, vital.at_ms) : line, vital.at_ms, vital.value, vital.quality === "questionable");
  const of = vital.value === null ? trace.of : { ...trace.of, [vital.vital]: source };
  return { ...state, traces: { ...state.traces, [name]: { ...trace, of, vitals: { ...trace.vitals, [vital.vital]: points } } } };
}

/** Another device speaks from here on: no line joins what the two have measured. */
function broken(points, at_ms) {
  const last = points.at(-1);
  return !last || last[1] === null || at_ms <= last[0] ? points : [...points, [at_ms - 1, null]];
}

/** A point is [at_ms, value], with a third true where the device itself was in doubt. */
function insert(points, at_ms, value, doubtful) {
  const last = points.at(-1);
  if (last && at_ms < last[0]) return points;   // late: the history has it, the line does not
  if (last && Math.floor(last[0] / BUCKET_MS) === Math.floor(at_ms / BUCKET_MS) && (last[1] === null) === (value === null)) {
    const before = points.at(-2)?.[1] ?? last[1];
    const stray = value === null || Math.abs(value - before) >= Math.abs(last[1] - before) ? value : last[1];
    return [...points.slice(0, -1), made(last[0], stray, doubtful || last[2])];
  }
  const from = at_ms - TRACE_MS - BUCKET_MS;
  const kept = points.length && points[0][0] < from ? points.filter(([t]) => t >= from) : points;
  return [...kept, made(at_ms, value, doubtful)];
}
const made = (at_ms, value, doubtful) => (doubtful && value !== null ? [at_ms, value, true] : [at_ms, value]);

function cuffPoint(trace, cuff) {
  if (!cuff || cuff.systolic_mmhg === null || cuff.measured_at_ms === null) return trace;
  if (trace.cuffs.some(([t]) => t === cuff.measured_at_ms)) return trace;
  const cuffs = [...trace.cuffs, [cuff.measured_at_ms, cuff.systolic_mmhg, cuff.diastolic_mmhg]];
  return { ...trace, cuffs: cuffs.sort((a, b) => a[0] - b[0]).slice(-400) };
}

/** What the server remembers of before this screen looked: it goes in front of what was seen live. */
function backfill(state, { bed, session, vitals, cuffs }) {
  const trace = state.traces[bed];
  if (!trace || trace.session !== session) return state;
  const merged = { ...trace.vitals };
  for (const [vital, points] of Object.entries(vitals)) {
    const live = trace.vitals[vital] ?? [], first = live[0]?.[0] ?? Infinity;
    merged[vital] = [...points.filter(([t]) => t < first), ...live];
  }
  const known = new Set(trace.cuffs.map(([t]) => t));
  const all = [...cuffs.filter(([t]) => !known.has(t)), ...trace.cuffs].sort((a, b) => a[0] - b[0]);
  return { ...state, traces: { ...state.traces, [bed]: { ...trace, vitals: merged, cuffs: all, filled: trace.filled + 1 } } };
}

// The link to the server.

function beat(state, { at_ms, seq }, perf_ms) {
  // Messages come in order: a beat that counts further than we have heard means that something is missing.
  const gap = state.seq !== null && seq > state.seq;
  return heard({ ...state, seq: state.seq ?? seq, gap }, perf_ms, at_ms);
}

function heard(state, perf_ms, at_ms) {
  const guess = now(state, perf_ms), speed = state.server?.speed ?? 1;
  // A message that was held up a little says an older time than it is: keep our own clock then, so that seconds never go back.
  const anchor = guess !== null && at_ms < guess && guess - at_ms < 500 * speed ? state.anchor : { at_ms, perf_ms };
  const was = state.link;
  const link = was.is === "lost"
    ? { is: "back", heard_perf_ms: perf_ms, since_ms: null, away_ms: perf_ms - was.heard_perf_ms, back_perf_ms: perf_ms }
    : { ...was, is: was.is === "back" ? "back" : "up", heard_perf_ms: perf_ms };
  return { ...state, anchor, link };
}

function tick(state, perf_ms) {
  const quiet_ms = perf_ms - state.link.heard_perf_ms;
  let { link, told } = state;
  if (told && told.is !== "refused" && perf_ms - told.perf_ms > TOLD_MS) told = null;
  if (link.is === "first") return told === state.told ? state : { ...state, told };
  const is = quiet_ms >= LOST_MS ? "lost" : quiet_ms >= LATE_MS ? "late"
    : link.is === "back" && perf_ms - link.back_perf_ms < RETURNED_MS ? "back" : "up";
  if (is !== link.is) {
    const since_ms = is === "lost" ? state.anchor.at_ms + (link.heard_perf_ms - state.anchor.perf_ms) * (state.server?.speed ?? 1) : link.since_ms;
    link = { ...link, is, since_ms };
  }
  return link === state.link && told === state.told ? state : { ...state, link, told };
}
