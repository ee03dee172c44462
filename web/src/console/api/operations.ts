// Made by scripts/operations.mjs.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
import { gql } from '@urql/core';
/** A write that is thought of. */
export type AccessImpactInput =
  {   /** The group is deleted. */
  deleteGroup: string; addUsers?: never; removeUsers?: never; addBots?: never; removeBots?: never; addPersonas?: never; removePersonas?: never; }
  |  { deleteGroup?: never;   /** Users are put into a group. */
  addUsers: GroupUsersInput; removeUsers?: never; addBots?: never; removeBots?: never; addPersonas?: never; removePersonas?: never; }
  |  { deleteGroup?: never; addUsers?: never;   /** Users are taken out of a group. */
  removeUsers: GroupUsersInput; addBots?: never; removeBots?: never; addPersonas?: never; removePersonas?: never; }
  |  { deleteGroup?: never; addUsers?: never; removeUsers?: never;   /** Bots are put into a group. */
  addBots: GroupBotsInput; removeBots?: never; addPersonas?: never; removePersonas?: never; }
  |  { deleteGroup?: never; addUsers?: never; removeUsers?: never; addBots?: never;   /** Bots are taken out of a group. */
  removeBots: GroupBotsInput; addPersonas?: never; removePersonas?: never; }
  |  { deleteGroup?: never; addUsers?: never; removeUsers?: never; addBots?: never; removeBots?: never;   /** Personas are put into a group. */
  addPersonas: GroupPersonasInput; removePersonas?: never; }
  |  { deleteGroup?: never; addUsers?: never; removeUsers?: never; addBots?: never; removeBots?: never; addPersonas?: never;   /** Personas are taken out of a group. */
  removePersonas: GroupPersonasInput; };

/** A new group. */
export type CreateGroupInput = {
  /** Unique among live groups whatever its case; at most 120 characters. */
  name: string;
  /** What it is for; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Users it holds from the start. */
  userIds?: Array<string> | null | undefined;
  /** Bots it holds from the start. */
  botIds?: Array<string> | null | undefined;
  /** Personas it holds from the start. */
  personaIds?: Array<string> | null | undefined;
  /** Refuse with CONFLICT unless the organization is at this revision. */
  expectedRevision?: number | null | undefined;
};

/** A group to delete. */
export type DeleteGroupInput = {
  /** The group. */
  id: string;
  /** Refuse with CONFLICT unless the organization is at this revision. */
  expectedRevision?: number | null | undefined;
};

/** Bots to put into a group, or to take out of it. */
export type GroupBotsInput = {
  /** The group. */
  groupId: string;
  /** At most 1,000. */
  botIds: Array<string>;
};

/** How groups are sorted. */
export type GroupOrder = {
  /** By what. */
  field: GroupOrderField;
  /** Which way. */
  direction: OrderDirection;
};

/** What groups may be sorted by. */
export type GroupOrderField =
  /** By name, whatever its case. */
  | 'NAME'
  /** By when they were created. */
  | 'CREATED_AT'
  /** By when they, or what they hold, last changed. */
  | 'UPDATED_AT'
  /** By how many users they hold. */
  | 'USER_COUNT';

/** Personas to put into a group, or to take out of it. */
export type GroupPersonasInput = {
  /** The group. */
  groupId: string;
  /** At most 1,000. */
  personaIds: Array<string>;
};

/** Users to put into a group, or to take out of it. */
export type GroupUsersInput = {
  /** The group. */
  groupId: string;
  /** At most 1,000. */
  userIds: Array<string>;
};

/** Which way a list is sorted. */
export type OrderDirection =
  /** From the least to the greatest: A to Z, oldest to newest. */
  | 'ASC'
  /** From the greatest to the least. */
  | 'DESC';

/** What a person or a token may do. */
export type Role =
  /** May read and change everything. */
  | 'ADMIN'
  /** May read everything, and change nothing. */
  | 'AUDITOR'
  /** Sees their own groups, and what those hold. */
  | 'MEMBER';

