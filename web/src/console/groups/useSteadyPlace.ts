import { useState } from 'react';

interface Held {
  id: string;
  list: unknown;
  place: number;
}

/**
 * Keeps the group that is open in its place while changes of its name, of what it holds, or of other
 * groups would have it elsewhere in the list, or on another page: somebody types in it, or looks at
 * it, or presses what is in it time and again. Closed, it goes where it belongs.
 *
 * @param rows all that are shown, as they are sorted.
 * @param isListed whether the open one is among the rows by itself, and not only because it is open.
 * @param list what the rows are a list of; in another one it has another place.
 */
export function useSteadyPlace<Row extends { id: string }>(
  rows: Row[],
  open: string | null,
  isListed: boolean,
  list: unknown,
): Row[] {
  const [held, setHeld] = useState<Held | null>(null);
  const row = rows.find(({ id }) => id === open);
  const isHeld = held !== null && held.id === open && held.list === list;
  if (held && !isHeld) setHeld(null);
  if (!row) return rows;
  if (isHeld) {
    const others = rows.filter((other) => other !== row);
    return [...others.slice(0, held.place), row, ...others.slice(held.place)];
  }
  if (!held && isListed) setHeld({ id: row.id, list, place: rows.indexOf(row) });
  return rows;
}
