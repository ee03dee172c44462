import type { GroupOrder, GroupOrderField } from '../api/operations';

/** As the address spells it; with a minus in front, the other way round. */
const FIELDS = new Map<string, GroupOrderField>([
  ['name', 'NAME'],
  ['users', 'USER_COUNT'],
]);

/** Reads `name`, `-users` and the like; by name if it says nothing that is known. */
export function readOrder(text: string | null): GroupOrder {
  const isDown = text?.startsWith('-') ?? false;
  const field = FIELDS.get((text ?? '').slice(isDown ? 1 : 0));
  return { field: field ?? 'NAME', direction: field && isDown ? 'DESC' : 'ASC' };
}

/** What the address says once somebody asks for this column: a second time turns it round. */
export function nextOrder(column: 'name' | 'users', order: GroupOrder): string {
  const isSame = FIELDS.get(column) === order.field;
  // The largest groups first, unless asked again.
  const startsDown = column === 'users';
  const isDown = isSame ? order.direction === 'ASC' : startsDown;
  return isDown ? `-${column}` : column;
}
