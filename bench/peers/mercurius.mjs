// Mercurius on Fastify, which compiles a query once it was asked (graphql-jit).

import Fastify from 'fastify';
import mercurius from 'mercurius';
import { options, typeDefs } from './options.mjs';
import { connect, resolvers } from './resolvers.mjs';

const database = connect(options.database, options.organization);
const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: () => ({ database, loaders: database.loaders() }),
});
await app.listen({ host: options.host, port: Number(options.port) });
