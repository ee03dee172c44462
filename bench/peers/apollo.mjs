// Apollo Server on Node's own HTTP.

import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { options, typeDefs } from './options.mjs';
import { connect, resolvers } from './resolvers.mjs';

const database = connect(options.database, options.organization);
// The bench asks at /graphql; a server that stands alone answers at any path.
await startStandaloneServer(new ApolloServer({ typeDefs, resolvers, introspection: false }), {
  listen: { host: options.host, port: Number(options.port) },
  context: async () => ({ database, loaders: database.loaders() }),
});
