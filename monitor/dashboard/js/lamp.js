// All lamps flash in one phase: each CSS animation called lamp-* is started on the same whole second.

const ZERO_MS = 1000 - (performance.timeOrigin % 1000);   // a whole second of the clock, on the document's time line

export function keepInPhase() {
  document.addEventListener("animationstart", (event) => {
    if (!event.animationName.startsWith("lamp-")) return;
    for (const lamp of event.target.getAnimations()) if (lamp.animationName === event.animationName) lamp.startTime = ZERO_MS;
  });
}
