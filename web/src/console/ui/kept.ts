import { type ComponentType, memo } from 'react';

/**
 * A component that stays as it is drawn until it is told something else. Each answer of the service
 * brings new objects, that say the same of nearly all that a long list shows.
 */
export const kept = <Props extends object>(component: ComponentType<Props>) =>
  memo(component, isSame);

/** Whether two values say the same: data by what it holds, functions by which they are. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as never], b[key as never]))
  );
}
