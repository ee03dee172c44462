import { CloseButton, TextInput, type TextInputProps } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';

/** Milliseconds between the last key and the search. */
const PAUSE = 150;

interface Props extends Omit<TextInputProps, 'value' | 'onChange'> {
  label: string;
  value: string;
  onSearch: (text: string) => void;
}

/** Searches as somebody types. */
export function SearchInput({ label, value, onSearch, ...props }: Props) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  /** What was searched for from here, and has not come back as the value yet. */
  const asked = useRef<string[]>([]);
  const search = useDebouncedCallback((next: string) => {
    if (next !== (asked.current.at(-1) ?? value)) asked.current.push(next);
    onSearch(next);
  }, PAUSE);

  // The address may change under it: back, forward. But what comes back from a search may be older
  // than what has been typed since, and must not replace it.
  useEffect(() => {
    const place = asked.current.indexOf(value);
    if (place < 0) {
      asked.current = [];
      setText(value);
    } else {
      asked.current.splice(0, place + 1);
    }
  }, [value]);

  const change = (next: string) => {
    setText(next);
    search(next);
  };

  function clear() {
    change('');
    // The button that had the focus is gone with the text.
    input.current?.focus();
  }

  return (
    <TextInput
      ref={input}
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={text && <CloseButton size="sm" aria-label="Clear the search" onClick={clear} />}
      {...props}
    />
  );
}
