// What this screen's own sound is doing, told to the server: once it is known, at each change, after a check. Never in the way of anything.

const SETTLED_MS = 1_000;   // a browser says "suspended" for a moment before it says "running"
const AGAIN_MS = 30_000;

/** `send(state)` answers as the API does; `failed(is)` is told when a report does not arrive, and when one does again. */
export class SoundReport {
  #wanted = null; #said = null; #timer = null;
  constructor(send, failed) { this.send = send; this.failed = failed; }

  /** "on", "off" or "checked": the newest wins, a repeated one is no news. */
  say(state) {
    this.#wanted = state;
    this.#in(SETTLED_MS);
  }

  /** Somebody else is at this screen now, or the service was away: what was said before may be forgotten there. */
  again() {
    this.#said = null;
    if (this.#wanted !== null) this.#in(SETTLED_MS);
  }

  #in(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), ms);
  }

  async #report() {
    const state = this.#wanted;
    if (state === this.#said) return;
    const answer = await this.send(state);
    if (state !== this.#wanted) return;   // another word is on its way
    if (answer.ok) this.#said = state;
    // Once it is known that somebody checked by ear, what remains to be said is that the sound is on.
    if (answer.ok && state === "checked") this.#wanted = this.#said = "on";
    const nobody = answer.status === 401;   // no name and no pairing: there is no screen to speak of
    this.failed(!answer.ok && !nobody);
    if (!answer.ok && !nobody) this.#in(AGAIN_MS);
  }
}
