// PostGraphile 5: the same documents, and the same answers. Types, columns and connections of groups,
// users, bots and personas are its own, made by introspection; what the documents ask beyond that are
// plans of `extendSchema`. Grafast makes one SQL statement of a read where it can: members, counts and
// `via` become subselects of their parent.

import './node-22.mjs';

import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import {
  TYPES,
  listOfCodec,
  pgSelect,
  pgSelectFromRecords,
  sideEffectWithPgClient,
} from 'postgraphile/@dataplan/pg';
import { jsonParse } from 'postgraphile/@dataplan/json';
import { makePgService } from 'postgraphile/adaptors/pg';
import { access, connection, context, lambda, object } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { sql } from 'postgraphile/pg-sql2';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema, jsonPgSmartTags } from 'postgraphile/utils';
import { options } from './options.mjs';

// --- What the database says, said otherwise -------------------------------------------------------

const hidden = { tags: { behavior: '-*' } };

/** Columns that are not shown, or that fields of the same name replace below. */
const SmartTags = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      groups: { attribute: { user_count: hidden, bot_count: hidden, persona_count: hidden } },
      bots: { attribute: { features: hidden } },
    },
  },
});

/** `id` is the column: without global object identification it needs no other name. */
const PlainIds = {
  name: 'PlainIdsPlugin',
  version: '1.0.0',
  inflection: {
    replace: {
      _attributeName(previous, options, details) {
        return previous({ ...details, skipRowId: true });
      },
    },
  },
};

// --- Plans ----------------------------------------------------------------------------------------

