import { getOperationName, type Operation } from '@urql/core';
import type { ChangesSubscription } from './operations';

export type Change = Pick<ChangesSubscription['changes']['node'], 'action' | 'groupId'>;

/** What each list of a group's members, or of those who can be added, is of. */
const MEMBERS: Record<string, string> = {
  GroupUsers: 'USERS_',
  AvailableUsers: 'USERS_',
  GroupBots: 'BOTS_',
  AvailableBots: 'BOTS_',
  GroupPersonas: 'PERSONAS_',
  AvailablePersonas: 'PERSONAS_',
};

/** To one group and nothing else, or to none and to nobody's name. */
const TO_ONE_GROUP = /^(GROUP_(CREATED|UPDATED|DELETED)|TOKEN_(CREATED|REVOKED))$/;
const TO_MEMBERS = /^(USERS|BOTS|PERSONAS)_(ADDED|REMOVED)$/;

/**
 * Whether a change can have changed the answer to a query. Of a long list each page is a query, and
 * most changes of a large organization are to other groups: those are told apart. All else may have.
 */
export function concerns({ query, variables }: Operation, { action, groupId }: Change): boolean {
  const members = MEMBERS[getOperationName(query) ?? ''];
  if (!members) return true;
  if (TO_ONE_GROUP.test(action)) return groupId === variables?.id;
  if (TO_MEMBERS.test(action)) return groupId === variables?.id && action.startsWith(members);
  return true;
}
