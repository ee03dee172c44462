import { explorerPlugin } from '@graphiql/plugin-explorer';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useEffect, useState } from 'react';
import { exampleTabs } from './examples';
import { createFetcher } from './fetcher';
import { browserStorage } from './storage';

// GraphiQL adds the documentation explorer by itself. Both constants stand outside the component
// because GraphiQL starts over when it is given new ones.
const plugins = [explorerPlugin(), HISTORY_PLUGIN];
const storage = browserStorage();

export function GraphiQLPage() {
  const [refusal, setRefusal] = useState<string | null>(null);
  const [fetcher] = useState(() => createFetcher({ onRefused: setRefusal }));

  return (
    <>
      {refusal !== null && (
        <p className="sign-in-notice" role="alert">
          <strong>You are not signed in.</strong> <a href="/">Sign in</a>, then come back to this
          page. <small>(The service says: {refusal})</small>
        </p>
      )}
      <GraphiQL
        fetcher={fetcher}
        storage={storage}
        shouldPersistHeaders={false}
        plugins={plugins}
        defaultTabs={exampleTabs}
        defaultEditorToolsVisibility="variables"
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <h1 className="title">Cohort</h1>
        </GraphiQL.Logo>
        <SystemTheme />
      </GraphiQL>
    </>
  );
}

/**
 * Has the editors change with the system's theme, unless one was chosen in the settings. GraphiQL
 * asks for the system's only once, and its text would be light on light, or dark on dark.
 */
function SystemTheme() {
  const isChosen = useGraphiQL((state) => state.theme !== null);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    if (isChosen) return;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(null);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [isChosen, setTheme]);
  return null;
}
