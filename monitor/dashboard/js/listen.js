// One EventSource on /api/v1/live: it resumes by itself with Last-Event-ID; a closed one is opened again, with a growing pause.

const URL = "/api/v1/live", PAUSE_MS = [500, 1_000, 2_000, 5_000];

export function listen(put) {
  let source = null, timer = null, tries = 0;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(URL);
    for (const kind of ["snapshot", "events", "beat"]) {
      source.addEventListener(kind, (event) => {
        tries = 0;
        put({ kind, data: JSON.parse(event.data), seq: seqOf(event.lastEventId) });
      });
    }
    source.onerror = () => {
      // 401 or a proxy's page closes it for good; anything else the browser retries itself.
      if (source.readyState !== EventSource.CLOSED) return;
      put({ kind: "closed" });
      timer = setTimeout(open, PAUSE_MS[Math.min(tries++, PAUSE_MS.length - 1)]);
    };
  };
  open();
  return { reopen: open };
}

// The id is "<start>-<stream seq>".
function seqOf(id) {
  const n = Number(id.slice(id.lastIndexOf("-") + 1));
  return id && Number.isInteger(n) ? n : null;
}
