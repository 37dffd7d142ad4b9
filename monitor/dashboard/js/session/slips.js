// What a clinic may print for the scanner: a slip for the patient, a label for the dose. Both say their units, so that no number stands for another. Pure.

/** "K-104; 44 years" is {alias, years}; what does not say an age is an alias and no more. */
export function readSlip(text) {
  const [alias, ...rest] = text.split(";").map((part) => part.trim());
  const years = rest.map((part) => part.match(/^(\d{1,3}) ?(?:years|y)$/i)?.[1]).find((found) => found !== undefined);
  return { alias, years: years === undefined ? null : Number(years) };
}

const UNITS = { "kg": "weight_kg", "mg/kg": "dose_mg_per_kg", "mg/ml": "concentration_mg_per_ml", "ml/h": "rate_ml_per_h" };

/** "72 kg; 0.5 mg/kg; 1 mg/ml; 54 ml/h" as the dose it says, in any order; null unless each of the four is there once. */
export function readDose(text) {
  const found = {};
  for (const part of text.split(";").map((p) => p.trim()).filter(Boolean)) {
    const [, number, unit] = part.match(/^(\d+(?:\.\d+)?) ?([a-z/]+)$/i) ?? [], key = UNITS[unit?.toLowerCase()];
    if (key === undefined || found[key] !== undefined) return null;
    found[key] = Number(number);
  }
  return Object.values(UNITS).every((key) => found[key] > 0) ? found : null;
}

/** What a dose comes to: mg, ml, and how many minutes it runs. Null while a number is missing. */
export function amounts({ weight_kg, dose_mg_per_kg, concentration_mg_per_ml, rate_ml_per_h }) {
  if (![weight_kg, dose_mg_per_kg, concentration_mg_per_ml, rate_ml_per_h].every((n) => n > 0)) return null;
  const mg = weight_kg * dose_mg_per_kg, ml = mg / concentration_mg_per_ml;
  return { mg: Number(mg.toFixed(1)), ml: Number(ml.toFixed(1)), min: Math.round((ml / rate_ml_per_h) * 60) };
}
