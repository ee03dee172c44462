import { Paper, Table } from '@mantine/core';
import type { TypedDocumentNode } from '@urql/core';
import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { useAddress } from './address';
import { count } from './count';
import { EmptyState } from './EmptyState';
import { Page } from './Page';
import { EndOfPages, FailedPage, Pager, usePageArguments } from './Pager';
import { Rows } from './Rows';
import { SearchInput } from './SearchInput';

interface Data<Row> {
  list: {
    totalCount: number;
    nodes: Row[];
    pageInfo: {
      hasNextPage: boolean;
      hasPreviousPage: boolean;
      startCursor: string | null | undefined;
      endCursor: string | null | undefined;
    };
  };
}

interface Variables {
  [name: string]: unknown;
  search?: string | null;
}

interface Props<Row> {
  title: string;
  /** What one row is. */
  one: string;
  query: TypedDocumentNode<Data<Row>, Variables>;
  /** Those aside are left out where there is no room. */
  columns: { head: string; cell: (row: Row) => ReactNode; isAside?: boolean }[];
}

/** A table of the directory, with search and pages. */
export function DirectoryPage<Row extends { id: string }>({
  title,
  one,
  query,
  columns,
}: Props<Row>) {
  const { get, change } = useAddress();
  const search = get('search') ?? '';
  const [{ data, error, fetching }, retry] = useQuery({
    query,
    variables: { ...usePageArguments(), search: search || null },
  });
  return (
    <Page title={title}>
      <SearchInput
        label={`Search ${title.toLowerCase()}`}
        mb="sm"
        maw={420}
        value={search}
        onSearch={(text) => change({ search: text, after: null, before: null }, { replace: true })}
      />
      {error && <FailedPage error={error} onRetry={retry} />}
      {!data && !error && <Rows count={10} />}
      {data && data.list.nodes.length > 0 && (
        <Paper withBorder className="rows" aria-busy={fetching}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                {columns.map(({ head, isAside }) => (
                  <Table.Th scope="col" key={head} visibleFrom={isAside ? 'sm' : undefined}>
                    {head}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.list.nodes.map((row) => (
                <Table.Tr key={row.id}>
                  {columns.map(({ head, cell, isAside }) => (
                    <Table.Td key={head} visibleFrom={isAside ? 'sm' : undefined}>
                      {cell(row)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
      {data && data.list.nodes.length === 0 && (
        <Nothing what={title.toLowerCase()} search={search} total={data.list.totalCount} />
      )}
      {data && <Pager pageInfo={data.list.pageInfo} total={count(data.list.totalCount, one)} />}
    </Page>
  );
}

function Nothing({ what, search, total }: { what: string; search: string; total: number }) {
  if (total > 0) return <EndOfPages />;
  return search ? (
    <EmptyState title="Nothing matches">Try fewer letters.</EmptyState>
  ) : (
    <EmptyState title={`No ${what} yet`}>They come from the product that Cohort serves.</EmptyState>
  );
}
