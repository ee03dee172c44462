import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useRef, useState } from 'react';
import { useQuery } from 'urql';
import { GroupDocument, GroupNamesDocument } from '../api/operations';

interface Props {
  groupId: string | null;
  onChange: (groupId: string | null) => void;
}

/** Chooses one group by its name, out of however many. */
export function GroupFilter({ groupId, onChange }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 150);
  const [{ data: answer, fetching }] = useQuery({
    query: GroupDocument,
    variables: { id: groupId ?? '' },
    pause: !groupId,
  });
  // Until the service has answered, it is of the one that was chosen before.
  const chosen = groupId && !fetching ? answer : undefined;
  // The box holds the name of the chosen one, which nobody typed to search for it.
  const isSearched = search !== '' && search !== chosen?.group?.name;
  const [{ data }] = useQuery({
    query: GroupNamesDocument,
    variables: { search: isSearched ? search : null },
  });
  const found = new Map((data?.groups.nodes ?? []).map(({ id, name }) => [id, name]));
  const groups = new Map(found);
  if (groupId) {
    const name = chosen ? (chosen.group?.name ?? 'A group that is gone') : '…';
    groups.set(groupId, found.get(groupId) ?? name);
  }

  return (
    <Select
      ref={input}
      label="Group"
      placeholder="All groups"
      data={[...groups].map(([value, label]) => ({ value, label }))}
      // The service has searched already; the chosen one is there for its name.
      filter={({ options }) =>
        options.filter((option) => !isSearched || ('value' in option && found.has(option.value)))
      }
      value={groupId}
      onChange={onChange}
      searchValue={text}
      onSearchChange={setText}
      searchable
      clearable
      // For keys and screen readers too; Mantine keeps it from them.
      clearButtonProps={{ 'aria-label': 'Show all groups', 'aria-hidden': false, tabIndex: 0 }}
      // The button that had the focus is gone.
      onClear={() => input.current?.focus()}
      nothingFoundMessage="No group has this name"
      maw={420}
      mb="md"
    />
  );
}
