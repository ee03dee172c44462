import { SimpleGrid, Text } from '@mantine/core';
import { MyBotsDocument, MyGroupsDocument, MyPersonasDocument } from '../api/operations';
import { AccessLine } from '../members/AccessLine';
import { BOTS, PERSONAS } from '../members/kinds';
import { EmptyState } from '../ui/EmptyState';
import { ListSection } from '../ui/ListSection';
import { Name } from '../ui/Name';
import { Page } from '../ui/Page';

const ASK = 'Ask whoever runs your training to add you to a group.';

/** What somebody sees of their own. */
export function MyPage() {
  return (
    <Page title="My access">
      <SimpleGrid cols={{ base: 1, md: 3 }} style={{ alignItems: 'start' }}>
        <ListSection
          title="My groups"
          query={MyGroupsDocument}
          variables={{}}
          pick={(data) => data.owner.list}
          item={({ name, description }) => (
            <>
              <Text size="sm" fw={500}>
                <Name>{name}</Name>
              </Text>
              <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                {description}
              </Text>
            </>
          )}
          empty={<EmptyState title="You are in no group yet">{ASK}</EmptyState>}
        />
        <ListSection
          title="My bots"
          query={MyBotsDocument}
          variables={{}}
          pick={(data) => data.owner.list}
          item={(edge) => <AccessLine kind={BOTS} edge={edge} isLinked={false} />}
          empty={<EmptyState title="No bots yet">{ASK}</EmptyState>}
        />
        <ListSection
          title="My personas"
          query={MyPersonasDocument}
          variables={{}}
          pick={(data) => data.owner.list}
          item={(edge) => <AccessLine kind={PERSONAS} edge={edge} isLinked={false} />}
          empty={<EmptyState title="No personas yet">{ASK}</EmptyState>}
        />
      </SimpleGrid>
    </Page>
  );
}
