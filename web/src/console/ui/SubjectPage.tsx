import type { CombinedError } from '@urql/core';
import type { ReactNode } from 'react';
import { useViewer } from '../session/ViewerProvider';
import { EmptyState } from './EmptyState';
import { Failed } from './Failed';
import { Page } from './Page';

interface Props {
  /** What it is about, as in `There is no such bot`. */
  noun: string;
  /** Undefined while it loads; null if there is none. */
  subject: { name: string } | null | undefined;
  error: CombinedError | undefined;
  onRetry: () => void;
  children: ReactNode;
}

/** A page about one user, bot or persona. */
export function SubjectPage({ noun, subject, error, onRetry, children }: Props) {
  // Whose menu does not have these lists.
  const isMember = useViewer()?.role === 'MEMBER';
  if (subject === null) {
    return (
      <Page title={`No such ${noun}`}>
        <EmptyState title={`There is no such ${noun}, or you may not see it`}>
          {!isMember && 'Look for it in the lists under Team Management.'}
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page title={subject?.name ?? '…'}>
      {error && <Failed error={error} onRetry={onRetry} />}
      {children}
    </Page>
  );
}