/** What to change of a group. What is left out stays as it is. */
export type UpdateGroupInput = {
  /** The group. */
  id: string;
  /** Its new name. */
  name?: string | null | undefined;
  /** Its new description; null takes it away. */
  description?: string | null | undefined;
  /** Refuse with CONFLICT unless the organization is at this revision. */
  expectedRevision?: number | null | undefined;
};

/** Why a write was refused. Stable: programs may switch on it. */
export type UserErrorCode =
  /** A text that is needed is blank. */
  | 'BLANK'
  /** A text is too long. */
  | 'TOO_LONG'
  /** More rows than one write takes. */
  | 'TOO_MANY'
  /** A value makes no sense where it stands. */
  | 'INVALID'
  /** The name, email or external id is in use. */
  | 'TAKEN'
  /** There is no such row, as far as you may see. */
  | 'NOT_FOUND'
  /** `expectedRevision` is no longer the organization's revision. */
  | 'CONFLICT'
  /** It would leave the organization with no active administrator. */
  | 'LAST_ADMIN'
  /** The change was undone already, or later ones have made it moot. */
  | 'NOTHING_TO_UNDO';

/** Whether a person may use anything at all. */
export type UserStatus =
  /** May use what their groups give. */
  | 'ACTIVE'
  /** May use nothing, and not sign in; their memberships stay. */
  | 'DEACTIVATED';

export type LossFragment = { user: { id: string, name: string }, bots: Array<{ id: string, name: string }>, personas: Array<{ id: string, name: string }> };

export type ImpactQueryVariables = Exact<{
  of: AccessImpactInput;
  after?: string | null | undefined;
}>;


export type ImpactQuery = { accessImpact: { revision: number, losses: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ user: { id: string, name: string }, bots: Array<{ id: string, name: string }>, personas: Array<{ id: string, name: string }> }> }, kept: { totalCount: number, nodes: Array<{ user: { id: string, name: string, bots: { edges: Array<{ node: { id: string }, via: Array<{ id: string, name: string }> }> }, personas: { edges: Array<{ node: { id: string }, via: Array<{ id: string, name: string }> }> } }, bots: Array<{ id: string, name: string }>, personas: Array<{ id: string, name: string }> }> } } };

export type ChangesSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ChangesSubscription = { changes: { cursor: string, node: { id: string, revision: number } } };

export type RefusalFragment = { code: UserErrorCode, message: string, field: Array<string> | null };

export type BotsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type BotsQuery = { list: { totalCount: number, nodes: Array<{ description: string | null, groupCount: number, id: string, name: string, avatarUrl: string | null, features: Array<string> }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type BotQueryVariables = Exact<{
  id: string;
}>;


export type BotQuery = { bot: { description: string | null, groupCount: number, createdAt: string, id: string, name: string, avatarUrl: string | null, features: Array<string> } | null };

export type BotGroupsQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
}>;


export type BotGroupsQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number }> } } | null };

export type BotUsersQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type BotUsersQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ cursor: string, via: Array<{ id: string, name: string }>, node: { id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus } }> } } | null };

export type GroupRowFragment = { id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number };

export type GroupsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  search?: string | null | undefined;
  orderBy?: GroupOrder | null | undefined;
}>;


export type GroupsQuery = { groups: { totalCount: number, nodes: Array<{ id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type GroupNamesQueryVariables = Exact<{
  search?: string | null | undefined;
}>;


export type GroupNamesQuery = { groups: { nodes: Array<{ id: string, name: string }> } };

export type GroupQueryVariables = Exact<{
  id: string;
}>;


export type GroupQuery = { group: { id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number } | null };

export type CreateGroupMutationVariables = Exact<{
  input: CreateGroupInput;
}>;


export type CreateGroupMutation = { createGroup: { revision: number, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number } | null } };

export type UpdateGroupMutationVariables = Exact<{
  input: UpdateGroupInput;
}>;


export type UpdateGroupMutation = { updateGroup: { revision: number, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number } | null } };

export type DeleteGroupMutationVariables = Exact<{
  input: DeleteGroupInput;
}>;


export type DeleteGroupMutation = { deleteGroup: { revision: number, deletedGroupId: string | null, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }> } };

