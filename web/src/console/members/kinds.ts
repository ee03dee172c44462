import type { DocumentInput, TypedDocumentNode } from '@urql/core';
import type { AccessImpactInput } from '../api/operations';
import * as operations from '../api/operations';
import type { Page } from '../ui/Endless';

/** A user, a bot or a persona, as a list shows it. */
export interface Member {
  id: string;
  name: string;
  avatarUrl?: string | null;
  email?: string;
  status?: operations.UserStatus;
  features?: string[];
}

interface Refusal {
  code: string;
  message: string;
}

type ListQuery = TypedDocumentNode<
  { owner: { list: Page<Member> } | null },
  { id: string; first: number; after?: string | null; search?: string | null }
>;
export interface Written {
  revision: number;
  userErrors: Refusal[];
}
export type Write<Result extends Written = Written> = TypedDocumentNode<
  { result: Result },
  { groupId: string; ids: string[] | string }
>;

/** What a group holds one kind of, and how the API speaks of it. */
export interface Kind {
  one: 'user' | 'bot' | 'persona';
  title: 'Users' | 'Bots' | 'Personas';
  path: '/users' | '/bots' | '/personas';
  /** By what one of them can be searched for, or named in a list that is pasted. */
  knownBy: string;
  members: ListQuery;
  available: ListQuery;
  /** What a list shows of one of them. */
  card: Exclude<DocumentInput, string>;
  add: Write;
  remove: Write<Written & { removedIds: string[] }>;
  removal: (groupId: string, id: string) => AccessImpactInput;
}

export const USERS: Kind = {
  one: 'user',
  title: 'Users',
  path: '/users',
  knownBy: 'name or email',
  members: operations.GroupUsersDocument,
  available: operations.AvailableUsersDocument,
  card: operations.UserCardFragmentDoc,
  add: operations.AddUsersDocument,
  remove: operations.RemoveUsersDocument,
  removal: (groupId, id) => ({ removeUsers: { groupId, userIds: [id] } }),
};

export const BOTS: Kind = {
  one: 'bot',
  title: 'Bots',
  path: '/bots',
  knownBy: 'name',
  members: operations.GroupBotsDocument,
  available: operations.AvailableBotsDocument,
  card: operations.BotCardFragmentDoc,
  add: operations.AddBotsDocument,
  remove: operations.RemoveBotsDocument,
  removal: (groupId, id) => ({ removeBots: { groupId, botIds: [id] } }),
};

export const PERSONAS: Kind = {
  one: 'persona',
  title: 'Personas',
  path: '/personas',
  knownBy: 'name',
  members: operations.GroupPersonasDocument,
  available: operations.AvailablePersonasDocument,
  card: operations.PersonaCardFragmentDoc,
  add: operations.AddPersonasDocument,
  remove: operations.RemovePersonasDocument,
  removal: (groupId, id) => ({ removePersonas: { groupId, personaIds: [id] } }),
};
