import { useEffect, useRef } from 'react';

/** Where the pages of this browser tell one another who is signed in: they share the cookie. */
const CHANNEL = 'cohort:signed-in';

/**
 * Loads the page anew once somebody else has signed in, here or in another tab: it would go on to show
 * what the last one may see, and to write in the next one's name, into another organization even.
 *
 * @param who who is signed in, as the service says; undefined until it has.
 */
export function useOnePerson(who: string | undefined): void {
  const first = useRef(who);

  useEffect(() => {
    if (who === undefined) return;
    first.current ??= who;
    if (first.current !== who) location.reload();
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => data !== who && location.reload();
    channel.postMessage(who);
    return () => channel.close();
  }, [who]);
}
