// What stands in the code on a device: GS1 element strings, as a hand scanner types them. Pure.
// Application identifiers and lengths: GS1 General Specifications, 3.2 and figure 5.10.1-2 (predefined lengths).

const GS = "\u001d";   // ends an element of variable length; scanners send it as FNC1's stand-in
const FIXED = { "00": 18, "01": 14, "02": 14, "03": 14, "04": 16, 11: 6, 12: 6, 13: 6, 14: 6, 15: 6, 16: 6, 17: 6, 18: 6, 19: 6, 20: 2, 31: 8, 32: 8, 33: 8, 34: 8, 35: 8, 36: 8, 41: 13 };
const VARIABLE = { 10: 20, 21: 20, 22: 20, 240: 30, 241: 30, 30: 8, 37: 8, 712: 20, 710: 20, 711: 20, 713: 20, 714: 20, 715: 20 };

/** {lot, expires, serial} of a scan; expires as "2027-05-31". Null: no GS1 code. `unclear`: its elements cannot be told apart. */
export function readDevice(text) {
  const found = text.includes("(") ? bracketed(text) : run(text);
  if (found === null || (found["10"] === undefined && found["17"] === undefined)) return null;
  if (found.unclear) return { unclear: true };
  const expires = found["17"] === undefined ? null : dateOf(found["17"]);
  if (found["10"] === undefined || expires === null) return { unclear: true };
  return { lot: found["10"], expires, serial: found["21"] ?? null };
}

/** "(17)270531(10)23K104": as it is printed under the code, for one who types it. */
function bracketed(text) {
  const parts = [...text.matchAll(/\((\d{2,4})\)([^(]*)/g)];
  return parts.length === 0 ? null : Object.fromEntries(parts.map(([, ai, value]) => [ai, value.trim()]));
}

function run(text) {
  let rest = text.trim().replace(/^\](?:C1|d2|e0|Q3|J1)/, "");
  const found = {};
  while (rest !== "") {
    if (rest[0] === GS) { rest = rest.slice(1); continue; }
    const fixed = FIXED[rest.slice(0, 2)];
    if (fixed !== undefined) {
      const value = rest.slice(2, 2 + fixed);
      if (value.length < fixed || !/^\d+$/.test(value)) return null;
      found[rest.slice(0, 2)] = value;
      rest = rest.slice(2 + fixed);
      continue;
    }
    const ai = [2, 3].map((n) => rest.slice(0, n)).find((start) => VARIABLE[start] !== undefined);
    if (ai === undefined) return Object.keys(found).length ? { ...found, unclear: true } : null;
    const end = rest.indexOf(GS), value = rest.slice(ai.length, end < 0 ? undefined : end);
    if (value === "") return null;
    // Without its separator a value of variable length swallows what follows it: longer than allowed is seen, and so is a date inside.
    if (value.length > VARIABLE[ai] || (end < 0 && ai === "10" && /(?:17\d{6}|21\w{6,})$/.test(value) && (found["17"] === undefined || found["21"] === undefined) && value.length > 14)) return { ...found, [ai]: value, unclear: true };
    found[ai] = value;
    rest = end < 0 ? "" : rest.slice(end + 1);
  }
  return found;
}

/** YYMMDD as a date; day 00 is the last of its month. Null where there is no such day. Expiry dates are of this century until 2050 (section 7.12). */
function dateOf(text) {
  const [, yy, mm, dd] = text.match(/^(\d\d)(\d\d)(\d\d)$/) ?? [];
  if (yy === undefined) return null;
  const year = Number(yy) <= 50 ? 2000 + Number(yy) : 1900 + Number(yy), month = Number(mm), last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const day = dd === "00" ? last : Number(dd);
  if (month < 1 || month > 12 || day < 1 || day > last) return null;
  return `${year}-${mm}-${String(day).padStart(2, "0")}`;
}

/** Whether a device of this date may not be given on this day any more; both as "2027-05-31". */
export const hasExpired = (expires, today) => expires < today;
