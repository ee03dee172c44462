import {
  type Cache,
  cacheExchange,
  type DataFields,
  type OptimisticMutationResolver,
  type UpdateResolver,
  type Variables,
} from '@urql/exchange-graphcache';

/** The three kinds of member, as the schema spells them. */
const KINDS = ['User', 'Bot', 'Persona'] as const;
type KindName = (typeof KINDS)[number];

/** Objects that are part of another, and have no id of their own. */
const PARTS = [
  'AccessDiff',
  'AccessDiffConnection',
  'AccessImpact',
  'AccessibleBotConnection',
  'AccessibleBotEdge',
  'AccessiblePersonaConnection',
  'AccessiblePersonaEdge',
  'Actor',
  'BotConnection',
  'BotUserConnection',
  'BotUserEdge',
  'ChangeConnection',
  'ChangeEdge',
  'GroupBotConnection',
  'GroupBotEdge',
  'GroupConnection',
  'GroupPersonaConnection',
  'GroupPersonaEdge',
  'GroupUserConnection',
  'GroupUserEdge',
  'PageInfo',
  'PersonaConnection',
  'PersonaUserConnection',
  'PersonaUserEdge',
  'UserConnection',
  'Viewer',
] as const;

/** The ids that a write names. */
function idsOf(args: Variables, kind: KindName): { groupId: string; ids: string[] } {
  const input = args.input as Variables;
  return {
    groupId: input.groupId as string,
    ids: input[`${kind.toLowerCase()}Ids`] as string[],
  };
}

const members = (kind: KindName) => `${kind.toLowerCase()}s`;
const available = (kind: KindName) => `available${kind}s`;
const count = (kind: KindName) => `${kind.toLowerCase()}Count`;

/** Changes the nodes of every cached page of a group's list. */
function onEachPage(
  cache: Cache,
  groupId: string,
  list: string,
  change: (nodes: string[], args: Variables) => string[],
): void {
  const group = { __typename: 'Group', id: groupId };
  for (const { fieldName, fieldKey, arguments: args } of cache.inspectFields(group)) {
    if (fieldName !== list) continue;
    const page = cache.resolve(group, fieldKey) as string | null;
    const nodes = page && (cache.resolve(page, 'nodes') as string[] | null);
    if (nodes) cache.link(page, 'nodes', change(nodes, args ?? {}) as never);
  }
}

/** Whether the service did it, or is about to. */
const isDone = (payload: unknown) => (payload as DataFields).group !== null;

/**
 * Shows a write at once, before it is sent: cards move, counts follow. It is undone by the cache
 * itself when the service refuses; the service's own lists follow right after either way.
 */
const addUpdate =
  (kind: KindName): UpdateResolver =>
  (result, args, cache) => {
    if (!isDone(result[`add${kind}sToGroup`])) return;
    const { groupId, ids } = idsOf(args, kind);
    const keys = ids.map((id) => `${kind}:${id}`);
    onEachPage(cache, groupId, available(kind), (nodes) =>
      nodes.filter((key) => !keys.includes(key)),
    );
    onEachPage(cache, groupId, members(kind), (nodes, { after, search }) =>
      after || search ? nodes : [...keys.filter((key) => !nodes.includes(key)), ...nodes],
    );
  };

const removeUpdate =
  (kind: KindName): UpdateResolver =>
  (result, args, cache) => {
    if (!isDone(result[`remove${kind}sFromGroup`])) return;
    const { groupId, ids } = idsOf(args, kind);
    const keys = ids.map((id) => `${kind}:${id}`);
    onEachPage(cache, groupId, members(kind), (nodes) =>
      nodes.filter((key) => !keys.includes(key)),
    );
  };

/** The payload that a write will have if the service does as it is told. */
const foreseen =
  (kind: KindName, direction: 1 | -1): OptimisticMutationResolver =>
  (args, cache) => {
    const { groupId, ids } = idsOf(args, kind);
    const group = { __typename: 'Group', id: groupId };
    const before = (cache.resolve(group, count(kind)) as number | undefined) ?? 0;
    return {
      __typename: direction === 1 ? `Add${kind}sToGroupPayload` : `Remove${kind}sFromGroupPayload`,
      revision: 0,
      userErrors: [],
      addedEdges: [],
      [`removed${kind}Ids`]: ids,
      group: { ...group, [count(kind)]: before + direction * ids.length },
    };
  };

export function createCache() {
  const updates: Record<string, UpdateResolver> = {};
  const optimistic: Record<string, OptimisticMutationResolver> = {};
  for (const kind of KINDS) {
    updates[`add${kind}sToGroup`] = addUpdate(kind);
    updates[`remove${kind}sFromGroup`] = removeUpdate(kind);
    optimistic[`add${kind}sToGroup`] = foreseen(kind, 1);
    optimistic[`remove${kind}sFromGroup`] = foreseen(kind, -1);
  }
  return cacheExchange({
    keys: Object.fromEntries(PARTS.map((part) => [part, () => null])),
    updates: { Mutation: updates },
    optimistic,
  });
}
