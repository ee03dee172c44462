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
  const search = useDebouncedCallback(onSearch, PAUSE);
  // The address may change under it: back, forward.
  useEffect(() => setText(value), [value]);

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
