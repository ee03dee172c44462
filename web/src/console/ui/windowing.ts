import { useSyncExternalStore } from 'react';

/** Pages on either side of one that is in view, or is acted in, that are drawn as well. */
const AROUND = 1;

/** What the arrow keys have marked, and what a write is on its way of. */
const ACTED_ON = '[data-combobox-selected], [aria-busy=true]';

/** Is told how high a page was, in pixels, once it is drawn no longer; null once it is again. */
type Told = (height: number | null) => void;

/**
 * Which pages of a long list are drawn: the first and the last, so that keys come into the list where
 * it begins and ends; those in view, those where somebody acts, and what lies around these. Of three
 * pages or fewer, all are.
 */
export class Windowing {
  /** In the order in which they follow one another, as each is loaded behind the one above. */
  private readonly pages = new Map<HTMLElement, Told>();
  private readonly inView = new Set<Element>();
  private observer: IntersectionObserver | undefined;

  /** Looks after a page, until the returned function is called. */
  add(page: HTMLElement, told: Told): () => void {
    this.observer ??= new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.inView.add(target);
        else this.inView.delete(target);
      }
      this.look();
    });
    this.pages.set(page, told);
    this.observer.observe(page);
    page.addEventListener('focusin', this.look);
    return () => {
      page.removeEventListener('focusin', this.look);
      this.pages.delete(page);
      this.inView.delete(page);
      this.observer?.unobserve(page);
    };
  }

  /** Have what is drawn follow what is in view, and where somebody acts. */
  readonly look = (): void => {
    const pages = [...this.pages.keys()];
    const centres = pages.flatMap((page, place) =>
      this.inView.has(page) || isActedIn(page) ? [place] : [],
    );
    if (centres.length === 0) return; // All of the list is out of view.
    const isNear = (place: number) => centres.some((centre) => Math.abs(centre - place) <= AROUND);
    pages.forEach((page, place) => {
      const isEnd = place === 0 || place === pages.length - 1;
      const isDrawn = isEnd || isNear(place) || isSelected(page);
      this.pages.get(page)?.(isDrawn ? null : page.offsetHeight);
    });
  };
}

const isActedIn = (page: HTMLElement) =>
  page.contains(document.activeElement) || page.querySelector(ACTED_ON) !== null;

/** Whether there is text in it that somebody has selected, to copy it. */
function isSelected(page: HTMLElement): boolean {
  const selection = getSelection();
  const isDrawn = page.firstChild !== null;
  return isDrawn && selection?.isCollapsed === false && selection.containsNode(page, true);
}

/** Whether the document is being printed: on paper nothing scrolls. */
export const useIsPrinted = () => useSyncExternalStore(followPrinting, isPrinted);

const isPrinted = () => matchMedia('print').matches;

function followPrinting(listener: () => void) {
  const paper = matchMedia('print');
  paper.addEventListener('change', listener);
  return () => paper.removeEventListener('change', listener);
}
