// Every word of the working screens of a session, once: what a nurse reads between check-in and signature. Beside ../words.js, by its rules.
// What the therapy asks, what is missing and what is due come as whole sentences from the server.

import { clock, running, words } from "../words.js";

const count = (n, one, more) => (n === 1 ? `1 ${one}` : `${n} ${more}`);
const MG_PER_DEVICE = 28;   // protocols.md 1: one device, a spray for each nostril

const joined = (parts) => { const text = parts.join(", "); return text[0].toUpperCase() + text.slice(1); };

/** What an ordinary patient is like, scale by scale: one tap may say several of them. Values are steps of `sessions/scores.py`. */
const USUAL = {
  moaas: [5, "responds readily to name"], oriented: [3, "oriented to person, place, time"], dissociation: [0, "no dissociation"], nausea: [0, "no nausea"],
  pump: [1, "pump running"], gait: [1, "steady without dizziness"], suicide_check: [1, "mood and suicide-risk check done"], driving: [1, "told not to drive"],
  instructions: [1, "instructions and emergency number given"], line_out: [1, "IV line out"], oxygen: [0, "on room air"],
};

export const said = {
  // The steps of the start, and what stands over each page.
  steps: { who: "Who", plan: "Therapy", questions: "Questions", baseline: "Before the drug", gate: "Decision", dose: "Start", now: "During", leave: "Leaving" },
  stepOf: (n, all) => `${n} of ${all}`, stepsOf: "Steps of this session", next: words.nextDue, back: "Back",
  thisIs: (bed) => `This is bed ${bed}`, live: "Live values",
  plan: (t) => (t.devices_planned ? `${t.way} ${t.devices_planned * MG_PER_DEVICE} mg` : t.way),

  // Who.
  age: "Age, years", needAge: "Enter the age in years, 0 to 130", scanSlip: "Scan the slip, or type.", devicesHere: "Measured by", noDevices: "No device is at this bed.",

  // Therapy.
  mg: (way, devices) => `${way} ${devices * MG_PER_DEVICE} mg`, devices: (n) => count(n, "device", "devices"), first: "First treatment", before: "Treated before",
  firstOf: (plan) => `${plan}, first treatment`, beforeOf: (plan) => `${plan}, treated before`, watchOnly: "Watch only, no drug", ages: (low, high) => `For ${low} to ${high} years.`,
  notNow: "Cannot be chosen now", noTherapies: "No therapy can be chosen.", forWhom: (alias, years) => `${alias}, ${years} years`,

  // Questions.
  yes: "Yes", no: "No", answered: (n, all) => `${n} of ${all} answered`, more: "More about this", keep: "Save", checkedIn: "Check-in done",
  after: { must: "Nothing goes on without a yes.", confirm: "A prescriber decides.", ask: "A prescriber decides.", contraindication: "Stop." },
  escortWho: "Who takes the patient home", anyOf: "Any of these?", noneOf: "None of these", noneOther: "None of the others",

  // Before the drug.
  startCuff: "Start cuff", cuffFollows: (ms) => `Next reading in ${running(ms)}, by itself`, cuffRuns: (ms) => `Cuff running ${running(ms)}`,
  reading: (n) => `Reading ${n}`, pressureAt: (r) => `${Math.round(r.systolic)}/${Math.round(r.diastolic)}`, noReading: "not measured yet", stillMissing: "Still missing",
  otherwise: "Otherwise", anew: "Measure anew", anewAsk: "The readings so far do not count. The next two do.",
  usual: (scores) => joined(scores.filter((s) => USUAL[s]).map((s) => USUAL[s][1])), usualValue: (score) => USUAL[score]?.[0],
  scaleWord: (word) => word[0].toUpperCase() + word.slice(1),

  // A decision.
  ask: "A prescriber decides", stop: "Stop", decided: (who, why) => `${who}: ${why}`, nobodyDecides: "Nobody can decide this here.", whyGoOn: "Why it goes on",
  decisions: { gate: "Decide: give the drug", item: "Decide: leave without it", pressure: "Decide: sign without it", floor: "Decide: leave earlier" },
  decideAsk: { item: "The patient leaves without this. It stands in the record.", pressure: "The record stays without this pressure.", floor: "The least stay is not kept. It stands in the record." },
  rest: "Let the patient rest, then measure anew.",

  // Nasal devices.
  camera: "Use the camera", cameraSees: "What the camera sees", cameraOff: "Camera off", noCamera: "The camera cannot be used here.",
  scanLot: "Scan device", lot: "Lot", expires: "Expiry date", expiresHint: "As on the device, 2027-05-31", typeLot: "Type it", scanLotInstead: "Scan instead",
  readBack: (lot, expires) => [`Lot ${lot}`, `, expires ${expires}`], serialIs: (serial) => `, serial ${serial}`, expired: (expires) => `This device expired on ${expires}. Take another one.`,
  noGs1: "This is no device code. Scan again, or type it.", unclear: "The code runs together. Type the lot and the expiry date.", sameDevice: "This device was given already. Scan the next one.",
  given: (n) => `Device ${n} given`, deviceIn: (n, ms) => `Device ${n} in ${running(ms)}`, givenAt: (at_ms, lot) => `given ${clock(at_ms, false)}, lot ${lot}`, notGiven: "not given yet",
  needLot: "Scan the device first",

  // Infusion.
  doseLabel: "Scan dose label", doseHint: "The scanner reads: 72 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h", weight: "Weight, kg", dose: "Dose, mg/kg", concentration: "Concentration, mg/ml", rate: "Rate, ml/h",
  doseIs: (mg, ml, rate, min) => [`${mg} mg`, ` in ${ml} ml. At ${rate} ml/h this takes ${min} min.`], needDose: "Enter a number above 0", noDoseLabel: "This is no dose label. Scan again, or type it.",
  second: "Second person", doseChecked: "Dose checked by two", secondChecks: "Checks weight, dose, concentration and rate.", unusual: "Why it is meant so",
  checkedBy: (a, b) => `Checked by ${a} and ${b}`, infusionStarted: "Infusion started", infusionEnded: "Infusion ended", changeDose: "Check another dose",

  // During.
  dueNow: "Now", later: "Later", nothingDue: "Nothing is due.", byItself: "by itself", saveCheck: (title) => `Save ${title}`,
  hand: (who) => `by hand, ${who}`, lacks: "missing", optional: "not measured",
  earlier: "Earlier", now: "Now", ago: (min) => `${min} min ago`, whenDone: "When it was done", anytime: "Enter",
  sedation: "Sedation score", symptom: "Symptom", note: "Note", adverse: "Adverse event",
  symptoms: "Symptoms", severe: "severe", there: "there", emergencySigns: "Emergency signs", over: (s) => `${s} is over`, tapAgain: "One tap records it with the time. A second tap marks it severe.", open: "Noted",
  symptomNames: {
    nausea: "Nausea", vomiting: "Vomiting", anxiety: "Anxiety", "severe distress": "Severe distress", dizziness: "Dizziness", tremor: "Shaking", "chest pain": "Chest pain", "shortness of breath": "Short of breath",
    "sudden severe headache": "Sudden severe headache", "visual disturbance": "Visual disturbance", seizure: "Seizure", "reduced consciousness": "Less awake", "focal deficit": "Weakness or speech lost", collapse: "Collapse",
  },
  whatHappened: "What happened", outcome: "What became of it", related: "Due to the drug", serious: "Serious", notSerious: "Not serious", relatedTo: ["Yes", "Possibly", "No", "Not known"], outcomes: ["Over", "Goes on", "Sent to hospital"],
  corrects: "Correct an entry", correctHint: "The wrong entry is struck and stays to be read.", nothingToCorrect: "No entry can be corrected.", whyWrong: "What was wrong", slips: ["Pressed by mistake", "Misheard"],
  insteadIs: "What stands instead", chooseInstead: "Choose what stands instead", strikeOnly: "Strike it, nothing instead", corrected: "Corrected. The old entry is struck.", atOnce: "taken back at once", device: (n) => `Device ${n}`,
  symptomIs: { there: "There", severe: "Severe", over: "Over" }, struckBy: (who, at_ms, why) => `struck by ${who}, ${clock(at_ms, false)}: ${why}`, replaces: "instead of the one that is struck",
  words: "Note", needWords: "Write what happened", savedOf: (what) => `Saved: ${what}.`, taken: (what) => `${what}: taken back.`,

  // Side states, each with its consequence.
  moves: {
    hold: ["Hold", "Hold the drug", "The drug waits. BP more often. Resume goes on."],
    resume: ["Resume", "Resume", "The session goes on where it was held."],
    stop: ["Stop", "Stop the drug", "The drug ends here for good. The patient is watched as before."],
    emergency: ["Emergency: call made", "Emergency: call made", "Alarms go on. BP every 2 minutes."],
    transfer: [words.phase.transferred, "Patient has left by transfer", "The watch here ends. A prescriber signs."],
    no_more_devices: ["No further device", "No further device", "The dose ends here. The record keeps the reason."],
    abort: ["End before dose", "End before dose", "No drug was given. The session ends."],
  },

  news2: (n) => (n.total === null ? `incomplete: ${n.missing.join(", ")} missing` : `${n.total}${n.red ? ", one value alone gives 3" : ""}, of ${clock(n.at_ms, false)}`) + said.news2Before(n),
  news2Before: ({ at_ms, course }) => { const before = course.filter((c) => c.at_ms !== at_ms).slice(-6); return before.length ? `. Before: ${before.map((c) => `${c.total} at ${clock(c.at_ms, false)}`).join(", ")}` : ""; },

  // Leaving.
  leaving: "Who may leave", holds: (n, all) => `${n} of ${all} true`, trueItems: (n) => `${n} true`,
  stand: "Stands steady, without dizziness: measure BP standing", unsteady: "Unsteady or dizzy", standing: "Standing now. After the reading the patient sits again.", sitsAgain: "Sits again",
  countBreaths: "RR by hand", breaths: "Breaths in a minute", needBreaths: "Enter the breaths, 0 to 100",
  escort: { hint: "Escort is here, told not to drive", who: ["Partner", "Family", "Friend", "Ride service"], other: "Somebody else", name: "Who it is" },
  vomitingOver: "Vomiting is over", decideWithout: "Leave without it",

  // Signature and close.
  sign: "Sign", signMeaning: "I have checked this session.", signed: (who, role, at_ms) => `Signed by ${who}, ${role}, ${clock(at_ms, false)}`,
  closed: "Session closed", closedOf: (alias) => `${alias} may go.`, owed: "Still owed", nothingOwed: "Nothing is owed.", report: "Report as PDF", formSent: "Form sent", hows: ["Online", "By fax"],
  nextPatient: "Next patient",

  // Who proves who they are.
  proof: { pin: "PIN, 4 to 6 digits", needWho: "Choose who", needPin: "Enter the PIN, 4 to 6 digits", needPassword: "Enter the password", nobody: (roles) => `No ${roles.join(" or ")} is on the staff list.` },
};
