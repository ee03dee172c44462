import { VisuallyHidden } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { Fragment, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useQuery } from 'urql';
import { PAGE_SIZE } from '../api/pageSize';
import { isTooMuch } from '../api/tooMuch';
import { count } from './count';
import classes from './Endless.module.css';
import { Failed } from './Failed';
import { Rows } from './Rows';
import { useIsPrinted, Windowing } from './windowing';

/** What a connection lists: objects, or edges that lead to them. */
export type Listed = { id: string } | { node: { id: string } };

export const idOf = (item: Listed) => ('id' in item ? item.id : item.node.id);

/** A page of a connection, as the operations name its parts. */
export interface Page<Item extends Listed> {
  totalCount: number;
  pageInfo: { hasNextPage: boolean; endCursor: string | null | undefined };
  items: Item[];
}

interface Source<Data, Variables extends AnyVariables, Item extends Listed> {
  query: TypedDocumentNode<Data, Variables>;
  /** Those of the query, less the ones that say which page. */
  variables: Omit<Variables, 'first' | 'after'>;
  /** Where the page is in the answer; nothing if what holds it is gone. */
  pick: (data: Data) => Page<Item> | null | undefined;
  item: (item: Item) => ReactNode;
}

interface Props<Data, Variables extends AnyVariables, Item extends Listed>
  extends Source<Data, Variables, Item> {
  /** What stands there when there is nothing. */
  empty: ReactNode;
  wrap: (items: ReactNode, totalCount: number) => ReactNode;
}

/**
 * A list that loads its next page when its end comes into view. Each page is a query of its own
 * that begins where the page above ends, and stays active while it is drawn, so that live updates
 * keep true what somebody may see, without gaps or doubles.
 *
 * Of a long list, pages far out of view only keep their room (`Windowing`); what they held shows at
 * once when they come back, and is asked for again. So what a list costs, and what a change in it
 * asks, does not grow with how far somebody has scrolled.
 */
export function Endless<Data, Variables extends AnyVariables, Item extends Listed>(
  props: Props<Data, Variables, Item>,
) {
  // Until another list is loaded, nothing of this one may pass for it; a search only narrows it.
  const list = JSON.stringify(props.variables, (name, value) =>
    name === 'search' ? undefined : value,
  );
  return <List key={list} {...props} />;
}

function List<Data, Variables extends AnyVariables, Item extends Listed>(
  props: Props<Data, Variables, Item>,
) {
  const { search } = props.variables as { search?: string | null };
  const { page, error, retry, isSettled, size } = usePage(props, null, PAGE_SIZE);
  const [windowing] = useState(() => new Windowing());

  function content() {
    if (!page) return error ? <Failed error={error} onRetry={retry} /> : <Rows />;
    const { items, totalCount } = page;
    if (items.length === 0) return isSettled ? props.empty : <Rows />;
    const pages = (
      <PageAndNext
        {...props}
        page={page}
        isSettled={isSettled}
        size={size}
        windowing={windowing}
        total={totalCount}
        isUpToDate={isSettled}
      />
    );
    return props.wrap(pages, totalCount);
  }

  return (
    <>
      {search !== undefined && (
        <Found search={search} total={isSettled && page ? page.totalCount : null} />
      )}
      <div className="rows" aria-busy={page !== undefined && !isSettled}>
        {content()}
      </div>
    </>
  );
}

/**
 * Tells screen readers what a search has found: once, and not of each change after it, which only
 * takes back what is not true any more.
 */
function Found({ search, total }: { search: string | null; total: number | null }) {
  const [told, setTold] = useState({ search, total, text: '' });
  if (total !== null && search !== told.search) {
    const text = search ? `${count(total, 'match', 'matches')} for “${search}”` : '';
    setTold({ search, total, text });
  } else if (total !== null && total !== told.total) {
    setTold({ search, total, text: '' });
  }
  return <VisuallyHidden role="status">{told.text}</VisuallyHidden>;
}

/** By what a page is divided where all that hangs on its items, such as groups, is too much. */
const FEWER = 10;

/** @param most how many are asked for, unless they are more than the service tells at once. */
function usePage<Data, Variables extends AnyVariables, Item extends Listed>(
  { query, variables, pick }: Source<Data, Variables, Item>,
  after: string | null,
  most: number,
  pause = false,
) {
  const [size, setSize] = useState(most);
  const [{ data, error, fetching }, retry] = useQuery<Data, AnyVariables>({
    query,
    variables: { ...variables, first: size, after },
    pause,
  });
  const isLessAsked = error !== undefined && isTooMuch(error) && (fetching || size > 1);
  if (isLessAsked && !fetching) setSize(Math.ceil(size / FEWER));
  return {
    page: data && pick(data),
    error: isLessAsked ? undefined : error,
    // By then, as many may be told as before.
    retry: () => (size === most ? retry() : setSize(most)),
    isSettled: !fetching && !isLessAsked,
    size,
  };
}

