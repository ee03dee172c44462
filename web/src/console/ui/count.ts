import { isolated } from './isolated';

const number = new Intl.NumberFormat();

/** `1 user`, `1,200 users`. */
export const count = (amount: number, noun: string, plural = `${noun}s`) =>
  `${number.format(amount)} ${amount === 1 ? noun : plural}`;

/** `A`, `A and B`, `A, B and 3 more`. */
export function list(all: string[], limit = 3): string {
  const names = all.map(isolated);
  if (names.length <= limit) {
    const last = names.at(-1) ?? '';
    return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
  }
  return `${names.slice(0, limit - 1).join(', ')} and ${names.length - limit + 1} more`;
}