export type ChangeEntryFragment = { id: string, revision: number, at: string, summary: string, undoable: boolean, group: { id: string, name: string } | null, undoneBy: { id: string, at: string, actor: { name: string } } | null };

export type HistoryQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  groupId?: string | null | undefined;
}>;


export type HistoryQuery = { list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, revision: number, at: string, summary: string, undoable: boolean, group: { id: string, name: string } | null, undoneBy: { id: string, at: string, actor: { name: string } } | null }> } };

export type RecentChangesQueryVariables = Exact<{ [key: string]: never; }>;


export type RecentChangesQuery = { changes: { nodes: Array<{ id: string, revision: number }> } };

export type UndoChangeMutationVariables = Exact<{
  id: string;
}>;


export type UndoChangeMutation = { undoChange: { revision: number, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, change: { id: string, summary: string } | null } };

export type MyGroupsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type MyGroupsQuery = { owner: { list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number }> } } };

export type MyBotsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type MyBotsQuery = { owner: { list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ cursor: string, via: Array<{ id: string, name: string }>, node: { id: string, name: string, avatarUrl: string | null, features: Array<string> } }> } } };

export type MyPersonasQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type MyPersonasQuery = { owner: { list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ cursor: string, via: Array<{ id: string, name: string }>, node: { id: string, name: string, avatarUrl: string | null } }> } } };

export type BotCardFragment = { id: string, name: string, avatarUrl: string | null, features: Array<string> };

export type GroupBotsQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type GroupBotsQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, avatarUrl: string | null, features: Array<string> }> } } | null };

export type AvailableBotsQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type AvailableBotsQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, avatarUrl: string | null, features: Array<string> }> } } | null };

export type FindBotsQueryVariables = Exact<{
  id: string;
  text: string;
}>;


export type FindBotsQuery = { group: { id: string, there: { nodes: Array<{ id: string, name: string, avatarUrl: string | null, features: Array<string> }> }, free: { nodes: Array<{ id: string, name: string, avatarUrl: string | null, features: Array<string> }> } } | null };

export type AddBotsMutationVariables = Exact<{
  groupId: string;
  ids: Array<string> | string;
}>;


export type AddBotsMutation = { result: { revision: number, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, botCount: number } | null, addedEdges: Array<{ node: { id: string } }> } };

export type RemoveBotsMutationVariables = Exact<{
  groupId: string;
  ids: Array<string> | string;
}>;


export type RemoveBotsMutation = { result: { revision: number, removedBotIds: Array<string>, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, botCount: number } | null } };

export type PersonaCardFragment = { id: string, name: string, avatarUrl: string | null };

export type GroupPersonasQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type GroupPersonasQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, avatarUrl: string | null }> } } | null };

export type AvailablePersonasQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type AvailablePersonasQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, avatarUrl: string | null }> } } | null };

export type FindPersonasQueryVariables = Exact<{
  id: string;
  text: string;
}>;


export type FindPersonasQuery = { group: { id: string, there: { nodes: Array<{ id: string, name: string, avatarUrl: string | null }> }, free: { nodes: Array<{ id: string, name: string, avatarUrl: string | null }> } } | null };

export type AddPersonasMutationVariables = Exact<{
  groupId: string;
  ids: Array<string> | string;
}>;


export type AddPersonasMutation = { result: { revision: number, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, personaCount: number } | null, addedEdges: Array<{ node: { id: string } }> } };

