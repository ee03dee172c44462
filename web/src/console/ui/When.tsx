import { isolated } from './isolated';

/** In the reader's own language and time zone. */
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });

export const formatDay = (date: Date) => isolated(day.format(date));

/** An instant. */
export function When({ at }: { at: string }) {
  return (
    <time dateTime={at} dir="auto">
      {full.format(new Date(at))}
    </time>
  );
}
