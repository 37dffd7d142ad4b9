// The camera of a tablet or phone as a scanner, where its browser can read codes (BarcodeDetector); where it cannot there is no button for it. Nothing of the picture is kept or sent.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { said } from "./words.js";

const FORMATS = ["data_matrix", "code_128", "qr_code"], LOOK_MS = 200;

export const hasCamera = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);

/** `take(text)` is asked about each code; true ends it. */
export function Camera({ take, close }) {
  const video = useRef(null), [refused, setRefused] = useState(false);
  useEffect(() => {
    let stream = null, over = false, last = null;
    const look = async (detector) => {
      if (over) return;
      const [code] = video.current?.readyState >= 2 ? await detector.detect(video.current).catch(() => []) : [];
      // A code that is none of ours is told once, however long it is held there.
      if (!over && code && code.rawValue !== last) {
        last = code.rawValue;
        if (take(last)) return;
      }
      setTimeout(() => look(detector), LOOK_MS);
    };
    (async () => {
      try {
        const known = await window.BarcodeDetector.getSupportedFormats();
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
        if (over) return stop(stream);
        video.current.srcObject = stream;
        await video.current.play();
        look(new window.BarcodeDetector({ formats: FORMATS.filter((format) => known.includes(format)) }));
      } catch {
        if (!over) setRefused(true);
      }
    })();
    return () => { over = true; stop(stream); };
  }, []);
  return html`<div class="camera">${refused ? html`<p class="nothing">${said.noCamera}</p>` : html`<video ref=${video} muted playsinline aria-label=${said.cameraSees}></video>`}<button type="button" onClick=${close}>${said.cameraOff}</button></div>`;
}

const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());
