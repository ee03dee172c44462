const segmenter = new Intl.Segmenter();

/** The first characters as a reader knows them, of which 👩‍🚀 is one. */
const start = (text: string, length: number) =>
  Array.from(segmenter.segment(text), ({ segment }) => segment)
    .slice(0, length)
    .join('');

/** What stands for a name: the start of its first two words, or of its only one. */
export function initials(name: string): string {
  // Signs that only say in which direction to write show nothing by themselves.
  const [first = '', second] = name
    .replace(/\p{Bidi_Control}/gu, '')
    .trim()
    .split(/\s+/);
  return (second ? start(first, 1) + start(second, 1) : start(first, 2)).toUpperCase();
}
