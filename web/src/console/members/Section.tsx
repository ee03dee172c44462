import { ActionIcon, Group, Loader, ScrollArea, Text, Title } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { type RefObject, useCallback, useId, useLayoutEffect, useRef, useState } from 'react';
import { useCanWrite } from '../session/ViewerProvider';
import { EmptyState } from '../ui/EmptyState';
import { Endless } from '../ui/Endless';
import { kept } from '../ui/kept';
import { SearchInput } from '../ui/SearchInput';
import { useHeir } from '../ui/useHeir';
import { AddPopover } from './AddPopover';
import type { Kind, Member } from './kinds';
import { MemberLine } from './MemberLine';
import { MemberLink } from './MemberLink';
import classes from './Section.module.css';
import { useMembership } from './useMembership';

/** From how many on a section has a search of its own. */
const MANY = 8;

interface Props {
  kind: Kind;
  group: { id: string; name: string };
  total: number;
}

/** What a group holds of one kind. */
export function Section({ kind, group, total }: Props) {
  const [search, setSearch] = useState('');
  const canWrite = useCanWrite();
  const titleId = useId();
  const { add, remove } = useMembership(kind, group);
  const left = useRef<Left>(null);
  const list = useRef<HTMLDivElement>(null);
  // Once it is there it stays: it may have the focus, and text that was not searched for yet.
  const [hasSearch, setHasSearch] = useState(false);
  if (total >= MANY && !hasSearch) setHasSearch(true);

  return (
    <section
      tabIndex={-1}
      aria-labelledby={titleId}
      className={classes.section}
      onKeyDown={() => {
        left.current = null;
      }}
      onBlur={({ target }) => {
        // While another window has the focus, it stays the active element of this one.
        const isActive = target === document.activeElement;
        if (target === left.current?.heir && !isActive) left.current = null;
      }}
    >
      <Group justify="space-between" mb="xs">
        <Title order={3} size="h5" id={titleId}>
          {kind.title}{' '}
          <Text span size="sm" c="dimmed">
            {total.toLocaleString()}
          </Text>
        </Title>
        {canWrite && <AddPopover kind={kind} group={group} onAdd={add} />}
      </Group>
      {hasSearch && (
        <SearchInput
          label={`Search ${kind.title.toLowerCase()} of ${group.name}`}
          size="xs"
          mb="xs"
          value={search}
          onSearch={(text) => {
            setSearch(text);
            list.current?.scrollTo({ top: 0 });
          }}
        />
      )}
      <ScrollArea.Autosize
        viewportRef={list}
        className={classes.list}
        type="auto"
        offsetScrollbars="present"
      >
        <Endless
          query={kind.members}
          variables={{ id: group.id, search: search || null }}
          pick={(data) => data.owner?.list}
          item={(member) => (
            <Card
              kind={kind}
              member={member}
              onRemove={canWrite ? remove : undefined}
              left={left}
            />
          )}
          wrap={(cards) => (
            // biome-ignore lint/a11y/useSemanticElements: the list also holds its own end.
            <div role="list" aria-labelledby={titleId}>
              {cards}
            </div>
          )}
          empty={
            search ? (
              <EmptyState title="Nothing matches">Try fewer letters.</EmptyState>
            ) : (
              <EmptyState title={`No ${kind.title.toLowerCase()} yet`}>
                {canWrite && 'Add some with the + above.'}
              </EmptyState>
            )
          }
        />
      </ScrollArea.Autosize>
    </section>
  );
}

/**
 * The bin, or the link, of the card beside one that goes; of the last one, the section. One that
 * only moves to the page above stands there already, and keeps the focus.
 */
function heirOf(card: HTMLElement): HTMLElement | null {
  const section = card.closest('section');
  const tag = document.activeElement?.tagName ?? '';
  const inCard = (other?: Element | null) => other?.querySelector<HTMLElement>(tag);
  const cards = [...(section?.querySelectorAll<HTMLElement>('[data-member]') ?? [])];
  const same = cards.find(
    (other) => other !== card && other.dataset.member === card.dataset.member,
  );
  const place = cards.indexOf(card);
  return inCard(same) ?? inCard(cards[place + 1]) ?? inCard(cards[place - 1]) ?? section;
}

/**
 * The cards that went one after another with the focus on their `tag`, and what has it now, until
 * somebody goes on.
 */
interface Left {
  ids: string[];
  tag: string;
  heir: HTMLElement | null;
}

interface CardProps {
  kind: Kind;
  member: Member;
  onRemove: ((member: Member) => Promise<boolean>) | undefined;
  left: RefObject<Left | null>;
}

const Card = kept(function Card({ kind, member, onRemove, left }: CardProps) {
  const [busy, setBusy] = useState(false);
  const { id } = member;
  const pass = useCallback(
    (here: HTMLElement) => {
      const had = document.activeElement;
      const ids = left.current && left.current.heir === had ? left.current.ids : [];
      ids.push(id);
      left.current = { ids, tag: had?.tagName ?? '', heir: heirOf(here) };
      return left.current.heir;
    },
    [left, id],
  );
  const card = useHeir<HTMLDivElement>(pass);

  // One that comes back, because its removal was refused, or comes on the page below a moment later:
  // the same key again must not remove somebody else.
  useLayoutEffect(() => {
    if (!left.current?.ids.includes(id) || document.activeElement !== left.current.heir) return;
    const { ids, tag } = left.current;
    const heir = card.current?.querySelector<HTMLElement>(tag) ?? null;
    heir?.focus();
    // One that went before it may come back as well.
    left.current = { ids: ids.slice(0, ids.indexOf(id)), tag, heir };
  }, [card, left, id]);

  async function remove() {
    if (busy || !onRemove) return;
    setBusy(true);
    const isRemoved = await onRemove(member);
    setBusy(false);
    // Who is removed and comes back later, comes by another's doing.
    if (isRemoved && left.current) {
      left.current.ids = left.current.ids.filter((other) => other !== id);
    }
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: see the list.
    <div ref={card} role="listitem" data-member={member.id} className={classes.card}>
      <MemberLine member={member} name={<MemberLink kind={kind} member={member} />} />
      {onRemove && (
        <ActionIcon
          variant="subtle"
          color="red"
          className={classes.bin}
          aria-label={`Remove ${member.name}`}
          // Not disabled while it is busy: it would lose the focus.
          aria-busy={busy}
          onClick={remove}
        >
          {busy ? (
            <Loader size={16} color="red" aria-hidden />
          ) : (
            <IconTrash size={16} aria-hidden />
          )}
        </ActionIcon>
      )}
    </div>
  );
});
