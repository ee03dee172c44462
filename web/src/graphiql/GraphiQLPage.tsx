import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useState } from 'react';
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
        <GraphiQL.Logo>Cohort</GraphiQL.Logo>
      </GraphiQL>
    </>
  );
}
