import type { Client } from '@urql/core';
import { explain } from '../api/client';
import { isPassing } from '../api/freshness';
import { RecentChangesDocument, UndoChangeDocument } from '../api/operations';
import { complain, tell } from '../ui/notices';

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
  const result = await client.query(RecentChangesDocument, {}, { requestPolicy: 'network-only' });
  const { data, error } = result;
  const change = data?.changes.nodes.find((change) => change.revision === revision);
  if (change) return undoChange(client, change.id);
  complain(error ? explain(error) : 'Too much has changed since. Look in the history.');
  return isPassing(result);
}
