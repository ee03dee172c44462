/** What is written from right to left, or has other text be written so. */
const TURNING =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** A name for a sentence that no element can be in: it does not turn the words around it. */
export const isolated = (name: string) => (TURNING.test(name) ? `\u2068${name}\u2069` : name);
