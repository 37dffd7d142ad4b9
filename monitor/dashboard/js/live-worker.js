// The one stream of a browser, in a shared worker. A tab that comes later gets a snapshot made of what has been heard.

import { listen } from "./listen.js";
import { now, reduce, start } from "./state.js";

const ports = new Set();
let state = start(performance.now()), stream = null;

function put(message) {
  const perf_ms = performance.now();
  if (message.kind !== "closed") state = reduce(state, { ...message, perf_ms });
  for (const port of ports) port.postMessage(message);
}

/** The newest state as the wire would give it: idempotent, so a tab may hear it at any time. */
function summary() {
  const all = (map) => Object.values(map);
  const server = { ...state.server, at_ms: now(state, performance.now()) };
  return {
    kind: "snapshot", seq: state.seq,
    data: {
      server, me: state.me, beds: state.order.map((bed) => state.beds[bed]), alarms: all(state.alarms), pages: all(state.pages),
      links: all(state.links), parts: all(state.parts), duty: state.duty, load: state.load, therapies: state.therapies, staff: state.staff, sounds: all(state.sounds),
    },
  };
}

const isHearing = () => state.server !== null && performance.now() - state.link.heard_perf_ms < 2_000;

onconnect = ({ ports: [port] }) => {
  const hello = () => {
    ports.add(port);
    if (stream === null) stream = listen(put);
    else if (isHearing()) port.postMessage(summary());
    else stream.reopen();
  };
  port.onmessage = ({ data }) => {
    if (data === "gone") ports.delete(port);
    if (data === "hello") hello();
    if (data === "reopen") stream.reopen();
  };
  port.start();
  hello();
};
