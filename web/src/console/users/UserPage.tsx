import { SimpleGrid, Text } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { useParams } from 'react-router';
import { useQuery } from 'urql';
import {
  UserBotsDocument,
  UserDocument,
  UserGroupsDocument,
  UserPersonasDocument,
} from '../api/operations';
import { GroupLine } from '../groups/GroupLine';
import { AccessLine } from '../members/AccessLine';
import { BOTS, PERSONAS } from '../members/kinds';
import { Email, MemberLine } from '../members/MemberLine';
import { useCanWrite } from '../session/ViewerProvider';
import { useAddress } from '../ui/address';
import { EmptyState } from '../ui/EmptyState';
import { isolated } from '../ui/isolated';
import { ListSection } from '../ui/ListSection';
import { SubjectPage } from '../ui/SubjectPage';
import { endOf, readDay } from './day';
import { roleName } from './roles';

// The calendar weighs much, and only this page has one.
const AsOf = lazy(() => import('./AsOf'));

export function UserPage() {
  const { id = '' } = useParams();
  // Until another one is loaded, nothing of this one may pass for it.
  return <User key={id} id={id} />;
}

function User({ id }: { id: string }) {
  const { get, change } = useAddress();
  const day = readDay(get('on'));
  const at = day ? endOf(day) : null;
  const canWrite = useCanWrite();
  const [{ data, error }, retry] = useQuery({ query: UserDocument, variables: { id } });
  const user = data?.user;
  const name = user ? isolated(user.name) : 'This user';
  const nothing = (what: string) =>
    at ? (
      <EmptyState title={`${name} could use no ${what} then`} />
    ) : (
      <EmptyState title={`${name} may use no ${what}`}>
        {user?.status === 'DEACTIVATED'
          ? 'Who is deactivated may use nothing.'
          : canWrite && `Put them into a group that holds ${what}.`}
      </EmptyState>
    );

  return (
    <SubjectPage noun="user" subject={user} error={error} onRetry={retry}>
      {user && (
        <MemberLine
          member={user}
          note={
            <>
              <Email member={user} />
              <Text size="xs" c="dimmed">
                {roleName(user.role)}
              </Text>
            </>
          }
        />
      )}
      <Suspense fallback={<div style={{ height: '4.5rem' }} />}>
        <AsOf day={day} onChange={(on) => change({ on })} />
      </Suspense>
      <SimpleGrid cols={{ base: 1, md: 3 }} style={{ alignItems: 'start' }}>
        <ListSection
          title="Bots"
          query={UserBotsDocument}
          variables={{ id, at }}
          pick={(data) => data.owner?.list}
          item={(edge) => <AccessLine kind={BOTS} edge={edge} />}
          empty={nothing('bots')}
        />
        <ListSection
          title="Personas"
          query={UserPersonasDocument}
          variables={{ id, at }}
          pick={(data) => data.owner?.list}
          item={(edge) => <AccessLine kind={PERSONAS} edge={edge} />}
          empty={nothing('personas')}
        />
        <ListSection
          title={at ? 'Groups today' : 'Groups'}
          query={UserGroupsDocument}
          variables={{ id }}
          pick={(data) => data.owner?.list}
          item={(group) => <GroupLine group={group} />}
          empty={
            <EmptyState title={`${name} is in no group`}>
              {canWrite && 'Add them to one on the groups page.'}
            </EmptyState>
          }
        />
      </SimpleGrid>
    </SubjectPage>
  );
}