/** What a key must be like to contain a text. */
const containing = (text) => `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;

const $organization = () => context().get('organizationId');

/** Only the rows that stand. */
function standing($rows) {
  $rows.where(sql`${$rows.alias}.until_revision is null`);
  return $rows;
}

function orderBy($rows, ...attributes) {
  for (const attribute of attributes) $rows.orderBy({ attribute, direction: 'ASC' });
  $rows.setOrderIsUnique();
  return $rows;
}

function page($rows, fieldArgs) {
  const $connection = connection($rows);
  $connection.setFirst(fieldArgs.getRaw('first'));
  return $connection;
}

const KINDS = [
  { noun: 'user', type: 'User', field: 'users' },
  { noun: 'bot', type: 'Bot', field: 'bots' },
  { noun: 'persona', type: 'Persona', field: 'personas' },
];

/** A subselect in the row of a group. */
function countMembers($group, { field }) {
  const members = sql.identifier(`group_${field}`);
  return $group.select(
    sql`(select count(*)::int4 from ${members} m where m.group_id = ${$group.getClassStep().alias}.id and m.until_revision is null)`,
    TYPES.int,
  );
}

const Operations = extendSchema((build) => {
  const { groups, users, bots } = build.pgResources;

  const standingById = (resource, $id) =>
    standing(resource.find({ id: $id, organization_id: $organization() })).single();

  /** The fields, connections and edges of a group's members of each kind. */
  const groupPlans = {};
  const memberObjects = {};
  for (const kind of KINDS) {
    const resource = build.pgResources[kind.field];
    const memberships = sql.identifier(`group_${kind.field}`);
    const memberId = sql.identifier(`${kind.noun}_id`);
    groupPlans[`${kind.noun}Count`] = ($group) => countMembers($group, kind);
    groupPlans[kind.field] = ($group, fieldArgs) => {
      // A member, and of its membership what is asked of it here.
      const $members = pgSelect({
        resource,
        identifiers: [],
        args: [{ step: $group.get('id'), pgCodec: TYPES.text }],
        from: (groupId) => sql`(
          select t.*, m.sort_key, m.added_at
          from ${memberships} m join ${resource.from} t on t.id = m.${memberId}
          where m.group_id = ${groupId.placeholder} and m.until_revision is null
        )`,
      });
      $members.orderBy({
        fragment: sql`${$members.alias}.sort_key`,
        codec: TYPES.text,
        direction: 'ASC',
      });
      return object({ group: $group, members: page(orderBy($members, 'id'), fieldArgs) });
    };
    memberObjects[`${kind.type}MembersConnection`] = {
      plans: {
        totalCount: ($page) => countMembers($page.get('group'), kind),
        edges: ($page) => $page.get('members').edges(),
        nodes: ($page) => $page.get('members').nodes(),
        pageInfo: ($page) => $page.get('members').pageInfo(),
      },
    };
    memberObjects[`${kind.type}MemberEdge`] = {
      plans: {
        addedAt($edge) {
          const $member = $edge.node();
          return $member.select(
            sql`${$member.getClassStep().alias}.added_at`,
            TYPES.timestamptz,
          );
        },
        node: ($edge) => $edge.node(),
      },
    };
  }

  const { executor } = groups;

  /** A mutation of one statement, which is one transaction. It says whether it found all rows. */
  const changeMembers = (name, text) => (_$root, fieldArgs) =>
    sideEffectWithPgClient(
      executor,
      object({
        organizationId: $organization(),
        groupId: fieldArgs.getRaw(['input', 'groupId']),
        userIds: fieldArgs.getRaw(['input', 'userIds']),
      }),
      async (client, { organizationId, groupId, userIds }) => {
        const values = [organizationId, groupId, [...new Set(userIds)]];
        const { rows } = await client.query({ name, text, values });
        return rows[0].found
          ? { groupId, userErrors: [] }
          : { groupId: null, userErrors: [{ code: 'NOT_FOUND', message: 'There is no such row.' }] };
      },
    );

  const payload = {
    plans: {
      group: ($payload) => standingById(groups, access($payload, 'groupId')),
      userErrors: ($payload) => access($payload, 'userErrors'),
    },
  };

  return {
    typeDefs: /* GraphQL */ `
      extend type Query {
        groups(first: Int = 50): GroupConnection
        group(id: ID!): Group
        user(id: ID!): User
      }

      extend type Group {
        userCount: Int!
        botCount: Int!
        personaCount: Int!
        users(first: Int = 50): UserMembersConnection!
        bots(first: Int = 50): BotMembersConnection!
        personas(first: Int = 50): PersonaMembersConnection!
        availableUsers(search: String = "", first: Int = 50): UserConnection!
      }
      ${KINDS.map(
        ({ type }) => /* GraphQL */ `
          type ${type}MembersConnection {
            totalCount: Int!
            edges: [${type}MemberEdge!]!
            nodes: [${type}!]!
            pageInfo: PageInfo!
          }
          type ${type}MemberEdge {
            addedAt: Datetime!
            node: ${type}!
          }
        `,
      ).join('')}
      extend type Bot {
        features: [String!]!
      }

      extend type User {
        bots(first: Int = 50): UserBotsConnection!
      }
      type UserBotsConnection {
        totalCount: Int!
        edges: [UserBotEdge!]!
        pageInfo: PageInfo!
      }
      "A bot that a user may use, and the groups that give it."
      type UserBotEdge {
        node: Bot!
        via: [Group!]!
      }

      type UserError {
        code: String!
        message: String!
      }
      input AddUsersToGroupInput {
        groupId: ID!
        userIds: [ID!]!
      }
      type AddUsersToGroupPayload {
        group: Group
        userErrors: [UserError!]!
      }
      input RemoveUsersFromGroupInput {
        groupId: ID!
        userIds: [ID!]!
      }
      type RemoveUsersFromGroupPayload {
        group: Group
        userErrors: [UserError!]!
      }
      extend type Mutation {
        addUsersToGroup(input: AddUsersToGroupInput!): AddUsersToGroupPayload!
        removeUsersFromGroup(input: RemoveUsersFromGroupInput!): RemoveUsersFromGroupPayload!
      }
    `,
    objects: {
      Query: {
        plans: {
          groups(_$root, fieldArgs) {
            const $groups = standing(groups.find({ organization_id: $organization() }));
            return page(orderBy($groups, 'name_key', 'id'), fieldArgs);
          },
          group: (_$root, { $id }) => standingById(groups, $id),
          user: (_$root, { $id }) => standingById(users, $id),
        },
      },
      Group: {
        plans: {
          ...groupPlans,
          availableUsers($group, fieldArgs) {
            const $users = standing(
              users.find({ organization_id: $group.get('organization_id') }),
            );
            const { alias } = $users;
            const pattern = $users.placeholder(
              lambda(fieldArgs.getRaw('search'), containing, true),
              TYPES.text,
            );
            const groupId = $users.placeholder($group.get('id'));
            $users.where(
              sql`(${alias}.name_key like ${pattern} or ${alias}.email_key like ${pattern})`,
            );
            $users.where(
              sql`not exists (select from group_users m where m.group_id = ${groupId} and m.user_id = ${alias}.id and m.until_revision is null)`,
            );
            return page(orderBy($users, 'name_key', 'id'), fieldArgs);
          },
        },
      },
      ...memberObjects,
      Bot: {
        plans: {
          features: ($bot) => jsonParse($bot.get('features')),
        },
      },
      User: {
        plans: {
          bots($user, fieldArgs) {
            const $bots = pgSelect({
              resource: bots,
              identifiers: [],
              args: [
                { step: $user.get('id'), pgCodec: TYPES.text },
                { step: $user.get('status'), pgCodec: TYPES.text },
              ],
              // Each bot once, with the groups that give it. Left joins, so that counting can leave
              // them out.
              from: (userId, status) => sql`(
                select b.*, given.via
                from (
                  select m.bot_id, array_agg(g order by g.name_key, g.id) as via
                  from group_users u
                  join group_bots m on m.group_id = u.group_id
                  left join groups g on g.id = m.group_id
                  where u.user_id = ${userId.placeholder} and ${status.placeholder} = 'ACTIVE'
                  and u.until_revision is null and m.until_revision is null
                  group by m.bot_id
                ) given left join bots b on b.id = given.bot_id
              )`,
            });
            return page(orderBy($bots, 'name_key', 'id'), fieldArgs);
          },
        },
      },
      UserBotsConnection: {
        plans: {
          totalCount: ($page) =>
            $page
              .cloneSubplanWithoutPagination('aggregate')
              .singleAsRecord()
              .select(sql`count(*)::int4`, TYPES.int, false),
          edges: ($page) => $page.nodes(),
          pageInfo: ($page) => $page.pageInfo(),
        },
      },
      UserBotEdge: {
        plans: {
          node: ($bot) => $bot,
          via($bot) {
            const $via = $bot.select(
              sql`${$bot.getClassStep().alias}.via`,
              listOfCodec(groups.codec),
            );
            const $groups = pgSelectFromRecords(groups, $via);
            $groups.setOrderIsUnique(); // they come in order
            return $groups;
          },
        },
      },
      Mutation: {
        plans: {
          addUsersToGroup: changeMembers(
            'add_users_to_group',
            `with g as (
               select organization_id, id from groups
               where organization_id = $1 and id = $2 and until_revision is null
             ), u as (
               select id, name_key from users
               where organization_id = $1 and id = any($3::text[]) and until_revision is null
             ), f as (
               select exists (select from g) and (select count(*) from u) = cardinality($3::text[]) as found
             ), added as (
               insert into group_users
                 (id, organization_id, group_id, user_id, sort_key, added_at, since_revision)
               select 'mem_' || replace(uuidv7()::text, '-', ''), g.organization_id, g.id, u.id, u.name_key, now(), 0
               from f, g, u where f.found
               on conflict do nothing
             )
             select found from f`,
          ),
          removeUsersFromGroup: changeMembers(
            'remove_users_from_group',
            `with g as (
               select id from groups
               where organization_id = $1 and id = $2 and until_revision is null
             ), removed as (
               update group_users m set until_revision = 1 from g
               where m.group_id = g.id and m.user_id = any($3::text[]) and m.until_revision is null
             )
             select exists (select from g) as found`,
          ),
        },
      },
      AddUsersToGroupPayload: payload,
      RemoveUsersFromGroupPayload: payload,
    },
  };
});

// --- The server -----------------------------------------------------------------------------------

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [SmartTags, PlainIds, Operations],
  // Everything is asked by the fields above; nothing else leads into the tables.
  disablePlugins: [
    'NodePlugin',
    'AddNodeInterfaceToSuitableTypesPlugin',
    'PgTableNodePlugin',
    'PgNodeIdAttributesPlugin',
    'PgAllRowsPlugin',
    'PgRowByUniquePlugin',
    'PgRelationsPlugin',
    'PgMutationCreatePlugin',
    'PgMutationUpdateDeletePlugin',
    'PgProceduresPlugin',
    'PgFirstLastBeforeAfterArgsPlugin',
    'PgConditionArgumentPlugin',
    'PgConditionCustomFieldsPlugin',
    'PgConnectionArgOrderByPlugin',
    'PgConnectionArgOrderByDefaultValuePlugin',
    'PgOrderAllAttributesPlugin',
    'PgOrderCustomFieldsPlugin',
    'PgOrderByPrimaryKeyPlugin',
    'QueryQueryPlugin',
  ],
  pgServices: [
    makePgService({
      connectionString: options.database,
      schemas: ['public'],
      poolConfig: { max: 10 },
      pubsub: false,
    }),
  ],
  grafast: { context: { organizationId: options.organization }, explain: false },
  grafserv: {
    graphqlPath: '/graphql',
    graphiql: false,
    graphiqlOnGraphQLGET: false,
    graphqlOverGET: false,
    websockets: false,
    watch: false,
    outputDataAsString: true,
  },
};

const pgl = postgraphile(preset);
const serv = pgl.createServ(grafserv);
const server = createServer();
server.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
await serv.addTo(server);
await pgl.getSchemaResult(); // fails here, at once, if the schema cannot be made
server.listen(Number(options.port), options.host);
