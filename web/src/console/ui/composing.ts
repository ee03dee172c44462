/**
 * Leaves the keys that end what an input method composes, Japanese say, to it: Escape and Enter would
 * close what the field is in, or save it. (Safari tells of the composition's end first, and has only
 * the code to know it by.)
 */
export function leaveToInputMethods(page: Window): void {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) event.stopImmediatePropagation();
  };
  page.addEventListener('keydown', onKeyDown, { capture: true });
}