const NONE: ReadonlySet<string> = new Set();

interface InList<Data, Variables extends AnyVariables, Item extends Listed>
  extends Source<Data, Variables, Item> {
  windowing: Windowing;
  /** How many the page above has asked for. */
  size: number;
  /** How many the list holds, as the first page has it. */
  total: number;
  /** Whether all pages above are of about that many. */
  isUpToDate: boolean;
  /** How many stand above, and which of these are drawn. */
  start?: number;
  above?: ReadonlySet<string>;
}

interface PageProps<Data, Variables extends AnyVariables, Item extends Listed>
  extends InList<Data, Variables, Item> {
  page: Page<Item>;
  isSettled: boolean;
  /** In pixels, of a page that is not drawn. */
  height?: number | null;
  onHeight?: (height: number | null) => void;
}

function PageAndNext<Data, Variables extends AnyVariables, Item extends Listed>({
  page,
  isSettled,
  height = null,
  onHeight,
  start = 0,
  above = NONE,
  ...source
}: PageProps<Data, Variables, Item>) {
  const { windowing, total } = source;
  const list = JSON.stringify(source.variables);
  const [wanted, setWanted] = useState<string>();
  const box = useRef<HTMLDivElement>(null);
  const isDrawn = useIsPrinted() || height === null;
  const { hasNextPage, endCursor } = page.pageInfo;
  // Until it is brought up to date, a page may still hold who stands above by now.
  const items = page.items.filter((item) => !above.has(idOf(item)));

  useLayoutEffect(
    () => (box.current ? windowing.add(box.current, (now) => onHeight?.(now)) : undefined),
    [windowing, onHeight],
  );
  useLayoutEffect(() => {
    if (box.current) number(box.current, start, start > 0 || hasNextPage ? total : null);
  });

  return (
    <>
      <div ref={box} style={{ height: isDrawn ? undefined : (height ?? undefined) }}>
        {isDrawn && items.map((item) => <Fragment key={idOf(item)}>{source.item(item)}</Fragment>)}
      </div>
      {hasNextPage &&
        endCursor &&
        (wanted === list ? (
          <NextPage
            {...source}
            after={endCursor}
            start={start + items.length}
            above={isDrawn ? new Set([...above, ...items.map(idOf)]) : above}
          />
        ) : (
          isSettled && <End onReached={() => setWanted(list)} />
        ))}
    </>
  );
}

/** Tells screen readers where each item stands in a list of `total`; null where all of it is there. */
function number(box: HTMLElement, start: number, total: number | null) {
  [...box.children].forEach((item, place) => {
    if (total === null) {
      item.removeAttribute('aria-posinset');
      item.removeAttribute('aria-setsize');
    } else {
      // There may have been more above when that was drawn.
      item.setAttribute('aria-posinset', String(Math.min(start + place + 1, total)));
      item.setAttribute('aria-setsize', String(total));
    }
  });
}

/**
 * A page that is not drawn is not asked for again, unless by now the list has a page more or less
 * than when it was: then, one after another, all of them are.
 */
function NextPage<Data, Variables extends AnyVariables, Item extends Listed>({
  after,
  isUpToDate,
  ...source
}: InList<Data, Variables, Item> & { after: string }) {
  const [height, setHeight] = useState<number | null>(null);
  const [last, setLast] = useState<Page<Item>>();
  const isOld = Math.abs((last?.totalCount ?? source.total) - source.total) >= PAGE_SIZE;
  const pause = height !== null && !(isOld && isUpToDate);
  const { page, error, retry, isSettled, size } = usePage(source, after, source.size, pause);
  if (page && page !== last) setLast(page);

  // Where there is no answer, what it held stays, and all that is below it: also once it is not drawn,
  // when urql tells neither of what it held nor of the error.
  const shown = page ?? last;
  if (!shown) return error ? <Failed error={error} onRetry={retry} /> : <Rows count={2} />;
  return (
    <PageAndNext
      {...source}
      page={shown}
      isSettled={isSettled}
      size={size}
      isUpToDate={isUpToDate && isSettled && !isOld}
      height={height}
      onHeight={setHeight}
    />
  );
}

/** The end of what is loaded; in view a little before its last item, which a key may stop at. */
function End({ onReached }: { onReached: () => void }) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  useEffect(() => {
    if (inViewport) onReached();
  });
  return <div ref={ref} className={classes.end} />;
}
