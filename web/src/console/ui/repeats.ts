/** What somebody clicks on. */
const CONTROL = 'a, button, tr, [role=option]';

/**
 * Has each click and each key act once: what was acted on may go, and what follows it in a list
 * slides under the second click of a double click, or has the focus while the key is still held.
 */
export function ignoreRepeats(page: Document): void {
  let first: Element | null = null;
  let pressedIn: EventTarget | null = null;

  function onClick(event: MouseEvent) {
    const target = event.target as Element;
    const control = target.closest(CONTROL) ?? target;
    if (event.detail > 1 && control !== first) ignore(event);
    else first = control;
  }

  function onKeyDown(event: KeyboardEvent) {
    if (!event.repeat) pressedIn = event.target;
    // In a text of several lines it writes empty ones, unless the text came under a held key.
    const isText = event.target instanceof HTMLTextAreaElement && event.target === pressedIn;
    if (event.repeat && event.key === 'Enter' && !isText) ignore(event);
  }

  page.addEventListener('click', onClick, { capture: true });
  page.addEventListener('keydown', onKeyDown, { capture: true });
}

function ignore(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
