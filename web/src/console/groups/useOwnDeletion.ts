import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { filter, pipe, subscribe } from 'wonka';
import { DeleteGroupDocument, type DeleteGroupMutationVariables } from '../api/operations';

/** Whether it was from this page that a group was deleted: who did it need not be told. */
export function useOwnDeletion(groupId: string | null): boolean {
  const client = useClient();
  const [asked] = useState(() => new Set<string>());

  useEffect(
    () =>
      pipe(
        client.operations$,
        filter(({ query }) => query === DeleteGroupDocument),
        subscribe(({ variables }) =>
          asked.add((variables as DeleteGroupMutationVariables).input.id),
        ),
      ).unsubscribe,
    [client, asked],
  );
  return groupId !== null && asked.has(groupId);
}
