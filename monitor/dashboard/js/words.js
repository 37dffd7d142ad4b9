// Every word a nurse reads, once. Sentence case, no exclamation marks; the same verb on button, answer and record.
// A new language is a new file with these keys.

const many = (n, one, more) => (n === 1 ? `1 ${one}` : `${n} ${more}`);

/** A running time: 0:42, 12:07, 1:05:00. */
export function running(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(all / 3600), minutes = Math.floor(all / 60) % 60, seconds = String(all % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A span in whole minutes or hours: 4 min, 2 h, 2 h 10 min. */
export function minutes(ms) {
  const all = Math.max(0, Math.round(ms / 60_000));
  if (all < 60) return `${all} min`;
  return all % 60 ? `${Math.floor(all / 60)} h ${all % 60} min` : `${all / 60} h`;
}

/** What is still to come is never said shorter than it is, what is late never longer. */
const upTo = (ms) => minutes(Math.ceil(ms / 60_000) * 60_000);
const past = (ms) => minutes(Math.floor(ms / 60_000) * 60_000);

/** How long ago, as fine as it matters: seconds matter in the first minute only. */
export const ago = (ms) => (ms < 60_000 ? `${running(ms)} ago` : `${minutes(Math.floor(ms / 60_000) * 60_000)} ago`);

/** The time of day as the server's staff read it, 24 h. */
export function clock(at_ms, seconds = true) {
  const at = new Date(at_ms);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
}

/** The day as a date nobody misreads: 26 Nov 2026. */
export function day(at_ms) {
  const at = new Date(at_ms);
  return `${at.getDate()} ${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][at.getMonth()]} ${at.getFullYear()}`;
}

/** A limit relative to the baseline falls between whole numbers: named is the whole number that says the same of whole readings. */
const edge = ({ side, inclusive, limit, unit }) => (unit === "Cel" ? limit.toFixed(1) : (side === "low") === Boolean(inclusive) ? Math.floor(limit) : Math.ceil(limit));

/** Two names, and how many more there are. */
const some = (names) => `${names.slice(0, 2).join(", ")}${names.length > 2 ? ` +${names.length - 2}` : ""}`;

/** The name of a condition as it is read: "spo2-low" is "SpO2 low", "hr-gap" is "HR missing". */
const MEASURED = { spo2: "SpO2", hr: "HR", rr: "RR", sbp: "Upper BP", dbp: "Lower BP", map: "Mean BP", temp: "Temperature", bp: "BP", ehr: "EHR", cuff: "BP" };
function plainly(condition) {
  const [first, ...rest] = condition.split("-"), text = rest.join(" ").replace(/^gap$/, "missing");
  return `${MEASURED[first] ?? first[0].toUpperCase() + first.slice(1)}${text ? ` ${text}` : ""}`;
}

const bed = (name) => `Bed ${name}`;
const side = { low: "below", high: "above" };
const PRIORITY = { HIGH: "high", MEDIUM: "medium", LOW: "low" };

export const words = {
  product: "Chairside",
  disclaimer: "Not a medical device. Secondary display for evaluation. Never the only means of watching a patient.",
  traces: "Traces: last 30 min. Grey: expected course.",
  insecure: "This network is not encrypted.",
  skip: "Skip to the beds",
  bed,
  number: "Bed ", beds: "Beds", time: "Time",

  floor: "Floor", alarms: "Alarms", duty: "Duty", screens: "Screens",
  back: "← Floor",
  title: (stars, where, what) => `${stars ? `${stars} ` : ""}${where}${what ? `: ${what}` : ""}, Chairside`,
  titleBed: (stars, where, screen) => (screen ? `${stars} ${where}: ${screen}, Chairside` : `${stars} ${where}, Chairside`),

  // Phases of a session. A watch session knows one.
  phase: {
    watch: "Watching", check_in: "Check-in", baseline: "Baseline", timeout: "Time-out", dosing: "Dosing", onset: "Onset",
    check_40: "40-min check", decline: "Observation", infusion: "Infusion", early_recovery: "Early recovery", late_recovery: "Late recovery",
    ready: "Ready check", held: "Held", stopped: "Stopped", emergency: "Emergency", transferred: "Transferred",
    aborted_before_dose: "Ended before dose", closed: "Closed",
  },
  empty: "Empty", startSession: "Start session", closeSession: "Close session", noNurse: "No nurse assigned",

  // Vitals. A label has no unit on a tile.
  vital: {
    spo2: "SpO2", hr: "HR", pr_spo2: "PR", pr_nibp: "PR", rr: "RR", bp: "BP", temp: "Temp", pi: "PI", etco2: "etCO2",
    nibp_sys: "BP", nibp_dia: "BP", nibp_map: "MAP", abp_sys: "ABP", abp_dia: "ABP dia", abp_map: "ABP MAP",
  },
  spoken: {
    spo2: "Oxygen saturation", hr: "Heart rate", pr_spo2: "Pulse rate", rr: "Breathing rate", bp: "Blood pressure", temp: "Temperature",
    pi: "Perfusion index", etco2: "End-tidal CO2", abp_sys: "Arterial pressure", abp_dia: "Arterial diastolic", abp_map: "Arterial mean",
  },
  unit: { "%": "%", "/min": "/min", "mm[Hg]": "mmHg", "Cel": "°C" },
  last30: (vital) => `${vital}, last 30 minutes`,
  gone: "no value, ", last: (value) => `last ${value}`,
  doubtful: "questionable", pendingMark: "alarm pending", byHand: "by hand",
  baseline: (b) => [
    b.systolic_mmhg !== null && b.diastolic_mmhg !== null && `${Math.round(b.systolic_mmhg)}/${Math.round(b.diastolic_mmhg)}`,
    b.heart_rate_per_min !== null && `HR ${Math.round(b.heart_rate_per_min)}`,
  ].filter(Boolean).join(", "),
  baselineIs: (text) => (text ? `Baseline ${text}` : "No baseline taken"),

  // The one line: what this bed needs now.
  bpIn: (ms) => `BP in ${upTo(ms)}`,
  bpNow: "BP due now",
  bpLate: (ms) => `BP ${past(ms)} late`,
  checkIn: (ms) => `40-min check due in ${upTo(ms)}`,
  checkLate: (ms) => `40-min check ${past(ms)} late`,
  dueIn: (title, ms) => `${title} due in ${upTo(ms)}`, dueNowOf: (title) => `${title} due now`, dueLate: (title, ms) => `${title} ${past(ms)} late`,
  deviceIn: (title, ms) => `${title} in ${running(Math.ceil(ms / 1000) * 1000)}`, deviceNow: (title) => `${title} may be given`,
  inTime: (ms) => `in ${upTo(ms)}`, inRunning: (ms) => `in ${running(Math.ceil(ms / 1000) * 1000)}`, now: "now", toSign: "Signature missing", phaseSince: (phase, at_ms) => `${phase} since ${clock(at_ms, false)}`,
  nextIn: (ms) => `next in ${upTo(ms)}`,
  dueNow: "due now",
  late: (ms) => `${past(ms)} late`,
  pressButton: "press its button", cuffAway: "cuff not connected",
  from: (device) => `from ${device}`,
  noTimer: "No cuff timer", noPlan: "on request", cuffRunning: (ms) => `Cuff running ${running(ms)}`, cuffFailed: (ms) => `cuff failed ${ago(ms)}`,
  ready: "Ready to leave", readyNote: (n, all, who) => `${n} of ${all} items true.${who ? ` ${who[0].toUpperCase()}${who.slice(1)} signs.` : ""}`,
  toFloor: (ms, floor_min) => (floor_min === 120 ? `${Math.ceil(ms / 60_000)} min to 2 h` : `${Math.ceil(ms / 60_000)} min to ${minutes(floor_min * 60_000)}`),
  device: "Device", pumpStart: "Start", pumpEnd: "End", stayOf: (floor_min) => minutes(floor_min * 60_000),
  notStarted: "Drug not started", minutesOfDrug: (n) => `${n} minutes since the start of the drug`, stayDone: "least stay is over",
  minutesSince: (n) => `${n} minutes since the session was opened`, min: "min",

  // Alarms.
  stars: { HIGH: "***", MEDIUM: "**", LOW: "*" },
  priority: { HIGH: "High priority", MEDIUM: "Medium priority", LOW: "Low priority" },
  alarmNames: {
    "link-lost": "No data from monitor", "spo2-gap": "SpO2 probe off", "rr-none": "No breath 20 s", "cuff-failed": "Cuff failed twice",
    "not-recording": "Not being recorded", "paging-down": "Pages are not going out",
  },
  more: (n) => `+${n} more.`,
  paged: (names) => `${names.join(", ")} paged.`, pagedAgo: (name, ms) => `${name} paged ${running(ms)} ago.`,
  nobody: "Nobody has accepted", going: (name) => `${name} is going`, atBed: (name, ms) => `${name} at bed ${running(ms)}`,
  was: (vital, value) => `${vital} was ${value}`, nowAcknowledge: (value) => `now ${value}, acknowledge`, ended: "It has ended, acknowledge",
  endedNot: "It has ended, nobody has acknowledged it.", lateAlarm: (at_ms) => `Late alarm, ${clock(at_ms)}`,
  acknowledge: "Acknowledge at bed", pauseAudio: "Pause audio 2 min", endPause: "End audio pause",
  audioOff: "Audio off", alarmPaused: "Alarm paused", alarmOff: "Alarm off", off: "off",
  paused: {
    "audio paused": (ms, who) => `Audio paused ${running(ms)}, ${who}`, "audio off": (ms, who) => `${words.audioOff}, ${who}`,
    "alarm paused": () => words.alarmPaused, "alarm off": (ms, who) => `${words.alarmOff}, ${who}`,
  },
  alarmsOff: (vital) => `${vital} alarms off`,
  alarmsNow: "Alarms now, worst first", alarmsElsewhere: "Alarms at other beds", nextDue: "Next", system: "System",
  dueAt: (name, what, ms) => `Bed ${name} ${what} ${ms > 0 ? upTo(ms) : ms > -60_000 ? "due" : words.late(-ms)}`, check: "check", scores: "scores",
  load: (name, beds, peak) => `${name} ${many(beds, "bed", "beds")}${peak ? `, ${peak} at peak` : ""}`, loadOf: (beds, peak) => `${many(beds, "bed", "beds")}, ${peak ? `${peak} at peak effect` : "none at peak effect"}`, loads: "Beds of each nurse", atPeak: "At peak",
  soundOn: "Sound on", recording: "Recording", paging: "Paging", maySleep: "Screen may sleep",
  unreported: "Sound state not reported", quiet: { "audio paused": (who) => `Audio paused by ${who}.`, "alarm paused": (who) => `Alarm paused by ${who}.`, "audio off": (who) => `Audio off by ${who}.`, "alarm off": (who) => `Alarm off by ${who}.` },
  soundOff: "Sound is off on this screen. Press to turn it on.", soundOffShort: "Sound off here",
  connecting: "Connecting. Numbers may be old.", stillConnecting: "Still connecting to the clinic server",
  lost: (at_ms) => `Not connected since ${clock(at_ms)}. Look at the patients.`,
  returned: (ms) => `Back. ${running(ms)} was not shown here.`,
  upgraded: "Chairside was updated. Reload this screen.", reload: "Reload",
  noBeds: "No beds yet. Add them in clinic.toml.",

  // What is said aloud by a screen reader, once each.
  sayRaised: (alarm) => `${alarm.bed ? bed(alarm.bed) : "Clinic"}, ${PRIORITY[alarm.priority]}: ${alarm.text.replace(/ [<>≤≥] ?/, ", limit ")}`,
  sayUnreached: (where) => `${where}: the page reached nobody`,
  sayCleared: (alarm) => `${alarm.bed ? bed(alarm.bed) : "Clinic"}: ${alarm.text} cleared`,
  sayLost: "Not connected to the clinic server. Look at the patients.",

  // The bed screen.
  since: (at_ms) => `opened ${clock(at_ms, false)}`,
  trendOf: (vital) => `${vital} since the session was opened`,
  trendKey: "Grey: expected course from today's baseline",
  trendFailed: "The trend could not be read.",
  delta: (s, d, base) => `${s >= 0 ? "+" : "−"}${Math.abs(s)}/${d >= 0 ? "+" : "−"}${Math.abs(d)} from ${base}`,
  mean: (value) => `mean ${value}`,
  facts: "Session", openedBy: "Opened by", nurse: "Nurse", cuffEvery: "Cuff", every: (ms) => `every ${minutes(ms)}`, onRequest: "On request",
  today: "Baseline today", alias: "Patient", place: "Place",
  link: { connecting: "Connecting", up: "Connected", silent: "Says nothing", down: "Not connected" },
  log: "Alarms this session", noLog: "No alarm so far in this session.", open: "open",
  startCuff: "Start cuff now", stopCuff: "Stop cuff", bpByHand: "BP by hand",
  setLimit: "Set", setLimitOf: (limit) => `Set the limit ${limit}`, newLimit: (unit) => `New limit, ${unit}`, limitSpan: (low, high) => `The clinic lets this be set from ${low} to ${high}.`,
  limitName: (l, limit = l.limit) => `${words.vital[l.vital]} ${limit === null ? (l.side === "low" ? "low" : "high") : words.limitIs({ ...l, limit })}`,
  setTo: (limit) => `Set ${limit} for this session`, backToProfile: (limit) => `Back to ${limit}`, reason: "Reason", needReason: "Enter the reason",
  needLimit: (low, high) => `Enter a number, ${low} to ${high}`, limitTaken: (limit) => `Set ${limit}.`, limitBack: "The profile's limit is back.", takenBack: "taken back at once",
  ownLimit: (l) => `${words.vital[l.vital]} limit ${words.limitIs(l)}`, ownLimits: (n) => `${n} limits changed`, own: "changed",
  quieten: { "alarm paused": (vital) => `Pause ${vital} alarms 3 min`, "audio off": (vital) => `${vital} audio off`, "alarm off": (vital) => `${vital} alarms off` },
  quietenAsk: {
    "alarm paused": (vital, time) => `For ${time} no ${vital} alarm sounds or lights here. HIGH still pages.`,
    "audio off": (vital) => `No ${vital} alarm sounds here until somebody ends it. Pages go out. A reminder sounds every 5 min.`,
    "alarm off": (vital) => `No ${vital} alarm sounds, lights or pages until the drug is given, or somebody ends it.`,
  },
  vitalPaused: (vital, ms, who, why) => `${vital} alarms paused ${running(ms)}, ${who}: ${why}`, vitalOff: (vital, ms, who, why) => `${vital} alarms off, ${who}: ${why}`, endAlarmPause: "End alarm pause",
  limits: (vital) => `${vital} limits in force`, limitOff: "off", noLimits: "No limits are in force for this.", showLimits: (vital) => `Limits of ${vital}`,
  edge, limitIs: (l) => `${l.side === "low" ? (l.inclusive ? "≤" : "<") : l.inclusive ? "≥" : ">"} ${edge(l)}`,
  held: (ms) => (ms ? `for ${ms / 1000} s` : "at once"), severe: (value) => `${value}: at once`,
  limitSet: (who, why, was) => `${who} changed this from ${was ?? "off"}${why ? `: ${why}` : ""}`, limitDefault: "As the profile says", limitLayer: (why, was) => `${why}: changed from ${was ?? "off"}`,
  close: "Close", cancel: "Cancel",
  confirmClose: (name) => `Close session of bed ${name}`, closeAsk: "The watch ends, its alarms and limits with it. The record stays.",
  noSession: "No session is open at this bed.", noSuchBed: "There is no such bed.",

  // The steps of a treatment, beside its trends.
  stepNames: { dosing: "Dose", decline: "Observation" }, signClose: "Sign and close", goOnSession: "Go on with the session",
  flagsAre: (flags) => `${flags.length > 1 ? "Flags" : "Flag"}: ${flags.join(", ")}`, noFlags: "No risk flag", withdrawn: "withdrawn",
  baselineOf: (n, readings) => [`${Math.round(n.systolic)}/${Math.round(n.diastolic)} from ${many(readings, "reading", "readings")}`, n.heart_rate !== null && `HR ${Math.round(n.heart_rate)}`, n.spo2 !== null && `SpO2 ${Math.round(n.spo2)}`].filter(Boolean).join(", "),
  devicesAt: (times, lots) => `${times.length > 1 ? "Devices" : "Device"} ${times.join(", ")}${lots.length ? `. Lot ${lots.join(", ")}` : ""}`,
  doseIs: (d) => `${d.dose_mg_per_kg} mg/kg, ${d.dose_mg} mg in ${Math.round(d.lasts_min)} min`, ranFrom: (from, to) => (to ? `${from} to ${to}` : `since ${from}`),
  checkMissed: "Missed", checkValue: (f) => (f.item === "nibp" ? `${Math.round(f.value)}/${Math.round(f.second)}` : `${f.title} ${Math.round(f.value)}`), readyFirst: (at) => `All but time and signature since ${at}`,
  inPhase: (phase) => `in ${phase.toLowerCase()}`, sinceClock: (at_ms) => `since ${clock(at_ms, false)}`, fromClock: (at_ms) => `from ${clock(at_ms, false)}`, nextOf: (when) => (when.startsWith("in ") ? `next ${when}` : when),
  enter: (title) => `Enter: ${title}`, readyNow: (n, all) => `${n} of ${all} items true now`, timeline: (n) => `Timeline, ${many(n, "entry", "entries")}`, enteredAt: (at_ms) => `entered ${clock(at_ms, false)}`,
  earlier: (n) => many(n, "earlier session", "earlier sessions"), responses: "BP after the drug, each time", todayIs: "Today so far",
  response: (r) => (r.peak === null ? "no reading after the drug" : [`${r.peak_rise >= 0 ? "+" : "−"}${Math.abs(Math.round(r.peak_rise))} at ${Math.round(r.peak_minute)} min`, r.minutes_above > 0 && `over 20 % for ${Math.round(r.minutes_above)} min`, r.still_above ? "still above" : r.returned_minute !== null && `back at ${Math.round(r.returned_minute)} min`].filter(Boolean).join(", ")),
  startedAt: (at_ms) => `started ${clock(at_ms, false)}`, allActs: "More", byLayer: (why, what) => `${why}: ${what}`,

  // BP by hand.
  upperLower: "Upper / lower, mmHg", delete: "Delete", keypad: "Keypad",
  readBack: (s, d) => [`${s} over `, String(d), ", right now, by hand"],
  beyond: (dir, limit) => `${dir === "high" ? "Above" : "Below"} ${limit}: measure again in 2 min`,
  save: (what) => `Save ${what}`, saved: (what) => `Saved ${what}.`, savedPlain: "Saved.", bpErrorUpper: "Enter the upper number, 40 to 280",
  bpErrorLower: "Enter the lower number, 15 to 200, below the upper one",
  undo: "Undo", undone: "Undone.", correct: "Correct",
  notRecorded: "Done, but not being recorded yet.", done: "Done.",

  // The alarm list.
  openAlarms: "Open", noOpen: "No alarm is open. That is no promise: look at the patients.", history: "History",
  noHistory: "No alarm in this history.", allBeds: "All beds", allPriorities: "All priorities", bedFilter: "Bed", answeredBy: "Answered by", anybody: "Anybody", nobodyDid: "Nobody", priorityFilter: "Priority",
  sinceAt: (at_ms) => `since ${clock(at_ms)}`, state: { pending: "Pending", active: "Open", acked: "Acknowledged", latched: "Ended, not acknowledged", clear: "Ended" },
  historyFailed: "The history could not be read.",

  // The phone page.
  kind: { HIGH: "HIGH", MEDIUM: "MEDIUM", LOW: "LOW" },
  iGo: "I go", cantGo: "I can't go", iAmThere: "I am at the bed", handBack: "Hand back", callMore: "Call more help", helpCalled: "More help is being paged.", iGoToo: "I go too",
  below: (dir, limit) => `${side[dir]} ${limit}`, forTime: (ms) => `for ${running(ms)}`,
  youAreGoing: "You are going", youAreThere: "You are at the bed", stay: (name) => `${name} is going. You may stay.`,
  still: (vital, value) => `${vital} is ${value} now. Still look.`, endedStill: "It has ended. Still look.",
  whoPaged: "Who was paged", you: (name) => `${name} (you)`, accepted: (name) => `${name} accepted`, rejected: (name) => `${name} cannot go`,
  outcome: { sent: "sent", delivered: "delivered", read: "read", failed: "not reached", "timed out": "not reached", cancelled: "taken back" }, told: (name, what) => `${name}, ${what}`,
  agoShort: (ms) => `${running(ms)} ago`, inShort: (ms) => `in ${running(ms)}`, nextPage: "Next page", pagesAgain: "Pages again if not at bed",
  pageOver: "This page is over.", pageUnknown: "This page is not known here any more.", toBed: (name) => `Open bed ${name}`,
  statesOf: (n) => (n === 1 ? "What became of the page" : `What became of ${n} pages`), pageWay: { screen: "own screen", link: "link" },
  pageState: { queued: "queued", sent: "sent", delivered: "delivered", read: "read", accepted: "accepted", rejected: "cannot go", "timed out": "no answer", failed: "not delivered", cancelled: "taken back" },
  testPage: "Test page", testIs: "Nothing is the matter. Say that this page has reached you.", haveIt: "I have it", hadIt: "You have answered this test page.", testEnded: "This test page is over.",
  linkOpening: "Opening the page", linkFailed: "This link opens nothing here.",
  roomAway: "Not connected. This clock has stopped.",
  noReach: "This phone has lost the clinic network. Look at the wall.",

  // The phone's own first screen.
  mine: "Mine", whoseBeds: "Sign in to see your beds and pages.", myPages: "My pages", noPages: "No page is open for you.", myBeds: "My beds", noBedsOfMine: "No bed is yours now.",
  pagedYou: (ms) => `Paged ${running(ms)} ago.`, youAreOn: "You are on duty.", youAreOff: "You are off duty.", goOn: "Go on duty", goOff: "Go off duty",
  offAsk: (beds) => `${beds.join(", ")}: nobody has ${beds.length === 1 ? "it" : "them"} then.`, offWithBeds: (n) => `Go off duty and leave ${many(n, "bed", "beds")}`,

  // Whether pages reach those on duty, and handing over.
  tested: (slowest, s) => `Paging tested, slowest ${slowest} ${s} s`, untested: "Paging not tested this shift", untestedOf: (names) => `Paging not tested: ${some(names)}`, testMissedBrief: (names) => `Test failed: ${names.length > 1 ? names.length : names[0]}`, untestedBrief: "Paging not tested", testOut: "Test page is out", testMissed: (names) => `Test page failed: ${some(names)}`,
  reachedTitle: "Whether pages arrive", sendTest: "Send test page", testSent: "The test page is on its way.", testAsked: (who, at_ms) => `Last sent to everybody by ${who}, ${clock(at_ms, false)}.`,
  reach: {
    untested: () => "no test page answered this shift", waiting: (at_ms) => `test page sent ${clock(at_ms)}`, answered: (at_ms, s) => `answered ${clock(at_ms, false)}, after ${s} s`,
    unanswered: (at_ms) => `did not answer the test page of ${clock(at_ms, false)}`, failed: (at_ms) => `test page of ${clock(at_ms, false)} not delivered`, "no pager": () => "has no pager",
  },
  handOver: "Hand over", handOverTitle: "Hand over", handOverFrom: "Who goes off duty", handOverTo: "Who takes over", handOverAll: (name) => `Hand over to ${name}`, handedOver: (name) => `${name} has the beds and the open pages.`,

  // Signing in.
  signIn: "Sign in", lock: "Lock", name: "Name", password: "Password", pin: "PIN", usePassword: "Use a password", usePin: "Use a PIN",
  whoAreYou: "Who is at this screen", signFirst: (what) => `Sign in, then: ${what}`, needName: "Enter your name", needPassword: "Enter your password",
  needPin: "Enter your PIN, 4 to 6 digits", wrongSignIn: "Name and password do not match.",

  // Opening a session.
  opening: (name) => `Bed ${name}: start a session`, aliasHint: "A short word for this patient. Not the name.", needAlias: "Enter a short word for this patient",
  baselineNow: "Baseline, from the live values", fields: {
    systolic_mmhg: "BP upper, mmHg", diastolic_mmhg: "BP lower, mmHg", heart_rate_per_min: "HR, /min", spo2_percent: "SpO2, %", respiration_per_min: "RR, /min",
  },
  takeLive: "Take the live values", cuffTimer: "Cuff timer", noInterval: "No timer", needNumber: (low, high) => `Enter a number, ${low} to ${high}, or leave it empty`,
  alreadyOpen: (name) => `A session is open at bed ${name}.`,

  // Duty.
  onDuty: "On duty", whoHas: "Who has which bed", nobodyYet: "Nobody", saveDuty: "Save duty", noStaff: "No staff yet. Add them with chairside user add.",
  dutySet: (who, at_ms) => `Set by ${who}, ${clock(at_ms, false)}.`,

  // Sound check.
  soundCheck: "Sound check", soundAsk: "Play each sound at the level this station has during the day.", play: (kind) => `Play ${kind}`,
  heard: "I heard it", notHeard: "I did not", heardAll: "All three sounds were heard here.", notHeardThen: "Raise the volume of this station and play it again. If it stays silent, do not use this station alone.",
  silentNow: "An alarm is sounding. The check waits.",
  soundsOf: "Sound at every screen", noSounds: "No screen has said how its sound does.", ownBrowser: (who) => `${who}, own browser`,
  soundIs: {
    off: (s) => `${s.name}: sound is off`,
    unchecked: (s, now_ms) => `${s.name}: sound ${s.checked_at_ms === null ? "never checked" : `last checked ${ago(now_ms - s.checked_at_ms)}`}`,
    heard: (s) => `${s.name}: sound is on`,
  },
  soundSince: (at_ms, who) => `since ${clock(at_ms, false)}${who ? `, ${who}` : ""}`, soundChecked: (at_ms, who) => `checked ${clock(at_ms, false)}${who ? `, ${who}` : ""}`,
  toSounds: "Screens that may not be heard",

  // Sessions and their records.
  sessions: "Reports", reading: "Reading", sessionsFor: "Records of patients are shown to who has signed in.", whichSessions: "Which sessions", sessionKinds: { all: "All", open: "Here now", owing: "Form owed" },
  session: (n) => `Session ${n}`, noSessions: "No session yet. Start one from an empty bed.", noSuchSession: "No session is like this.", olderSessions: "Older ones are in the records that the command line gives.",
  fromTo: (date, from, to) => (to ? `${date}, ${from} to ${to}` : `${date}, since ${from}`), signedBy: (names) => `Signed by ${names.join(", ")}`, formSentAt: (date) => `Form sent ${date}`, recordOf: (whom) => `Record of ${whom}: `, files: { Trends: "Trends" },
  stillMissing: (n) => `${many(n, "item", "items")} still missing`,
  form: "Monitoring form", formOf: (alias) => `Monitoring form of ${alias}`, notOfficial: "This is not the official form.", copyOnly: "It is a list to copy from. A person fills in, signs and sends the form itself.", mapVersion: (n) => `Field list ${n}.`,
  formPdf: "As PDF", print: "Print", formDueAt: (date, time) => `Due ${date}, ${time}.`, formSentBy: (date, time, who, how) => `Sent ${date}, ${time}, by ${who}: ${how}.`, formSentHow: (how) => `Form sent: ${how.toLowerCase()}`,
  missingFields: (n) => `${many(n, "field that must be filled is", "fields that must be filled are")} missing`, notThere: "Not in the record", unsureSection: "not read in full; our own guess", required: "must be filled",
  byHandField: "Write it in by hand", proposed: "Proposed; the signer decides", holdAgainst: "Hold this against the current form", copy: "Copy", copied: "Copied", copyFailed: "Not copied", copyOf: (what) => `Copy: ${what}`,
  byWhom: (who) => `by ${who}`, oldBy: (span) => `${span} old then`,

  // What if.
  admin: "Admin", whatIf: "Try other limits", whatIfIs: "Sessions that are kept are judged again: as the limits are set now, and as you propose. Nothing is changed by it.",
  whichLimit: "Limit", choose: "Choose", whichTerm: "What of it", terms: { limit: "Limit", baseline_percent: "Percent from the baseline", baseline_delta: "Distance from the baseline", hold_s: "Lasts, seconds" },
  wouldBe: (term, unit) => ({ limit: `Would be, ${unit || "its unit"}`, baseline_percent: "Would be, %", baseline_delta: `Would be, ${unit || "its unit"}`, hold_s: "Would be, s" })[term],
  limitSide: (l) => `${{ nibp_sys: "Upper BP", nibp_dia: "Lower BP" }[l.vital] ?? words.vital[l.vital]} ${l.side}`, limitRow: (l) => `${words.limitSide(l)}, ${PRIORITY[l.priority]}${l.default === null ? "" : `, now ${edge({ ...l, limit: l.default })}`}`,
  condition: (rule) => (rule ? words.alarmNames[rule] ?? plainly(rule) : "Alarm"), proposedRow: ({ limit, rule, term, value }) => `${limit ? `${words.limitSide(limit)}, ${PRIORITY[limit.priority]}` : rule}: ${words.terms[term].toLowerCase()} ${value}`,
  propose: "Propose this", drop: "Drop", dropOf: (what) => `Drop: ${what}`, needRule: "Choose a limit", needValue: "Enter a number", noLimitsKnown: "Limits are listed once a bed has a patient. Without a proposal the sessions are judged as the limits are set.",
  onWhich: "On which sessions", lastSessions: (n) => `The last ${n} that ended`, judge: (n) => `Judge the last ${n}`, judging: "Judging", foundIn: (n, hours) => `${many(n, "session", "sessions")}, ${Math.round(hours * 10) / 10} hours at the bed`,
  sums: "Alarms", asSet: "As set", asProposed: "As proposed", onTheDay: "On the day", pagesSent: "Pages", perSession: "Pages in a session", byLimit: "By alarm", bySession: "By session", inAlarm: (span) => `${span} in alarm`,
  judgedAs: (now, then) => (then === null ? many(now, "alarm", "alarms") : `${many(now, "alarm", "alarms")}, ${then} as proposed`), otherNumbers: "Its therapy has changed since",

  // The alarms of the weeks.
  numbers: "Alarms by week", numbersAre: "How often alarms came, and how they were answered. It is counted from the record, and says nothing of any one patient.", budget: "The weeks against the budget", week: "Week", thisWeek: "This week", weekFrom: (date) => `from ${date}`, weekOf: (date) => `The week from ${date}`,
  sessionsOpened: "Sessions", kept: "kept", missed: "missed", nothingJudged: "Nothing to judge by", noAlarmsThen: "No alarm in this week.",
  targets: {
    pages_a_session: (bound) => `Pages in a session, high and medium: at most ${bound}`, acted_on_percent: (bound) => `Pages acted on: at least ${bound} %`, high_accepted_median_s: (bound) => `High, half of them accepted within ${bound} s`,
    high_accepted_p95_s: (bound) => `High, 95 of 100 accepted within ${bound} s`, low_pages: () => "Low pages nobody",
  },
  targetValue: (name, value) => (name === "pages_a_session" ? value.toFixed(2) : name === "acted_on_percent" ? `${Math.round(value)} %` : name === "low_pages" ? String(value) : `${Math.round(value)} s`),
  weekSums: ({ sessions, pages, pages_again, acted_on_share }) => `${many(sessions, "session", "sessions")}, ${many(pages, "page", "pages")} and ${many(pages_again, "further one", "further ones")}.${acted_on_share === null ? "" : ` ${Math.round(acted_on_share * 100)} % were acted on: somebody accepted or came before it was over.`}`,
  conditionColumns: ["Alarm", "Raised", "In a session", "Gone within its delay", "Lasted", "Paged", "Acted on", "Unanswered"], howLong: "How long it took", whoCame: "Who came to the bed", toAccept: "accepted", toCome: "at the bed",
  answering: (priority, what, { answers, median_s, p95_s }) => `${priority}, ${what}: half within ${Math.round(median_s)} s, 95 of 100 within ${Math.round(p95_s)} s (${answers})`,
  whatIfWeeks: "Try other limits on the last four weeks", lastWeeks: (n) => `All of the last ${many(n, "week", "weeks")}`, judgeWeeks: (n) => `Judge the last ${many(n, "week", "weeks")}`,

  // Keys.
  keys: "Keys", keysOn: "Single keys are on", keysOff: "Single keys are off", turnOff: "Turn single keys off", turnOn: "Turn single keys on",
  keyList: [["1 to 9, 0", "Open bed 1 to 10"], ["F or Esc", "Floor"], ["A", "Acknowledge at this bed"], ["C", "Cuff now"], ["B", "BP of this bed, typed"], ["S, Y, N", "Sedation score, symptom, note"], ["P", "Pause audio at this bed"], ["J, K", "Next, previous alarm"], ["L", "Lock this screen"], ["?", "This list"]],
  theme: "Brightness", themes: { auto: "As the device", light: "Day", dark: "Dark", night: "Night" },
  noAnswer: "No answer from the clinic server. Nothing was done; try again.", refused: "The clinic server refused this.",
};
