import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react';
import { useQuery } from 'urql';
import { follow } from '../api/live';
import { ViewerDocument, type ViewerQuery } from '../api/operations';
import { useSession } from './session';
import { useOnePerson } from './useOnePerson';

export type Viewer = ViewerQuery['viewer'];

interface Known {
  /** Undefined until the first answer. */
  viewer: Viewer | undefined;
  /** Whether changes of others arrive at this moment, and what they changed. */
  isOnline: boolean;
}

const ViewerContext = createContext<Known>({ viewer: undefined, isOnline: true });

/** Finds out who is signed in, and follows the changes from what was first shown. */
export function ViewerProvider({ children }: { children: ReactNode }) {
  const [{ data }] = useQuery({ query: ViewerDocument });
  const isOnline = useLive(data);
  useOnePerson(data && nameOf(data.viewer));
  return <ViewerContext value={{ viewer: data?.viewer, isOnline }}>{children}</ViewerContext>;
}

const nameOf = ({ organization, user }: Viewer) => `${organization.id} ${user?.id ?? 'a token'}`;

function useLive(data: ViewerQuery | undefined): boolean {
  const { freshness, onExpired } = useSession();
  const [isOnline, setIsOnline] = useState(true);
  const isFresh = useSyncExternalStore(freshness.subscribe, freshness.isFresh);
  const [cursor, setCursor] = useState<string | null>();
  // The cursor that came first is where to begin; later ones the subscription knows by itself.
  if (data && cursor === undefined) setCursor(data.changes.edges[0]?.cursor ?? null);

  useEffect(() => {
    if (cursor === undefined) return;
    return follow({ after: cursor, freshness, onOnline: setIsOnline, onExpired });
  }, [cursor, freshness, onExpired]);
  return isOnline && isFresh;
}

export const useViewer = () => useContext(ViewerContext).viewer;
export const useIsOnline = () => useContext(ViewerContext).isOnline;

/** Whether to show what writes. The service decides what may be written. */
export const useCanWrite = () => useViewer()?.role === 'ADMIN';