export type RemovePersonasMutationVariables = Exact<{
  groupId: string;
  ids: Array<string> | string;
}>;


export type RemovePersonasMutation = { result: { revision: number, removedPersonaIds: Array<string>, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, personaCount: number } | null } };

export type UserCardFragment = { id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus };

export type GroupUsersQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type GroupUsersQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus }> } } | null };

export type AvailableUsersQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type AvailableUsersQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus }> } } | null };

export type FindUsersQueryVariables = Exact<{
  id: string;
  text: string;
}>;


export type FindUsersQuery = { group: { id: string, there: { nodes: Array<{ id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus }> }, free: { nodes: Array<{ id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus }> } } | null };

export type AddUsersMutationVariables = Exact<{
  groupId: string;
  ids: Array<string> | string;
}>;


export type AddUsersMutation = { result: { revision: number, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, userCount: number } | null, addedEdges: Array<{ node: { id: string } }> } };

export type RemoveUsersMutationVariables = Exact<{
  groupId: string;
  ids: Array<string> | string;
}>;


export type RemoveUsersMutation = { result: { revision: number, removedUserIds: Array<string>, userErrors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }>, group: { id: string, userCount: number } | null } };

export type PersonasQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type PersonasQuery = { list: { totalCount: number, nodes: Array<{ description: string | null, groupCount: number, id: string, name: string, avatarUrl: string | null }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type PersonaQueryVariables = Exact<{
  id: string;
}>;


export type PersonaQuery = { persona: { description: string | null, groupCount: number, createdAt: string, id: string, name: string, avatarUrl: string | null } | null };

export type PersonaGroupsQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
}>;


export type PersonaGroupsQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number }> } } | null };

export type PersonaUsersQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type PersonaUsersQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ cursor: string, via: Array<{ id: string, name: string }>, node: { id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus } }> } } | null };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { role: Role, user: { id: string, name: string, email: string, avatarUrl: string | null } | null, organization: { id: string, name: string } }, changes: { edges: Array<{ cursor: string }> } };

export type UsersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type UsersQuery = { list: { totalCount: number, nodes: Array<{ role: Role, groupCount: number, id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type UserQueryVariables = Exact<{
  id: string;
}>;


export type UserQuery = { user: { role: Role, groupCount: number, createdAt: string, id: string, name: string, avatarUrl: string | null, email: string, status: UserStatus } | null };

export type UserGroupsQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
}>;


export type UserGroupsQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ id: string, name: string, description: string | null, userCount: number, botCount: number, personaCount: number }> } } | null };

export type UserBotsQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  at?: string | null | undefined;
}>;


export type UserBotsQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ cursor: string, via: Array<{ id: string, name: string }>, node: { id: string, name: string, avatarUrl: string | null, features: Array<string> } }> } } | null };

export type UserPersonasQueryVariables = Exact<{
  id: string;
  first: number;
  after?: string | null | undefined;
  at?: string | null | undefined;
}>;


export type UserPersonasQuery = { owner: { id: string, list: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, items: Array<{ cursor: string, via: Array<{ id: string, name: string }>, node: { id: string, name: string, avatarUrl: string | null } }> } } | null };

export const LossFragmentDoc = gql`
    fragment Loss on AccessDiff {
  user {
    id
    name
  }
  bots {
    id
    name
  }
  personas {
    id
    name
  }
}
    ` as unknown as DocumentNode<LossFragment, unknown>;
export const RefusalFragmentDoc = gql`
    fragment Refusal on UserError {
  code
  message
  field
}
    ` as unknown as DocumentNode<RefusalFragment, unknown>;
export const GroupRowFragmentDoc = gql`
    fragment GroupRow on Group {
  id
  name
  description
  userCount
  botCount
  personaCount
}
    ` as unknown as DocumentNode<GroupRowFragment, unknown>;
