/**
 * Gives the editor its workers as files of this build. `graphiql/setup-workers/vite` would do the
 * same, but the dev server cannot bundle worker imports that lie inside a package.
 *
 * monaco-editor and monaco-graphql must be the versions that @graphiql/react brings
 * (`npm ls monaco-editor monaco-graphql` shows one of each).
 */
import type {} from 'monaco-editor'; // declares MonacoEnvironment
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker';
import JsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker';
import GraphQLWorker from './graphql.worker?worker';

window.MonacoEnvironment = {
  getWorker(_id, label) {
    if (label === 'graphql') return new GraphQLWorker();
    if (label === 'json') return new JsonWorker();
    return new EditorWorker();
  },
};
