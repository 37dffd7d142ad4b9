// The bursts of IEC 60601-1-8 as tables, and the loudspeaker that plays one priority at a time.
// `BURSTS`, `TIMBRES` and `schedule` are pure of the page: a test renders them offline and measures each sample.

// Table 3 and 4 (clinical/alarms.md 4): times in ms. `at` is where each pulse begins, measured at half of its loudness.
const high = [0, 250, 500, 1000, 1250];   // x 100; between the third and the fourth 2x + td = 350
const again = 1250 + 150 + 700;           // the pause of 0.7 s, then the same five
export const BURSTS = {
  HIGH: { f0: 660, td: 150, at: [...high, ...high.map((t) => t + again)], every: 10_000 },
  MEDIUM: { f0: 520, td: 200, at: [0, 400, 800], every: 25_000 },
  LOW: { f0: 440, td: 200, at: [0, 400], every: null },
};

// Loudness of the harmonics 1 to 5 in dB: at least four within 15 dB of each other; a sine fails.
export const TIMBRES = { patient: [0, -3, -5, -8, -10], technical: [0, -9, -2, -11, -4] };

const RAMP = 0.2;         // of td, on both sides of the half-loudness point: 10 to 90 % takes 16 % of td (10 to 40 allowed)
const LOUD = 0.8;
const AHEAD_MS = 30_000;  // bursts lie on the audio clock so long ahead: a throttled tab goes on sounding

const wave = (context, timbre) => {
  const real = new Float32Array(timbre.length + 1), imag = new Float32Array(timbre.length + 1);
  timbre.forEach((db, i) => { imag[i + 1] = 10 ** (db / 20); });
  return context.createPeriodicWave(real, imag);
};

/** Puts one burst on the audio clock of any context; gives the nodes, so that it can be cut short. */
export function schedule(context, to, priority, technical, at_s) {
  const { f0, td, at } = BURSTS[priority];
  const shape = wave(context, technical ? TIMBRES.technical : TIMBRES.patient);
  const length = td / 1000, ramp = RAMP * length;
  return at.map((ms) => {
    const from = at_s + ms / 1000, oscillator = context.createOscillator(), gain = context.createGain();
    oscillator.setPeriodicWave(shape);
    oscillator.frequency.value = f0;
    gain.gain.setValueAtTime(0, Math.max(0, from - ramp / 2));
    gain.gain.linearRampToValueAtTime(LOUD, from + ramp / 2);
    gain.gain.setValueAtTime(LOUD, from + length - ramp / 2);
    gain.gain.linearRampToValueAtTime(0, from + length + ramp / 2);
    oscillator.connect(gain).connect(to);
    oscillator.start(Math.max(0, from - ramp / 2));
    oscillator.stop(from + length + ramp / 2);
    return oscillator;
  });
}

/** What this page makes by itself when the server is gone: two falling notes each second, for longer than 120 s (ALM-034). */
export function failure(context, to, at_s, seconds = 180) {
  const oscillator = context.createOscillator(), gain = context.createGain();
  oscillator.setPeriodicWave(wave(context, TIMBRES.technical));
  gain.gain.setValueAtTime(0, at_s);
  for (let s = 0; s < seconds; s += 1) {
    for (const [from, f0] of [[0, 392], [0.3, 311]]) {
      const t = at_s + s + from;
      oscillator.frequency.setValueAtTime(f0, t);
      gain.gain.setValueAtTime(0, t);
      gain.gain.linearRampToValueAtTime(LOUD, t + 0.04);
      gain.gain.setValueAtTime(LOUD, t + 0.22);
      gain.gain.linearRampToValueAtTime(0, t + 0.26);
    }
  }
  oscillator.connect(gain).connect(to);
  oscillator.start(at_s);
  oscillator.stop(at_s + seconds);
  return [oscillator];
}

const WORSE = { HIGH: 2, MEDIUM: 1, LOW: 0 };

/** The loudspeaker of one screen. `sound(wanted)` is told what is; it decides whether that is news. */
export class Speaker {
  heard = new Set();     // LOW alarms that have sounded once
  played = [];           // what was put on the clock, newest last: for the sound check and the tests
  #now = null;           // {priority, technical, next_s, bursts: [{end_s, nodes}]}
  #failing = null;

  constructor(told) {
    this.context = new AudioContext();
    this.told = told;
    this.context.addEventListener("statechange", () => this.#tell());
    const wake = () => this.wake();
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake, { capture: true });
    this.#tell();
  }

  /** A browser gives sound only after a gesture (ALM-031); an iPad takes it back when it sleeps. */
  wake() { if (this.context.state !== "running") this.context.resume().catch(() => this.#tell()); }
  #tell() { this.told(this.context.state === "running" ? "on" : "off"); }

  sound(wanted) {
    if (this.#failing || this.context.state !== "running") return;
    const was = this.#now;
    if (!wanted && was?.priority === "LOW" && was.bursts.some((b) => b.end_s > this.context.currentTime)) return;   // it sounds once, and to its end
    if (was && (!wanted || wanted.priority !== was.priority || wanted.technical !== was.technical)) {
      const interrupts = !wanted || WORSE[wanted.priority] > WORSE[was.priority] || !was.bursts.some((b) => b.from_s <= this.context.currentTime);
      this.#cut(interrupts);
    }
    if (!wanted) return;
    if (wanted.priority === "LOW") for (const id of wanted.alarm_ids) this.heard.add(id);
    const { every, at, td } = BURSTS[wanted.priority], now_s = this.context.currentTime;
    this.#now ??= { priority: wanted.priority, technical: wanted.technical, next_s: Math.max(now_s + 0.05, this.#quiet_s ?? 0), bursts: [] };
    this.#quiet_s = null;
    const burst = this.#now;
    while (burst.next_s !== null && burst.next_s < now_s + AHEAD_MS / 1000) {
      const nodes = schedule(this.context, this.context.destination, burst.priority, burst.technical, burst.next_s);
      burst.bursts.push({ from_s: burst.next_s, end_s: burst.next_s + (at.at(-1) + td) / 1000 + 0.1, nodes });
      this.played.push({ priority: burst.priority, technical: burst.technical, at_s: burst.next_s });
      burst.next_s = every === null ? null : burst.next_s + every / 1000;
    }
    burst.bursts = burst.bursts.filter((b) => b.end_s > now_s);
    this.played = this.played.slice(-50);
  }

  #quiet_s = null;

  // What has not begun is taken back; what is sounding is cut only by something worse, or because it is over.
  #cut(at_once) {
    const now_s = this.context.currentTime;
    for (const burst of this.#now.bursts) {
      if (burst.from_s > now_s || at_once) for (const node of burst.nodes) { node.disconnect(); }
      else this.#quiet_s = burst.end_s;
    }
    this.played = this.played.filter((p) => p.at_s <= now_s);
    this.#now = null;
  }

  /** The server is gone: every burst stops, for nothing is known, and the page's own tone begins. */
  fail(is_lost) {
    if (is_lost && !this.#failing && this.context.state === "running") {
      if (this.#now) this.#cut(true);
      this.#failing = failure(this.context, this.context.destination, this.context.currentTime + 0.05);
    } else if (!is_lost && this.#failing) {
      for (const node of this.#failing) node.disconnect();
      this.#failing = null;
    }
  }

  get failing() { return this.#failing !== null; }
  get busy() { return this.#now !== null || this.#failing !== null; }

  /** One burst for the sound check. */
  play(priority) { schedule(this.context, this.context.destination, priority, false, this.context.currentTime + 0.05); }
}
