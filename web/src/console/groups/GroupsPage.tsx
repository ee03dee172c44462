import { Alert, Button, Group, Paper } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Navigate, useNavigationType, useOutletContext } from 'react-router';
import { useQuery } from 'urql';
import { GroupDocument, type GroupRowFragment, GroupsDocument } from '../api/operations';
import { useCanWrite, useViewer } from '../session/ViewerProvider';
import { useAddress } from '../ui/address';
import { count } from '../ui/count';
import { EmptyState } from '../ui/EmptyState';
import { Page } from '../ui/Page';
import { EndOfPages, FailedPage, Pager, usePageArguments } from '../ui/Pager';
import { Rows } from '../ui/Rows';
import { SearchInput } from '../ui/SearchInput';
import { CreateGroupDialog } from './CreateGroupDialog';
import { GroupsTable } from './GroupsTable';
import { readOrder } from './order';
import { useArrival } from './useArrival';
import { useOwnDeletion } from './useOwnDeletion';
import { useSteadyPlace } from './useSteadyPlace';

export function GroupsPage() {
  const isMember = useViewer()?.role === 'MEMBER';
  return isMember ? <Navigate to="/me" replace /> : <Groups />;
}

function Groups() {
  const { get, change } = useAddress();
  const canWrite = useCanWrite();
  const [isCreating, dialog] = useDisclosure();
  const [created, setCreated] = useState<string | null>(null);
  const search = get('search') ?? '';
  const open = get('open');
  const sought = useSought();

  function show(id: string) {
    setCreated(id);
    change({ open: id, search: null, after: null, before: null });
  }

  return (
    <Page
      title="Groups"
      actions={
        canWrite && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={dialog.open}>
            Create New Group
          </Button>
        )
      }
    >
      <Group mb="sm">
        <SearchInput
          label="Search groups"
          flex={1}
          maw={420}
          value={search}
          onSearch={(text) =>
            change({ search: text, after: null, before: null }, { replace: true })
          }
        />
      </Group>
      <List
        search={search}
        open={open}
        created={created === open ? created : null}
        sought={sought === open ? sought : null}
      />
      <CreateGroupDialog opened={isCreating} onClose={dialog.close} onCreated={show} />
    </Page>
  );
}

/** The group that this page was opened for; one that somebody goes back to is where they left it. */
function useSought(): string | null {
  const { get } = useAddress();
  const isLoaded = useOutletContext<boolean>();
  const isBack = useNavigationType() === 'POP' && !isLoaded;
  const [sought] = useState(isBack ? null : get('open'));
  return sought;
}

interface ListProps {
  search: string;
  open: string | null;
  /** The group that is open because it was just created. */
  created: string | null;
  /** The group that is open because a link has led to it. */
  sought: string | null;
}

function List({ search, open, created, sought }: ListProps) {
  const { get, change } = useAddress();
  const page = usePageArguments();
  const order = readOrder(get('sort'));
  const [{ data, error, fetching, operation }, retry] = useQuery({
    query: GroupsDocument,
    variables: { ...page, search: search || null, orderBy: order },
  });
  const elsewhere = useOpenedElsewhere(open, data?.groups.nodes);
  const sorted = [...(elsewhere.group ? [elsewhere.group] : []), ...(data?.groups.nodes ?? [])];
  const rows = useSteadyPlace(sorted, open, !elsewhere.group, operation?.key);
  const arriving = created ?? sought;
  const table = useArrival(
    arriving,
    rows.findIndex(({ id }) => id === arriving),
    created !== null,
  );
  const isOwnDeletion = useOwnDeletion(elsewhere.isGone ? open : null);
  useEffect(() => {
    if (isOwnDeletion) change({ open: null }, { replace: true });
  }, [isOwnDeletion, change]);

  if (!data) return error ? <FailedPage error={error} onRetry={retry} /> : <Rows count={10} />;
  const { nodes, pageInfo, totalCount } = data.groups;
  return (
    <>
      {error && <FailedPage error={error} onRetry={retry} />}
      {elsewhere.isGone && !isOwnDeletion && (
        <Alert mb="sm" role="status">
          The group that this address opens is gone.
        </Alert>
      )}
      {rows.length > 0 && (
        <Paper ref={table} withBorder className="rows" aria-busy={fetching}>
          <GroupsTable groups={rows} order={order} />
        </Paper>
      )}
      {nodes.length === 0 && <Nothing search={search} total={totalCount} />}
      <Pager pageInfo={pageInfo} total={count(totalCount, 'group')} />
    </>
  );
}

function Nothing({ search, total }: { search: string; total: number }) {
  const canWrite = useCanWrite();
  if (total > 0) return <EndOfPages />;
  return search ? (
    <EmptyState title={`No group has “${search}” in its name`}>Try fewer letters.</EmptyState>
  ) : (
    <EmptyState title="No groups yet">
      {canWrite && 'Create one, then add users, bots and personas to it.'}
    </EmptyState>
  );
}

/**
 * The group that the address opens, if it lies on another page of the list. One that has just gone
 * there is shown as it was, until the service has answered: somebody may type in it.
 */
function useOpenedElsewhere(open: string | null, nodes: GroupRowFragment[] | undefined) {
  const here = nodes?.find(({ id }) => id === open);
  const [last, setLast] = useState(here);
  if (here && here !== last) setLast(here);
  const isHere = !open || !nodes || here !== undefined;
  const [{ data, fetching }] = useQuery({
    query: GroupDocument,
    variables: { id: open ?? '' },
    pause: isHere,
  });
  if (isHere) return { group: null, isGone: false };
  if (fetching || !data) return { group: last?.id === open ? last : null, isGone: false };
  return { group: data.group?.id === open ? data.group : null, isGone: data.group === null };
}
