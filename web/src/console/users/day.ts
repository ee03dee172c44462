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
