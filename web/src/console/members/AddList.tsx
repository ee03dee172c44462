import { Combobox, ScrollArea, Text, TextInput, useCombobox, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { type ClipboardEvent, type KeyboardEvent, useRef, useState } from 'react';
import { EmptyState } from '../ui/EmptyState';
import { Endless } from '../ui/Endless';
import { kept } from '../ui/kept';
import classes from './AddPopover.module.css';
import type { Kind, Member } from './kinds';
import { Email, MemberLine } from './MemberLine';
import { entriesOf } from './paste';

interface Props {
  kind: Kind;
  groupId: string;
  /** Whether it comes back in the place of what had the focus. */
  takesFocus: boolean;
  onAdd: (members: Member[]) => Promise<boolean>;
  onPasteMany: (entries: string[]) => void;
}

/** All that are not in the group; stays open, so that several can be added one after another. */
export function AddList({ kind, groupId, takesFocus, onAdd, onPasteMany }: Props) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 120);
  const [said, setSaid] = useState('');
  const combobox = useCombobox({ opened: true, loop: false });
  const list = useRef<HTMLDivElement>(null);
  const shown = useRef(new Map<string, Member>());
  const plural = kind.title.toLowerCase();

  const options = () => [...(list.current?.querySelectorAll('[data-combobox-option]') ?? [])];

  async function add(id: string) {
    const member = shown.current.get(id);
    if (!member) return;
    const all = options();
    const place = all.findIndex((option) => option.getAttribute('value') === id);
    const beside = all[place + 1] ?? all[place - 1];
    const done = onAdd([member]);
    // The one that was added leaves the list, perhaps a moment later.
    requestAnimationFrame(
      () => beside?.isConnected && combobox.selectOption(options().indexOf(beside)),
    );
    setSaid((await done) ? `Added ${member.name}.` : `${member.name} was not added.`);
  }

  /**
   * Mantine counts which option is marked, and does not know of others' changes, nor of another search's
   * options: Enter would add who has come into that place.
   */
  function recount({ key }: KeyboardEvent) {
    const isAsked = search === text.trim() && !list.current?.querySelector('[aria-busy=true]');
    const marked = options().findIndex((option) => option.hasAttribute('data-combobox-selected'));
    combobox.updateSelectedOptionIndex(key === 'Enter' && !isAsked ? -1 : marked);
  }

  function paste(event: ClipboardEvent) {
    const entries = entriesOf(event.clipboardData.getData('text'));
    if (entries.length < 2) return;
    event.preventDefault();
    onPasteMany(entries);
  }

  return (
    <Combobox store={combobox} onOptionSubmit={add}>
      <Combobox.EventsTarget withExpandedAttribute>
        <TextInput
          role="combobox"
          aria-label={`Search ${plural} to add`}
          placeholder={`Search by ${kind.knownBy}`}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.resetSelectedOption();
            list.current?.scrollTo({ top: 0 });
          }}
          onKeyDown={recount}
          onPaste={paste}
          leftSection={<IconSearch size={16} aria-hidden />}
          autoFocus={takesFocus}
          data-autofocus
        />
      </Combobox.EventsTarget>
      <Text size="xs" c="dimmed" my={6}>
        Or paste a list: one {kind.knownBy} a line.
      </Text>
      <VisuallyHidden role="status">{said}</VisuallyHidden>
      <ScrollArea.Autosize
        viewportRef={list}
        className={classes.list}
        type="auto"
        offsetScrollbars="present"
        viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': `${kind.title} to add` }}
      >
        <Endless
          query={kind.available}
          variables={{ id: groupId, search: search || null }}
          pick={(data) => data.owner?.list}
          item={(member) => {
            shown.current.set(member.id, member);
            return (
              <Combobox.Option value={member.id}>
                <Candidate member={member} />
              </Combobox.Option>
            );
          }}
          wrap={(options) => (
            <Combobox.Options aria-label={`${kind.title} that can be added`}>
              {options}
            </Combobox.Options>
          )}
          empty={
            search ? (
              <EmptyState title="Nothing matches">
                Try fewer letters, or look whether it is in the group already.
              </EmptyState>
            ) : (
              <EmptyState title={`All ${plural} are in this group`} />
            )
          }
        />
      </ScrollArea.Autosize>
    </Combobox>
  );
}

const Candidate = kept(function Candidate({ member }: { member: Member }) {
  return <MemberLine member={member} note={<Email member={member} />} />;
});
