// What both servers share: resolvers over node-postgres, with a DataLoader for what many ask at once.
// Statements are prepared once a connection, and no list costs one for each of its rows.

import { randomUUID } from 'node:crypto';
import DataLoader from 'dataloader';
import pg from 'pg';

const GROUP = 'g.id, g.name, g.description, g.updated_at AS "updatedAt"';
const USER = 'e.id, e.name, e.email, e.avatar_url AS "avatarUrl", e.status';
const BOT = 'e.id, e.name, e.description, e.avatar_url AS "avatarUrl", e.features';
const PERSONA = 'e.id, e.name, e.description, e.avatar_url AS "avatarUrl"';
const KINDS = { user: USER, bot: BOT, persona: PERSONA };
const NOT_FOUND = { code: 'NOT_FOUND', message: 'There is no such row.' };

// An instant stays a text, of microseconds: a Date would keep but milliseconds, and take longer.
const INSTANT = 1184;
const types = {
  getTypeParser: (type, format) =>
    type === INSTANT ? String : pg.types.getTypeParser(type, format),
};
const instant = (text) => text.replace(' ', 'T').replace('+00', 'Z');

/** The functions that ask the database, for one organization. */
export function connect(url, organizationId) {
  const pool = new pg.Pool({ connectionString: url, max: 10, types, options: '-c timezone=UTC' });
  const ask = async (name, text, ...values) => (await pool.query({ name, text, values })).rows;

  const counts = (noun) => async (groupIds) => {
    const rows = await ask(
      `${noun}Counts`,
      `SELECT group_id, COUNT(*)::int AS total FROM group_${noun}s
       WHERE group_id = ANY($1) AND until_revision IS NULL GROUP BY group_id`,
      groupIds,
    );
    const totals = new Map(rows.map((row) => [row.group_id, row.total]));
    return groupIds.map((id) => totals.get(id) ?? 0);
  };

  const members = (noun) => async (keys) => {
    const ids = keys.map((key) => key.groupId);
    const limits = keys.map((key) => key.first + 1);
    const rows = await ask(
      `${noun}Members`,
      `SELECT p.place, m.* FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS p(id, most, place)
       CROSS JOIN LATERAL (
         SELECT m.added_at AS "addedAt", ${KINDS[noun]} FROM group_${noun}s m
         JOIN ${noun}s e ON e.id = m.${noun}_id
         WHERE m.group_id = p.id AND m.until_revision IS NULL
         ORDER BY m.sort_key, m.${noun}_id LIMIT p.most
       ) AS m`,
      ids,
      limits,
    );
    const found = keys.map(() => []);
    for (const row of rows) found[row.place - 1].push(row);
    return found;
  };

  return {
    loaders: () => {
      const made = {};
      for (const noun of Object.keys(KINDS)) {
        made[`${noun}Count`] = new DataLoader(counts(noun));
        made[`${noun}s`] = new DataLoader(members(noun), {
          cacheKeyFn: (key) => `${key.groupId} ${key.first}`,
        });
      }
      return made;
    },

    groups: (limit) =>
      ask(
        'groups',
        `SELECT ${GROUP} FROM groups g WHERE g.organization_id = $1 AND g.until_revision IS NULL
         ORDER BY g.name_key, g.id LIMIT $2`,
        organizationId,
        limit,
      ),

    groupTotal: async () => {
      const [row] = await ask(
        'groupTotal',
        `SELECT COUNT(*)::int AS total FROM groups
         WHERE organization_id = $1 AND until_revision IS NULL`,
        organizationId,
      );
      return row.total;
    },

    group: async (id) => {
      const [row] = await ask(
        'group',
        `SELECT ${GROUP} FROM groups g
         WHERE g.id = $2 AND g.organization_id = $1 AND g.until_revision IS NULL`,
        organizationId,
        id,
      );
      return row;
    },

    user: async (id) => {
      const [row] = await ask(
        'user',
        `SELECT ${USER} FROM users e
         WHERE e.id = $2 AND e.organization_id = $1 AND e.until_revision IS NULL`,
        organizationId,
        id,
      );
      return row;
    },

    users: (ids) =>
      ask(
        'users',
        `SELECT e.id, e.name_key FROM users e
         WHERE e.id = ANY($2) AND e.organization_id = $1 AND e.until_revision IS NULL`,
        organizationId,
        ids,
      ),

    available: (groupId, search, limit) =>
      ask(
        'available',
        `SELECT ${USER} FROM users e WHERE e.organization_id = $1 AND e.until_revision IS NULL
         AND (e.name_key LIKE $2 OR e.email_key LIKE $2) AND NOT EXISTS (
           SELECT 1 FROM group_users m
           WHERE m.group_id = $3 AND m.user_id = e.id AND m.until_revision IS NULL)
         ORDER BY e.name_key, e.id LIMIT $4`,
        organizationId,
        `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`,
        groupId,
        limit,
      ),

    botsOf: (userId) =>
      ask(
        'botsOf',
        `SELECT ${BOT}, g.id AS "groupId", g.name AS "groupName" FROM group_users u
         JOIN group_bots m ON m.group_id = u.group_id AND m.until_revision IS NULL
         JOIN bots e ON e.id = m.bot_id JOIN groups g ON g.id = m.group_id
         WHERE u.user_id = $1 AND u.until_revision IS NULL
         ORDER BY m.sort_key, m.bot_id, g.name_key`,
        userId,
      ),

    add: (groupId, users) =>
      ask(
        'add',
        `INSERT INTO group_users
           (id, organization_id, group_id, user_id, sort_key, added_at, since_revision)
         SELECT m.id, $1, $2, m.user_id, m.sort_key, now(), 0
         FROM unnest($3::text[], $4::text[], $5::text[]) AS m(id, user_id, sort_key)
         ON CONFLICT DO NOTHING`,
        organizationId,
        groupId,
        users.map(() => `mem_${randomUUID()}`),
        users.map((user) => user.id),
        users.map((user) => user.name_key),
      ),

    remove: (groupId, userIds) =>
      ask(
        'remove',
        `UPDATE group_users SET until_revision = 1
         WHERE group_id = $1 AND user_id = ANY($2) AND until_revision IS NULL`,
        groupId,
        userIds,
      ),
  };
}

