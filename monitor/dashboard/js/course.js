// The band in which a patient with today's baseline is expected to stay: flat before the drug and where only
// watched, then as the server says the drug moves it (`CourseNow`). Pure.

import { treatmentOf } from "./treatment.js";

const VITAL = { systolic: "nibp_sys", diastolic: "nibp_dia", hr: "hr", spo2: "spo2", rr: "rr" };
const BASE = { systolic: "systolic_mmhg", diastolic: "diastolic_mmhg", hr: "heart_rate_per_min", spo2: "spo2_percent", rr: "respiration_per_min" };

/** Half the width of the band around today's baseline without a drug: what a well patient wanders (mmHg, 1/min, %). */
const SLACK = { systolic: 5, diastolic: 4, hr: 6, spo2: 1.6, rr: 3 };

/** The band between two instants as [at_ms, low, high], as few points as draw it; null where no baseline was taken. */
export function courseOf(bed, key, from_ms, to_ms) {
  const base = bed.session?.baseline?.[BASE[key]], top = key === "spo2" ? 100 : Infinity;
  if (base === null || base === undefined) return null;
  const course = treatmentOf(bed)?.course, moved = course?.vitals[VITAL[key]];
  const at = (t) => {
    const share = moved ? shareAt(course, t) : 0, middle = base + (moved?.rise ?? 0) * share, half = (moved?.sd ?? 0) * share + (moved?.slack ?? SLACK[key]);
    return [t, middle - half, Math.min(top, middle + half)];
  };
  const steps = moved ? course.shares.map((_, i) => course.from_at_ms + i * course.step_ms).filter((t) => t > from_ms && t < to_ms) : [];
  return [from_ms, ...steps, to_ms].map(at);
}

/** How strong the drug is expected to be then, of its peak. */
function shareAt({ from_at_ms, step_ms, shares }, at_ms) {
  const i = (at_ms - from_at_ms) / step_ms, n = Math.floor(i);
  if (i <= 0) return 0;
  return n >= shares.length - 1 ? shares.at(-1) : shares[n] + (shares[n + 1] - shares[n]) * (i - n);
}
