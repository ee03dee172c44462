// What each server is started with, as the plain one is.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const text = { type: 'string' };

export const options = parseArgs({
  options: { database: text, organization: text, host: text, port: text },
}).values;

export const typeDefs = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8');