export const ChangeEntryFragmentDoc = gql`
    fragment ChangeEntry on Change {
  id
  revision
  at
  summary
  undoable
  group {
    id
    name
  }
  undoneBy {
    id
    at
    actor {
      name
    }
  }
}
    ` as unknown as DocumentNode<ChangeEntryFragment, unknown>;
export const BotCardFragmentDoc = gql`
    fragment BotCard on Bot {
  id
  name
  avatarUrl
  features
}
    ` as unknown as DocumentNode<BotCardFragment, unknown>;
export const PersonaCardFragmentDoc = gql`
    fragment PersonaCard on Persona {
  id
  name
  avatarUrl
}
    ` as unknown as DocumentNode<PersonaCardFragment, unknown>;
export const UserCardFragmentDoc = gql`
    fragment UserCard on User {
  id
  name
  avatarUrl
  email
  status
}
    ` as unknown as DocumentNode<UserCardFragment, unknown>;
export const ImpactDocument = gql`
    query Impact($of: AccessImpactInput!, $after: String) {
  accessImpact(of: $of) {
    revision
    losses(first: 100, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...Loss
      }
    }
    kept(first: 50) {
      totalCount
      nodes {
        ...Loss
        user {
          bots(first: 100) {
            edges {
              node {
                id
              }
              via {
                id
                name
              }
            }
          }
          personas(first: 100) {
            edges {
              node {
                id
              }
              via {
                id
                name
              }
            }
          }
        }
      }
    }
  }
}
    ${LossFragmentDoc}` as unknown as DocumentNode<ImpactQuery, ImpactQueryVariables>;
export const ChangesDocument = gql`
    subscription Changes($after: String) {
  changes(after: $after) {
    cursor
    node {
      id
      revision
    }
  }
}
    ` as unknown as DocumentNode<ChangesSubscription, ChangesSubscriptionVariables>;
export const BotsDocument = gql`
    query Bots($first: Int, $after: String, $last: Int, $before: String, $search: String) {
  list: bots(
    first: $first
    after: $after
    last: $last
    before: $before
    search: $search
  ) {
    totalCount
    nodes {
      ...BotCard
      description
      groupCount
    }
    pageInfo {
      hasNextPage
      hasPreviousPage
      startCursor
      endCursor
    }
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<BotsQuery, BotsQueryVariables>;
export const BotDocument = gql`
    query Bot($id: ID!) {
  bot(id: $id) {
    ...BotCard
    description
    groupCount
    createdAt
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<BotQuery, BotQueryVariables>;
export const BotGroupsDocument = gql`
    query BotGroups($id: ID!, $first: Int!, $after: String) {
  owner: bot(id: $id) {
    id
    list: groups(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...GroupRow
      }
    }
  }
}
    ${GroupRowFragmentDoc}` as unknown as DocumentNode<BotGroupsQuery, BotGroupsQueryVariables>;
export const BotUsersDocument = gql`
    query BotUsers($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: bot(id: $id) {
    id
    list: users(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: edges {
        cursor
        via {
          id
          name
        }
        node {
          ...UserCard
        }
      }
    }
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<BotUsersQuery, BotUsersQueryVariables>;
export const GroupsDocument = gql`
    query Groups($first: Int, $after: String, $last: Int, $before: String, $search: String, $orderBy: GroupOrder) {
  groups(
    first: $first
    after: $after
    last: $last
    before: $before
    search: $search
    orderBy: $orderBy
  ) {
    totalCount
    nodes {
      ...GroupRow
    }
    pageInfo {
      hasNextPage
      hasPreviousPage
      startCursor
      endCursor
    }
  }
}
    ${GroupRowFragmentDoc}` as unknown as DocumentNode<GroupsQuery, GroupsQueryVariables>;
export const GroupNamesDocument = gql`
    query GroupNames($search: String) {
  groups(first: 20, search: $search) {
    nodes {
      id
      name
    }
  }
}
    ` as unknown as DocumentNode<GroupNamesQuery, GroupNamesQueryVariables>;
export const GroupDocument = gql`
    query Group($id: ID!) {
  group(id: $id) {
    ...GroupRow
  }
}
    ${GroupRowFragmentDoc}` as unknown as DocumentNode<GroupQuery, GroupQueryVariables>;
export const CreateGroupDocument = gql`
    mutation CreateGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      ...GroupRow
    }
  }
}
    ${RefusalFragmentDoc}
