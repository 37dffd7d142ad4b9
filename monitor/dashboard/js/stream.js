// The live stream of this browser: one EventSource for all its tabs (HTTP/1.1 gives a host only six connections).
// A shared worker holds it where there is one; else this tab holds its own. Both run the same `listen`.

import { listen } from "./listen.js";

/** Starts hearing; `put({kind, data, seq})` gets snapshots, events and beats. Returns reopen(), asked after a sign-in or a gap. */
export function connect(put) {
  if (typeof SharedWorker === "undefined") return listen(put);
  const worker = new SharedWorker("/js/live-worker.js", { type: "module", name: "live" });
  worker.port.onmessage = ({ data }) => put(data);
  worker.port.start();
  addEventListener("pagehide", () => worker.port.postMessage("gone"));
  addEventListener("pageshow", (event) => { if (event.persisted) worker.port.postMessage("hello"); });
  return { reopen: () => worker.port.postMessage("reopen") };
}
