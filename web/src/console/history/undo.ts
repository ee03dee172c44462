import type { Client } from '@urql/core';
import { explain } from '../api/client';
import { isPassing } from '../api/freshness';
import {
  RecentChangesDocument,
  type RecentChangesQueryVariables,
  UndoChangeDocument,
} from '../api/operations';
import { PAGE_SIZE } from '../api/pageSize';
import { complain, tell } from '../ui/notices';

/** Pages of the history that a change is looked for in: it was made a moment ago. */
const MOST_PAGES = 2;

/** Undoes a change, and says how that went. Returns whether it may go better another time. */
export async function undoChange(client: Client, id: string): Promise<boolean> {
  const result = await client.mutation(UndoChangeDocument, { id });
  const { data, error } = result;
  const refusal = data?.undoChange.userErrors[0]?.message;
  if (error) complain(explain(error));
  else if (refusal) complain(refusal);
  else tell(data?.undoChange.change?.summary ?? 'Undone.');
  return isPassing(result);
}

/** Undoes the change that made a revision: what a write has just answered. */
export async function undoRevision(client: Client, revision: number): Promise<boolean> {
  let after: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const variables: RecentChangesQueryVariables = { first: PAGE_SIZE, after };
    const policy = { requestPolicy: 'network-only' } as const;
    const result = await client.query(RecentChangesDocument, variables, policy);
    const { nodes, pageInfo } = result.data?.changes ?? {};
    const change = nodes?.find((change) => change.revision === revision);
    if (change) return undoChange(client, change.id);
    if (result.error) {
      complain(explain(result.error));
      return isPassing(result);
    }
    if (!pageInfo?.hasNextPage) break;
    after = pageInfo.endCursor ?? null;
  }
  complain('Too much has changed since. Look in the history.');
  return false;
}
