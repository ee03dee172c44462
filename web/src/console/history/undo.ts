import type { Client } from '@urql/core';
import { explain } from '../api/client';
import { RecentChangesDocument, UndoChangeDocument } from '../api/operations';
import { complain, tell } from '../ui/notices';

/** Undoes a change, and says how that went. */
export async function undoChange(client: Client, id: string): Promise<void> {
  const { data, error } = await client.mutation(UndoChangeDocument, { id });
  const refusal = data?.undoChange.userErrors[0]?.message;
  if (error) complain(explain(error));
  else if (refusal) complain(refusal);
  else tell(data?.undoChange.change?.summary ?? 'Undone.');
}

/** Undoes the change that made a revision: what a write has just answered. */
export async function undoRevision(client: Client, revision: number): Promise<void> {
  const { data, error } = await client.query(
    RecentChangesDocument,
    {},
    { requestPolicy: 'network-only' },
  );
  const change = data?.changes.nodes.find((change) => change.revision === revision);
  if (change) await undoChange(client, change.id);
  else complain(error ? explain(error) : 'Too much has changed since. Look in the history.');
}
