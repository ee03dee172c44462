import { NO_ANSWER } from '../api/client';

/** Where the printed link leads back to; an address of this page, and no secret. */
const RETURN_TO = 'cohort:return-to';

/** What somebody pasted: a sign-in link of this service, or of another host, or a token. */
type Pasted = { link: string } | { host: string } | { token: string };

export function readPasted(text: string, origin: string): Pasted {
  const pasted = text.trim();
  const url = URL.canParse(pasted) ? new URL(pasted) : null;
  if (url?.pathname === '/sign-in' && url.origin === origin) {
    return { link: url.pathname + url.search };
  }
  if (url?.pathname === '/sign-in' && url.searchParams.has('secret')) return { host: url.host };
  return { token: pasted };
}

/** Trades a token for a session; returns why it was refused, or null. */
export async function signInWith(token: string): Promise<string | null> {
  let response: Response;
  try {
    response = await fetch('/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
  } catch {
    return NO_ANSWER;
  }
  if (response.ok) return null;
  const answer = await response.json().catch(() => null);
  return answer?.errors?.[0]?.message ?? `The service refused (${response.status}).`;
}

/** The address of a page within this service. The router takes `//x` for another host, and fails. */
export const placeOf = ({ pathname, search }: Pick<Location, 'pathname' | 'search'>) =>
  pathname.replace(/^\/+/, '/') + search;

export function rememberPlace(): void {
  inTab((storage) => storage.setItem(RETURN_TO, placeOf(location)));
}

/** The place to go on at after a sign-in link, once. */
export function recallPlace(): string | null {
  const place = inTab((storage) => storage.getItem(RETURN_TO));
  inTab((storage) => storage.removeItem(RETURN_TO));
  return place === '/' ? null : place;
}

/** Null where the browser lets this site store nothing, by its setting or for want of room. */
function inTab<Result>(use: (storage: Storage) => Result): Result | null {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}
