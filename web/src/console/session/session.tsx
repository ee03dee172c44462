import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useLayoutEffect,
  useMemo,
  useState,
} from 'react';
import { flushSync } from 'react-dom';
import { Provider } from 'urql';
import { type Api, createApi } from '../api/client';
import { complain, withdraw } from '../ui/notices';
import { SignInPage } from './SignInPage';

interface Session extends Api {
  /** To be told when the service no longer knows who is asking. */
  onExpired: () => void;
  signOut: () => Promise<void>;
}

const SessionContext = createContext<Session | null>(null);

const STILL_SIGNED_IN =
  'You are still signed in: the service did not answer. Check your connection, then try again.';

/** Who is signed in is a cookie that no script can read; only an answer tells whether it is good. */
type State = 'signed in' | 'expired' | 'signed out';

/**
 * Shows the page to somebody who is signed in, and the sign-in form to everybody else. The form
 * takes the page's place under the same address, so that signing in leads back to it.
 */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>('signed in');
  const expire = useCallback(() => setState('expired'), []);
  const leave = useCallback(() => setState('signed out'), []);

  if (state !== 'signed in') {
    return <SignInPage isExpired={state === 'expired'} onSignedIn={() => setState('signed in')} />;
  }
  return (
    <SignedIn onExpired={expire} onSignedOut={leave}>
      {children}
    </SignedIn>
  );
}

interface SignedInProps {
  children: ReactNode;
  onExpired: () => void;
  onSignedOut: () => void;
}

function SignedIn({ children, onExpired, onSignedOut }: SignedInProps) {
  // One for each session: what one person saw is never another's. It ends at once: a write that was
  // refused so finds its dialog gone, and tells it in a notice.
  const [api] = useState(() => createApi(() => flushSync(onExpired)));
  // Nor is what it was told, and an undo that is offered would be made in the next one's name.
  useLayoutEffect(() => withdraw, []);
  const session = useMemo(
    () => ({
      ...api,
      onExpired,
      signOut: async () => {
        const answer = await fetch('/session', { method: 'DELETE' }).catch(() => null);
        if (answer?.ok || answer?.status === 401) onSignedOut();
        else complain(STILL_SIGNED_IN);
      },
    }),
    [api, onExpired, onSignedOut],
  );
  return (
    <SessionContext value={session}>
      <Provider value={api.client}>{children}</Provider>
    </SessionContext>
  );
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession needs a SessionProvider');
  return session;
}
