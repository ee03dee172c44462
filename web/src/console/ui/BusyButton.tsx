import { Button, type ButtonProps } from '@mantine/core';
import type { ComponentPropsWithRef } from 'react';

interface Props extends ButtonProps, Omit<ComponentPropsWithRef<'button'>, keyof ButtonProps> {
  busy: boolean;
}

/** Does nothing more while it is at work, but keeps the focus, which a disabled one would lose. */
export function BusyButton({ busy, disabled, onClick, ...props }: Props) {
  return (
    <Button
      {...props}
      loading={busy}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
      renderRoot={(root) => <button {...root} disabled={disabled} aria-busy={busy} />}
    />
  );
}
