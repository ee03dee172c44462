/** The day that an address names (`2026-01-31`); null if it is none, or has not come yet. */
export function readDay(text: string | null, now = new Date()): string | null {
  if (!text || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const [year = 0, month = 0, date = 0] = text.split('-').map(Number);
  const start = new Date(year, month - 1, date);
  // February 31 would be a day of March.
  const isDay = start.getFullYear() === year && start.getMonth() === month - 1;
  return isDay && start.getDate() === date && start <= now ? text : null;
}

/** The last instant of a day (`2026-01-31`) where the reader is; null for no day, or one to come. */
export function endOf(day: string, now = new Date()): string | null {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const start = new Date(year, month - 1, date);
  const next = new Date(year, month - 1, date + 1);
  // The day that is not over yet is the present.
  return Number.isNaN(start.valueOf()) || next > now
    ? null
    : new Date(next.valueOf() - 1).toISOString();
}
