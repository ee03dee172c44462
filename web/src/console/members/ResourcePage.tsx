import { SimpleGrid, Text } from '@mantine/core';
import type { CombinedError, TypedDocumentNode } from '@urql/core';
import { useState } from 'react';
import type { GroupRowFragment } from '../api/operations';
import { GroupLine } from '../groups/GroupLine';
import { useCanWrite } from '../session/ViewerProvider';
import { EmptyState } from '../ui/EmptyState';
import type { Page as PageOf } from '../ui/Endless';
import { ListSection } from '../ui/ListSection';
import { SearchInput } from '../ui/SearchInput';
import { SubjectPage } from '../ui/SubjectPage';
import { AccessLine } from './AccessLine';
import { type Member, USERS } from './kinds';
import { MemberLine } from './MemberLine';

interface Edge {
  node: Member;
  via: { id: string; name: string }[];
}

interface Props {
  id: string;
  noun: 'bot' | 'persona';
  resource: (Member & { description?: string | null }) | null | undefined;
  error: CombinedError | undefined;
  onRetry: () => void;
  users: TypedDocumentNode<
    { owner: { list: PageOf<Edge> } | null },
    { id: string; first: number; after?: string | null; search?: string | null }
  >;
  groups: TypedDocumentNode<
    { owner: { list: PageOf<GroupRowFragment> } | null },
    { id: string; first: number; after?: string | null }
  >;
}

/** A bot or a persona: who may use it, and why. */
export function ResourcePage({ id, noun, resource, error, onRetry, users, groups }: Props) {
  const [search, setSearch] = useState('');
  const canWrite = useCanWrite();
  return (
    <SubjectPage noun={noun} subject={resource} error={error} onRetry={onRetry}>
      {resource && (
        <MemberLine
          member={resource}
          note={<Text style={{ overflowWrap: 'anywhere' }}>{resource.description}</Text>}
        />
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} mt="md" style={{ alignItems: 'start' }}>
        <ListSection
          title="Who may use it"
          tools={
            <SearchInput
              label="Search those who may use it"
              size="xs"
              mb="xs"
              value={search}
              onSearch={setSearch}
            />
          }
          query={users}
          variables={{ id, search: search || null }}
          pick={(data) => data.owner?.list}
          item={(edge) => <AccessLine kind={USERS} edge={edge} />}
          empty={
            search ? (
              <EmptyState title="Nobody matches">Try fewer letters.</EmptyState>
            ) : (
              <EmptyState title="Nobody may use it">
                {canWrite && 'Add it to a group that holds users, and they may.'}
              </EmptyState>
            )
          }
        />
        <ListSection
          title="Groups that hold it"
          query={groups}
          variables={{ id }}
          pick={(data) => data.owner?.list}
          item={(group) => <GroupLine group={group} />}
          empty={
            <EmptyState title="No group holds it">
              {canWrite && 'Add it to one on the groups page.'}
            </EmptyState>
          }
        />
      </SimpleGrid>
    </SubjectPage>
  );
}
