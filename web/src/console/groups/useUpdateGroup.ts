import { useClient } from 'urql';
import { explain } from '../api/client';
import { UpdateGroupDocument } from '../api/operations';

/** Changes a group's texts; returns why the service refused, or null. */
export function useUpdateGroup(id: string) {
  const client = useClient();
  return async (texts: { name?: string; description?: string | null }): Promise<string | null> => {
    const { data, error } = await client.mutation(UpdateGroupDocument, { input: { id, ...texts } });
    if (error) return explain(error);
    return data?.updateGroup.userErrors[0]?.message ?? null;
  };
}
