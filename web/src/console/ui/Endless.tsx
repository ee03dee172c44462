import { VisuallyHidden } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { Fragment, type ReactNode, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { PAGE_SIZE } from '../api/pageSize';
import { count } from './count';
import classes from './Endless.module.css';
import { Failed } from './Failed';
import { Rows } from './Rows';

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
 * that stays active and begins where the page above ends, so that live updates keep all of it
 * true, without gaps or doubles.
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
  const { page, error, retry, isSettled } = usePage(props, null);

  function content() {
    if (!page) return error ? <Failed error={error} onRetry={retry} /> : <Rows />;
    if (page.items.length === 0) return isSettled ? props.empty : <Rows />;
    const pages = <PageAndNext {...props} page={page} isSettled={isSettled} />;
    return props.wrap(pages, page.totalCount);
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

function usePage<Data, Variables extends AnyVariables, Item extends Listed>(
  { query, variables, pick }: Source<Data, Variables, Item>,
  after: string | null,
) {
  const [{ data, error, fetching }, retry] = useQuery<Data, AnyVariables>({
    query,
    variables: { ...variables, first: PAGE_SIZE, after },
  });
  return { page: data && pick(data), error, retry, isSettled: !fetching };
}

interface PageProps<Data, Variables extends AnyVariables, Item extends Listed>
  extends Source<Data, Variables, Item> {
  page: Page<Item>;
  isSettled: boolean;
}

function PageAndNext<Data, Variables extends AnyVariables, Item extends Listed>({
  page,
  isSettled,
  ...source
}: PageProps<Data, Variables, Item>) {
  const list = JSON.stringify(source.variables);
  const [wanted, setWanted] = useState<string>();
  const { hasNextPage, endCursor } = page.pageInfo;
  return (
    <>
      {page.items.map((item) => (
        <Fragment key={idOf(item)}>{source.item(item)}</Fragment>
      ))}
      {hasNextPage &&
        endCursor &&
        (wanted === list ? (
          <NextPage {...source} after={endCursor} />
        ) : (
          isSettled && <End onReached={() => setWanted(list)} />
        ))}
    </>
  );
}

function NextPage<Data, Variables extends AnyVariables, Item extends Listed>({
  after,
  ...source
}: Source<Data, Variables, Item> & { after: string }) {
  const { page, error, retry, isSettled } = usePage(source, after);
  if (!page) return error ? <Failed error={error} onRetry={retry} /> : <Rows count={2} />;
  return <PageAndNext {...source} page={page} isSettled={isSettled} />;
}

/** The end of what is loaded; in view a little before its last item, which a key may stop at. */
function End({ onReached }: { onReached: () => void }) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  useEffect(() => {
    if (inViewport) onReached();
  });
  return <div ref={ref} className={classes.end} />;
}
