// What somebody has begun at a bed and the server does not know yet. Kept while this page is open, and nowhere else: nothing of a patient stays in a browser.

const EMPTY = { alias: "", years: null, page: null, scanned: null, used: [], closed: null };
const kept = new Map();

export const draftOf = (bed) => kept.get(bed) ?? EMPTY;
export const keep = (bed, changed) => kept.set(bed, { ...draftOf(bed), ...changed });
export const forget = (bed) => kept.delete(bed);
