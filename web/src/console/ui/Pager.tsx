import { Button, Group, Text } from '@mantine/core';
import type { CombinedError } from '@urql/core';
import { PAGE_SIZE } from '../api/pageSize';
import { useAddress } from './address';
import { EmptyState } from './EmptyState';
import { Failed, Trouble } from './Failed';

interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor?: string | null;
  endCursor?: string | null;
}

/** The page of a list that the address names, as arguments of its query. */
export function usePageArguments() {
  const { get } = useAddress();
  const before = get('before');
  return before
    ? { last: PAGE_SIZE, before, first: null, after: null }
    : { first: PAGE_SIZE, after: get('after'), last: null, before: null };
}

/** Leads on through a list, and back. */
export function Pager({ pageInfo, total }: { pageInfo: PageInfo; total: string }) {
  const { change } = useAddress();
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = pageInfo;

  function turn(place: { after: string | null; before: string | null }) {
    change(place);
    scrollTo({ top: 0 });
  }

  return (
    <Group justify="space-between" mt="sm">
      <Text size="sm" c="dimmed" role="status">
        {total}
      </Text>
      {(hasNextPage || hasPreviousPage) && (
        <Group component="nav" aria-label="Pages" gap="xs">
          <Turn isPossible={hasPreviousPage} onClick={() => turn({ after: null, before: null })}>
            First
          </Turn>
          <Turn
            isPossible={hasPreviousPage}
            onClick={() => turn({ after: null, before: startCursor ?? null })}
          >
            Previous
          </Turn>
          <Turn
            isPossible={hasNextPage}
            onClick={() => turn({ after: endCursor ?? null, before: null })}
          >
            Next
          </Turn>
        </Group>
      )}
    </Group>
  );
}

interface TurnProps {
  isPossible: boolean;
  onClick: () => void;
  children: string;
}

/** At the end of the list it keeps the focus, which a disabled button would lose. */
function Turn({ isPossible, onClick, children }: TurnProps) {
  return (
    <Button
      variant="default"
      size="xs"
      data-disabled={!isPossible || undefined}
      aria-disabled={!isPossible}
      onClick={() => isPossible && onClick()}
    >
      {children}
    </Button>
  );
}

/** Where a page could not be loaded. Another try does not help if the address names no page. */
export function FailedPage({ error, onRetry }: { error: CombinedError; onRetry: () => void }) {
  const { get, change } = useAddress();
  const isNoPage =
    (get('after') || get('before')) &&
    error.graphQLErrors.some(({ extensions }) => extensions.code === 'BAD_REQUEST');
  if (!isNoPage) return <Failed error={error} onRetry={onRetry} />;
  return (
    <Trouble
      text="The address names a page that this list does not have in this order."
      wayOut="Go to the first page"
      onWayOut={() => change({ after: null, before: null }, { replace: true })}
    />
  );
}

/** A page that others have emptied meanwhile, at the end of a list that has others. */
export function EndOfPages() {
  return <EmptyState title="Nothing is left on this page">Go back to the first.</EmptyState>;
}