${GroupRowFragmentDoc}` as unknown as DocumentNode<CreateGroupMutation, CreateGroupMutationVariables>;
export const UpdateGroupDocument = gql`
    mutation UpdateGroup($input: UpdateGroupInput!) {
  updateGroup(input: $input) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      ...GroupRow
    }
  }
}
    ${RefusalFragmentDoc}
${GroupRowFragmentDoc}` as unknown as DocumentNode<UpdateGroupMutation, UpdateGroupMutationVariables>;
export const DeleteGroupDocument = gql`
    mutation DeleteGroup($input: DeleteGroupInput!) {
  deleteGroup(input: $input) {
    revision
    userErrors {
      ...Refusal
    }
    deletedGroupId
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<DeleteGroupMutation, DeleteGroupMutationVariables>;
export const HistoryDocument = gql`
    query History($first: Int!, $after: String, $groupId: ID) {
  list: changes(first: $first, after: $after, groupId: $groupId) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    items: nodes {
      ...ChangeEntry
    }
  }
}
    ${ChangeEntryFragmentDoc}` as unknown as DocumentNode<HistoryQuery, HistoryQueryVariables>;
export const RecentChangesDocument = gql`
    query RecentChanges {
  changes(first: 100) {
    nodes {
      id
      revision
    }
  }
}
    ` as unknown as DocumentNode<RecentChangesQuery, RecentChangesQueryVariables>;
export const UndoChangeDocument = gql`
    mutation UndoChange($id: ID!) {
  undoChange(input: {changeId: $id}) {
    revision
    userErrors {
      ...Refusal
    }
    change {
      id
      summary
    }
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<UndoChangeMutation, UndoChangeMutationVariables>;
export const MyGroupsDocument = gql`
    query MyGroups($first: Int!, $after: String) {
  owner: viewer {
    list: groups(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...GroupRow
      }
    }
  }
}
    ${GroupRowFragmentDoc}` as unknown as DocumentNode<MyGroupsQuery, MyGroupsQueryVariables>;
export const MyBotsDocument = gql`
    query MyBots($first: Int!, $after: String) {
  owner: viewer {
    list: bots(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: edges {
        cursor
        via {
          id
          name
        }
        node {
          ...BotCard
        }
      }
    }
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<MyBotsQuery, MyBotsQueryVariables>;
export const MyPersonasDocument = gql`
    query MyPersonas($first: Int!, $after: String) {
  owner: viewer {
    list: personas(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: edges {
        cursor
        via {
          id
          name
        }
        node {
          ...PersonaCard
        }
      }
    }
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<MyPersonasQuery, MyPersonasQueryVariables>;
export const GroupBotsDocument = gql`
    query GroupBots($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: group(id: $id) {
    id
    list: bots(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...BotCard
      }
    }
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<GroupBotsQuery, GroupBotsQueryVariables>;
export const AvailableBotsDocument = gql`
    query AvailableBots($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: group(id: $id) {
    id
    list: availableBots(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...BotCard
      }
    }
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<AvailableBotsQuery, AvailableBotsQueryVariables>;
export const FindBotsDocument = gql`
    query FindBots($id: ID!, $text: String!) {
  group(id: $id) {
    id
    there: bots(first: 100, search: $text) {
      nodes {
        ...BotCard
      }
    }
    free: availableBots(first: 100, search: $text) {
      nodes {
        ...BotCard
      }
    }
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<FindBotsQuery, FindBotsQueryVariables>;
export const AddBotsDocument = gql`
    mutation AddBots($groupId: ID!, $ids: [ID!]!) {
  result: addBotsToGroup(input: {groupId: $groupId, botIds: $ids}) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      id
      botCount
    }
    addedEdges {
      node {
        id
      }
    }
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<AddBotsMutation, AddBotsMutationVariables>;
export const RemoveBotsDocument = gql`
    mutation RemoveBots($groupId: ID!, $ids: [ID!]!) {
  result: removeBotsFromGroup(input: {groupId: $groupId, botIds: $ids}) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      id
      botCount
    }
    removedBotIds
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<RemoveBotsMutation, RemoveBotsMutationVariables>;
export const GroupPersonasDocument = gql`
    query GroupPersonas($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: group(id: $id) {
    id
    list: personas(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...PersonaCard
      }
    }
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<GroupPersonasQuery, GroupPersonasQueryVariables>;
export const AvailablePersonasDocument = gql`
    query AvailablePersonas($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: group(id: $id) {
    id
    list: availablePersonas(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...PersonaCard
      }
    }
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<AvailablePersonasQuery, AvailablePersonasQueryVariables>;
export const FindPersonasDocument = gql`
    query FindPersonas($id: ID!, $text: String!) {
  group(id: $id) {
    id
    there: personas(first: 100, search: $text) {
      nodes {
        ...PersonaCard
      }
    }
    free: availablePersonas(first: 100, search: $text) {
      nodes {
        ...PersonaCard
      }
    }
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<FindPersonasQuery, FindPersonasQueryVariables>;
export const AddPersonasDocument = gql`
    mutation AddPersonas($groupId: ID!, $ids: [ID!]!) {
  result: addPersonasToGroup(input: {groupId: $groupId, personaIds: $ids}) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      id
      personaCount
    }
    addedEdges {
      node {
        id
      }
    }
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<AddPersonasMutation, AddPersonasMutationVariables>;
export const RemovePersonasDocument = gql`
    mutation RemovePersonas($groupId: ID!, $ids: [ID!]!) {
  result: removePersonasFromGroup(input: {groupId: $groupId, personaIds: $ids}) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      id
      personaCount
    }
    removedPersonaIds
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<RemovePersonasMutation, RemovePersonasMutationVariables>;
export const GroupUsersDocument = gql`
    query GroupUsers($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: group(id: $id) {
    id
    list: users(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...UserCard
      }
    }
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<GroupUsersQuery, GroupUsersQueryVariables>;
export const AvailableUsersDocument = gql`
    query AvailableUsers($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: group(id: $id) {
    id
    list: availableUsers(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...UserCard
      }
    }
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<AvailableUsersQuery, AvailableUsersQueryVariables>;
export const FindUsersDocument = gql`
    query FindUsers($id: ID!, $text: String!) {
  group(id: $id) {
    id
    there: users(first: 100, search: $text) {
      nodes {
        ...UserCard
      }
    }
    free: availableUsers(first: 100, search: $text) {
      nodes {
        ...UserCard
      }
    }
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<FindUsersQuery, FindUsersQueryVariables>;
export const AddUsersDocument = gql`
    mutation AddUsers($groupId: ID!, $ids: [ID!]!) {
  result: addUsersToGroup(input: {groupId: $groupId, userIds: $ids}) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      id
      userCount
    }
    addedEdges {
      node {
        id
      }
    }
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<AddUsersMutation, AddUsersMutationVariables>;
export const RemoveUsersDocument = gql`
    mutation RemoveUsers($groupId: ID!, $ids: [ID!]!) {
  result: removeUsersFromGroup(input: {groupId: $groupId, userIds: $ids}) {
    revision
    userErrors {
      ...Refusal
    }
    group {
      id
      userCount
    }
    removedUserIds
  }
}
    ${RefusalFragmentDoc}` as unknown as DocumentNode<RemoveUsersMutation, RemoveUsersMutationVariables>;
export const PersonasDocument = gql`
    query Personas($first: Int, $after: String, $last: Int, $before: String, $search: String) {
  list: personas(
    first: $first
    after: $after
    last: $last
    before: $before
    search: $search
  ) {
    totalCount
    nodes {
      ...PersonaCard
      description
      groupCount
    }
    pageInfo {
      hasNextPage
      hasPreviousPage
      startCursor
      endCursor
    }
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<PersonasQuery, PersonasQueryVariables>;
export const PersonaDocument = gql`
    query Persona($id: ID!) {
  persona(id: $id) {
    ...PersonaCard
    description
    groupCount
    createdAt
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<PersonaQuery, PersonaQueryVariables>;
export const PersonaGroupsDocument = gql`
    query PersonaGroups($id: ID!, $first: Int!, $after: String) {
  owner: persona(id: $id) {
    id
    list: groups(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...GroupRow
      }
    }
  }
}
    ${GroupRowFragmentDoc}` as unknown as DocumentNode<PersonaGroupsQuery, PersonaGroupsQueryVariables>;
export const PersonaUsersDocument = gql`
    query PersonaUsers($id: ID!, $first: Int!, $after: String, $search: String) {
  owner: persona(id: $id) {
    id
    list: users(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: edges {
        cursor
        via {
          id
          name
        }
        node {
          ...UserCard
        }
      }
    }
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<PersonaUsersQuery, PersonaUsersQueryVariables>;
export const ViewerDocument = gql`
    query Viewer {
  viewer {
    role
    user {
      id
      name
      email
      avatarUrl
    }
    organization {
      id
      name
    }
  }
  changes(first: 1) {
    edges {
      cursor
    }
  }
}
    ` as unknown as DocumentNode<ViewerQuery, ViewerQueryVariables>;
export const UsersDocument = gql`
    query Users($first: Int, $after: String, $last: Int, $before: String, $search: String) {
  list: users(
    first: $first
    after: $after
    last: $last
    before: $before
    search: $search
  ) {
    totalCount
    nodes {
      ...UserCard
      role
      groupCount
    }
    pageInfo {
      hasNextPage
      hasPreviousPage
      startCursor
      endCursor
    }
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<UsersQuery, UsersQueryVariables>;
export const UserDocument = gql`
    query User($id: ID!) {
  user(id: $id) {
    ...UserCard
    role
    groupCount
    createdAt
  }
}
    ${UserCardFragmentDoc}` as unknown as DocumentNode<UserQuery, UserQueryVariables>;
export const UserGroupsDocument = gql`
    query UserGroups($id: ID!, $first: Int!, $after: String) {
  owner: user(id: $id) {
    id
    list: groups(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: nodes {
        ...GroupRow
      }
    }
  }
}
    ${GroupRowFragmentDoc}` as unknown as DocumentNode<UserGroupsQuery, UserGroupsQueryVariables>;
export const UserBotsDocument = gql`
    query UserBots($id: ID!, $first: Int!, $after: String, $at: DateTime) {
  owner: user(id: $id) {
    id
    list: bots(first: $first, after: $after, at: $at) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: edges {
        cursor
        via {
          id
          name
        }
        node {
          ...BotCard
        }
      }
    }
  }
}
    ${BotCardFragmentDoc}` as unknown as DocumentNode<UserBotsQuery, UserBotsQueryVariables>;
export const UserPersonasDocument = gql`
    query UserPersonas($id: ID!, $first: Int!, $after: String, $at: DateTime) {
  owner: user(id: $id) {
    id
    list: personas(first: $first, after: $after, at: $at) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      items: edges {
        cursor
        via {
          id
          name
        }
        node {
          ...PersonaCard
        }
      }
    }
  }
}
    ${PersonaCardFragmentDoc}` as unknown as DocumentNode<UserPersonasQuery, UserPersonasQueryVariables>;