const page = (rows, first) => ({
  nodes: rows.slice(0, first),
  pageInfo: { hasNextPage: rows.length > first },
});

const heldBy = (noun) => ({
  [`${noun}Count`]: (group, _, { loaders }) => loaders[`${noun}Count`].load(group.id),
  [`${noun}s`]: async (group, { first }, { loaders }) => {
    const rows = await loaders[`${noun}s`].load({ groupId: group.id, first });
    const { nodes, pageInfo } = page(rows, first);
    const edges = nodes.map((node) => ({ addedAt: node.addedAt, node }));
    return { groupId: group.id, nodes, edges, pageInfo };
  },
});

const totalOf = (noun) => ({
  totalCount: (held, _, { loaders }) => loaders[`${noun}Count`].load(held.groupId),
});

const written = (group) => ({ group, userErrors: [] });
const notFound = { group: null, userErrors: [NOT_FOUND] };

/** The resolvers. The context is `{ database, loaders }`. */
export const resolvers = {
  Query: {
    groups: async (_, { first }, { database }) => page(await database.groups(first + 1), first),
    group: (_, { id }, { database }) => database.group(id),
    user: (_, { id }, { database }) => database.user(id),
  },
  Mutation: {
    addUsersToGroup: async (_, { input }, { database }) => {
      const [group, users] = await Promise.all([
        database.group(input.groupId),
        database.users(input.userIds),
      ]);
      if (!group || users.length !== new Set(input.userIds).size) return notFound;
      await database.add(group.id, users);
      return written(group);
    },
    removeUsersFromGroup: async (_, { input }, { database }) => {
      const group = await database.group(input.groupId);
      if (!group) return notFound;
      await database.remove(group.id, input.userIds);
      return written(group);
    },
  },
  Groups: { totalCount: (_, __, { database }) => database.groupTotal() },
  Group: {
    ...heldBy('user'),
    ...heldBy('bot'),
    ...heldBy('persona'),
    updatedAt: (group) => instant(group.updatedAt),
    availableUsers: async (group, { search, first }, { database }) =>
      page(await database.available(group.id, search, first + 1), first),
  },
  GroupUsers: totalOf('user'),
  GroupBots: totalOf('bot'),
  GroupPersonas: totalOf('persona'),
  GroupUser: { addedAt: (edge) => instant(edge.addedAt) },
  GroupBot: { addedAt: (edge) => instant(edge.addedAt) },
  GroupPersona: { addedAt: (edge) => instant(edge.addedAt) },
  Bot: { features: (bot) => JSON.parse(bot.features) },
  User: {
    bots: async (user, { first }, { database }) => {
      const via = new Map();
      for (const row of user.status === 'ACTIVE' ? await database.botsOf(user.id) : []) {
        if (!via.has(row.id)) via.set(row.id, { node: row, via: [] });
        via.get(row.id).via.push({ id: row.groupId, name: row.groupName });
      }
      const { nodes, pageInfo } = page([...via.values()], first);
      return { edges: nodes, totalCount: via.size, pageInfo };
    },
  },
};
