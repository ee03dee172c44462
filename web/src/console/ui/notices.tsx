import { Button, Group, Kbd, Text } from '@mantine/core';
import { useHotkeys, useMediaQuery } from '@mantine/hooks';
import {
  type NotificationData,
  Notifications,
  notifications,
  notificationsStore,
} from '@mantine/notifications';
import {
  type FocusEvent,
  type MouseEvent,
  type ReactNode,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

/** Milliseconds that an offer to undo stands, unless the pointer or the focus is on it. */
const OFFER = 12_000;

/**
 * Shows a notice at once: where there is no room for one more, the oldest goes, but one that has
 * the focus goes last. Returns its id.
 */
function show(notice: NotificationData): string {
  const { notifications: shown, limit } = notificationsStore.getState();
  const leaving = [...shown.filter((one) => !isHeld(one)), ...shown.filter(isHeld)];
  for (const { id } of leaving.slice(0, Math.max(shown.length - limit + 1, 0))) {
    if (id) notifications.hide(id);
  }
  return notifications.show({ ...notice, closeButtonProps: { 'aria-label': 'Close the notice' } });
}

const isHeld = ({ autoClose }: NotificationData) => autoClose === false;

/** Tells what was done. */
export const tell = (text: string) => show({ message: <Message>{text}</Message> });

/** Tells what was refused, or failed. */
export const complain = (text: string) =>
  show({
    message: <Message>{text}</Message>,
    color: 'red',
    title: 'That did not work',
    autoClose: OFFER,
  });

/**
 * Tells what was done, and offers to undo it.
 *
 * @param onUndo tells whether it failed, but may go better another time: it is offered again then.
 */
export function offerUndo(message: string, onUndo: () => Promise<boolean>) {
  const undo = async () => {
    notifications.hide(id);
    if (await onUndo()) offerUndo(message, onUndo);
  };
  const notice = {
    message: (
      <Message>
        <Offer message={message} onUndo={undo} />
      </Message>
    ),
  };
  const id = show({
    ...notice,
    autoClose: OFFER,
    onFocus: () => notifications.update({ ...notice, id, autoClose: false }),
    onBlur: () => notifications.update({ ...notice, id, autoClose: OFFER }),
  });
}

const UNDO_KEY = /mac|iphone|ipad/i.test(navigator.userAgent) ? '⌘Z' : 'Ctrl+Z';

function Offer({ message, onUndo }: { message: string; onUndo: () => void }) {
  const before = useRef<EventTarget | null>(null);
  const [isDone, setIsDone] = useState(false);

  function undo({ currentTarget }: MouseEvent) {
    const hadFocus = document.activeElement === currentTarget;
    setIsDone(true);
    onUndo();
    // The button goes; whoever was on it goes back to where they came from.
    if (hadFocus) goBackTo(before.current);
  }

  return (
    <Group justify="space-between">
      {/* Where there is no room for words beside it, the button goes below. */}
      <Text size="sm" flex="1 1 min(10rem, 100%)">
        {message}
      </Text>
      <Group gap={6} wrap="nowrap" flex="none">
        <Button
          data-undo
          disabled={isDone}
          size="compact-sm"
          variant="default"
          aria-keyshortcuts="Control+Z Meta+Z"
          onFocus={({ relatedTarget }: FocusEvent) => {
            before.current = relatedTarget;
          }}
          onClick={undo}
        >
          Undo
        </Button>
        <Kbd size="xs" visibleFrom="sm">
          {UNDO_KEY}
        </Kbd>
      </Group>
    </Group>
  );
}

/** Of a notice that goes with the focus on it, as it is closed by key: gives that back. */
function Message({ children }: { children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const notice = place.current?.closest<HTMLElement>('[role=alert]');
    let before: EventTarget | null = null;
    const onFocus = ({ relatedTarget }: globalThis.FocusEvent) => {
      if (!notice?.contains(relatedTarget as Node | null)) before = relatedTarget;
    };
    notice?.addEventListener('focusin', onFocus);
    return () => {
      notice?.removeEventListener('focusin', onFocus);
      if (notice?.contains(document.activeElement)) goBackTo(before);
    };
  }, []);
  return <div ref={place}>{children}</div>;
}

function goBackTo(place: EventTarget | null) {
  if (place instanceof HTMLElement && place.isConnected) place.focus();
  else document.getElementById('main')?.focus();
}

/** Takes all notices away, and with them what they offer. */
export const withdraw = () => notifications.clean();

/** All notices. They stand at the end of the page, so a key takes up the newest offer to undo. */
export function Notices() {
  useHotkeys([
    ['mod+Z', undoNewest],
    ['mod+KeyZ', undoByPlace, { usePhysicalKeys: true, preventDefault: false }],
  ]);
  const isSmall = useMediaQuery('(max-width: 36em), (max-height: 36em)');
  const isLow = useMediaQuery('(max-height: 25em)');
  // On a phone more would cover what they tell of, and held across, there is room for one.
  return <Notifications limit={isLow ? 1 : isSmall ? 2 : 5} />;
}

function undoNewest({ repeat }: KeyboardEvent) {
  if (!repeat) undoButtons().at(-1)?.click();
}

/** Where the keys have no Latin letters, Cyrillic ones say, the key in the place of Z is meant. */
function undoByPlace(event: KeyboardEvent) {
  if (!/^\p{L}$/u.test(event.key) || /\p{Script=Latin}/u.test(event.key)) return;
  event.preventDefault();
  undoNewest(event);
}

const undoButtons = () => [...document.querySelectorAll<HTMLElement>('[data-undo]:enabled')];
