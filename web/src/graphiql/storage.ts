import type { Storage as GraphiQLStorage } from '@graphiql/toolkit';

/**
 * GraphiQL's storage, but for request headers: they may hold a token, and a token must not lie
 * about in the browser's storage. GraphiQL keeps headers out of the saved tabs when told
 * `shouldPersistHeaders={false}`, yet its history plugin saves them regardless.
 */
export function storageWithoutHeaders(store: globalThis.Storage): GraphiQLStorage {
  return {
    getItem: (key) => store.getItem(key),
    setItem: (key, value) => store.setItem(key, isHistory(key) ? dropHeaders(value) : value),
    removeItem: (key) => store.removeItem(key),
    clear: () => {
      for (const key of graphiqlKeys(store)) store.removeItem(key);
    },
    get length() {
      return graphiqlKeys(store).length;
    },
  };
}

const isHistory = (key: string) => key === 'graphiql:queries' || key === 'graphiql:favorites';

const dropHeaders = (json: string) =>
  JSON.stringify(JSON.parse(json, (name, value) => (name === 'headers' ? undefined : value)));

/** For a browser that lets this site store nothing. */
const NOTHING: GraphiQLStorage = {
  getItem: () => null,
  setItem: () => undefined,
  removeItem: () => undefined,
  clear: () => undefined,
  length: 0,
};

/** The browser's storage, as far as it has one for this site; else a look at it may even throw. */
export function browserStorage(): GraphiQLStorage {
  try {
    return localStorage ? storageWithoutHeaders(localStorage) : NOTHING;
  } catch {
    return NOTHING;
  }
}

// The console shares this origin, so "all" means GraphiQL's own keys.
const graphiqlKeys = (store: globalThis.Storage) =>
  Object.keys(store).filter((key) => key.startsWith('graphiql:'));
