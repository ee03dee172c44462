// Types every operation under src/console from the SDL that the service prints, into one file.
// `npm run operations` writes it; building and checking do so first.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildSchema, parse } from 'graphql';

const OUTPUT = 'src/console/api/operations.ts';

const sdl = readFileSync('../schema/schema.graphql', 'utf8');
const documents = readdirSync('src/console', { recursive: true })
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((name) => ({
    location: name,
    document: parse(readFileSync(`src/console/${name}`, 'utf8')),
  }));

const output = await codegen({
  filename: OUTPUT,
  schema: parse(sdl),
  schemaAst: buildSchema(sdl),
  documents,
  config: {
    useTypeImports: true,
    enumType: 'string-literal',
    scalars: { DateTime: 'string', ID: 'string' },
    documentMode: 'graphQLTag',
    gqlImport: '@urql/core#gql',
    dedupeFragments: true,
  },
  plugins: [{ operations: {} }, { documents: {} }],
  pluginMap: { operations: typescriptOperations, documents: typedDocumentNode },
});

const text = `// Made by scripts/operations.mjs.\n${output}`;
// A file that is as it was keeps its time, so that nothing is built anew because of it.
if (!existsSync(OUTPUT) || readFileSync(OUTPUT, 'utf8') !== text) writeFileSync(OUTPUT, text);
